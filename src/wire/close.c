/* SPDX-License-Identifier: MPL-2.0 */
/* close: the table of proto/closes.def as a switch. Pure; any thread. */
#include "wire/close.h"

#include <stdlib.h>

const char *close_code(int close)
{
    switch (abs(close)) {
#define CLOSE(name, number, code, meaning)                                                                             \
    case number:                                                                                                       \
        return code;
#include "closes.def"
#undef CLOSE
    default:
        return "unknown";
    }
}

const char *close_meaning(int close)
{
    switch (abs(close)) {
#define CLOSE(name, number, code, meaning)                                                                             \
    case number:                                                                                                       \
        return meaning;
#include "closes.def"
#undef CLOSE
    default:
        return "Unknown.";
    }
}
