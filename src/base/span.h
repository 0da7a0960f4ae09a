/* SPDX-License-Identifier: MPL-2.0 */
/* span: a run of bytes that somebody else owns; never NUL-terminated by right. Any thread. */
#ifndef FERRY_BASE_SPAN_H
#define FERRY_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct {
    const char *data; /* may be NULL when size is 0 */
    size_t size;      /* bytes */
} span_t;

static inline span_t span_of(const char *data, size_t size)
{
    return (span_t){data, size};
}

/* The span of a C string without its NUL. */
static inline span_t span_str(const char *string)
{
    return (span_t){string, strlen(string)};
}

/* By bytes, as strcmp orders strings: what another begins with comes before it. */
static inline int span_compare(span_t a, span_t b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool span_equal(span_t a, span_t b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#endif
