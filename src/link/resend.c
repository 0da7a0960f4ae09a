/* SPDX-License-Identifier: MPL-2.0 */
/* resend: a body is read once to see whether it must change, and only then written anew. Nothing can fail. Owner: the
 * link's thread. */
#include "link/resend.h"

#include <assert.h>

#include "wire/body.h"

typedef enum { FATE_WHOLE, FATE_PART, FATE_GAP } fate_t;

/* The recipients whose copies go on; returns how many, in *recipients if that is not NULL. */
static unsigned message_left(const body_message_t *message, uint64_t number, const resend_t *ask, span_t *recipients)
{
    unsigned left = 0;
    span_t rest = message->recipients;
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        span_t name = body_name_next(&rest);
        if (ask->has_ended(ask->arg, number, i))
            continue;
        if (recipients)
            recipients[left] = name;
        left++;
    }
    return left;
}

static fate_t record_fate(const body_record_t *record, uint64_t number, const resend_t *ask)
{
    if (record->type == RECORD_GAP || ask->is_taken(ask->arg, number))
        return FATE_GAP;
    if (record->type == RECORD_REPORT)
        return ask->no_reports && !record->report.settled ? FATE_GAP : FATE_WHOLE;
    unsigned left = message_left(&record->message, number, ask, NULL);
    if (left == 0)
        return FATE_GAP;
    return left == record->message.recipient_count ? FATE_WHOLE : FATE_PART;
}

static body_t body_of(span_t frame)
{
    body_t body;
    int rc = body_open_up(&body, frame);
    assert(rc == 0);
    (void)rc;
    return body;
}

static bool body_must_change(span_t frame, const resend_t *ask)
{
    body_record_t record;
    body_t body = body_of(frame);
    while (body_next_up(&body, &record) == 1)
        if (record.type != RECORD_GAP && record_fate(&record, body.number, ask) != FATE_WHOLE)
            return true;
    return false;
}

/* Writes a message to those of its recipients whose copies go on. */
static void message_put(buffer_t *to, const body_message_t *message, uint64_t number, const resend_t *ask)
{
    span_t recipients[BODY_RECIPIENTS_MAX];
    unsigned left = message_left(message, number, ask, recipients);
    body_put_message(to, message->session, message->flags, message->sender, recipients, left, message->text);
}

/* Writes what becomes of a record, `before` being what became of the one before it. Returns it. */
static fate_t record_put(buffer_t *to, const body_record_t *record, uint64_t number, const resend_t *ask, fate_t before)
{
    fate_t fate = record_fate(record, number, ask);
    bool goes_on = record->type == RECORD_MESSAGE && record->message.more;
    if (fate == FATE_GAP)
        body_put_gap(to);
    else if (fate == FATE_PART || (goes_on && before != FATE_WHOLE))
        message_put(to, &record->message, number, ask);
    else
        buffer_append(to, record->bytes.data, record->bytes.size);
    return fate;
}

bool resend_body(span_t frame, const resend_t *ask, buffer_t *to)
{
    body_record_t record;
    if (!body_must_change(frame, ask))
        return false;
    body_t body = body_of(frame);
    uint64_t first = body.number + 1;
    uint32_t count = body.left;
    fate_t fate = FATE_GAP;
    body_begin_up(to);
    while (body_next_up(&body, &record) == 1)
        fate = record_put(to, &record, body.number, ask, fate);
    body_finish_up(to, first, count);
    return true;
}

void resend_gaps(uint64_t first, uint32_t count, buffer_t *to)
{
    body_begin_up(to);
    for (uint32_t i = 0; i < count; i++)
        body_put_gap(to);
    body_finish_up(to, first, count);
}
