/* SPDX-License-Identifier: MPL-2.0 */
/* vector_field: which fields each part of proto/vectors/link.txt has, how they are written, and where they stand in the
 * structs of src/wire: frame_header_t for HEADER, body_record_t for what stands in bodies, control_t for the rest. Any
 * thread. */
#ifndef FERRY_TESTS_VECTOR_FIELD_H
#define FERRY_TESTS_VECTOR_FIELD_H

#include <stddef.h>

/* How a value is written, and what it is in the struct. */
typedef enum {
    VECTOR_16,      /* a number; uint16_t */
    VECTOR_32,      /* a number; uint32_t */
    VECTOR_64,      /* a number; uint64_t */
    VECTOR_FLAG,    /* yes or no; bool */
    VECTOR_ID,      /* 32 hexadecimal digits; link_id_t */
    VECTOR_TEXT,    /* in double quotes; span_t */
    VECTOR_LIST_32, /* numbers; span_t of u32 */
    VECTOR_LIST_64, /* numbers; span_t of u64 */
    VECTOR_IDS,     /* ids; span_t */
    VECTOR_NAMES,   /* in double quotes; span_t of names as they are on the wire */
    VECTOR_OTHER,   /* not in the struct: the test looks at it */
} vector_form_t;

typedef struct {
    const char *kind, *key;
    vector_form_t form;
    size_t offset; /* in the struct */
} vector_field_t;

/* All fields; the last has no kind. */
extern const vector_field_t vector_fields[];

#endif
