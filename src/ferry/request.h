/* SPDX-License-Identifier: MPL-2.0 */
/* request: requests to the admin endpoint of a process. */
#ifndef FERRY_FERRY_REQUEST_H
#define FERRY_FERRY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Called for each line of an answer's body, without its "\n", as soon as it is there. False ends the request. */
typedef bool request_line_fn(void *arg, span_t line);

/* GET of `base` and `path` ("/status"), within 10 s. Returns the body, NUL-terminated, which the caller frees; or NULL
 * after one sentence on stderr, which is also what becomes of every answer but 200. */
char *request_get(const char *base, const char *path);

/* The same for each of `bases` at once, so that the answers are of one moment. Fills `count` bodies, and returns how
 * many of them are NULL. */
size_t request_get_all(const char *const *bases, size_t count, const char *path, char **bodies);

/* POST with `header` ("X-Ferry-Drain: 1") and no body; hands the answer's lines to `on_line`. There is no limit but the
 * connection's to how long it may take. Returns 0 when a 200 has ended in order, or was ended by `on_line`; -1 after
 * one sentence on stderr. */
int request_post(const char *base, const char *path, const char *header, request_line_fn *on_line, void *arg);

#endif
