/* SPDX-License-Identifier: MPL-2.0 */
/* body_any: what was read is put with the spans and sessions that reading gave. Fails by cmocka's assertions. */
#include "lib/body_any.h"

#include "lib/test.h"

int body_any_open(body_t *body, span_t frame, bool up)
{
    return up ? body_open_up(body, frame) : body_open_down(body, frame);
}

int body_any_next(body_t *body, body_record_t *record, bool up)
{
    return up ? body_next_up(body, record) : body_next_down(body, record);
}

void body_any_begin(buffer_t *to, bool up)
{
    if (up)
        body_begin_up(to);
    else
        body_begin_down(to);
}

void body_any_finish(buffer_t *to, bool up, uint64_t first_number, uint32_t count)
{
    if (up)
        body_finish_up(to, first_number, count);
    else
        body_finish_down(to, count);
}

static void put_message(buffer_t *to, const body_message_t *message)
{
    if (message->more) {
        body_put_more(to, message->text);
        return;
    }
    span_t names[BODY_RECIPIENTS_MAX], rest = message->recipients;
    for (unsigned index = 0; index < message->recipient_count; index++)
        names[index] = body_name_next(&rest);
    assert_int_equal(rest.size, 0);
    assert_int_equal(body_message_size(message->sender, names, message->recipient_count, message->text),
        16 + message->sender.size + message->recipients.size + message->text.size);
    body_put_message(
        to, message->session, message->flags, message->sender, names, message->recipient_count, message->text);
}

static void put_copy(buffer_t *to, const body_copy_t *copy)
{
    if (copy->more) {
        body_put_more(to, copy->text);
        return;
    }
    uint64_t sessions[BODY_RECIPIENTS_MAX];
    for (unsigned index = 0; index < copy->recipient_count; index++)
        sessions[index] = body_session_at(copy, index);
    body_message_t message = {
        .session = copy->session, .flags = copy->flags, .sender = copy->sender, .text = copy->text};
    body_put_copy(to, &message, copy->number, sessions, copy->recipient_count);
}

void body_any_put(buffer_t *to, const body_record_t *record)
{
    switch (record->type) {
    case RECORD_MESSAGE:
        put_message(to, &record->message);
        break;
    case RECORD_REPORT:
        body_put_report(to, &record->report);
        break;
    case RECORD_GAP:
        body_put_gap(to);
        break;
    case RECORD_RUN:
        body_put_run(to, &record->run);
        break;
    case RECORD_COPY:
        put_copy(to, &record->copy);
        break;
    default:
        body_put_notice(to, &record->notice);
    }
}
