/* SPDX-License-Identifier: MPL-2.0 */
/* close: why a link or a session was ended; the table of proto/closes.def. Any thread. */
#ifndef FERRY_WIRE_CLOSE_H
#define FERRY_WIRE_CLOSE_H

typedef enum {
    CLOSE_NONE = 0,
#define CLOSE(name, number, code, meaning) CLOSE_##name = number,
#include "closes.def"
#undef CLOSE
    CLOSE_COUNT
} close_t;

/* The word for logs and counters ("link-timeout") of a reason or of its negative; "unknown" for others. Static. */
const char *close_code(int close);

/* What it means: one sentence; "Unknown." for others. Static. */
const char *close_meaning(int close);

#endif
