/* SPDX-License-Identifier: MPL-2.0 */
/* Names that are registered again in doubt: nodes a and c are back, and node b is the last that is waited for. */
#include "settling.h"

static void put_doubtful(dealer_t *dealer, uint64_t session, const char *name, uint64_t term, uint64_t serial)
{
    dealer_put(dealer, &(control_t){.type = RECORD_REGISTER,
                           .name = {.session = session,
                               .term = term,
                               .serial = serial,
                               .again = true,
                               .doubtful = true,
                               .name = span_str(name)}});
}

static void doubt(dealer_t *dealer, uint64_t session, const char *name, uint64_t term, uint64_t serial)
{
    put_doubtful(dealer, session, name, term, serial);
    dealer_flush(dealer);
}

/* The broker has handled what the node sent before, and had nothing to say. */
static void expect_silence(dealer_t *dealer, uint64_t session, const char *name)
{
    dealer_put_again(dealer, session, name, 1, 1);
    dealer_flush(dealer);
    assert_int_equal(dealer_expect(dealer, RECORD_CONFIRMED)->control.name.session, session);
}

/* Node a has alice, and node c has carol. */
static void nodes_come_back(void)
{
    alice_comes_back();
    come_back(&c, 0xc, 0);
    register_again(&c, SESSION(1, 3), "carol");
}

static void the_settling_ends(void)
{
    come_back(&b, 0xb, 0);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
}

static void expect_confirmed(dealer_t *dealer, uint64_t session)
{
    assert_int_equal(dealer_expect(dealer, RECORD_CONFIRMED)->control.name.session, session);
}

static void expect_denied(dealer_t *dealer, uint64_t session)
{
    assert_int_equal(dealer_expect(dealer, RECORD_DENIED)->control.name.session, session);
}

static void a_doubtful_name_waits_for_the_end_of_the_settling(void **state)
{
    (void)state;
    nodes_come_back();
    doubt(&a, SESSION(1, 5), "bob", 1, 5);
    expect_silence(&a, SESSION(1, 6), "amy");
    assert_int_equal(broker_number("names"), 3);
    the_settling_ends();
    expect_confirmed(&a, SESSION(1, 5));
}

/* Claims of nodes a, c and b, in the order in which they come, and which of them gets the name. */
static const struct {
    struct {
        uint64_t term, serial;
    } claims[3];
    unsigned winner;
} contests[] = {
    {{{3, 9}, {3, 8}, {4, 1}}, 2},
    {{{3, 9}, {4, 1}, {3, 8}}, 1},
    {{{4, 1}, {3, 8}, {3, 9}}, 0},
    {{{3, 7}, {3, 8}, {3, 9}}, 2},
    {{{3, 7}, {3, 9}, {3, 8}}, 1},
    {{{3, 9}, {3, 8}, {3, 7}}, 0},
};

enum { CONTESTS = sizeof contests / sizeof *contests, SLOT = 10 };

static void put_contests(dealer_t *dealer, unsigned place)
{
    char name[16];
    for (unsigned i = 0; i < CONTESTS; i++) {
        snprintf(name, sizeof name, "contest-%u", i);
        put_doubtful(
            dealer, SESSION(1, SLOT + i), name, contests[i].claims[place].term, contests[i].claims[place].serial);
    }
}

static void expect_contests(dealer_t *dealer, unsigned place)
{
    for (unsigned answers = 0; answers < CONTESTS; answers++) {
        const dealer_event_t *event = dealer_next(dealer);
        uint64_t contest = event->control.name.session - SESSION(1, SLOT);
        assert_true(contest < CONTESTS);
        assert_int_equal(event->type, contests[contest].winner == place ? RECORD_CONFIRMED : RECORD_DENIED);
    }
}

static void the_latest_of_doubtful_logins_has_the_name_whoever_comes_first(void **state)
{
    (void)state;
    nodes_come_back();
    put_contests(&a, 0);
    dealer_flush(&a);
    expect_silence(&a, SESSION(1, 6), "amy");
    put_contests(&c, 1);
    dealer_flush(&c);
    expect_silence(&c, SESSION(1, 6), "cleo");
    come_back(&b, 0xb, 0);
    put_contests(&b, 2);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    expect_contests(&a, 0);
    expect_contests(&c, 1);
    expect_contests(&b, 2);
    assert_int_equal(broker_number("names"), 4 + CONTESTS);
}

/* Whichever comes first; the claim of the doubtful one is higher. */
static void a_doubtful_name_loses_against_one_without_doubt(void **state)
{
    (void)state;
    nodes_come_back();
    doubt(&a, SESSION(1, 5), "bob", 9, 9);
    expect_silence(&a, SESSION(1, 6), "amy");
    dealer_put_again(&c, SESSION(1, 5), "bob", 1, 1);
    dealer_put_again(&c, SESSION(1, 7), "bert", 1, 2);
    dealer_flush(&c);
    expect_confirmed(&c, SESSION(1, 5));
    expect_confirmed(&c, SESSION(1, 7));
    doubt(&a, SESSION(1, 7), "bert", 9, 9);
    expect_silence(&a, SESSION(1, 8), "ann");
    alice_sends("bob,bert", "hello");
    assert_int_equal(dealer_expect(&c, RECORD_COPY)->record.copy.recipient_count, 2);
    the_settling_ends();
    dealer_wait(&a, RECORD_DENIED);
    dealer_expect(&a, RECORD_DENIED);
    alice_sends("bob", "still here");
    dealer_expect_copy(&c, SESSION(1, 5), "alice", "still here");
}

static void a_doubtful_name_goes_before_a_new_login(void **state)
{
    (void)state;
    nodes_come_back();
    dealer_put_register(&a, SESSION(1, 5), "bob");
    dealer_flush(&a);
    expect_silence(&a, SESSION(1, 6), "amy");
    doubt(&c, SESSION(1, 5), "bob", 1, 1);
    expect_silence(&c, SESSION(1, 6), "cleo");
    the_settling_ends();
    expect_confirmed(&c, SESSION(1, 5));
    expect_denied(&a, SESSION(1, 5));
}

/* The claims alone decide then. */
static void doubts_do_not_matter_when_nothing_settles(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    doubt(&a, SESSION(1, 5), "bob", 3, 7);
    expect_confirmed(&a, SESSION(1, 5));
    dealer_put_again(&c, SESSION(1, 5), "bob", 3, 6);
    dealer_flush(&c);
    expect_denied(&c, SESSION(1, 5));
    dealer_put_again(&c, SESSION(1, 6), "bob", 3, 8);
    dealer_flush(&c);
    expect_confirmed(&c, SESSION(1, 6));
    expect_denied(&a, SESSION(1, 5));
    doubt(&a, SESSION(1, 6), "bob", 3, 9);
    expect_confirmed(&a, SESSION(1, 6));
    expect_denied(&c, SESSION(1, 6));
}

static void a_copy_to_a_doubtful_name_waits_and_goes_to_the_winner_alone(void **state)
{
    (void)state;
    nodes_come_back();
    doubt(&a, SESSION(1, 5), "bob", 3, 7);
    alice_sends_again("bob", "one");
    alice_sends("bob", "two");
    broker_wait_number("counters.messages", 2);
    doubt(&c, SESSION(1, 5), "bob", 3, 8);
    expect_silence(&c, SESSION(1, 6), "cleo");
    the_settling_ends();
    assert_true(dealer_expect_copy(&c, SESSION(1, 5), "alice", "one")->run.again);
    dealer_expect_copy(&c, SESSION(1, 5), "alice", "two");
    expect_confirmed(&c, SESSION(1, 5));
    while (dealer_next(&a)->type != RECORD_DENIED)
        continue;
    dealer_acknowledge(&c);
    while (dealer_wait(&a, RECORD_TAKEN)->control.taken.below < 3)
        continue;
    dealer_barrier(&a, 9);
    assert_int_equal(broker_number("counters.copies"), 2);
    broker_assert_balance();
}

static void a_doubtful_login_that_waits_can_be_taken_back(void **state)
{
    (void)state;
    nodes_come_back();
    doubt(&c, SESSION(1, 5), "bob", 3, 7);
    expect_silence(&c, SESSION(1, 6), "cleo");
    doubt(&a, SESSION(1, 5), "bob", 3, 8);
    dealer_put(&a, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 5)});
    dealer_flush(&a);
    assert_int_equal(dealer_expect(&a, RECORD_LEFT)->control.name.session, SESSION(1, 5));
    doubt(&a, SESSION(2, 5), "bert", 3, 9); /* behind one that waits */
    expect_silence(&a, SESSION(1, 6), "amy");
    the_settling_ends();
    expect_confirmed(&c, SESSION(1, 5));
    expect_confirmed(&a, SESSION(2, 5));
}

static void the_doubtful_logins_of_a_lost_node_do_not_count(void **state)
{
    (void)state;
    nodes_come_back();
    doubt(&a, SESSION(1, 5), "bob", 3, 7);
    expect_silence(&a, SESSION(1, 6), "amy");
    doubt(&c, SESSION(1, 5), "bob", 3, 8);
    doubt(&c, SESSION(1, 6), "bert", 3, 9);
    dealer_put_empty(&c, RECORD_REGISTERED); /* once too often */
    dealer_flush(&c);
    dealer_expect_refused(&c, CLOSE_BAD_RECORD);
    doubt(&a, SESSION(1, 7), "bert", 3, 1);
    dealer_expect(&a, RECORD_GONE);
    the_settling_ends();
    expect_confirmed(&a, SESSION(1, 5));
    expect_confirmed(&a, SESSION(1, 7));
}

/* On the link that is resumed it waits once more, unless its node has it no more. */
static void doubtful_logins_wait_again_on_a_resumed_link(void **state)
{
    (void)state;
    nodes_come_back();
    doubt(&a, SESSION(1, 5), "bob", 3, 7);
    expect_silence(&a, SESSION(1, 6), "amy");
    put_doubtful(&c, SESSION(1, 5), "bob", 3, 8);
    put_doubtful(&c, SESSION(1, 6), "bert", 3, 9);
    doubt(&a, SESSION(1, 7), "bert", 3, 1);
    dealer_flush(&c);
    expect_silence(&c, SESSION(1, 7), "cleo");
    dealer_resume(&c, ENDPOINT, 0);
    doubt(&c, SESSION(1, 5), "bob", 3, 8);
    expect_silence(&c, SESSION(1, 3), "carol");
    the_settling_ends();
    expect_confirmed(&c, SESSION(1, 5));
    expect_confirmed(&a, SESSION(1, 7)); /* it goes before the rest of its turn */
    expect_denied(&a, SESSION(1, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_doubtful_name_waits_for_the_end_of_the_settling),
        BROKER_TEST(the_latest_of_doubtful_logins_has_the_name_whoever_comes_first),
        BROKER_TEST(a_doubtful_name_loses_against_one_without_doubt),
        BROKER_TEST(a_doubtful_name_goes_before_a_new_login),
        BROKER_TEST(doubts_do_not_matter_when_nothing_settles),
        BROKER_TEST(a_copy_to_a_doubtful_name_waits_and_goes_to_the_winner_alone),
        BROKER_TEST(a_doubtful_login_that_waits_can_be_taken_back),
        BROKER_TEST(the_doubtful_logins_of_a_lost_node_do_not_count),
        BROKER_TEST(doubtful_logins_wait_again_on_a_resumed_link),
    };
    return BROKER_RUN(tests);
}
