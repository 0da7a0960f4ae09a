/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

static void a_broker_that_cannot_listen_says_so(void **state)
{
    (void)state;
    const char *const options[] = {"broker/listen=tcp://192.0.2.1:7410", "security/allow_plaintext=1", NULL};
    assert_int_equal(broker_start(options), 1);
    teardown(NULL);
}

static void a_broker_ends_with_links_and_copies_open(void **state)
{
    (void)state;
    setup(NULL);
    pair_open();
    alice_sends("bob", "hello");
    broker_wait_number("counters.messages", 1);
    teardown(NULL);
}

static void a_drained_broker_waits_for_its_end_and_still_answers(void **state)
{
    (void)state;
    setup(NULL);
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    zstr_sendx(actor, "DRAIN", "1", NULL);
    char *word = NULL, *first = NULL;
    do {
        zstr_free(&word);
        zstr_free(&first);
        assert_int_not_equal(zstr_recvx(actor, &word, &first, NULL), -1);
    } while (strcmp(word, "DRAINED") != 0);
    assert_string_equal(first, "0");
    zstr_free(&word);
    zstr_free(&first);
    zstr_sendx(actor, "DRAIN", "1", NULL);
    json_decref(broker_status());
    teardown(NULL);
}

/* A successor in the same process gets the name at once. */
static void brokers_follow_each_other_under_one_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        setup(NULL);
        dealer_open(&a, ENDPOINT, 0xa);
        dealer_join(&a);
        teardown(NULL);
    }
}

/* Three nodes, each with names of its own, send to all the others; every message arrives once and in order. */
static void read_copies(dealer_t *dealer, unsigned *next)
{
    for (unsigned left = 200; left > 0; left--) {
        const dealer_event_t *copy = dealer_wait(dealer, RECORD_COPY);
        unsigned sender = (unsigned)copy->record.copy.session;
        char expected[16];
        snprintf(expected, sizeof expected, "%u", next[sender]++);
        assert_true(span_equal(copy->record.copy.text, span_str(expected)));
    }
}

static void three_nodes_send_to_each_other_in_order(void **state)
{
    (void)state;
    static const char *const others[] = {"two,three", "one,three", "one,two"};
    dealer_t *nodes[] = {&a, &b, &c};
    setup(NULL);
    for (unsigned i = 0; i < 3; i++) {
        dealer_open(nodes[i], ENDPOINT, (uint8_t)(i + 1));
        dealer_join(nodes[i]);
        dealer_login(nodes[i], i, (const char *const[]){"one", "two", "three"}[i]);
    }
    char text[16];
    for (unsigned number = 0; number < 100; number++)
        for (unsigned i = 0; i < 3; i++) {
            snprintf(text, sizeof text, "%u", number);
            dealer_put_message(nodes[i], i, "sender", others[i], text);
            if (number % 7 == i)
                dealer_flush(nodes[i]);
        }
    for (unsigned i = 0; i < 3; i++)
        dealer_flush(nodes[i]);
    for (unsigned i = 0; i < 3; i++) {
        unsigned next[3] = {0};
        read_copies(nodes[i], next);
        dealer_acknowledge(nodes[i]);
    }
    broker_wait_number("ledger.handed_over", 600);
    assert_int_equal(broker_number("ledger.pending"), 0);
    broker_assert_balance();
    teardown(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_that_cannot_listen_says_so),
        cmocka_unit_test(a_broker_ends_with_links_and_copies_open),
        cmocka_unit_test(a_drained_broker_waits_for_its_end_and_still_answers),
        cmocka_unit_test(brokers_follow_each_other_under_one_name),
        cmocka_unit_test(three_nodes_send_to_each_other_in_order),
    };
    return BROKER_RUN(tests);
}
