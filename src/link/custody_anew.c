/* SPDX-License-Identifier: MPL-2.0 */
/* custody_anew: what becomes of custody when a new link is up: what is to be sent again, and as what, and what is known
 * of held copies (proto/link.md, sections 6 and 9). Nothing can fail. Owner: the link's thread. */
#include <stdlib.h>

#include "link/custody_internal.h"
#include "link/resend.h"
#include "wire/error.h"
#include "wire/reason.h"

void custody_call_in(custody_t *self, void (*tell)(void *arg, const body_notice_t *notice), void *arg)
{
    loans_doubt(&self->loans);
    for (size_t i = 0; i < self->loans.count; i++) {
        const loan_t *loan = &self->loans.items[i];
        body_notice_t notice = {.error = FERRY_ERROR_UNCONFIRMED,
            .reason = FERRY_REASON_BROKER_LOST,
            .taken = true,
            .number = loan->number,
            .name = loan_name(loan)};
        if (!custody_is_taken(self, loan->number) || !custody_session(self, loan->number, &notice.session))
            continue;
        --*(name_is_group(notice.name) ? &self->ledger->shared : &self->ledger->handed_over);
        self->ledger->unconfirmed[FERRY_REASON_BROKER_LOST]++;
        tell(arg, &notice);
    }
    loans_clear(&self->loans);
}

void custody_unsettle(custody_t *self)
{
    self->is_unsettled = true;
    loans_doubt(&self->loans);
    for (uint64_t number = self->floor; number < self->next; number++)
        custody_entry(self, number)->stated = 0;
    for (size_t i = 0; i < self->unsettled.count; i++)
        self->unsettled.items[i].stated = 0;
}

void custody_settled(custody_t *self)
{
    self->is_unsettled = false;
    loans_settle(&self->loans);
    for (uint64_t number = self->floor; number < self->next; number++)
        custody_entry(self, number)->held = custody_entry(self, number)->stated;
    for (size_t i = 0; i < self->unsettled.count; i++) {
        unsettled_message_t *message = &self->unsettled.items[i];
        message->held = message->stated;
        if (!message->settled)
            custody_settle(self, message);
    }
    unsettled_tidy(&self->unsettled);
}

/* What was sent until now is to be sent again; what was to be, and has not been, still is. */
static void custody_send_again(custody_t *self)
{
    if (self->resent_end < self->bodies.unsent)
        self->resent_end = self->bodies.unsent;
}

static bool custody_has_ended(const void *arg, uint64_t number, uint32_t recipient)
{
    return endings_find(&((const custody_t *)arg)->endings, number, recipient) != NULL;
}

/* Keeps another body in the place of that one. */
static void custody_replace(custody_t *self, uint64_t index, const buffer_t *frame)
{
    zmq_msg_t body;
    if (zmq_msg_init_size(&body, buffer_size(frame)) != 0)
        abort();
    memcpy(zmq_msg_data(&body), frame->data, buffer_size(frame));
    bodies_replace(&self->bodies, index, &body);
}

/* Keeps what is to be sent again in the place of a body; without `ask` only of one that is not kept any more. */
static void custody_rewrite(custody_t *self, uint64_t index, const resend_t *ask)
{
    buffer_t rewritten = {0};
    span_t frame = bodies_frame(&self->bodies, index);
    if (frame.size == 0) {
        uint32_t count;
        uint64_t first = bodies_numbers(&self->bodies, index, &count);
        resend_gaps(first, count, &rewritten);
        custody_replace(self, index, &rewritten);
    } else if (ask && resend_body(frame, ask, &rewritten)) {
        custody_replace(self, index, &rewritten);
    }
    buffer_fini(&rewritten);
}

void custody_resume(custody_t *self, uint64_t count)
{
    custody_send_again(self);
    bodies_rewind(&self->bodies, count);
    for (uint64_t i = self->bodies.unsent; count > 0; count--, i++)
        custody_rewrite(self, i, NULL);
}

/* What a broker that is no more had counted as lost is counted here. */
static void custody_count_lost(custody_t *self)
{
    for (size_t i = 0; i < self->endings.count; i++) {
        const ending_t *ending = &self->endings.items[i];
        if (ending->place != ENDING_BROKER || custody_is_taken(self, ending->number))
            continue;
        custody_entry(self, ending->number)->copies--;
        self->ledger->unconfirmed[FERRY_REASON_GATEWAY_LOST]++;
    }
}

/* Takes what is a gap now. N.B. numbers below the floor have no entry any more, or share one with another. */
static void custody_take_gaps(custody_t *self, uint64_t index)
{
    body_t body;
    body_record_t record;
    if (body_open_up(&body, bodies_frame(&self->bodies, index)) != 0)
        return;
    while (body_next_up(&body, &record) == 1)
        if (record.type == RECORD_GAP && !custody_is_taken(self, body.number))
            custody_take(self, body.number, body.number + 1);
}

/* What waited for services may do so no more. */
static void custody_wait_no_more(custody_t *self)
{
    for (uint64_t number = self->floor; number < self->kept_end; number++) {
        entry_t *entry = custody_entry(self, number);
        if (entry->waits && !entry->taken)
            self->open_size += entry->size;
        entry->waits = false;
    }
}

void custody_begin_anew(custody_t *self, custody_anew_t why)
{
    resend_t ask = {.is_taken = custody_is_taken,
        .has_ended = custody_has_ended,
        .arg = self,
        .no_reports = why == CUSTODY_GIVEN_UP};
    custody_send_again(self);
    custody_wait_no_more(self);
    self->again_end = self->resent_end;
    for (uint64_t i = self->bodies.first; i < self->bodies.next; i++)
        custody_rewrite(self, i, &ask);
    if (why == CUSTODY_NEW_BROKER)
        custody_count_lost(self);
    endings_forget_positions(&self->endings);
    bodies_rewind(&self->bodies, self->bodies.unsent - self->bodies.first); /* N.B. first, so that gaps are kept */
    for (uint64_t i = self->bodies.first; i < self->bodies.next; i++)
        custody_take_gaps(self, i);
    self->exception_count = 0;
    self->below = self->floor;
    custody_advance(self);
}

bool custody_next_is_again(const custody_t *self)
{
    return self->bodies.unsent < self->again_end;
}
