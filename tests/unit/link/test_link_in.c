/* SPDX-License-Identifier: MPL-2.0 */
/* What a node hears: copies, notices, what was taken and held, pauses; and that nothing that a broker may send harms
 * it. */
#include "link_rig.h"

static void put_notice(int error, uint64_t number, uint64_t session, const char *name, bool taken)
{
    router_put_notice(&rig.router,
        &(body_notice_t){
            .error = (uint16_t)error, .taken = taken, .number = number, .session = session, .name = span_str(name)});
}

/* Sends messages to "bob" from the sessions 1, 2 and so on, and waits until the broker has them. */
static void send_many(unsigned count)
{
    for (unsigned i = 1; i <= count; i++)
        rig_send(i, "bob", "text");
    for (unsigned i = 1; i <= count; i++)
        router_expect(&rig.router, RECORD_MESSAGE);
    rig.said[0] = '\0';
}

static void answers_about_names_reach_their_sessions(void **state)
{
    (void)state;
    rig_join();
    router_put_session(&rig.router, RECORD_CONFIRMED, 5);
    router_put(
        &rig.router, &(control_t){.type = RECORD_DENIED, .name = {.session = 6, .error = FERRY_ERROR_NAME_TAKEN}});
    router_put_session(&rig.router, RECORD_LEFT, 7);
    router_flush(&rig.router);
    rig_wait("confirmed:5 denied:6:name-taken left:7 ");
    assert_int_equal(rig.claim.term, 1);
    assert_int_equal(rig.claim.serial, 1);
    router_put(
        &rig.router, &(control_t){.type = RECORD_CONFIRMED, .name = {.session = 5, .term = 1ull << 40, .serial = 9}});
    router_flush(&rig.router);
    rig_wait("confirmed:5 ");
    assert_int_equal(rig.claim.term, 1ull << 40);
    assert_int_equal(rig.claim.serial, 9);
}

static void a_copy_is_taken_over_and_acknowledged_after_the_turn(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, 2, 9);
    router_put_run(&rig.router, 2);
    router_put_copy(&rig.router, 70, (uint64_t[]){5, 6}, 2, "eve", "hello");
    router_put_copy(&rig.router, 71, (uint64_t[]){5}, 1, "eve", "");
    router_flush(&rig.router);
    rig_wait("copy:70:5,6:eve:hello copy:71:5:eve: ");
    assert_int_equal(rig.ledger.taken_over, 3);
    router_expect_acknowledged(&rig.router, 1);
    router_put_run(&rig.router, 2);
    router_put_copy(&rig.router, 72, (uint64_t[]){5}, 1, "eve", "");
    router_flush(&rig.router);
    router_expect_acknowledged(&rig.router, 2);
}

static void a_handle_is_an_origin_until_it_is_gone(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, 2, 9);
    router_put_origin(&rig.router, 3, 8);
    router_flush(&rig.router);
    router_put_gone(&rig.router, 2, false);
    router_put_gone(&rig.router, 77, false);
    router_flush(&rig.router);
    router_put_run(&rig.router, 3);
    router_put_copy(&rig.router, 1, (uint64_t[]){5}, 1, "eve", "still here");
    router_flush(&rig.router);
    rig_wait("copy:1:5:eve:still here ");
    router_put_run(&rig.router, 2);
    router_put_copy(&rig.router, 2, (uint64_t[]){5}, 1, "eve", "gone");
    router_flush(&rig.router);
    rig_expect_loss(CLOSE_BAD_RECORD);
}

static void a_refused_copy_is_told_once_and_not_settled_before_it_is_taken(void **state)
{
    (void)state;
    rig_join();
    rig_send(5, "bob,zoe", "text");
    router_expect(&rig.router, RECORD_MESSAGE);
    put_notice(FERRY_ERROR_NO_SUCH_PEER, 1, 5, "zoe", false);
    put_notice(FERRY_ERROR_NO_SUCH_PEER, 1, 5, "zoe", false);
    put_notice(FERRY_ERROR_NO_SUCH_PEER, 99, 5, "zoe", false);
    router_flush(&rig.router);
    rig_wait("notice:no-such-peer:zoe:5 ");
    router_expect_acknowledged(&rig.router, 1);
    rig_expect_said("");
    assert_int_equal(rig.ledger.refused[FERRY_ERROR_NO_SUCH_PEER], 1);
    rig_check_ledger();
    router_put_taken(&rig.router, 2);
    router_flush(&rig.router);
    rig_wait("settled:5 ");
    assert_int_equal(rig.ledger.handed_over, 1);
    rig_check_ledger();
}

static void a_notice_comes_before_the_taken_of_the_same_message(void **state)
{
    (void)state;
    rig_join();
    send_many(1);
    put_notice(FERRY_ERROR_NO_SUCH_PEER, 1, 1, "bob", false);
    router_put_taken(&rig.router, 2);
    router_flush(&rig.router);
    rig_wait("settled:1 ");
    assert_int_equal(rig.ledger.refused[FERRY_ERROR_NO_SUCH_PEER], 1);
    assert_int_equal(rig.ledger.handed_over, 0);
}

static void a_notice_on_a_taken_copy_is_passed_on_and_not_counted(void **state)
{
    (void)state;
    rig_join();
    send_many(2);
    put_notice(FERRY_ERROR_UNDELIVERED, 1, 1, "bob", true);
    router_flush(&rig.router);
    rig_wait("notice:undelivered:bob:1 ");
    assert_int_equal(link_open_copies(rig.link), 2);
    rig_check_ledger();
}

static void a_notice_without_a_session_is_its_messages(void **state)
{
    (void)state;
    rig_join();
    send_many(3);
    router_put_numbers(&rig.router, RECORD_HELD, 2);
    router_put_taken(&rig.router, 4);
    router_flush(&rig.router);
    rig_wait("settled:1 settled:3 ");
    put_notice(FERRY_ERROR_UNDELIVERED, 2, UINT64_MAX, "bob", true);
    router_put_numbers(&rig.router, RECORD_ENDED, 2);
    router_flush(&rig.router);
    rig_wait("notice:undelivered:bob:2 settled:2 ");
}

static void held_copies_keep_their_message_from_being_settled(void **state)
{
    (void)state;
    rig_join();
    send_many(3);
    router_put_numbers(&rig.router, RECORD_HELD, 2);
    router_put_taken(&rig.router, 4);
    router_flush(&rig.router);
    rig_wait("settled:1 settled:3 ");
    assert_false(link_is_settled(rig.link));
    assert_int_equal(link_open_copies(rig.link), 0);
    router_put_numbers(&rig.router, RECORD_ENDED, 2);
    router_flush(&rig.router);
    rig_wait("settled:2 ");
    assert_true(link_is_settled(rig.link));
}

static void pauses_are_passed_on(void **state)
{
    (void)state;
    rig_join();
    rig_wait("room ");
    router_put(&rig.router, &(control_t){.type = RECORD_PAUSE, .name.name = span_str("bob")});
    router_flush(&rig.router);
    rig_wait("pause:bob ");
    router_put(&rig.router, &(control_t){.type = RECORD_RESUME, .name.name = span_str("bob")});
    router_flush(&rig.router);
    rig_wait("resume:bob ");
}

/* A frame of the broker with that header and these bytes behind it, and a body unless that is NULL. */
typedef struct {
    const char *what;
    close_t reason;
    uint32_t epoch;
    uint64_t sequence, acknowledged;
    span_t controls, body;
} garbage_t;

static void send_garbage(const garbage_t *garbage)
{
    uint8_t header[FRAME_HEADER_SIZE + 256];
    frame_header_put(header, &(frame_header_t){.epoch = garbage->epoch ? garbage->epoch : rig.router.header.epoch,
                                 .sequence = garbage->sequence,
                                 .acknowledged = garbage->acknowledged});
    assert_true(garbage->controls.size <= 256);
    if (garbage->controls.size)
        memcpy(header + FRAME_HEADER_SIZE, garbage->controls.data, garbage->controls.size);
    const void *frames[] = {header, garbage->body.data};
    size_t sizes[] = {FRAME_HEADER_SIZE + garbage->controls.size, garbage->body.size};
    router_send_raw(&rig.router, frames, sizes, garbage->body.data ? 2 : 1);
}

#define BYTES(string)                                                                                                  \
    {                                                                                                                  \
        (string), sizeof(string) - 1                                                                                   \
    }
#define CONTROL_BYTES(...)                                                                                             \
    {                                                                                                                  \
        (const char *)(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                           \
    }
#define U64(low)         (low), 0, 0, 0, 0, 0, 0, 0
#define RUN_OF(handle)   40, 0, 0, 0, (handle), 0, 0, 0, U64(1)
#define COPY_TO(session) 41, 1, 1, 0, 1, 0, 0, 0, U64(1), U64(1), U64(session), 'e', 'x'
#define BODY_HEAD(count) (count), 0, 0, 0, 0, 0, 0, 0

static const garbage_t garbage[] = {
    {"an epoch that is not the link's", CLOSE_OLD_EPOCH, .epoch = 999},
    {"a sequence without a body", CLOSE_BAD_SEQUENCE, .sequence = 1},
    {"a body without a sequence", CLOSE_BAD_SEQUENCE, .body = BYTES("x")},
    {"a batch out of order", CLOSE_BAD_SEQUENCE, .sequence = 2, .body = BYTES("x")},
    {"an acknowledgement of what was not sent", CLOSE_BAD_SEQUENCE, .acknowledged = 1},
    {"an empty body", CLOSE_BAD_RECORD, .sequence = 1, .body = BYTES("")},
    {"a body that announces more than it has", CLOSE_BAD_RECORD, .sequence = 1,
        .body = CONTROL_BYTES(BODY_HEAD(2), RUN_OF(1))},
    {"a body with more than it announces", CLOSE_BAD_RECORD, .sequence = 1,
        .body = CONTROL_BYTES(BODY_HEAD(1), RUN_OF(1), 0)},
    {"a copy before the first run", CLOSE_BAD_RECORD, .sequence = 1, .body = CONTROL_BYTES(BODY_HEAD(1), COPY_TO(5))},
    {"a notice of a report before the first run", CLOSE_BAD_RECORD, .sequence = 1,
        .body = CONTROL_BYTES(BODY_HEAD(1), 42, 1, 1, 0, 1, 0, 1, 0, U64(1), U64(1), U64(1), 'b')},
    {"a run of handle 0", CLOSE_BAD_RECORD, .sequence = 1, .body = CONTROL_BYTES(BODY_HEAD(2), RUN_OF(0), COPY_TO(5))},
    {"a run of an unknown handle", CLOSE_BAD_RECORD, .sequence = 1,
        .body = CONTROL_BYTES(BODY_HEAD(2), RUN_OF(7), COPY_TO(5))},
    {"a record of nodes in a body", CLOSE_BAD_RECORD, .sequence = 1,
        .body = CONTROL_BYTES(BODY_HEAD(1), 32, 1, 1, 0, 0, 0, 0, 0, U64(1), 'e', 1, 'b')},
    {"a truncated control record", CLOSE_BAD_RECORD, .controls = CONTROL_BYTES(14, 8, 0, 0, 1)},
    {"an unknown control record", CLOSE_BAD_RECORD, .controls = CONTROL_BYTES(99, 0, 0, 0)},
    {"a record that lies about its size", CLOSE_BAD_RECORD, .controls = CONTROL_BYTES(14, 255, 255, 255, 1)},
    {"a record of nodes", CLOSE_BAD_RECORD, .controls = CONTROL_BYTES(5, 0, 0, 0)},
    {"a second WELCOME", CLOSE_BAD_RECORD,
        .controls = CONTROL_BYTES(2, 48, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
            U64(1), U64(1), U64(0))},
    {"TAKEN of what was not sent", CLOSE_BAD_SEQUENCE, .controls = CONTROL_BYTES(14, 8, 0, 0, U64(200))},
    {"a BYE with a wrong number", CLOSE_BAD_SEQUENCE, .controls = CONTROL_BYTES(23, 8, 0, 0, U64(1))},
    {"a BYE-OK that nobody asked for", CLOSE_BAD_SEQUENCE, .controls = CONTROL_BYTES(24, 8, 0, 0, U64(0))},
};

static void a_broker_that_breaks_the_protocol_loses_the_link(void **state)
{
    (void)state;
    rig_join();
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        uint32_t epoch = rig.router.header.epoch;
        rig_wait("room ");
        rig.said[0] = '\0';
        send_garbage(&garbage[i]);
        router_join(&rig.router);
        if (link_loss(rig.link) != garbage[i].reason)
            fail_msg("%s: %s", garbage[i].what, close_code(link_loss(rig.link)));
        assert_int_equal(rig.router.header.epoch, epoch + 1);
        assert_null(strstr(rig.said, "copy"));
    }
}

static void frames_that_are_none_lose_the_link(void **state)
{
    (void)state;
    static const char zeros[FRAME_HEADER_SIZE + FRAME_CONTROLS_SIZE + 1];
    uint8_t header[FRAME_HEADER_SIZE];
    rig_join();
    for (unsigned i = 0; i < 5; i++) {
        frame_header_put(header, &(frame_header_t){.epoch = rig.router.header.epoch});
        const void *frames[] = {i == 2 || i == 3 || i == 4 ? (const void *)header : zeros, zeros, zeros, zeros};
        size_t sizes[] = {i == 0 ? 0 : i == 1 ? sizeof zeros : sizeof header, 1, 1, 0};
        if (i == 4)
            header[3] = 2;
        router_send_raw(&rig.router, frames, sizes, i == 2 ? 3 : i == 3 ? 4 : 1);
        router_join(&rig.router);
        assert_string_equal(close_code(link_loss(rig.link)), i == 4 ? "bad-version" : "bad-frame");
    }
}

static const garbage_t early[] = {
    {"DRAIN", CLOSE_BAD_RECORD, .controls = CONTROL_BYTES(19, 0, 0, 0)},
    {"a batch", CLOSE_BAD_SEQUENCE, .sequence = 1, .body = CONTROL_BYTES(BODY_HEAD(1), RUN_OF(1))},
    {"a WELCOME that resumes the link of another instance", CLOSE_BAD_RECORD,
        .controls = CONTROL_BYTES(2, 48, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
            U64(1), U64(1), U64(0))},
    {"an acknowledgement before the first batch", CLOSE_BAD_SEQUENCE, .acknowledged = 1},
    {"a WELCOME without a window", CLOSE_BAD_RECORD,
        .controls = CONTROL_BYTES(2, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
            U64(1), U64(1), U64(0))},
};

static void a_broker_that_says_something_else_than_welcome_is_left(void **state)
{
    (void)state;
    rig_link();
    for (size_t i = 0; i < sizeof early / sizeof *early; i++) {
        router_hello(&rig.router);
        send_garbage(&early[i]);
        rig_expect_loss(early[i].reason);
    }
    router_join(&rig.router);
}

static void random_records_never_do_more_than_lose_the_link(void **state)
{
    (void)state;
    enum { BARRIER = 777 };
    uint32_t random = 1;
    rig_join();
    for (unsigned round = 0; round < 500; round++) {
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(random >> 24);
        }
        size_t size = bytes[1] % 24;
        bytes[0] = (uint8_t)(1 + bytes[0] % 26); /* a type that there is, as a rule, and the right size */
        bytes[1] = (uint8_t)size;
        bytes[2] = bytes[3] = 0;
        if (round % 2)
            memset(bytes + 4, bytes[4] % 3, size);
        garbage_t record = {.controls = {(const char *)bytes, 4 + size}};
        rig.said[0] = '\0';
        send_garbage(&record);
        router_put_session(&rig.router, RECORD_CONFIRMED, BARRIER);
        router_flush(&rig.router);
        deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
        while (!strstr(rig.said, "state:down ") && !strstr(rig.said, "confirmed:777 ")) {
            assert_false(deadline_passed(deadline));
            rig_turn(NULL);
        }
        if (strstr(rig.said, "state:down "))
            router_join(&rig.router);
    }
    rig_check_ledger();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(answers_about_names_reach_their_sessions),
        RIG_TEST(a_copy_is_taken_over_and_acknowledged_after_the_turn),
        RIG_TEST(a_handle_is_an_origin_until_it_is_gone),
        RIG_TEST(a_refused_copy_is_told_once_and_not_settled_before_it_is_taken),
        RIG_TEST(a_notice_comes_before_the_taken_of_the_same_message),
        RIG_TEST(a_notice_on_a_taken_copy_is_passed_on_and_not_counted),
        RIG_TEST(a_notice_without_a_session_is_its_messages),
        RIG_TEST(held_copies_keep_their_message_from_being_settled),
        RIG_TEST(pauses_are_passed_on),
        RIG_TEST(a_broker_that_breaks_the_protocol_loses_the_link),
        RIG_TEST(frames_that_are_none_lose_the_link),
        RIG_TEST(a_broker_that_says_something_else_than_welcome_is_left),
        RIG_TEST(random_records_never_do_more_than_lose_the_link),
    };
    return TEST_RUN(tests);
}
