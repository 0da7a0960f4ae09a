/* SPDX-License-Identifier: MPL-2.0 */
#include "rooms.h"

#include "broker/owed.h"

static int setup(void **state)
{
    (void)state;
    rooms_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    owed_fini(&broker.owed);
    rooms_close();
    table_destroy(&broker.held_origins, NULL);
    return 0;
}

static link_id_t id_of(uint8_t number)
{
    link_id_t id;
    memset(id.bytes, number, LINK_ID_SIZE);
    return id;
}

static bool owe(uint8_t node, uint64_t number, const char *name)
{
    link_id_t id = id_of(node);
    return owed_add(
        &broker.owed, &id, &(body_notice_t){.error = 16, .number = number, .report = 77, .name = span_str(name)});
}

static void give_up(uint8_t node)
{
    link_id_t id = id_of(node);
    owed_begin(&broker.owed, &id);
}

static uint64_t first_told;
static unsigned told_count;

static void on_body(void *arg, span_t frame)
{
    (void)arg;
    body_t body;
    body_record_t record;
    assert_int_equal(body_open_down(&body, frame), 0);
    while (body_next_down(&body, &record) == 1) {
        assert_int_equal(record.type, RECORD_NOTICE);
        assert_int_equal(record.notice.report, 0); /* who reported it may be unknown now */
        if (told_count++ == 0)
            first_told = record.notice.number;
    }
}

/* The node comes back: how many notices it is given. */
static unsigned come_back(uint8_t number)
{
    node_t *node = rooms_node(number);
    told_count = 0;
    owed_tell(&broker.owed, node);
    dealer_writer_each_body(&node->writer, on_body, NULL);
    dealer_writer_clear(&node->writer);
    return told_count;
}

static void a_node_that_comes_back_is_told_what_it_is_owed(void **state)
{
    (void)state;
    give_up(1);
    give_up(2);
    assert_true(owe(1, 5, "bob"));
    assert_true(owe(2, 6, "bob"));
    assert_true(owe(1, 7, "zoe"));
    assert_int_equal(come_back(1), 2);
    assert_int_equal(first_told, 5);
    assert_int_equal(come_back(2), 1);
    assert_int_equal(first_told, 6);
    assert_int_equal(broker.owed.size, 0);
}

static void nothing_is_owed_to_whom_nobody_gave_up(void **state)
{
    (void)state;
    assert_false(owe(1, 5, "bob"));
    give_up(1);
    assert_int_equal(come_back(1), 0);
    assert_false(owe(1, 5, "bob")); /* it has been told, and is here */
}

static void the_one_that_was_given_up_first_is_forgotten_first(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OWED_NODES_MAX; i++)
        give_up((uint8_t)(i % 250));
    assert_true(owe(0, 5, "bob"));
    give_up(251);
    assert_int_equal(broker.owed.count, OWED_NODES_MAX);
    assert_int_equal(broker.owed.size, 0);
}

static void what_is_owed_is_bounded_in_bytes(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    give_up(1);
    give_up(2);
    assert_true(owe(2, 5, "bob"));
    while (owe(1, 5, name))
        assert_true(broker.owed.size <= OWED_SIZE_MAX);
    assert_int_equal(come_back(1), 0);
    assert_int_equal(come_back(2), 1);
}

#define OWED_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OWED_TEST(a_node_that_comes_back_is_told_what_it_is_owed),
        OWED_TEST(nothing_is_owed_to_whom_nobody_gave_up),
        OWED_TEST(the_one_that_was_given_up_first_is_forgotten_first),
        OWED_TEST(what_is_owed_is_bounded_in_bytes),
    };
    return TEST_RUN(tests);
}
