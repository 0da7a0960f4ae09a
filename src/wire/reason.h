/* SPDX-License-Identifier: MPL-2.0 */
/* reason: the codes of proto/reasons.def, why a copy was returned or left unconfirmed. Any thread. */
#ifndef FERRY_WIRE_REASON_H
#define FERRY_WIRE_REASON_H

typedef enum {
    FERRY_REASON_NONE = 0,
#define REASON(name, number, code, meaning) FERRY_REASON_##name = number,
#include "reasons.def"
#undef REASON
} ferry_reason_t;

/* The word on the wire ("gateway-lost") of a reason; "unknown" for what is not in the table. Static. */
const char *reason_code(int reason);

/* What it means to a user: one sentence. Static. */
const char *reason_meaning(int reason);

#endif
