/* SPDX-License-Identifier: MPL-2.0 */
/* fixture: a real router actor for each test, named "main", and the DEALERs that the test drives it with. Include it
 * once in a test program. */
#ifndef FERRY_TESTS_BROKER_FIXTURE_H
#define FERRY_TESTS_BROKER_FIXTURE_H

#include "lib/test.h"

#include <czmq.h>
#include <sys/random.h>

#include "base/handover.h"
#include "base/ledger.h"
#include "base/log.h"
#include "broker/router.h"
#include "lib/deadline.h"
#include "lib/dealer.h"
#include "wire/error.h"
#include "wire/reason.h"

#define ENDPOINT                  "inproc://ferrymq-broker-main"
#define SESSION(generation, slot) ((uint64_t)(generation) << 32 | (slot))

static config_t *config;
static router_args_t args;
static budget_t budget;
static zactor_t *actor;
static dealer_t a, b, c; /* nodes; those that a test opened are closed behind it */

/* The actor's thread; what it borrowed is the test's again when it has ended. */
static inline void actor_run(zsock_t *pipe, void *arg)
{
    router_actor(pipe, arg);
    handover_release(arg);
}

/* Starts the broker; up to 8 options on top of what suits tests: long timeouts, so that only a test that wants one
 * meets it. Returns the actor's second signal: 0 when it listens. */
static inline int broker_start(const char *const *options)
{
    const char *overrides[16] = {
        "broker/listen=tcp://127.0.0.1:0", "link/timeout=60s", "link/heartbeat=20s", "link/settling_time=100s"};
    size_t count = 4;
    for (; options && *options; options++)
        overrides[count++] = *options;
    config = config_new(NULL, overrides, count, stderr);
    assert_non_null(config);
    budget_init(&budget, 1 << 30);
    args = (router_args_t){.config = config, .name = "main", .budget = &budget};
    assert_int_equal(getrandom(args.instance.bytes, LINK_ID_SIZE, 0), LINK_ID_SIZE);
    actor = zactor_new(actor_run, &args);
    assert_non_null(actor);
    return zsock_wait(actor);
}

/* The next message of the actor: its first frame must be `word`; the others are returned, the caller frees them. */
static inline void broker_expect(const char *word, char **first, char **second)
{
    char *got = NULL;
    zsock_set_rcvtimeo(actor, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS)));
    assert_int_not_equal(zstr_recvx(actor, &got, first, second, NULL), -1);
    assert_string_equal(got, word);
    zstr_free(&got);
}

static inline void broker_expect_ready(void)
{
    char *ready = NULL, *why = NULL;
    broker_expect("READY", &ready, &why);
    assert_string_equal(ready, "1");
    zstr_free(&ready);
    zstr_free(&why);
}

/* The STATUS; the caller gives it back with json_decref. */
static inline json_t *broker_status(void)
{
    char *text = NULL, *none = NULL;
    zstr_sendx(actor, "STATUS", NULL);
    broker_expect("STATUS", &text, &none);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    zstr_free(&text);
    zstr_free(&none);
    return json;
}

/* A number in the status, by its path ("counters.copies"); 0 if it is not there. */
static inline json_int_t broker_number(const char *path)
{
    char *copy = strdup(path), *rest = copy;
    json_t *status = broker_status(), *at = status;
    for (char *key; at && (key = strsep(&rest, "."));)
        at = json_object_get(at, key);
    json_int_t number = json_integer_value(at);
    json_decref(status);
    free(copy);
    return number;
}

/* Waits until a number in the status is at least `least`. */
static inline void broker_wait_number(const char *path, json_int_t least)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    json_int_t number;
    while ((number = broker_number(path)) < least)
        if (deadline_passed(deadline))
            fail_msg("%s is %d instead of %d", path, (int)number, (int)least);
}

/* What comes in and what ended or is pending must balance. */
static inline void broker_assert_balance(void)
{
    ledger_t ledger;
    uint64_t pending;
    json_t *status = broker_status();
    assert_int_equal(ledger_from_json(&ledger, &pending, json_object_get(status, "ledger")), 0);
    assert_int_equal(ledger_balance(&ledger, pending), 0);
    json_decref(status);
}

static inline int setup(void **state)
{
    (void)state;
    assert_int_equal(broker_start(NULL), 0);
    broker_expect_ready();
    return 0;
}

/* A broker whose links time out soon. */
static inline int setup_hasty(void **state)
{
    (void)state;
    assert_int_equal(broker_start((const char *const[]){"link/heartbeat=50ms", "link/timeout=400ms", NULL}), 0);
    broker_expect_ready();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    dealer_close(&a);
    dealer_close(&b);
    dealer_close(&c);
    zactor_destroy(&actor);
    handover_acquire(&args);
    config_destroy(&config);
    return 0;
}

/* Two nodes with a link: alice is session 1 of node a, bob session 2 of node b. */
static inline void pair_open(void)
{
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    dealer_login(&a, SESSION(1, 1), "alice");
    dealer_open(&b, ENDPOINT, 0xb);
    dealer_join(&b);
    dealer_login(&b, SESSION(1, 2), "bob");
}

/* alice at node a sends this. */
static inline void alice_sends(const char *recipients, const char *text)
{
    dealer_put_message(&a, SESSION(1, 1), "alice", recipients, text);
    dealer_flush(&a);
}

static inline int group_setup(void **state)
{
    (void)state;
    zsys_init();
    zsys_handler_set(NULL);
    zsys_set_pipehwm(0);
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    return 0;
}

static inline int group_teardown(void **state)
{
    (void)state;
    zsys_shutdown();
    return 0;
}

#define BROKER_TEST(function)       cmocka_unit_test_setup_teardown(function, setup, teardown)
#define BROKER_TEST_HASTY(function) cmocka_unit_test_setup_teardown(function, setup_hasty, teardown)
#define BROKER_RUN(tests)           cmocka_run_group_tests(tests, group_setup, group_teardown)

#endif
