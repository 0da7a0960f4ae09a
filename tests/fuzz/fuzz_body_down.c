/* SPDX-License-Identifier: MPL-2.0 */
/* fuzz_body_down: bodies of brokers. A record that is good is the same when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "wire/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_copy(buffer_t *to, const body_copy_t *copy)
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

static void write_record(buffer_t *to, const body_record_t *record)
{
    if (record->type == RECORD_RUN)
        body_put_run(to, &record->run);
    else if (record->type == RECORD_COPY)
        write_copy(to, &record->copy);
    else
        body_put_notice(to, &record->notice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span_t frame = span_of((const char *)data, size);
    body_t body;
    if (body_open_down(&body, frame) != 0)
        return 0;
    uint32_t count = body.left;
    buffer_t again = {0};
    body_record_t record;
    int rc;
    body_begin_down(&again);
    while ((rc = body_next_down(&body, &record)) == 1)
        write_record(&again, &record);
    body_finish_down(&again, count);
    if (rc == 0 && !span_equal(buffer_span(&again), frame))
        abort();
    buffer_fini(&again);
    return 0;
}
