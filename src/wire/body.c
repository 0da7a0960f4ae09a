/* SPDX-License-Identifier: MPL-2.0 */
/* body: a record is taken in two steps: its fixed part, if that much is there, and then what the sizes in it ask for. A
 * cursor moves only past records that were checked as a whole, so a bad one is refused again however often it is asked
 * for. Encoding reserves a record's size once and writes it with plain stores. Pure; any thread. */
#include "wire/body.h"

#include <assert.h>

#include "wire/bytes.h"

#define FLAGS_SHIFT    12
#define FLAGS_KNOWN    (BODY_FLAG_RECEIPT | BODY_FLAG_OPAQUE | BODY_FLAG_REQUEST | BODY_FLAG_REPLY)
#define REPORT_SIZE    40 /* of the fixed part of each record */
#define RUN_SIZE       16
#define BODY_COPY_SIZE 24
#define NOTICE_SIZE    32
#define GAP_SIZE       4
#define RECORD_SIZE    4 /* of the smallest */

#define RUN_FLAG_AGAIN 1u
#define FORWARD_SIZE   8 /* of the number that a forward begins with */

static int body_open(body_t *self, span_t frame, size_t header_size)
{
    if (frame.size < header_size)
        return -CLOSE_BAD_RECORD;
    const uint8_t *data = (const uint8_t *)frame.data;
    uint32_t count = bytes_get32(data + header_size - 8);
    if (count == 0 || count > (frame.size - header_size) / RECORD_SIZE || bytes_get32(data + header_size - 4) != 0)
        return -CLOSE_BAD_RECORD;
    *self = (body_t){.at = data + header_size, .end = data + frame.size, .left = count};
    return 0;
}

int body_open_up(body_t *self, span_t frame)
{
    int rc = body_open(self, frame, BODY_UP_HEADER_SIZE);
    if (rc == 0)
        self->number = bytes_get64((const uint8_t *)frame.data) - 1;
    return rc;
}

int body_open_down(body_t *self, span_t frame)
{
    return body_open(self, frame, BODY_DOWN_HEADER_SIZE);
}

static inline span_t bytes_span(const uint8_t *data, size_t size)
{
    return span_of((const char *)data, size);
}

static inline size_t body_room(const body_t *self)
{
    return (size_t)(self->end - self->at);
}

/* The cursor behind `count` names that begin at `at`, or NULL if they are not all there. */
static inline const uint8_t *names_end(const uint8_t *at, const uint8_t *end, unsigned count)
{
    for (; count > 0; count--) {
        if (at == end || *at == 0 || (size_t)(end - at) <= *at)
            return NULL;
        at += 1 + *at;
    }
    return at;
}

/* Moves the cursor behind a record that was found good. */
static inline int body_took(body_t *self, body_record_t *record, size_t size)
{
    record->bytes = bytes_span(self->at, size);
    self->at += size;
    self->left--;
    return 1;
}

/* Recipients and flags share an integer in what MESSAGE and COPY begin with. */
static inline unsigned recipients_get(const uint8_t *head)
{
    return bytes_get16(head + 2) & ((1u << FLAGS_SHIFT) - 1);
}

static inline unsigned flags_get(const uint8_t *head)
{
    return bytes_get16(head + 2) >> FLAGS_SHIFT;
}

static inline int body_take_message(body_t *self, body_record_t *record)
{
    const uint8_t *at = self->at;
    if (body_room(self) < BODY_MESSAGE_SIZE)
        return -CLOSE_BAD_RECORD;
    size_t sender_size = at[1], text_size = bytes_get32(at + 4);
    unsigned count = recipients_get(at), flags = flags_get(at);
    if (sender_size == 0 || count == 0 || count > BODY_RECIPIENTS_MAX ||
        body_room(self) - BODY_MESSAGE_SIZE < sender_size)
        return -CLOSE_BAD_RECORD;
    const uint8_t *names = at + BODY_MESSAGE_SIZE + sender_size;
    const uint8_t *text = names_end(names, self->end, count);
    if (!text || (size_t)(self->end - text) < text_size)
        return -CLOSE_BAD_RECORD;
    record->type = RECORD_MESSAGE;
    record->message = (body_message_t){.session = bytes_get64(at + 8),
        .flags = flags,
        .sender = bytes_span(at + BODY_MESSAGE_SIZE, sender_size),
        .text = bytes_span(text, text_size),
        .recipient_count = count,
        .recipients = bytes_span(names, (size_t)(text - names))};
    self->last.message = record->message;
    self->more_may_follow = (flags & ~BODY_MORE_FLAGS) == 0;
    self->number++;
    return body_took(self, record, (size_t)(text - at) + text_size);
}

/* The text of a MORE; its data is NULL if that is none. */
static inline span_t body_more_text(const body_t *self)
{
    if (body_room(self) < BODY_MORE_SIZE || !self->more_may_follow)
        return span_of(NULL, 0);
    size_t size = bytes_get32(self->at) >> 8;
    return body_room(self) - BODY_MORE_SIZE < size ? span_of(NULL, 0) : bytes_span(self->at + BODY_MORE_SIZE, size);
}

static inline int body_take_more_message(body_t *self, body_record_t *record)
{
    span_t text = body_more_text(self);
    if (!text.data)
        return -CLOSE_BAD_RECORD;
    record->type = RECORD_MESSAGE;
    record->message = self->last.message;
    record->message.more = true;
    record->message.text = text;
    self->number++;
    return body_took(self, record, BODY_MORE_SIZE + text.size);
}

uint32_t body_next_more(body_t *self, size_t room, span_t *bytes)
{
    const uint8_t *start = self->at;
    uint32_t count = 0;
    while (count < self->left && self->at < self->end && *self->at == RECORD_MORE) {
        span_t text = body_more_text(self);
        size_t size = (size_t)(self->at - start) + BODY_MORE_SIZE + text.size;
        if (!text.data || size > room)
            break;
        self->at = start + size;
        count++;
    }
    *bytes = bytes_span(start, (size_t)(self->at - start));
    self->left -= count;
    self->number += count;
    return count;
}

static int body_take_report(body_t *self, body_record_t *record)
{
    const uint8_t *at = self->at;
    if (body_room(self) < REPORT_SIZE || at[1] == 0 || body_room(self) - REPORT_SIZE < at[1])
        return -CLOSE_BAD_RECORD;
    unsigned flags = bytes_get16(at + 6);
    if (flags > BODY_REPORT_SETTLED)
        return -CLOSE_BAD_RECORD;
    record->type = RECORD_REPORT;
    record->report = (body_report_t){.error = bytes_get16(at + 2),
        .reason = bytes_get16(at + 4),
        .settled = flags == BODY_REPORT_SETTLED,
        .session = bytes_get64(at + 24),
        .number = bytes_get64(at + 32),
        .name = bytes_span(at + REPORT_SIZE, at[1])};
    memcpy(record->report.origin.bytes, at + 8, LINK_ID_SIZE);
    self->more_may_follow = false;
    self->number++;
    return body_took(self, record, REPORT_SIZE + at[1]);
}

static int body_take_gap(body_t *self, body_record_t *record)
{
    if (body_room(self) < GAP_SIZE || bytes_get32(self->at) >> 8 != 0)
        return -CLOSE_BAD_RECORD;
    record->type = RECORD_GAP;
    self->more_may_follow = false;
    self->number++;
    return body_took(self, record, GAP_SIZE);
}

int body_next_up(body_t *self, body_record_t *record)
{
    if (self->left == 0)
        return self->at == self->end ? 0 : -CLOSE_BAD_RECORD;
    if (self->at == self->end)
        return -CLOSE_BAD_RECORD;
    switch (*self->at) {
    case RECORD_MORE:
        return body_take_more_message(self, record);
    case RECORD_MESSAGE:
        return body_take_message(self, record);
    case RECORD_REPORT:
        return body_take_report(self, record);
    case RECORD_GAP:
        return body_take_gap(self, record);
    default:
        return -CLOSE_BAD_RECORD;
    }
}

static inline int body_take_run(body_t *self, body_record_t *record)
{
    const uint8_t *at = self->at;
    if (body_room(self) < RUN_SIZE || at[1] > RUN_FLAG_AGAIN || bytes_get16(at + 2) != 0)
        return -CLOSE_BAD_RECORD;
    record->type = RECORD_RUN;
    self->more_may_follow = false;
    record->run =
        (body_run_t){.handle = bytes_get32(at + 4), .floor = bytes_get64(at + 8), .again = at[1] == RUN_FLAG_AGAIN};
    return body_took(self, record, RUN_SIZE);
}

static inline int body_take_copy(body_t *self, body_record_t *record)
{
    const uint8_t *at = self->at;
    if (body_room(self) < BODY_COPY_SIZE)
        return -CLOSE_BAD_RECORD;
    size_t sender_size = at[1], text_size = bytes_get32(at + 4);
    unsigned count = recipients_get(at), flags = flags_get(at);
    if (sender_size == 0 || count == 0 || count > BODY_RECIPIENTS_MAX)
        return -CLOSE_BAD_RECORD;
    size_t head_size = BODY_COPY_SIZE + 8 * (size_t)count + sender_size, room = body_room(self);
    if (room < head_size || room - head_size < text_size)
        return -CLOSE_BAD_RECORD;
    record->type = RECORD_COPY;
    record->copy = (body_copy_t){.number = bytes_get64(at + 8),
        .session = bytes_get64(at + 16),
        .flags = flags,
        .sender = bytes_span(at + head_size - sender_size, sender_size),
        .text = bytes_span(at + head_size, text_size),
        .recipient_count = count,
        .recipients = at + BODY_COPY_SIZE};
    self->last.copy = record->copy;
    self->more_may_follow = (flags & ~BODY_MORE_FLAGS) == 0;
    return body_took(self, record, head_size + text_size);
}

static inline int body_take_more_copy(body_t *self, body_record_t *record)
{
    span_t text = body_more_text(self);
    if (!text.data)
        return -CLOSE_BAD_RECORD;
    self->last.copy.number++;
    record->type = RECORD_COPY;
    record->copy = self->last.copy;
    record->copy.more = true;
    record->copy.text = text;
    return body_took(self, record, BODY_MORE_SIZE + text.size);
}

static int body_take_notice(body_t *self, body_record_t *record)
{
    const uint8_t *at = self->at;
    if (body_room(self) < NOTICE_SIZE || at[1] == 0 || body_room(self) - NOTICE_SIZE < at[1])
        return -CLOSE_BAD_RECORD;
    unsigned flags = bytes_get16(at + 6);
    if (flags > BODY_NOTICE_TAKEN)
        return -CLOSE_BAD_RECORD;
    record->type = RECORD_NOTICE;
    self->more_may_follow = false;
    record->notice = (body_notice_t){.error = bytes_get16(at + 2),
        .reason = bytes_get16(at + 4),
        .taken = flags == BODY_NOTICE_TAKEN,
        .number = bytes_get64(at + 8),
        .session = bytes_get64(at + 16),
        .report = bytes_get64(at + 24),
        .name = bytes_span(at + NOTICE_SIZE, at[1])};
    return body_took(self, record, NOTICE_SIZE + at[1]);
}

int body_next_down(body_t *self, body_record_t *record)
{
    if (self->left == 0)
        return self->at == self->end ? 0 : -CLOSE_BAD_RECORD;
    if (self->at == self->end)
        return -CLOSE_BAD_RECORD;
    switch (*self->at) {
    case RECORD_MORE:
        return body_take_more_copy(self, record);
    case RECORD_COPY:
        return body_take_copy(self, record);
    case RECORD_RUN:
        return body_take_run(self, record);
    case RECORD_NOTICE:
        return body_take_notice(self, record);
    default:
        return -CLOSE_BAD_RECORD;
    }
}

uint64_t body_session_at(const body_copy_t *copy, unsigned index)
{
    return bytes_get64(copy->recipients + 8 * (size_t)index);
}

static void body_begin(buffer_t *to, size_t header_size)
{
    assert(buffer_size(to) == 0);
    memset(buffer_reserve(to, header_size), 0, header_size);
    buffer_commit(to, header_size);
}

void body_begin_up(buffer_t *to)
{
    body_begin(to, BODY_UP_HEADER_SIZE);
}

void body_finish_up(buffer_t *to, uint64_t first_number, uint32_t count)
{
    bytes_put64(to->data + to->start, first_number);
    bytes_put32(to->data + to->start + 8, count);
}

void body_begin_down(buffer_t *to)
{
    body_begin(to, BODY_DOWN_HEADER_SIZE);
}

void body_finish_down(buffer_t *to, uint32_t count)
{
    bytes_put32(to->data + to->start, count);
}

/* Writes the bytes of a span, and returns the place behind them. */
static inline uint8_t *span_put(uint8_t *to, span_t span)
{
    if (span.size)
        memcpy(to, span.data, span.size);
    return to + span.size;
}

/* The part that MESSAGE and COPY begin with. */
static inline void text_head_put(
    uint8_t *to, record_type_t type, unsigned flags, span_t sender, unsigned recipient_count, span_t text)
{
    assert(sender.size >= 1 && sender.size <= UINT8_MAX && text.size <= UINT32_MAX);
    assert(recipient_count >= 1 && recipient_count <= BODY_RECIPIENTS_MAX && flags <= FLAGS_KNOWN);
    to[0] = (uint8_t)type;
    to[1] = (uint8_t)sender.size;
    bytes_put16(to + 2, (uint16_t)(recipient_count | flags << FLAGS_SHIFT));
    bytes_put32(to + 4, (uint32_t)text.size);
}

size_t body_message_size(span_t sender, const span_t *recipients, unsigned recipient_count, span_t text)
{
    size_t size = BODY_MESSAGE_SIZE + sender.size + text.size;
    for (unsigned index = 0; index < recipient_count; index++)
        size += 1 + recipients[index].size;
    return size;
}

void body_put_message(buffer_t *to, uint64_t session, unsigned flags, span_t sender, const span_t *recipients,
    unsigned recipient_count, span_t text)
{
    uint8_t *start = buffer_reserve(to, body_message_size(sender, recipients, recipient_count, text));
    text_head_put(start, RECORD_MESSAGE, flags, sender, recipient_count, text);
    bytes_put64(start + 8, session);
    uint8_t *at = span_put(start + BODY_MESSAGE_SIZE, sender);
    for (unsigned index = 0; index < recipient_count; index++) {
        assert(recipients[index].size >= 1 && recipients[index].size <= UINT8_MAX);
        *at = (uint8_t)recipients[index].size;
        at = span_put(at + 1, recipients[index]);
    }
    at = span_put(at, text);
    buffer_commit(to, (size_t)(at - start));
}

void body_put_more(buffer_t *to, span_t text)
{
    assert(text.size <= BODY_MORE_TEXT_MAX);
    uint8_t *start = buffer_reserve(to, BODY_MORE_SIZE + text.size);
    bytes_put32(start, RECORD_MORE | (uint32_t)text.size << 8);
    span_put(start + BODY_MORE_SIZE, text);
    buffer_commit(to, BODY_MORE_SIZE + text.size);
}

void body_put_report(buffer_t *to, const body_report_t *report)
{
    assert(report->name.size >= 1 && report->name.size <= UINT8_MAX);
    uint8_t *start = buffer_reserve(to, REPORT_SIZE + report->name.size);
    start[0] = RECORD_REPORT;
    start[1] = (uint8_t)report->name.size;
    bytes_put16(start + 2, report->error);
    bytes_put16(start + 4, report->reason);
    bytes_put16(start + 6, report->settled ? BODY_REPORT_SETTLED : 0);
    memcpy(start + 8, report->origin.bytes, LINK_ID_SIZE);
    bytes_put64(start + 24, report->session);
    bytes_put64(start + 32, report->number);
    span_put(start + REPORT_SIZE, report->name);
    buffer_commit(to, REPORT_SIZE + report->name.size);
}

void body_put_gap(buffer_t *to)
{
    bytes_put32(buffer_reserve(to, GAP_SIZE), RECORD_GAP);
    buffer_commit(to, GAP_SIZE);
}

void body_put_run(buffer_t *to, const body_run_t *run)
{
    uint8_t *start = buffer_reserve(to, RUN_SIZE);
    start[0] = RECORD_RUN;
    start[1] = run->again ? RUN_FLAG_AGAIN : 0;
    bytes_put16(start + 2, 0);
    bytes_put32(start + 4, run->handle);
    bytes_put64(start + 8, run->floor);
    buffer_commit(to, RUN_SIZE);
}

void body_put_copy(
    buffer_t *to, const body_message_t *message, uint64_t number, const uint64_t *sessions, unsigned session_count)
{
    size_t size = BODY_COPY_SIZE + 8 * (size_t)session_count + message->sender.size + message->text.size;
    uint8_t *start = buffer_reserve(to, size);
    text_head_put(start, RECORD_COPY, message->flags, message->sender, session_count, message->text);
    bytes_put64(start + 8, number);
    bytes_put64(start + 16, message->session);
    uint8_t *at = start + BODY_COPY_SIZE;
    for (unsigned index = 0; index < session_count; index++, at += 8)
        bytes_put64(at, sessions[index]);
    at = span_put(at, message->sender);
    span_put(at, message->text);
    buffer_commit(to, size);
}

void body_put_notice(buffer_t *to, const body_notice_t *notice)
{
    assert(notice->name.size >= 1 && notice->name.size <= UINT8_MAX);
    uint8_t *start = buffer_reserve(to, NOTICE_SIZE + notice->name.size);
    start[0] = RECORD_NOTICE;
    start[1] = (uint8_t)notice->name.size;
    bytes_put16(start + 2, notice->error);
    bytes_put16(start + 4, notice->reason);
    bytes_put16(start + 6, notice->taken ? BODY_NOTICE_TAKEN : 0);
    bytes_put64(start + 8, notice->number);
    bytes_put64(start + 16, notice->session);
    bytes_put64(start + 24, notice->report);
    span_put(start + NOTICE_SIZE, notice->name);
    buffer_commit(to, NOTICE_SIZE + notice->name.size);
}

bool body_label_get(span_t text, span_t *label, span_t *rest)
{
    size_t size = text.size ? (uint8_t)text.data[0] : 0;
    if (size == 0 || text.size < 1 + size)
        return false;
    *label = span_of(text.data + 1, size);
    *rest = span_of(text.data + 1 + size, text.size - 1 - size);
    return true;
}

void body_label_put(buffer_t *to, span_t label)
{
    uint8_t size = (uint8_t)label.size;
    buffer_append(to, &size, 1);
    buffer_append(to, label.data, label.size);
}

bool body_forward_get(span_t text, uint64_t *number, span_t *place, span_t *rest)
{
    if (text.size < FORWARD_SIZE)
        return false;
    *number = bytes_get64((const uint8_t *)text.data);
    return body_label_get(span_of(text.data + FORWARD_SIZE, text.size - FORWARD_SIZE), place, rest);
}

bool body_forward_open(body_copy_t *copy)
{
    uint64_t number;
    span_t place;
    copy->flags &= ~BODY_FORWARD;
    return body_forward_get(copy->text, &number, &place, &copy->text) &&
           !span_equal(place, span_str(BODY_FORWARD_MARK));
}

void body_forward_put(buffer_t *to, uint64_t number, span_t place, span_t text)
{
    bytes_put64(buffer_reserve(to, FORWARD_SIZE), number);
    buffer_commit(to, FORWARD_SIZE);
    body_label_put(to, place);
    buffer_append(to, text.data, text.size);
}
