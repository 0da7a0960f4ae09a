/* SPDX-License-Identifier: MPL-2.0 */
/* body: the published bodies are read and written, then damaged; what a vector cannot show is built by hand. Bytes are
 * read from memory of just their size, so that the sanitizer sees who looks beyond. */
#include "lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/body_any.h"
#include "lib/vectors.h"
#include "wire/body.h"
#include "wire/bytes.h"

static vectors_t *vectors;

static int set_up(void **state)
{
    (void)state;
    vectors = vectors_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vectors_destroy(&vectors);
    return 0;
}

/* The next start of a body among the vectors from *index, or NULL. *index then is its first record. */
static const vector_t *next_body(size_t *index)
{
    while (*index < vectors_count(vectors)) {
        const vector_t *vector = vectors_at(vectors, (*index)++);
        if (strcmp(vector->kind, "BODY") == 0)
            return vector;
    }
    return NULL;
}

/* Reads all records of a body and writes them again. Returns what reading ended with. */
static int read_and_write(buffer_t *again, span_t frame, bool up)
{
    body_t body;
    int rc = body_any_open(&body, frame, up);
    if (rc != 0)
        return rc;
    uint32_t count = 0;
    uint64_t first = body.number + 1;
    body_any_begin(again, up);
    for (body_record_t record; (rc = body_any_next(&body, &record, up)) == 1; count++)
        body_any_put(again, &record);
    body_any_finish(again, up, first, count);
    return rc;
}

/* What reading a copy of a body ends with. What is good must be the same when it is written again. */
static int read_copy(span_t frame, bool up)
{
    char *copy = malloc(frame.size + 1);
    assert_non_null(copy);
    memcpy(copy + 1, frame.data, frame.size); /* not aligned */
    buffer_t again = {0};
    int rc = read_and_write(&again, span_of(copy + 1, frame.size), up);
    if (rc == 0) {
        assert_int_equal(buffer_size(&again), frame.size);
        assert_memory_equal(buffer_span(&again).data, frame.data, frame.size);
    }
    buffer_fini(&again);
    free(copy);
    return rc;
}

static bool is_more(const body_record_t *record)
{
    return (record->type == RECORD_MESSAGE && record->message.more) ||
           (record->type == RECORD_COPY && record->copy.more);
}

static void check_recipients(const vector_t *vector, const body_record_t *record)
{
    if (record->type == RECORD_MESSAGE) {
        span_t rest = record->message.recipients;
        for (unsigned index = 0; index < record->message.recipient_count; index++)
            body_name_next(&rest);
        assert_int_equal(rest.size, 0);
    } else if (record->type == RECORD_COPY) {
        span_t sessions = vector_list(vectors, vector, "recipients", VECTOR_LIST_64);
        assert_int_equal(record->copy.recipient_count, sessions.size / 8);
        assert_memory_equal(record->copy.recipients, sessions.data, sessions.size);
    }
}

static void check_body(const vector_t *vector, size_t index)
{
    body_t body;
    body_record_t record;
    size_t count = vector_number(vector, "count");
    assert_int_equal(body_any_open(&body, vector->paragraph, vector->from_node), 0);
    for (size_t step = 0; step < count; step++) {
        const vector_t *part = vectors_at(vectors, index + step);
        assert_int_equal(body_any_next(&body, &record, vector->from_node), 1);
        assert_string_equal(record_name(is_more(&record) ? RECORD_MORE : record.type), part->kind);
        assert_true(span_equal(record.bytes, part->bytes));
        vector_check(vectors, part, &record);
        if (!is_more(&record))
            check_recipients(part, &record);
        if (vector->from_node)
            assert_int_equal(body.number, vector_number(vector, "number") + step);
    }
    assert_int_equal(body_any_next(&body, &record, vector->from_node), 0);
}

static void every_vector_is_read_as_its_fields(void **state)
{
    (void)state;
    size_t index = 0, count = 0;
    for (const vector_t *vector; (vector = next_body(&index)) != NULL; count++)
        check_body(vector, index);
    assert_true(count > 0);
}

/* The record that a part describes. */
static body_record_t record_of(const vector_t *part)
{
    body_record_t record = {.type = RECORD_MESSAGE, .message.more = true};
    if (strcmp(part->kind, record_name(RECORD_MORE)) == 0) {
        vector_fill(vectors, part, &record);
        return record;
    }
    record.message.more = false;
    while (strcmp(record_name(record.type), part->kind) != 0 && record.type <= RECORD_NOTICE)
        record.type++;
    vector_fill(vectors, part, &record);
    if (record.type == RECORD_MESSAGE) {
        for (span_t rest = record.message.recipients; rest.size > 0; body_name_next(&rest))
            record.message.recipient_count++;
    } else if (record.type == RECORD_COPY) {
        span_t sessions = vector_list(vectors, part, "recipients", VECTOR_LIST_64);
        record.copy.recipients = (const uint8_t *)sessions.data;
        record.copy.recipient_count = (unsigned)(sessions.size / 8);
    }
    return record;
}

static void the_fields_of_every_vector_are_written_as_its_bytes(void **state)
{
    (void)state;
    size_t index = 0;
    for (const vector_t *vector; (vector = next_body(&index)) != NULL;) {
        buffer_t buffer = {0};
        uint32_t count = (uint32_t)vector_number(vector, "count");
        body_any_begin(&buffer, vector->from_node);
        for (size_t step = 0; step < count; step++) {
            body_record_t record = record_of(vectors_at(vectors, index + step));
            body_any_put(&buffer, &record);
        }
        if (vector->from_node)
            body_finish_up(&buffer, vector_number(vector, "number"), count);
        else
            body_finish_down(&buffer, count);
        assert_int_equal(buffer_size(&buffer), vector->paragraph.size);
        assert_memory_equal(buffer_span(&buffer).data, vector->paragraph.data, vector->paragraph.size);
        buffer_fini(&buffer);
    }
}

static void no_body_is_read_from_a_part_of_its_bytes(void **state)
{
    (void)state;
    size_t index = 0;
    for (const vector_t *vector; (vector = next_body(&index)) != NULL;) {
        for (size_t size = 0; size < vector->paragraph.size; size++)
            assert_int_equal(read_copy(span_of(vector->paragraph.data, size), vector->from_node), -CLOSE_BAD_RECORD);
        assert_int_equal(read_copy(vector->paragraph, vector->from_node), 0);
    }
}

/* What reading ends with when a vector's body has `extra` bytes more and announces another count. */
static int read_resized(const vector_t *vector, size_t extra, int more)
{
    size_t size = vector->paragraph.size + extra, offset = vector->from_node ? 8 : 0;
    uint8_t *bytes = calloc(1, size);
    assert_non_null(bytes);
    memcpy(bytes, vector->paragraph.data, vector->paragraph.size);
    bytes_put32(bytes + offset, bytes_get32(bytes + offset) + (uint32_t)more);
    int rc = read_copy(span_of((const char *)bytes, size), vector->from_node);
    free(bytes);
    return rc;
}

static void trailing_bytes_and_lying_counts_are_refused(void **state)
{
    (void)state;
    size_t index = 0;
    for (const vector_t *vector; (vector = next_body(&index)) != NULL;) {
        assert_int_equal(read_resized(vector, 0, 0), 0);
        assert_int_equal(read_resized(vector, 1, 0), -CLOSE_BAD_RECORD);
        assert_int_equal(read_resized(vector, 64, 0), -CLOSE_BAD_RECORD);
        assert_int_equal(read_resized(vector, 0, 1), -CLOSE_BAD_RECORD);
        assert_int_equal(read_resized(vector, 64, 1), -CLOSE_BAD_RECORD);
        assert_int_equal(read_resized(vector, 0, -1), -CLOSE_BAD_RECORD);
        assert_int_equal(read_resized(vector, 0, INT32_MAX), -CLOSE_BAD_RECORD);
    }
}

static void a_body_without_records_is_refused(void **state)
{
    (void)state;
    static const char zeros[BODY_UP_HEADER_SIZE];
    assert_int_equal(read_copy(span_of(zeros, BODY_UP_HEADER_SIZE), true), -CLOSE_BAD_RECORD);
    assert_int_equal(read_copy(span_of(zeros, BODY_DOWN_HEADER_SIZE), false), -CLOSE_BAD_RECORD);
}

/* What opening a body of that many zeros ends with when it announces `count` records. */
static int open_zeros(size_t size, bool up, uint32_t count)
{
    uint8_t bytes[64] = {0};
    body_t body;
    bytes_put32(bytes + (up ? 8 : 0), count);
    return body_any_open(&body, span_of((const char *)bytes, size), up);
}

static void a_count_that_cannot_fit_is_refused_before_reading(void **state)
{
    (void)state;
    enum { UP_SIZE = BODY_UP_HEADER_SIZE + 2 * 4, DOWN_SIZE = BODY_DOWN_HEADER_SIZE + 2 * 4 };
    assert_int_equal(open_zeros(UP_SIZE, true, 2), 0);
    assert_int_equal(open_zeros(UP_SIZE, true, 3), -CLOSE_BAD_RECORD);
    assert_int_equal(open_zeros(UP_SIZE - 1, true, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(open_zeros(UP_SIZE, true, UINT32_MAX), -CLOSE_BAD_RECORD);
    assert_int_equal(open_zeros(DOWN_SIZE, false, 2), 0);
    assert_int_equal(open_zeros(DOWN_SIZE, false, 3), -CLOSE_BAD_RECORD);
    assert_int_equal(open_zeros(DOWN_SIZE - 1, false, 2), -CLOSE_BAD_RECORD);
}

static void a_start_with_unknown_bits_is_refused(void **state)
{
    (void)state;
    body_t body;
    static const char up[BODY_UP_HEADER_SIZE + 4] = {[8] = 1, [12] = 1};
    static const char down[BODY_DOWN_HEADER_SIZE + 16] = {[0] = 1, [7] = 1};
    assert_int_equal(body_open_up(&body, span_of(up, sizeof up)), -CLOSE_BAD_RECORD);
    assert_int_equal(body_open_down(&body, span_of(down, sizeof down)), -CLOSE_BAD_RECORD);
}

static bool is_of_node(const body_record_t *record)
{
    return record->type == RECORD_MESSAGE || record->type == RECORD_REPORT || record->type == RECORD_GAP;
}

/* A body of one record, with one byte of the record set to another value. */
static int read_changed(const body_record_t *record, size_t offset, uint8_t value)
{
    bool up = is_of_node(record);
    size_t start = up ? BODY_UP_HEADER_SIZE : BODY_DOWN_HEADER_SIZE;
    buffer_t buffer = {0};
    body_any_begin(&buffer, up);
    body_any_put(&buffer, record);
    body_any_finish(&buffer, up, 1, 1);
    buffer.data[start + offset] = value;
    int rc = read_copy(buffer_span(&buffer), up);
    buffer_fini(&buffer);
    return rc;
}

static const body_record_t message_sample = {.type = RECORD_MESSAGE,
    .message = {.session = 1,
        .sender = {"alice", 5},
        .text = {"hello", 5},
        .recipient_count = 2,
        .recipients = {"\3bob\1c", 6}}};
static const body_record_t report_sample = {
    .type = RECORD_REPORT, .report = {.error = 16, .reason = 1, .name = {"bob", 3}}};
static const body_record_t gap_sample = {.type = RECORD_GAP};
static const body_record_t run_sample = {.type = RECORD_RUN, .run = {.handle = 1, .floor = 1}};
static const body_record_t copy_sample = {.type = RECORD_COPY,
    .copy = {.number = 1,
        .session = 1,
        .sender = {"alice", 5},
        .text = {"hello", 5},
        .recipient_count = 1,
        .recipients = (const uint8_t *)"sessions"}};
static const body_record_t notice_sample = {
    .type = RECORD_NOTICE, .notice = {.error = 14, .number = 1, .name = {"bob", 3}}};

static void sizes_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const body_record_t *record;
        size_t offset;
        uint8_t value;
    } changes[] = {
        {&message_sample, 1, 6},    /* sender */
        {&message_sample, 1, 255},  /* sender */
        {&message_sample, 2, 3},    /* recipients */
        {&message_sample, 2, 1},    /* recipients */
        {&message_sample, 4, 4},    /* text */
        {&message_sample, 4, 6},    /* text */
        {&message_sample, 7, 0xff}, /* text */
        {&message_sample, 21, 4},   /* first recipient */
        {&message_sample, 21, 255}, /* first recipient */
        {&report_sample, 1, 4},     /* name */
        {&report_sample, 1, 2},     /* name */
        {&copy_sample, 1, 6},       /* sender */
        {&copy_sample, 2, 2},       /* recipients */
        {&copy_sample, 3, 2},       /* recipients */
        {&copy_sample, 4, 6},       /* text */
        {&copy_sample, 7, 0xff},    /* text */
        {&notice_sample, 1, 4},     /* name */
        {&notice_sample, 1, 2},     /* name */
    };
    for (size_t index = 0; index < sizeof changes / sizeof *changes; index++)
        assert_int_equal(
            read_changed(changes[index].record, changes[index].offset, changes[index].value), -CLOSE_BAD_RECORD);
}

/* A body of one record: a head of four bytes, zeros up to the size of its fixed part, and a tail. */
static int read_raw(bool up, const char head[4], size_t fixed_size, span_t tail)
{
    buffer_t buffer = {0};
    body_any_begin(&buffer, up);
    buffer_append(&buffer, head, 4);
    memset(buffer_reserve(&buffer, fixed_size), 0, fixed_size);
    buffer_commit(&buffer, fixed_size - 4);
    buffer_append(&buffer, tail.data, tail.size);
    body_any_finish(&buffer, up, 1, 1);
    int rc = read_copy(buffer_span(&buffer), up);
    buffer_fini(&buffer);
    return rc;
}

static void names_and_lists_that_are_empty_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_raw(true, "\x20\1\2\0", 16, span_of("s\1b\1c", 5)), 0);
    assert_int_equal(read_raw(true, "\x20\0\2\0", 16, span_of("\1b\1c", 4)), -CLOSE_BAD_RECORD);
    assert_int_equal(read_raw(true, "\x20\4\0\0", 16, span_of("send", 4)), -CLOSE_BAD_RECORD);
    assert_int_equal(read_raw(true, "\x20\1\2\0", 16, span_of("s\1b\0", 4)), -CLOSE_BAD_RECORD);
    assert_int_equal(read_raw(true, "\x20\1\2\0", 16, span_of("s\0\1b", 4)), -CLOSE_BAD_RECORD);
    assert_int_equal(read_raw(true, "\x21\1\0\0", 40, span_of("b", 1)), 0);
    assert_int_equal(read_raw(true, "\x21\0\0\0", 40, span_of("", 0)), -CLOSE_BAD_RECORD);
    assert_int_equal(read_raw(false, "\x29\1\1\0", 24, span_of("sessions-", 9)), 0);
    assert_int_equal(read_raw(false, "\x29\0\1\0", 24, span_of("sessions", 8)), -CLOSE_BAD_RECORD);
    assert_int_equal(read_raw(false, "\x29\1\0\0", 24, span_of("s", 1)), -CLOSE_BAD_RECORD);
    assert_int_equal(read_raw(false, "\x2a\1\0\0", 32, span_of("b", 1)), 0);
    assert_int_equal(read_raw(false, "\x2a\0\0\0", 32, span_of("", 0)), -CLOSE_BAD_RECORD);
}

/* Reads a good record, and behind it one of which only `size` bytes are there. Returns its whole size. */
static size_t read_cut(const body_record_t *record, size_t size)
{
    static char text[256];
    bool up = is_of_node(record);
    body_record_t first = up ? message_sample : copy_sample;
    *(up ? &first.message.text : &first.copy.text) = span_of(text, sizeof text);
    buffer_t buffer = {0};
    body_any_begin(&buffer, up);
    body_any_put(&buffer, &first);
    size_t first_size = buffer_size(&buffer);
    body_any_put(&buffer, record);
    size_t whole_size = buffer_size(&buffer) - first_size;
    body_any_finish(&buffer, up, 1, 2);
    int rc = read_copy(span_of(buffer_span(&buffer).data, first_size + size), up);
    assert_int_equal(rc, size == whole_size ? 0 : -CLOSE_BAD_RECORD);
    buffer_fini(&buffer);
    return whole_size;
}

static void a_record_that_ends_early_behind_a_good_one_is_refused(void **state)
{
    (void)state;
    static const body_record_t *const samples[] = {
        &message_sample, &report_sample, &gap_sample, &run_sample, &copy_sample, &notice_sample};
    for (size_t index = 0; index < sizeof samples / sizeof *samples; index++) {
        size_t size = 0;
        while (size < read_cut(samples[index], size))
            size++;
        assert_true(size > 0);
    }
}

static void bits_that_nobody_knows_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_changed(&report_sample, 6, 1), 0);
    assert_int_equal(read_changed(&report_sample, 6, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(read_changed(&gap_sample, 1, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(read_changed(&gap_sample, 3, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(read_changed(&run_sample, 1, 1), 0);
    assert_int_equal(read_changed(&run_sample, 1, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(read_changed(&run_sample, 3, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(read_changed(&notice_sample, 6, 1), 0);
    assert_int_equal(read_changed(&notice_sample, 6, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(read_changed(&notice_sample, 7, 1), -CLOSE_BAD_RECORD);
}

static void records_that_are_unknown_or_of_the_other_side_are_refused(void **state)
{
    (void)state;
    for (int type = 0; type <= UINT8_MAX; type++) {
        int up = type == RECORD_MESSAGE ? 0 : -CLOSE_BAD_RECORD;
        int down = type == RECORD_RUN ? 0 : -CLOSE_BAD_RECORD;
        assert_int_equal(read_changed(&message_sample, 0, (uint8_t)type), up);
        assert_int_equal(read_changed(&run_sample, 0, (uint8_t)type), down);
    }
}

static void a_bad_record_is_refused_however_often_it_is_asked_for(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    body_t body;
    body_record_t record;
    body_begin_up(&buffer);
    body_any_put(&buffer, &message_sample);
    body_any_put(&buffer, &run_sample);
    body_finish_up(&buffer, 7, 2);
    assert_int_equal(body_open_up(&body, buffer_span(&buffer)), 0);
    assert_int_equal(body_next_up(&body, &record), 1);
    assert_int_equal(body_next_up(&body, &record), -CLOSE_BAD_RECORD);
    assert_int_equal(body_next_up(&body, &record), -CLOSE_BAD_RECORD);
    assert_int_equal(body.number, 7);
    buffer_fini(&buffer);
}

static void put_message(buffer_t *to, unsigned flags)
{
    body_put_message(to, 1, flags, span_str("alice"), &(span_t){"bob", 3}, 1, span_str("one"));
}

static void put_report(buffer_t *to, unsigned flags)
{
    (void)flags;
    body_any_put(to, &report_sample);
}

static void put_gap(buffer_t *to, unsigned flags)
{
    (void)flags;
    body_put_gap(to);
}

static void put_run(buffer_t *to, unsigned flags)
{
    (void)flags;
    body_any_put(to, &run_sample);
}

static void put_copy(buffer_t *to, unsigned flags)
{
    body_message_t message = {.session = 1, .flags = flags, .sender = span_str("alice")};
    body_put_copy(to, &message, 9, (uint64_t[]){5, 6}, 2);
}

static void put_notice(buffer_t *to, unsigned flags)
{
    (void)flags;
    body_any_put(to, &notice_sample);
}

/* What a MORE behind a record, or behind nothing, is read as. */
static int read_more(void (*put)(buffer_t *to, unsigned flags), bool up, unsigned flags, body_record_t *record)
{
    static buffer_t buffer;
    body_t body;
    body_any_begin(&buffer, up);
    if (put)
        put(&buffer, flags);
    body_put_more(&buffer, span_str("two"));
    body_any_finish(&buffer, up, 7, put ? 2 : 1);
    assert_int_equal(body_any_open(&body, buffer_span(&buffer), up), 0);
    if (put)
        assert_int_equal(body_any_next(&body, record, up), 1);
    int rc = body_any_next(&body, record, up);
    buffer_clear(&buffer);
    return rc;
}

static void more_goes_on_from_a_message_and_from_nothing_else(void **state)
{
    (void)state;
    body_record_t record;
    assert_int_equal(read_more(NULL, true, 0, &record), -CLOSE_BAD_RECORD);
    assert_int_equal(read_more(NULL, false, 0, &record), -CLOSE_BAD_RECORD);
    assert_int_equal(read_more(put_gap, true, 0, &record), -CLOSE_BAD_RECORD);
    assert_int_equal(read_more(put_report, true, 0, &record), -CLOSE_BAD_RECORD);
    assert_int_equal(read_more(put_run, false, 0, &record), -CLOSE_BAD_RECORD);
    assert_int_equal(read_more(put_notice, false, 0, &record), -CLOSE_BAD_RECORD);
    for (unsigned flags = 0; flags < 16; flags++) {
        int rc = flags & ~BODY_MORE_FLAGS ? -CLOSE_BAD_RECORD : 1;
        assert_int_equal(read_more(put_message, true, flags, &record), rc);
        assert_int_equal(read_more(put_copy, false, flags, &record), rc);
    }
}

static void more_is_all_that_the_message_before_it_was_but_for_the_text(void **state)
{
    (void)state;
    body_record_t record;
    assert_int_equal(read_more(put_message, true, BODY_FLAG_OPAQUE, &record), 1);
    assert_int_equal(record.type, RECORD_MESSAGE);
    assert_true(record.message.more);
    assert_int_equal(record.message.flags, BODY_FLAG_OPAQUE);
    assert_int_equal(record.message.session, 1);
    assert_int_equal(record.message.recipient_count, 1);
    assert_int_equal(read_more(put_copy, false, 0, &record), 1);
    assert_int_equal(record.type, RECORD_COPY);
    assert_true(record.copy.more);
    assert_int_equal(record.copy.number, 10);
    assert_int_equal(record.copy.recipient_count, 2);
}

static void what_follows_is_taken_at_once_as_far_as_there_is_room(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    body_t body;
    body_record_t record;
    span_t bytes;
    body_begin_up(&buffer);
    put_message(&buffer, 0);
    for (unsigned i = 0; i < 5; i++)
        body_put_more(&buffer, span_str("12345678"));
    put_message(&buffer, 0);
    body_finish_up(&buffer, 7, 7);
    assert_int_equal(body_open_up(&body, buffer_span(&buffer)), 0);
    assert_int_equal(body_next_up(&body, &record), 1);
    assert_int_equal(body_next_more(&body, 11, &bytes), 0);
    assert_int_equal(body_next_more(&body, 35, &bytes), 2);
    assert_int_equal(bytes.size, 24);
    assert_int_equal(body.number, 9);
    assert_int_equal(body_next_up(&body, &record), 1);
    assert_true(record.message.more);
    assert_int_equal(body_next_more(&body, SIZE_MAX, &bytes), 2);
    assert_int_equal(body_next_more(&body, SIZE_MAX, &bytes), 0);
    assert_int_equal(body_next_up(&body, &record), 1);
    assert_false(record.message.more);
    assert_int_equal(body.number, 13);
    assert_int_equal(body_next_up(&body, &record), 0);
    buffer_fini(&buffer);
}

static void what_follows_is_not_taken_beyond_the_end_or_the_count(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    body_t body;
    body_record_t record;
    span_t bytes;
    body_begin_up(&buffer);
    put_message(&buffer, 0);
    body_put_more(&buffer, span_str("12345678"));
    body_put_more(&buffer, span_str("12345678"));
    body_finish_up(&buffer, 7, 2);
    assert_int_equal(body_open_up(&body, buffer_span(&buffer)), 0);
    assert_int_equal(body_next_up(&body, &record), 1);
    assert_int_equal(body_next_more(&body, SIZE_MAX, &bytes), 1);
    assert_int_equal(body_next_up(&body, &record), -CLOSE_BAD_RECORD);
    body_finish_up(&buffer, 7, 3);
    assert_int_equal(body_open_up(&body, span_of((const char *)buffer.data, buffer.end - 1)), 0);
    assert_int_equal(body_next_up(&body, &record), 1);
    assert_int_equal(body_next_more(&body, SIZE_MAX, &bytes), 1);
    assert_int_equal(body_next_up(&body, &record), -CLOSE_BAD_RECORD);
    buffer_fini(&buffer);
}

/* A body with one message, or one copy, of that many recipients and the largest names. */
static int read_crowd(buffer_t *buffer, bool up, unsigned count)
{
    static char name[UINT8_MAX];
    static span_t names[BODY_RECIPIENTS_MAX];
    static uint64_t sessions[BODY_RECIPIENTS_MAX];
    span_t sender = span_of(name, sizeof name);
    for (unsigned index = 0; index < count; index++) {
        names[index] = sender;
        sessions[index] = ~(uint64_t)index;
    }
    if (up) {
        body_begin_up(buffer);
        body_put_message(buffer, 1, 0, sender, names, count, span_str(""));
        body_finish_up(buffer, 1, 1);
    } else {
        body_message_t message = {.session = 1, .sender = sender};
        body_begin_down(buffer);
        body_put_copy(buffer, &message, 1, sessions, count);
        body_finish_down(buffer, 1);
    }
    return read_copy(buffer_span(buffer), up);
}

static void recipients_are_1024_at_most(void **state)
{
    (void)state;
    for (int up = 0; up <= 1; up++) {
        buffer_t buffer = {0};
        assert_int_equal(read_crowd(&buffer, up, BODY_RECIPIENTS_MAX), 0);
        uint8_t *record = buffer.data + (up ? BODY_UP_HEADER_SIZE : BODY_DOWN_HEADER_SIZE);
        bytes_put16(record + 2, BODY_RECIPIENTS_MAX + 1);
        static const uint8_t more[256] = {255};
        buffer_append(&buffer, more, up ? 256 : 8);
        assert_int_equal(read_copy(buffer_span(&buffer), up), -CLOSE_BAD_RECORD);
        buffer_fini(&buffer);
    }
}

static void every_flag_is_read_as_it_was_written(void **state)
{
    (void)state;
    span_t name = span_str("bob");
    for (unsigned flags = 0; flags < 16; flags++) {
        buffer_t buffer = {0};
        body_t body;
        body_record_t record;
        body_begin_up(&buffer);
        body_put_message(&buffer, 1, flags, span_str("alice"), &name, 1, span_str("text"));
        body_finish_up(&buffer, 1, 1);
        assert_int_equal(body_open_up(&body, buffer_span(&buffer)), 0);
        assert_int_equal(body_next_up(&body, &record), 1);
        assert_int_equal(record.message.flags, flags);
        assert_int_equal(record.message.recipient_count, 1);
        buffer_fini(&buffer);
    }
}

static void a_label_comes_before_a_text(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    span_t label, rest;
    body_label_put(&buffer, span_str("r1"));
    buffer_append(&buffer, "text", 4);
    assert_true(body_label_get(buffer_span(&buffer), &label, &rest));
    assert_true(span_equal(label, span_str("r1")));
    assert_true(span_equal(rest, span_str("text")));
    assert_true(body_label_get(span_of("\2r1", 3), &label, &rest));
    assert_int_equal(rest.size, 0);
    assert_false(body_label_get(span_of("\2r", 2), &label, &rest));
    assert_false(body_label_get(span_of("\0r", 2), &label, &rest));
    assert_false(body_label_get(span_of(NULL, 0), &label, &rest));
    buffer_fini(&buffer);
}

static void a_copy_carries_what_the_message_said(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    body_begin_down(&buffer);
    body_put_copy(&buffer, &message_sample.message, 99, (uint64_t[]){5, UINT64_MAX}, 2);
    body_finish_down(&buffer, 1);
    body_t body;
    body_record_t record;
    assert_int_equal(body_open_down(&body, buffer_span(&buffer)), 0);
    assert_int_equal(body_next_down(&body, &record), 1);
    assert_int_equal(record.copy.number, 99);
    assert_int_equal(record.copy.session, message_sample.message.session);
    assert_true(span_equal(record.copy.sender, message_sample.message.sender));
    assert_true(span_equal(record.copy.text, message_sample.message.text));
    assert_int_equal(record.copy.recipient_count, 2);
    assert_int_equal(body_session_at(&record.copy, 0), 5);
    assert_int_equal(body_session_at(&record.copy, 1), UINT64_MAX);
    buffer_fini(&buffer);
}

static void a_forward_tells_its_number_and_its_place(void **state)
{
    (void)state;
    uint64_t number;
    span_t place, rest;
    buffer_t text = {0};
    body_forward_put(&text, 17, span_str("#room"), span_str("hello"));
    assert_true(body_forward_get(buffer_span(&text), &number, &place, &rest));
    assert_int_equal(number, 17);
    assert_true(span_equal(place, span_str("#room")));
    assert_true(span_equal(rest, span_str("hello")));
    for (size_t size = 0; size < 8 + 1 + 5; size++)
        assert_false(body_forward_get(span_of((const char *)text.data, size), &number, &place, &rest));
    body_copy_t copy = {.flags = BODY_FORWARD | BODY_FLAG_RECEIPT, .text = buffer_span(&text)};
    assert_true(body_is_forward(copy.flags));
    assert_true(body_forward_open(&copy));
    assert_int_equal(copy.flags, BODY_FLAG_RECEIPT);
    assert_true(span_equal(copy.text, span_str("hello")));
    buffer_clear(&text);
    body_forward_put(&text, 18, span_str(BODY_FORWARD_MARK), span_of("", 0));
    copy = (body_copy_t){.flags = BODY_FORWARD, .text = buffer_span(&text)};
    assert_false(body_forward_open(&copy));
    assert_false(body_is_forward(BODY_FLAG_REPLY));
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_goes_on_from_a_message_and_from_nothing_else),
        cmocka_unit_test(more_is_all_that_the_message_before_it_was_but_for_the_text),
        cmocka_unit_test(what_follows_is_taken_at_once_as_far_as_there_is_room),
        cmocka_unit_test(what_follows_is_not_taken_beyond_the_end_or_the_count),
        cmocka_unit_test(every_vector_is_read_as_its_fields),
        cmocka_unit_test(the_fields_of_every_vector_are_written_as_its_bytes),
        cmocka_unit_test(no_body_is_read_from_a_part_of_its_bytes),
        cmocka_unit_test(trailing_bytes_and_lying_counts_are_refused),
        cmocka_unit_test(a_body_without_records_is_refused),
        cmocka_unit_test(a_count_that_cannot_fit_is_refused_before_reading),
        cmocka_unit_test(a_start_with_unknown_bits_is_refused),
        cmocka_unit_test(sizes_that_lie_are_refused),
        cmocka_unit_test(names_and_lists_that_are_empty_are_refused),
        cmocka_unit_test(a_record_that_ends_early_behind_a_good_one_is_refused),
        cmocka_unit_test(bits_that_nobody_knows_are_refused),
        cmocka_unit_test(records_that_are_unknown_or_of_the_other_side_are_refused),
        cmocka_unit_test(a_bad_record_is_refused_however_often_it_is_asked_for),
        cmocka_unit_test(recipients_are_1024_at_most),
        cmocka_unit_test(every_flag_is_read_as_it_was_written),
        cmocka_unit_test(a_label_comes_before_a_text),
        cmocka_unit_test(a_forward_tells_its_number_and_its_place),
        cmocka_unit_test(a_copy_carries_what_the_message_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
