/* SPDX-License-Identifier: MPL-2.0 */
/* error: the codes of proto/errors.def, the one table that code, documents and tests are made from. Any thread. */
#ifndef FERRY_WIRE_ERROR_H
#define FERRY_WIRE_ERROR_H

typedef enum {
    FERRY_ERROR_NONE = 0,
#define ERROR(name, number, code, argument, meaning) FERRY_ERROR_##name = number,
#include "errors.def"
#undef ERROR
} ferry_error_t;

/* The word on the wire ("no-such-peer") of a code or of its negative; "unknown" for any other number.
 * Static. */
const char *error_code(int error);

/* What it means to a user: one sentence. Static. */
const char *error_meaning(int error);

#endif
