/* SPDX-License-Identifier: MPL-2.0 */
/* control: the published vectors are read and written, then damaged; what a vector cannot show is built by hand. Bytes
 * are read from memory of just their size, so that the sanitizer sees who looks beyond. */
#include "lib/test.h"

#include <stdlib.h>

#include "lib/vectors.h"
#include "wire/bytes.h"
#include "wire/control.h"

enum { RECORD_TYPE_MAX = 255 };

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

/* The number of a part's record, or 0 if it is none. */
static record_type_t type_of(const vector_t *vector)
{
    for (int type = 1; type <= RECORD_TYPE_MAX; type++)
        if (strcmp(record_name(type), vector->kind) == 0)
            return (record_type_t)type;
    return (record_type_t)0;
}

/* The next control record among the vectors from *index, or NULL. */
static const vector_t *next_vector(size_t *index)
{
    while (*index < vectors_count(vectors)) {
        const vector_t *vector = vectors_at(vectors, (*index)++);
        record_type_t type = type_of(vector);
        if (type != 0 && type <= RECORD_BYE_OK)
            return vector;
    }
    return NULL;
}

static control_side_t side_of(const vector_t *vector)
{
    return vector->from_node ? CONTROL_FROM_NODE : CONTROL_FROM_BROKER;
}

static control_side_t other_side(control_side_t side)
{
    return side == CONTROL_FROM_NODE ? CONTROL_FROM_BROKER : CONTROL_FROM_NODE;
}

static control_t record_of(const vector_t *vector)
{
    control_t record = {.type = type_of(vector)};
    vector_fill(vectors, vector, &record);
    return record;
}

static void assert_bytes(const buffer_t *buffer, span_t expected)
{
    assert_int_equal(buffer_size(buffer), expected.size);
    assert_memory_equal(buffer_span(buffer).data, expected.data, expected.size);
}

/* Reads one record out of a copy. What is good is written again, and must be the same bytes. */
static int next_of_copy(span_t bytes, control_side_t side)
{
    char *copy = malloc(bytes.size);
    assert_non_null(copy);
    memcpy(copy, bytes.data, bytes.size);
    span_t rest = span_of(copy, bytes.size);
    control_t record;
    int rc = control_next(&record, &rest, side);
    if (rc == 1) {
        buffer_t again = {0};
        control_put(&again, &record);
        assert_bytes(&again, span_of(bytes.data, bytes.size - rest.size));
        buffer_fini(&again);
    } else {
        assert_ptr_equal(rest.data, copy);
        assert_int_equal(rest.size, bytes.size);
    }
    free(copy);
    return rc;
}

static int next_of_record(const control_t *record, control_side_t side)
{
    buffer_t buffer = {0};
    control_put(&buffer, record);
    int rc = next_of_copy(buffer_span(&buffer), side);
    buffer_fini(&buffer);
    return rc;
}

/* Reads a record of that type and payload. */
static int next_of_payload(int type, span_t payload, control_side_t side)
{
    buffer_t buffer = {0};
    uint8_t head[4];
    bytes_put32(head, (uint32_t)type | (uint32_t)payload.size << 8);
    buffer_append(&buffer, head, sizeof head);
    buffer_append(&buffer, payload.data, payload.size);
    int rc = next_of_copy(buffer_span(&buffer), side);
    buffer_fini(&buffer);
    return rc;
}

static void every_record_has_a_vector(void **state)
{
    (void)state;
    for (int type = 1; type <= RECORD_TYPE_MAX; type++) {
        bool found = strcmp(record_name(type), "unknown") == 0;
        for (size_t index = 0; index < vectors_count(vectors); index++)
            found = found || strcmp(vectors_at(vectors, index)->kind, record_name(type)) == 0;
        if (!found)
            fail_msg("%s has no vector", record_name(type));
    }
}

static void every_vector_is_read_as_its_fields(void **state)
{
    (void)state;
    size_t index = 0;
    for (const vector_t *vector; (vector = next_vector(&index)) != NULL;) {
        control_t record;
        span_t rest = vector->bytes;
        assert_int_equal(control_next(&record, &rest, side_of(vector)), 1);
        assert_int_equal(rest.size, 0);
        assert_int_equal(record.type, type_of(vector));
        vector_check(vectors, vector, &record);
        assert_int_equal(control_next(&record, &rest, side_of(vector)), 0);
    }
}

static void the_fields_of_every_vector_are_written_as_its_bytes(void **state)
{
    (void)state;
    size_t index = 0;
    buffer_t buffer = {0};
    for (const vector_t *vector; (vector = next_vector(&index)) != NULL;) {
        control_t record = record_of(vector);
        assert_int_equal(control_size(&record), vector->bytes.size);
        buffer_clear(&buffer);
        control_put(&buffer, &record);
        assert_bytes(&buffer, vector->bytes);
    }
    buffer_fini(&buffer);
}

static void records_that_follow_each_other_are_read_in_order(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    control_put(&buffer, &(control_t){.type = RECORD_PAUSE, .name.name = span_str("bob")});
    control_put_empty(&buffer, RECORD_LEAVE);
    control_put(&buffer, &(control_t){.type = RECORD_BYE, .number = 7});
    span_t rest = buffer_span(&buffer);
    control_t record;
    for (int step = 0; step < 3; step++) {
        static const record_type_t types[] = {RECORD_PAUSE, RECORD_LEAVE, RECORD_BYE};
        assert_int_equal(control_next(&record, &rest, CONTROL_FROM_NODE), 1);
        assert_int_equal(record.type, types[step]);
    }
    assert_int_equal(control_next(&record, &rest, CONTROL_FROM_NODE), 0);
    buffer_fini(&buffer);
}

static void no_record_is_read_from_a_part_of_its_bytes(void **state)
{
    (void)state;
    size_t index = 0;
    for (const vector_t *vector; (vector = next_vector(&index)) != NULL;)
        for (size_t size = 1; size < vector->bytes.size; size++)
            assert_int_equal(next_of_copy(span_of(vector->bytes.data, size), side_of(vector)), -CLOSE_BAD_RECORD);
}

/* Whether a record ends with a list or a text, and so may have other sizes. */
static bool is_open_ended(record_type_t type)
{
    return type == RECORD_HELLO || type == RECORD_WELCOME || type == RECORD_REFUSE || type == RECORD_TAKEN ||
           type == RECORD_HOLD || type == RECORD_HELD || type == RECORD_ENDED || type == RECORD_WHO ||
           type == RECORD_WHO_IS;
}

static void a_payload_of_the_wrong_size_is_refused(void **state)
{
    (void)state;
    static char payload[2048];
    size_t index = 0;
    for (const vector_t *vector; (vector = next_vector(&index)) != NULL;) {
        record_type_t type = type_of(vector);
        size_t right_size = vector->bytes.size - 4;
        memset(payload, 0, sizeof payload);
        memcpy(payload, vector->bytes.data + 4, right_size);
        for (size_t size = 0; size <= right_size + 1; size++) {
            int rc = next_of_payload(type, span_of(payload, size), side_of(vector));
            if (size == right_size)
                assert_int_equal(rc, 1);
            else if (!is_open_ended(type) || rc != 1)
                assert_int_equal(rc, -CLOSE_BAD_RECORD);
        }
    }
}

static void a_list_of_broken_units_is_refused(void **state)
{
    (void)state;
    static const char zeros[64];
    assert_int_equal(next_of_payload(RECORD_HOLD, span_of(zeros, 28), CONTROL_FROM_NODE), 1);
    assert_int_equal(next_of_payload(RECORD_HOLD, span_of(zeros, 26), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_payload(RECORD_HOLD, span_of(zeros, 20), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_payload(RECORD_HELD, span_of(zeros, 20), CONTROL_FROM_BROKER), 1);
    assert_int_equal(next_of_payload(RECORD_HELD, span_of(zeros, 21), CONTROL_FROM_BROKER), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_payload(RECORD_ENDED, span_of(zeros, 15), CONTROL_FROM_BROKER), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_payload(RECORD_TAKEN, span_of(zeros, 8), CONTROL_FROM_BROKER), 1);
    assert_int_equal(next_of_payload(RECORD_TAKEN, span_of(zeros, 16), CONTROL_FROM_BROKER), -CLOSE_BAD_RECORD);
}

static void what_the_wrong_side_sends_is_refused(void **state)
{
    (void)state;
    size_t index = 0;
    for (const vector_t *vector; (vector = next_vector(&index)) != NULL;) {
        record_type_t type = type_of(vector);
        bool both = type == RECORD_ORIGIN || type == RECORD_PAUSE || type == RECORD_RESUME || type == RECORD_BYE ||
                    type == RECORD_BYE_OK;
        assert_int_equal(next_of_copy(vector->bytes, other_side(side_of(vector))), both ? 1 : -CLOSE_BAD_RECORD);
    }
}

static void what_is_no_control_record_is_refused(void **state)
{
    (void)state;
    for (int type = 0; type <= RECORD_TYPE_MAX; type++) {
        if (type > 0 && type <= RECORD_STOPPING)
            continue;
        assert_int_equal(next_of_payload(type, span_of("", 0), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
        assert_int_equal(next_of_payload(type, span_of("", 0), CONTROL_FROM_BROKER), -CLOSE_BAD_RECORD);
    }
}

static void a_size_beyond_the_frame_is_refused(void **state)
{
    (void)state;
    assert_int_equal(next_of_copy(span_of("\x0a\x04\0\0\x02me", 7), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_copy(span_of("\x0a\xff\xff\xff\x02me", 7), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_copy(span_of("\x0a\x03\0\0\x02me", 7), CONTROL_FROM_NODE), 1);
}

static void a_name_that_is_empty_or_of_another_size_is_refused(void **state)
{
    (void)state;
    assert_int_equal(next_of_payload(RECORD_PAUSE, span_of("\0", 1), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_payload(RECORD_PAUSE, span_of("\0b", 2), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_payload(RECORD_PAUSE, span_of("\2b", 2), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_payload(RECORD_PAUSE, span_of("\1bb", 3), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_payload(RECORD_PAUSE, span_of("\1b", 2), CONTROL_FROM_NODE), 1);
}

/* Reads a vector's record with one byte of its payload set to another value. */
static int next_of_changed(record_type_t type, size_t offset, uint8_t value)
{
    size_t index = 0;
    const vector_t *vector = next_vector(&index);
    while (vector && type_of(vector) != type)
        vector = next_vector(&index);
    assert_non_null(vector);
    char bytes[1024];
    memcpy(bytes, vector->bytes.data, vector->bytes.size);
    bytes[4 + offset] = (char)value;
    return next_of_copy(span_of(bytes, vector->bytes.size), side_of(vector));
}

static void bits_that_nobody_knows_are_refused(void **state)
{
    (void)state;
    assert_int_equal(next_of_changed(RECORD_HELLO, 2, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_WELCOME, 0, 1), 1);
    assert_int_equal(next_of_changed(RECORD_WELCOME, 0, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_WELCOME, 3, 0x80), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_REGISTER, 24, 3), 1);
    assert_int_equal(next_of_changed(RECORD_REGISTER, 24, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_REGISTER, 24, 4), 1);
    assert_int_equal(next_of_changed(RECORD_REGISTER, 24, 6), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_REGISTER, 24, 8), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_HOLD, 12, 3), 1);
    assert_int_equal(next_of_changed(RECORD_HOLD, 12, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_HOLD, 12, 4), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_HELD, 4, 1), 1);
    assert_int_equal(next_of_changed(RECORD_HELD, 4, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_HELD, 7, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_GONE, 4, 2), -CLOSE_BAD_RECORD);
}

static void a_hello_of_another_version_is_read_up_to_its_version(void **state)
{
    (void)state;
    static const char payloads[][4] = {{1, 0}, {0, 0, 'a', 'b'}, {1, 1, 'a'}};
    static const uint16_t versions[] = {1, 0, 257};
    for (size_t index = 0; index < 3; index++) {
        char bytes[8] = {RECORD_HELLO, 4};
        memcpy(bytes + 4, payloads[index], 4);
        span_t rest = span_of(bytes, sizeof bytes);
        control_t record;
        assert_int_equal(control_next(&record, &rest, CONTROL_FROM_NODE), 1);
        assert_int_equal(record.hello.version, versions[index]);
        assert_int_equal(record.hello.broker.size, 0);
        assert_int_equal(rest.size, 0);
    }
    assert_int_equal(next_of_payload(RECORD_HELLO, span_of("\2", 1), CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
}

static void a_welcome_without_limits_is_refused(void **state)
{
    (void)state;
    control_t good = {
        .type = RECORD_WELCOME, .welcome = {.window_size = 1, .batch_size = 1, .heartbeat_ms = 1, .timeout_ms = 1}};
    assert_int_equal(next_of_record(&good, CONTROL_FROM_BROKER), 1);
    control_t bad[4] = {good, good, good, good};
    bad[0].welcome.window_size = 0;
    bad[1].welcome.batch_size = 0;
    bad[2].welcome.heartbeat_ms = 0;
    bad[3].welcome.timeout_ms = 0;
    for (size_t index = 0; index < 4; index++)
        assert_int_equal(next_of_record(&bad[index], CONTROL_FROM_BROKER), -CLOSE_BAD_RECORD);
}

/* Whether a node may send the record with a session of that slot. */
static int next_of_slot(record_type_t type, uint32_t slot)
{
    uint64_t session = (uint64_t)77 << 32 | slot;
    control_t record = {.type = type};
    if (type == RECORD_HOLD || type == RECORD_END)
        record.held.session = session;
    else
        record.name.session = session;
    record.name.name = type == RECORD_REGISTER ? span_str("alice") : record.name.name;
    return next_of_record(&record, CONTROL_FROM_NODE);
}

static void a_hello_that_begins_with_number_0_is_refused(void **state)
{
    (void)state;
    assert_int_equal(next_of_changed(RECORD_HELLO, 52, 0), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_changed(RECORD_HELLO, 52, 2), 1);
}

static int next_of_register(uint64_t kind, const char *name)
{
    control_t record = {.type = RECORD_REGISTER, .name = {.session = kind | 5, .name = span_str(name)}};
    return next_of_record(&record, CONTROL_FROM_NODE);
}

static void a_session_has_the_bit_of_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t kind;
    } kinds[] = {{"room", 0}, {"#room", LINK_SESSION_GROUP}, {"@mill", LINK_SESSION_SERVICE}};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            assert_int_equal(next_of_register(kinds[k].kind, kinds[i].name), i == k ? 1 : -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_register(LINK_SESSION_KINDS, "#room"), -CLOSE_BAD_RECORD);
}

static int next_of_held(record_type_t type, uint64_t session, uint32_t count)
{
    control_t record = {.type = type, .held = {.session = session, .count = count}};
    return next_of_record(&record, CONTROL_FROM_NODE);
}

static void credit_and_done_are_of_services_and_only_of_groups(void **state)
{
    (void)state;
    assert_int_equal(next_of_held(RECORD_CREDIT, LINK_SESSION_SERVICE | 5, 1), 1);
    assert_int_equal(next_of_held(RECORD_CREDIT, LINK_SESSION_SERVICE | 5, 0), 1);
    assert_int_equal(next_of_held(RECORD_CREDIT, 5, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_held(RECORD_DONE, LINK_SESSION_SERVICE | 5, 0), 1);
    assert_int_equal(next_of_held(RECORD_DONE, LINK_SESSION_GROUP | 5, 0), -CLOSE_BAD_RECORD);
    control_t only = {.type = RECORD_ONLY, .name = {.session = LINK_SESSION_GROUP | 5, .member = 6}};
    assert_int_equal(next_of_record(&only, CONTROL_FROM_NODE), 1);
    only.name.session = 5;
    assert_int_equal(next_of_record(&only, CONTROL_FROM_NODE), -CLOSE_BAD_RECORD);
}

/* Reads a HELLO and a WELCOME that tell of that many nodes. */
static void expect_nodes(size_t count, int rc)
{
    static char ids[(CONTROL_NODES_MAX + 1) * LINK_ID_SIZE];
    span_t nodes = span_of(ids, count * LINK_ID_SIZE);
    control_t hello = {.type = RECORD_HELLO,
        .hello = {.version = LINK_VERSION, .first = 1, .broker = span_of("b", 1), .nodes = nodes}};
    control_t welcome = {.type = RECORD_WELCOME,
        .welcome = {.window_size = 1, .batch_size = 1, .heartbeat_ms = 1, .timeout_ms = 1, .nodes = nodes}};
    buffer_t buffer = {0};
    control_put(&buffer, &hello);
    assert_int_equal(next_of_copy(buffer_span(&buffer), CONTROL_FROM_NODE), rc);
    buffer_clear(&buffer);
    control_put(&buffer, &welcome);
    assert_int_equal(next_of_copy(buffer_span(&buffer), CONTROL_FROM_BROKER), rc);
    buffer_fini(&buffer);
}

static void at_most_2048_nodes_are_told_of(void **state)
{
    (void)state;
    expect_nodes(CONTROL_NODES_MAX, 1);
    expect_nodes(CONTROL_NODES_MAX + 1, -CLOSE_BAD_RECORD);
}

static void a_session_beyond_the_last_slot_is_refused(void **state)
{
    (void)state;
    static const record_type_t types[] = {RECORD_REGISTER, RECORD_LEAVING, RECORD_HOLD, RECORD_END};
    for (size_t index = 0; index < 4; index++) {
        assert_int_equal(next_of_slot(types[index], LINK_SLOT_LIMIT - 1), 1);
        assert_int_equal(next_of_slot(types[index], LINK_SLOT_LIMIT), -CLOSE_BAD_RECORD);
        assert_int_equal(next_of_slot(types[index], UINT32_MAX), -CLOSE_BAD_RECORD);
    }
}

/* Reads TAKEN `below` with `count` exceptions, which are pairs. */
static int next_of_taken(uint64_t below, const uint64_t *pairs, size_t count)
{
    uint8_t *list = calloc(count, 16);
    assert_non_null(list);
    for (size_t index = 0; index < 2 * count; index++)
        bytes_put64(list + 8 * index, pairs[index]);
    control_t record = {.type = RECORD_TAKEN, .taken = {below, span_of((const char *)list, 16 * count)}};
    int rc = next_of_record(&record, CONTROL_FROM_BROKER);
    free(list);
    return rc;
}

static void exceptions_ascend_below_their_limit_and_do_not_touch(void **state)
{
    (void)state;
    const uint64_t top = UINT64_MAX;
    assert_int_equal(next_of_taken(10, (uint64_t[]){0, 1, 2, 8}, 2), 1);
    assert_int_equal(next_of_taken(top, (uint64_t[]){top - 2, 2}, 1), 1);
    assert_int_equal(next_of_taken(10, (uint64_t[]){2, 9}, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_taken(10, (uint64_t[]){10, 1}, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_taken(10, (uint64_t[]){11, 1}, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_taken(10, (uint64_t[]){2, top}, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_taken(10, (uint64_t[]){2, 0}, 1), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_taken(10, (uint64_t[]){2, 2, 4, 1}, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_taken(10, (uint64_t[]){2, 2, 3, 2}, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_taken(10, (uint64_t[]){6, 2, 2, 2}, 2), -CLOSE_BAD_RECORD);
    assert_int_equal(next_of_taken(10, (uint64_t[]){2, 2, 2, 2}, 2), -CLOSE_BAD_RECORD);
}

static void at_most_1024_exceptions_are_read(void **state)
{
    (void)state;
    static uint64_t pairs[2 * 1025];
    for (size_t index = 0; index < 1025; index++) {
        pairs[2 * index] = 3 * index;
        pairs[2 * index + 1] = 2;
    }
    assert_int_equal(next_of_taken(10000, pairs, 1024), 1);
    assert_int_equal(next_of_taken(10000, pairs, 1025), -CLOSE_BAD_RECORD);
}

static void lists_are_read_one_by_one(void **state)
{
    (void)state;
    uint8_t offsets[8], pairs[32];
    bytes_put32(offsets, 5);
    bytes_put32(offsets + 4, UINT32_MAX);
    for (size_t index = 0; index < 4; index++)
        bytes_put64(pairs + 8 * index, 10 * index + 1);
    control_numbers_t numbers = {100, span_of((const char *)offsets, sizeof offsets)};
    assert_int_equal(control_numbers_count(&numbers), 3);
    assert_int_equal(control_numbers_at(&numbers, 0), 100);
    assert_int_equal(control_numbers_at(&numbers, 1), 105);
    assert_int_equal(control_numbers_at(&numbers, 2), 100 + (uint64_t)UINT32_MAX);
    control_t taken = {.type = RECORD_TAKEN, .taken.exceptions = span_of((const char *)pairs, sizeof pairs)};
    uint64_t first, count;
    assert_int_equal(control_exception_count(&taken), 2);
    control_exception_at(&taken, 1, &first, &count);
    assert_int_equal(first, 21);
    assert_int_equal(count, 31);
}

static void an_id_is_written_as_hexadecimal_digits(void **state)
{
    (void)state;
    link_id_t id = {{0x00, 0x1f, 0xf0, 0xab, [15] = 0x9c}}, other = id;
    char text[LINK_ID_TEXT_SIZE];
    link_id_text(&id, text);
    assert_string_equal(text, "001ff0ab00000000000000000000009c");
    assert_true(link_id_equal(&id, &other));
    other.bytes[15]++;
    assert_false(link_id_equal(&id, &other));
}

static void a_record_without_a_name_is_called_unknown(void **state)
{
    (void)state;
    assert_string_equal(record_name(RECORD_LEAVE_OK), "LEAVE-OK");
    assert_string_equal(record_name(RECORD_NOTICE), "NOTICE");
    assert_string_equal(record_name(0), "unknown");
    assert_string_equal(record_name(0), "unknown");
    assert_string_equal(record_name(44), "unknown");
    assert_string_equal(record_name(-1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_has_a_vector),
        cmocka_unit_test(every_vector_is_read_as_its_fields),
        cmocka_unit_test(the_fields_of_every_vector_are_written_as_its_bytes),
        cmocka_unit_test(records_that_follow_each_other_are_read_in_order),
        cmocka_unit_test(no_record_is_read_from_a_part_of_its_bytes),
        cmocka_unit_test(a_payload_of_the_wrong_size_is_refused),
        cmocka_unit_test(a_list_of_broken_units_is_refused),
        cmocka_unit_test(what_the_wrong_side_sends_is_refused),
        cmocka_unit_test(what_is_no_control_record_is_refused),
        cmocka_unit_test(a_size_beyond_the_frame_is_refused),
        cmocka_unit_test(a_name_that_is_empty_or_of_another_size_is_refused),
        cmocka_unit_test(a_session_has_the_bit_of_its_name),
        cmocka_unit_test(credit_and_done_are_of_services_and_only_of_groups),
        cmocka_unit_test(bits_that_nobody_knows_are_refused),
        cmocka_unit_test(a_hello_of_another_version_is_read_up_to_its_version),
        cmocka_unit_test(a_welcome_without_limits_is_refused),
        cmocka_unit_test(a_hello_that_begins_with_number_0_is_refused),
        cmocka_unit_test(at_most_2048_nodes_are_told_of),
        cmocka_unit_test(a_session_beyond_the_last_slot_is_refused),
        cmocka_unit_test(exceptions_ascend_below_their_limit_and_do_not_touch),
        cmocka_unit_test(at_most_1024_exceptions_are_read),
        cmocka_unit_test(lists_are_read_one_by_one),
        cmocka_unit_test(an_id_is_written_as_hexadecimal_digits),
        cmocka_unit_test(a_record_without_a_name_is_called_unknown),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
