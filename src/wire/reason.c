/* SPDX-License-Identifier: MPL-2.0 */
/* reason: looks a code up in the table that proto/reasons.def makes. Nothing fails: a number outside of the table, as a
 * later version may send one, has a name too. Any thread. */
#include "wire/reason.h"

#include <stddef.h>

typedef struct {
    const char *code;
    const char *meaning;
} reason_row_t;

static const reason_row_t reason_rows[] = {
    {"unknown", "Not a reason of this version."},
#define REASON(name, number, code, meaning) [number] = {code, meaning},
#include "reasons.def"
#undef REASON
};

static const reason_row_t *reason_row(int reason)
{
    size_t number = reason < 0 ? 0 : (size_t)reason;
    if (number >= sizeof reason_rows / sizeof reason_rows[0] || reason_rows[number].code == NULL)
        number = 0;
    return &reason_rows[number];
}

const char *reason_code(int reason)
{
    return reason_row(reason)->code;
}

const char *reason_meaning(int reason)
{
    return reason_row(reason)->meaning;
}
