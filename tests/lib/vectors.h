/* SPDX-License-Identifier: MPL-2.0 */
/* vectors: the parts of proto/vectors/link.txt, whose head describes the format, with their fields as text and their
 * bytes; and the way from such fields to the structs of src/wire and back (vector_field). What is wrong in the file
 * fails the test. The test's thread. */
#ifndef FERRY_TESTS_VECTORS_H
#define FERRY_TESTS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "lib/vector_field.h"

enum { VECTOR_FIELDS_MAX = 16 };

typedef struct vectors vectors_t;

typedef struct {
    const char *kind; /* "HELLO" */
    bool from_node;   /* or from the broker */
    size_t field_count;
    const char *keys[VECTOR_FIELDS_MAX];
    const char *values[VECTOR_FIELDS_MAX];
    span_t bytes;
    span_t paragraph; /* the first part of a paragraph: the bytes of all of its parts; others: empty */
} vector_t;

/* Reads the file of the source tree. */
vectors_t *vectors_new(void);
void vectors_destroy(vectors_t **self_p);

size_t vectors_count(const vectors_t *self);
const vector_t *vectors_at(const vectors_t *self, size_t index);

/* One value; the span lives as long as the vectors. */
unsigned long long vector_number(const vector_t *self, const char *key);
span_t vector_list(vectors_t *vectors, const vector_t *self, const char *key, vector_form_t form);

/* Sets the fields of a struct from those of the part, which must have all that vector_fields has for its kind. Spans
 * live as long as the vectors. */
void vector_fill(vectors_t *vectors, const vector_t *self, void *record);

/* Asserts that the fields of a struct are those of the part. */
void vector_check(vectors_t *vectors, const vector_t *self, const void *record);

#endif
