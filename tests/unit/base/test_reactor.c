/* SPDX-License-Identifier: MPL-2.0 */
/* reactor: one end of an inproc pair is watched, the other is used from within the loop. A guard ends a loop that
 * sleeps although something is left to do, and then the test has failed. */
#include "lib/test.h"

#include <errno.h>
#include <zmq.h>

#include "base/reactor.h"
#include "lib/deadline.h"

enum { MANY = 300, QUIET_MS = 30 };

/* A reactor, a pair of sockets with a watch on one end, two timers, and what has happened. */
typedef struct {
    void *context, *watched, *other;
    reactor_t *reactor;
    watch_t *watch, *second; /* second: NULL until a test makes it */
    uv_timer_t guard, step;
    void (*on_turn)(void *arg);
    unsigned turns, calls, received;
    short events;  /* as on_events was last told */
    bool stepped;  /* the step has come */
    bool too_late; /* the guard had to end the loop */
} rig_t;

static void timer_close(uv_timer_t *timer)
{
    if (!uv_is_closing((uv_handle_t *)timer))
        uv_close((uv_handle_t *)timer, NULL);
}

/* Closes what keeps reactor_run from returning once it is stopped. */
static void rig_close_handles(rig_t *rig)
{
    watch_destroy(&rig->watch);
    watch_destroy(&rig->second);
    timer_close(&rig->guard);
    timer_close(&rig->step);
}

static void rig_stop(rig_t *rig)
{
    rig_close_handles(rig);
    reactor_stop(rig->reactor);
}

static void on_guard(uv_timer_t *timer)
{
    rig_t *rig = timer->data;
    rig->too_late = true;
    rig_stop(rig);
}

static void on_rig_turn(void *arg)
{
    rig_t *rig = arg;
    rig->turns++;
    if (rig->on_turn)
        rig->on_turn(rig);
}

static void *socket_new(rig_t *rig)
{
    int linger = 0;
    void *socket = zmq_socket(rig->context, ZMQ_PAIR);
    assert_non_null(socket);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger), 0);
    return socket;
}

static void rig_open(rig_t *rig, short wanted, void (*on_events)(void *arg, short events))
{
    *rig = (rig_t){.context = zmq_ctx_new()};
    rig->watched = socket_new(rig);
    rig->other = socket_new(rig);
    assert_int_equal(zmq_bind(rig->watched, "inproc://pair"), 0);
    assert_int_equal(zmq_connect(rig->other, "inproc://pair"), 0);
    rig->reactor = reactor_new(on_rig_turn, rig);
    rig->watch = watch_new(rig->reactor, rig->watched, wanted, on_events, rig);
    uv_timer_init(reactor_loop(rig->reactor), &rig->guard);
    uv_timer_init(reactor_loop(rig->reactor), &rig->step);
    rig->guard.data = rig->step.data = rig;
    uv_timer_start(&rig->guard, on_guard, (uint64_t)deadline_left_ms(deadline_in(DEADLINE_USUAL_MS)), 0);
}

/* Runs the loop until it is stopped, which must not be the guard's doing. */
static void rig_run(rig_t *rig)
{
    reactor_run(rig->reactor);
    assert_false(rig->too_late);
    reactor_destroy(&rig->reactor);
    assert_null(rig->reactor);
    assert_int_equal(zmq_close(rig->watched), 0);
    if (rig->other)
        assert_int_equal(zmq_close(rig->other), 0);
    assert_int_equal(zmq_ctx_term(rig->context), 0);
}

/* Has the step come when the loop has nothing left to do but to wait for it. */
static void rig_step_when_quiet(rig_t *rig, uv_timer_cb on_step)
{
    uv_timer_start(&rig->step, on_step, QUIET_MS, 0);
}

static void send_one(void *socket)
{
    assert_int_equal(zmq_send(socket, "x", 1, ZMQ_DONTWAIT), 1);
}

static bool receive_one(rig_t *rig, void *socket)
{
    char byte;
    int rc = zmq_recv(socket, &byte, 1, ZMQ_DONTWAIT);
    if (rc < 0)
        assert_int_equal(zmq_errno(), EAGAIN);
    rig->received += rc == 1;
    return rc == 1;
}

static void note(rig_t *rig, short events)
{
    rig->calls++;
    rig->events = events;
}

static void on_events_note(void *arg, short events)
{
    note(arg, events);
}

static void on_events_read_one_and_stop(void *arg, short events)
{
    rig_t *rig = arg;
    note(rig, events);
    if (events & ZMQ_POLLIN && receive_one(rig, rig->watched))
        rig_stop(rig);
}

static void on_step_send(uv_timer_t *timer)
{
    rig_t *rig = timer->data;
    rig->stepped = true;
    send_one(rig->other);
}

static void on_step_stop(uv_timer_t *timer)
{
    rig_t *rig = timer->data;
    rig->stepped = true;
    rig_stop(rig);
}

static void a_message_wakes_the_loop(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_read_one_and_stop);
    rig_step_when_quiet(&rig, on_step_send);
    rig_run(&rig);
    assert_true(rig.stepped);
    assert_int_equal(rig.received, 1);
    assert_int_equal(rig.events, ZMQ_POLLIN | ZMQ_POLLOUT);
}

static void messages_that_were_there_before_the_watch_are_told(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_read_one_and_stop);
    send_one(rig.other);
    int events;
    size_t size = sizeof events;
    assert_int_equal(zmq_getsockopt(rig.watched, ZMQ_EVENTS, &events, &size), 0); /* uses up the edge */
    rig_run(&rig);
    assert_int_equal(rig.received, 1);
}

static void on_events_read_one_of_many(void *arg, short events)
{
    rig_t *rig = arg;
    note(rig, events);
    assert_true(events & ZMQ_POLLIN);
    assert_true(receive_one(rig, rig->watched));
    if (rig->received == MANY)
        rig_stop(rig);
}

static void what_a_budget_leaves_is_told_again_in_the_next_turn(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_read_one_of_many);
    for (unsigned count = 0; count < MANY; count++)
        send_one(rig.other);
    rig_run(&rig);
    assert_int_equal(rig.received, MANY);
    assert_int_equal(rig.calls, MANY);
    assert_int_equal(rig.turns, MANY);
}

/* Sends both ways; then the watched socket has seen the command that its descriptor would have told of. */
static void on_step_use_up_the_edge(uv_timer_t *timer)
{
    rig_t *rig = timer->data;
    int events;
    size_t size = sizeof events;
    rig->stepped = true;
    send_one(rig->other);
    send_one(rig->watched);
    assert_int_equal(zmq_getsockopt(rig->watched, ZMQ_EVENTS, &events, &size), 0);
    watch_touch(rig->watch);
}

static void an_edge_that_a_send_used_up_is_made_good_by_touching(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_read_one_and_stop);
    rig_step_when_quiet(&rig, on_step_use_up_the_edge);
    rig_run(&rig);
    assert_true(rig.stepped);
    assert_int_equal(rig.received, 1);
}

static void what_is_not_wanted_lets_the_loop_sleep(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_note);
    rig_step_when_quiet(&rig, on_step_stop);
    rig_run(&rig);
    assert_true(rig.stepped);
    assert_int_equal(rig.events, ZMQ_POLLOUT);
    assert_true(rig.calls <= 2);
    assert_true(rig.turns <= 10);
}

static void on_events_count_room(void *arg, short events)
{
    rig_t *rig = arg;
    note(rig, events);
    if (rig->stepped && events & ZMQ_POLLOUT && ++rig->received == MANY)
        rig_stop(rig);
}

static void on_step_want_room(uv_timer_t *timer)
{
    rig_t *rig = timer->data;
    rig->stepped = true;
    watch_want(rig->watch, ZMQ_POLLOUT);
}

static void what_is_wanted_and_holds_is_told_every_turn(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_count_room);
    rig_step_when_quiet(&rig, on_step_want_room);
    rig_run(&rig);
    assert_true(rig.stepped);
    assert_int_equal(rig.received, MANY);
}

static void on_events_stop_without_room(void *arg, short events)
{
    rig_t *rig = arg;
    note(rig, events);
    if (rig->stepped && !(events & ZMQ_POLLOUT))
        rig_stop(rig);
}

static void on_step_close_other(uv_timer_t *timer)
{
    rig_t *rig = timer->data;
    rig->stepped = true;
    assert_int_equal(zmq_close(rig->other), 0);
    rig->other = NULL;
}

static void a_lost_connection_is_told_though_no_event_holds(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_stop_without_room);
    rig_step_when_quiet(&rig, on_step_close_other);
    rig_run(&rig);
    assert_int_equal(rig.events, 0);
}

static void on_events_destroy(void *arg, short events)
{
    rig_t *rig = arg;
    note(rig, events);
    if (events & ZMQ_POLLIN) {
        watch_destroy(&rig->watch);
        assert_null(rig->watch);
        send_one(rig->other);
    }
}

static void a_watch_that_destroys_itself_is_called_no_more(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_destroy);
    send_one(rig.other);
    rig_step_when_quiet(&rig, on_step_stop);
    rig_run(&rig);
    assert_int_equal(rig.calls, 1);
}

static void on_events_destroy_both(void *arg, short events)
{
    rig_t *rig = arg;
    note(rig, events);
    if (events & ZMQ_POLLIN) {
        watch_destroy(&rig->watch);
        watch_destroy(&rig->second);
    }
}

static void a_watch_that_another_destroys_in_the_same_turn_is_not_called(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_destroy_both);
    rig.second = watch_new(rig.reactor, rig.other, ZMQ_POLLIN, on_events_destroy_both, &rig);
    send_one(rig.other);
    send_one(rig.watched);
    rig_step_when_quiet(&rig, on_step_stop);
    rig_run(&rig);
    assert_int_equal(rig.calls, 1);
}

/* Answers one message. */
static void answer_one(rig_t *rig, void *socket, watch_t *watch)
{
    if (!receive_one(rig, socket))
        return;
    send_one(socket);
    watch_touch(watch);
    if (rig->received >= MANY)
        rig_stop(rig);
}

static void on_events_answer_second(void *arg, short events)
{
    rig_t *rig = arg;
    note(rig, events);
    if (events & ZMQ_POLLIN)
        answer_one(rig, rig->other, rig->second);
}

static void on_events_answer(void *arg, short events)
{
    rig_t *rig = arg;
    note(rig, events);
    if (!rig->second)
        rig->second = watch_new(rig->reactor, rig->other, ZMQ_POLLIN, on_events_answer_second, rig);
    if (events & ZMQ_POLLIN)
        answer_one(rig, rig->watched, rig->watch);
}

static void two_watches_can_answer_each_other(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_answer);
    rig_step_when_quiet(&rig, on_step_send);
    rig_run(&rig);
    assert_int_equal(rig.received, MANY);
}

static void on_turn_wake(void *arg)
{
    rig_t *rig = arg;
    if (rig->turns == MANY)
        rig_stop(rig);
    else
        reactor_wake(rig->reactor);
}

static void work_that_was_put_off_gets_the_next_turn(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, 0, on_events_note);
    rig.on_turn = on_turn_wake;
    rig_run(&rig);
    assert_int_equal(rig.turns, MANY);
}

static void on_turn_stop_only(void *arg)
{
    rig_t *rig = arg;
    reactor_stop(rig->reactor);
}

static void on_step_close_handles(uv_timer_t *timer)
{
    rig_t *rig = timer->data;
    rig->stepped = true;
    rig_close_handles(rig);
}

static void a_stopped_loop_waits_for_what_is_open_without_turning(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_note);
    rig.on_turn = on_turn_stop_only;
    rig_step_when_quiet(&rig, on_step_close_handles);
    rig_run(&rig);
    assert_true(rig.stepped);
    assert_int_equal(rig.turns, 1);
}

static void on_step_read_clock(uv_timer_t *timer)
{
    rig_t *rig = timer->data;
    assert_int_equal(reactor_now_ms(rig->reactor), uv_now(reactor_loop(rig->reactor)));
    rig->received = (unsigned)(reactor_now_ms(rig->reactor) - rig->received);
    rig_stop(rig);
}

static void the_clock_of_a_turn_goes_on(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, ZMQ_POLLIN, on_events_note);
    rig.received = (unsigned)reactor_now_ms(rig.reactor);
    rig_step_when_quiet(&rig, on_step_read_clock);
    rig_run(&rig);
    assert_true(rig.received >= QUIET_MS);
}

static void destroying_nothing_does_nothing(void **state)
{
    (void)state;
    reactor_t *reactor = NULL;
    watch_t *watch = NULL;
    reactor_destroy(&reactor);
    watch_destroy(&watch);
    assert_null(reactor);
    assert_null(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_wakes_the_loop),
        cmocka_unit_test(messages_that_were_there_before_the_watch_are_told),
        cmocka_unit_test(what_a_budget_leaves_is_told_again_in_the_next_turn),
        cmocka_unit_test(an_edge_that_a_send_used_up_is_made_good_by_touching),
        cmocka_unit_test(what_is_not_wanted_lets_the_loop_sleep),
        cmocka_unit_test(what_is_wanted_and_holds_is_told_every_turn),
        cmocka_unit_test(a_lost_connection_is_told_though_no_event_holds),
        cmocka_unit_test(a_watch_that_destroys_itself_is_called_no_more),
        cmocka_unit_test(a_watch_that_another_destroys_in_the_same_turn_is_not_called),
        cmocka_unit_test(two_watches_can_answer_each_other),
        cmocka_unit_test(work_that_was_put_off_gets_the_next_turn),
        cmocka_unit_test(a_stopped_loop_waits_for_what_is_open_without_turning),
        cmocka_unit_test(the_clock_of_a_turn_goes_on),
        cmocka_unit_test(destroying_nothing_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
