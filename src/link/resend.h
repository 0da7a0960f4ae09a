/* SPDX-License-Identifier: MPL-2.0 */
/* resend: what of a kept body is sent again on a fresh link (proto/link.md, section 9): everything but what is taken, a
 * GAP in the place of each record that is left out, and messages without the recipients whose copies have ended. Pure;
 * the link's thread. */
#ifndef FERRY_LINK_RESEND_H
#define FERRY_LINK_RESEND_H

#include "base/buffer.h"
#include "base/span.h"

typedef struct {
    bool (*is_taken)(const void *arg, uint64_t number);
    bool (*has_ended)(const void *arg, uint64_t number, uint32_t recipient); /* by its position in the record */
    const void *arg;
    bool no_reports; /* reports are left out, but for those of copies that the broker had been told to have ended */
} resend_t;

/* Writes the body that is to be sent instead into the empty `to`. `frame` is a body that was made here. Returns false,
 * and leaves `to` empty, if it goes as it is. */
bool resend_body(span_t frame, const resend_t *ask, buffer_t *to);

/* Writes a body of `count` gaps from that number on, for one that is not kept any more. */
void resend_gaps(uint64_t first, uint32_t count, buffer_t *to);

#endif
