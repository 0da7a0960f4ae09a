/* SPDX-License-Identifier: MPL-2.0 */
/* fuzz_body_up: bodies of nodes. A record that is good is the same when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "wire/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_message(buffer_t *to, const body_message_t *message)
{
    if (message->more) {
        body_put_more(to, message->text);
        return;
    }
    span_t names[BODY_RECIPIENTS_MAX], rest = message->recipients;
    for (unsigned index = 0; index < message->recipient_count; index++)
        names[index] = body_name_next(&rest);
    if (rest.size != 0)
        abort();
    body_put_message(
        to, message->session, message->flags, message->sender, names, message->recipient_count, message->text);
}

static void write_record(buffer_t *to, const body_record_t *record)
{
    if (record->type == RECORD_MESSAGE)
        write_message(to, &record->message);
    else if (record->type == RECORD_REPORT)
        body_put_report(to, &record->report);
    else
        body_put_gap(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span_t frame = span_of((const char *)data, size);
    body_t body;
    if (body_open_up(&body, frame) != 0)
        return 0;
    uint64_t first = body.number + 1;
    uint32_t count = body.left;
    buffer_t again = {0};
    body_record_t record;
    int rc;
    body_begin_up(&again);
    while ((rc = body_next_up(&body, &record)) == 1)
        write_record(&again, &record);
    body_finish_up(&again, first, count);
    if (rc == 0 && (!span_equal(buffer_span(&again), frame) || body.number != first + count - 1))
        abort();
    buffer_fini(&again);
    return 0;
}
