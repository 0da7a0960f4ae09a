/* SPDX-License-Identifier: MPL-2.0 */
/* body_any: bodies of either side through the same calls, and records written as they were read; `up` is a node's body.
 * The test's thread. */
#ifndef FERRY_TESTS_BODY_ANY_H
#define FERRY_TESTS_BODY_ANY_H

#include <stdbool.h>

#include "wire/body.h"

/* As body_open_up, body_next_up and so on. */
int body_any_open(body_t *body, span_t frame, bool up);
int body_any_next(body_t *body, body_record_t *record, bool up);
void body_any_begin(buffer_t *to, bool up);
void body_any_finish(buffer_t *to, bool up, uint64_t first_number, uint32_t count);

/* Appends any record. */
void body_any_put(buffer_t *to, const body_record_t *record);

#endif
