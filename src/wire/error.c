/* SPDX-License-Identifier: MPL-2.0 */
/* error: looks a code up in the table that proto/errors.def makes. Nothing fails: a number outside of the table has a
 * name too. Any thread. */
#include "wire/error.h"

#include <stddef.h>

typedef struct {
    const char *code;
    const char *meaning;
} error_row_t;

static const error_row_t error_rows[] = {
    {"unknown", "Not an error of this version."},
#define ERROR(name, number, code, arguments, meaning) [number] = {code, meaning},
#include "errors.def"
#undef ERROR
};

static const error_row_t *error_row(int error)
{
    size_t number = error < 0 ? 0u - (unsigned)error : (unsigned)error;
    if (number >= sizeof error_rows / sizeof error_rows[0] || error_rows[number].code == NULL)
        number = 0;
    return &error_rows[number];
}

const char *error_code(int error)
{
    return error_row(error)->code;
}

const char *error_meaning(int error)
{
    return error_row(error)->meaning;
}
