/* SPDX-License-Identifier: MPL-2.0 */
/* pipeline: stops of made-up actors that write down what they are told, and in which order. */
#include "base/pipeline.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"

#define EVENTS_MAX 64

/* What all actors of a test were told, in order; the actors are threads. */
static struct {
    pthread_mutex_t mutex;
    char events[EVENTS_MAX][64];
    size_t count;
} record = {.mutex = PTHREAD_MUTEX_INITIALIZER};

typedef struct {
    const char *name;
    bool fails;     /* cannot start */
    bool is_mute;   /* never answers DRAIN */
    bool is_worker; /* says SETTLED first, and DRAINED after LEAVE */
    const char *lost, *ledger;
    bool asks_drain; /* as admin does when somebody posts /drain */
} actor_t;

static void record_add(const char *what, const char *name)
{
    pthread_mutex_lock(&record.mutex);
    assert_true(record.count < EVENTS_MAX);
    snprintf(record.events[record.count++], sizeof record.events[0], "%s %s", what, name);
    pthread_mutex_unlock(&record.mutex);
}

/* The place of an event in the record, -1 if it was not written down. */
static int record_find(const char *event)
{
    int place = -1;
    pthread_mutex_lock(&record.mutex);
    for (size_t i = 0; i < record.count && place < 0; i++)
        if (streq(record.events[i], event))
            place = (int)i;
    pthread_mutex_unlock(&record.mutex);
    return place;
}

static void assert_before(const char *first, const char *second)
{
    assert_int_not_equal(record_find(first), -1);
    assert_int_not_equal(record_find(second), -1);
    assert_true(record_find(first) < record_find(second));
}

static void actor_drained(const actor_t *self, zsock_t *pipe)
{
    record_add("drained", self->name);
    zstr_sendx(pipe, "DRAINED", self->lost ? self->lost : "0", self->ledger ? self->ledger : "{}", NULL);
}

static void actor_take(const actor_t *self, zsock_t *pipe, const char *word)
{
    if (streq(word, "DRAIN")) {
        record_add("drain", self->name);
        if (self->is_worker && !self->is_mute)
            zstr_send(pipe, "SETTLED");
        else if (!self->is_mute)
            actor_drained(self, pipe);
    } else if (streq(word, "LEAVE")) {
        record_add("leave", self->name);
        actor_drained(self, pipe);
    } else if (streq(word, "RESULT")) {
        record_add("result", self->name);
        zstr_send(pipe, "DRAINED");
    } else if (streq(word, "STATUS")) {
        zstr_sendx(pipe, "STATUS", "{}", NULL);
    }
}

static void actor_run(zsock_t *pipe, void *args)
{
    const actor_t *self = args;
    record_add("start", self->name);
    zsock_signal(pipe, 0);
    zsock_signal(pipe, self->fails ? 1 : 0);
    if (self->asks_drain)
        zstr_send(pipe, "DRAIN");
    for (bool ended = false; !ended;) {
        char *word = NULL, *first = NULL, *second = NULL;
        ended = zstr_recvx(pipe, &word, &first, &second, NULL) < 0 || streq(word, "$TERM");
        if (!ended)
            actor_take(self, pipe, word);
        zstr_free(&word);
        zstr_free(&first);
        zstr_free(&second);
    }
    record_add("end", self->name);
}

static int on_setup(void **state)
{
    (void)state;
    record.count = 0;
    return 0;
}

static pipeline_t *pipeline_of(uint64_t timeout_ms)
{
    return pipeline_new(&(pipeline_options_t){.role = "all", .drain_timeout_ms = timeout_ms});
}

/* The actors of a whole process. */
static actor_t listener = {.name = "listener"}, worker_0 = {.name = "worker-0", .is_worker = true},
               worker_1 = {.name = "worker-1", .is_worker = true}, peers = {.name = "peers"},
               router = {.name = "router"}, admin = {.name = "admin"};

static void pipeline_add_all(pipeline_t *pipeline)
{
    pipeline_add(pipeline, PIPELINE_ADMIN, "admin", actor_run, &admin);
    pipeline_add(pipeline, PIPELINE_ROUTER, "router", actor_run, &router);
    pipeline_add(pipeline, PIPELINE_PEERS, "peers", actor_run, &peers);
    pipeline_add(pipeline, PIPELINE_WORKER, "worker-0", actor_run, &worker_0);
    pipeline_add(pipeline, PIPELINE_WORKER, "worker-1", actor_run, &worker_1);
    pipeline_add(pipeline, PIPELINE_LISTENER, "listener", actor_run, &listener);
}

static void a_stop_goes_through_the_stages_in_pipeline_order(void **state)
{
    (void)state;
    pipeline_t *pipeline = pipeline_of(20000);
    pipeline_add_all(pipeline);
    assert_int_equal(pipeline_start(pipeline), 0);
    raise(SIGTERM);
    assert_int_equal(pipeline_run(pipeline), PIPELINE_EXIT_CLEAN);
    assert_before("drained listener", "drain worker-0");
    assert_before("drained listener", "drain worker-1");
    assert_before("drained worker-0", "drain peers");
    assert_before("drained worker-1", "drain peers");
    assert_before("drained peers", "drain router");
    assert_before("drained router", "result admin");
    assert_before("result admin", "end listener");
    assert_before("end listener", "end worker-0");
    assert_before("end worker-0", "end worker-1");
    assert_before("end worker-1", "end peers");
    assert_before("end peers", "end router");
    assert_before("end router", "end admin");
    assert_int_equal(record_find("drain admin"), -1);
    pipeline_destroy(&pipeline);
}

static void a_start_goes_against_it(void **state)
{
    (void)state;
    pipeline_t *pipeline = pipeline_of(20000);
    pipeline_add_all(pipeline);
    assert_int_equal(pipeline_start(pipeline), 0);
    pipeline_destroy(&pipeline);
    assert_before("start admin", "start router");
    assert_before("start router", "start worker-0");
    assert_before("start worker-0", "start listener");
}

static void no_worker_leaves_before_all_have_settled(void **state)
{
    (void)state;
    worker_1.is_mute = true;
    pipeline_t *pipeline = pipeline_of(300);
    pipeline_add_all(pipeline);
    assert_int_equal(pipeline_start(pipeline), 0);
    raise(SIGTERM);
    assert_int_equal(pipeline_run(pipeline), PIPELINE_EXIT_LOST);
    worker_1.is_mute = false;
    assert_int_not_equal(record_find("drain worker-0"), -1);
    assert_int_equal(record_find("leave worker-0"), -1);
    pipeline_destroy(&pipeline);
}

static void a_stage_that_does_not_answer_is_left_behind_at_the_deadline(void **state)
{
    (void)state;
    router.is_mute = true;
    pipeline_t *pipeline = pipeline_of(300);
    pipeline_add_all(pipeline);
    assert_int_equal(pipeline_start(pipeline), 0);
    raise(SIGINT);
    assert_int_equal(pipeline_run(pipeline), PIPELINE_EXIT_LOST);
    router.is_mute = false;
    assert_before("end worker-1", "end router");
    pipeline_destroy(&pipeline);
}

static void an_actor_that_cannot_start_fails_the_start(void **state)
{
    (void)state;
    router.fails = true;
    pipeline_t *pipeline = pipeline_of(300);
    pipeline_add_all(pipeline);
    assert_int_equal(pipeline_start(pipeline), -1);
    router.fails = false;
    pipeline_destroy(&pipeline);
    assert_int_equal(record_find("start listener"), -1);
    assert_before("end router", "end admin");
}

static void copies_that_were_lost_show_in_the_exit_code(void **state)
{
    (void)state;
    worker_0.lost = "3";
    pipeline_t *pipeline = pipeline_of(20000);
    pipeline_add_all(pipeline);
    assert_int_equal(pipeline_start(pipeline), 0);
    raise(SIGTERM);
    assert_int_equal(pipeline_run(pipeline), PIPELINE_EXIT_LOST);
    worker_0.lost = NULL;
    pipeline_destroy(&pipeline);
}

static void a_ledger_that_does_not_balance_shows_in_the_exit_code(void **state)
{
    (void)state;
    router.ledger = "{\"accepted\":2,\"delivered\":1,\"pending\":0}";
    pipeline_t *pipeline = pipeline_of(20000);
    pipeline_add_all(pipeline);
    assert_int_equal(pipeline_start(pipeline), 0);
    raise(SIGTERM);
    assert_int_equal(pipeline_run(pipeline), PIPELINE_EXIT_LOST);
    router.ledger = NULL;
    pipeline_destroy(&pipeline);
}

static void admin_begins_a_drain_as_a_signal_does(void **state)
{
    (void)state;
    admin.asks_drain = true;
    pipeline_t *pipeline = pipeline_of(20000);
    pipeline_add_all(pipeline);
    assert_int_equal(pipeline_start(pipeline), 0);
    assert_int_equal(pipeline_run(pipeline), PIPELINE_EXIT_CLEAN);
    admin.asks_drain = false;
    assert_before("drained worker-1", "drain router");
    pipeline_destroy(&pipeline);
}

int main(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    zsys_handler_set(NULL);
    zsys_init();
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_stop_goes_through_the_stages_in_pipeline_order, on_setup),
        cmocka_unit_test_setup(a_start_goes_against_it, on_setup),
        cmocka_unit_test_setup(no_worker_leaves_before_all_have_settled, on_setup),
        cmocka_unit_test_setup(a_stage_that_does_not_answer_is_left_behind_at_the_deadline, on_setup),
        cmocka_unit_test_setup(an_actor_that_cannot_start_fails_the_start, on_setup),
        cmocka_unit_test_setup(copies_that_were_lost_show_in_the_exit_code, on_setup),
        cmocka_unit_test_setup(a_ledger_that_does_not_balance_shows_in_the_exit_code, on_setup),
        cmocka_unit_test_setup(admin_begins_a_drain_as_a_signal_does, on_setup),
    };
    int failed = cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
    zsys_shutdown();
    return failed;
}
