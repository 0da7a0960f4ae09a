/* SPDX-License-Identifier: MPL-2.0 */
/* node_rig: a node with one link, its groups and its offers, on a reactor in the test's own thread, and the broker that
 * the test plays by hand. What groups and offers tell their owner is written down. Include it once in a test program.
 */
#ifndef FERRY_TESTS_NODE_RIG_H
#define FERRY_TESTS_NODE_RIG_H

#include "lib/test.h"

#include <czmq.h>

#include "base/log.h"
#include "lib/deadline.h"
#include "lib/router.h"
#include "link/groups.h"
#include "link/offers.h"
#include "wire/error.h"
#include "wire/reason.h"

enum { OTHER = 2 }; /* the handle under which the broker knows another node */

static reactor_t *reactor;
static uv_timer_t timer;
static config_t *config;
static ledger_t ledger;
static histogram_t records, bytes;
static router_t router;
static slots_t slots;
static uplinks_t uplinks;
static groups_t groups;
static offers_t offers;
static char said[4096];    /* what was told and not yet expected, each word behind a space */
static share_t *parts[64]; /* that members have taken */
static unsigned part_count;
static job_t *jobs[64]; /* that programs have */
static unsigned job_count;

static inline void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
    size_t size = strlen(said);
    va_list args;
    va_start(args, format);
    vsnprintf(said + size, sizeof said - size, format, args);
    va_end(args);
}

/* What was told since the last time must be this. */
static inline void expect_said(const char *words)
{
    assert_string_equal(said, words);
    said[0] = '\0';
}

static inline void on_joined(void *owner, membership_t *membership)
{
    (void)owner;
    say(" joined:%s", (const char *)membership->arg);
}

/* Who is called "rude" takes nothing. */
static inline int on_share(void *owner, membership_t *membership, const body_copy_t *copy, share_t *share, span_t *name)
{
    (void)owner;
    const char *member = membership->arg;
    *name = span_str(member);
    if (strcmp(member, "rude") == 0)
        return FERRY_REASON_NOT_A_LINE;
    say(" %s:%.*s", member, (int)copy->text.size, copy->text.data);
    parts[part_count++] = share_take(share);
    return 0;
}

static inline void on_served(void *owner, void *arg, span_t service)
{
    (void)owner;
    say(" %s-serves:%.*s", (const char *)arg, (int)service.size, service.data);
}

static inline void on_job(void *owner, job_t *job, const body_copy_t *copy)
{
    (void)owner;
    say(" %s-job:%.*s", (const char *)offer_arg(job->offer), (int)copy->text.size, copy->text.data);
    jobs[job_count++] = job;
}

static const groups_owner_t groups_owner = {.on_joined = on_joined, .on_share = on_share};
static const offers_owner_t offers_owner = {.on_served = on_served, .on_job = on_job};

static inline void on_up(void *owner, link_t *link, bool given_up)
{
    (void)owner;
    groups_up(&groups, link, given_up);
    offers_up(&offers, link, given_up);
}

static inline void on_state(void *owner, link_t *link)
{
    (void)owner;
    if (link_state(link) != LINK_LEFT)
        return;
    groups_unlink(&groups, link);
    offers_unlink(&offers, link);
}

static inline void on_confirmed(void *owner, link_t *link, uint64_t id, link_claim_t claim)
{
    (void)owner, (void)link;
    if (link_session_is_group(id))
        groups_confirmed(&groups, id, claim);
    else
        offers_confirmed(&offers, id, claim);
}

static inline void on_left(void *owner, link_t *link, uint64_t id)
{
    (void)owner, (void)link;
    if (link_session_is_group(id))
        groups_left(&groups, id);
    else
        offers_left(&offers, id);
}

static inline void on_copy(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    (void)owner;
    uint64_t id = body_session_at(copy, 0);
    if (link_session_is_group(id))
        groups_copy(&groups, link, id, copy, origin);
    else
        offers_copy(&offers, link, id, copy, origin);
}

static inline void on_late(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    (void)owner;
    uint64_t id = body_session_at(copy, 0);
    if (link_session_is_group(id))
        groups_late(&groups, link, id, copy, origin);
    else
        offers_late(&offers, link, id, copy, origin);
}

static inline void ignore_settled(void *owner, link_t *link, uint64_t session, uint64_t number, uint32_t count)
{
    (void)owner, (void)link, (void)session, (void)number, (void)count;
}

static inline void ignore_room(void *owner, link_t *link)
{
    (void)owner, (void)link;
}

static const link_owner_t link_owner = {.on_up = on_up,
    .on_state = on_state,
    .on_confirmed = on_confirmed,
    .on_left = on_left,
    .on_copy = on_copy,
    .on_late = on_late,
    .on_settled = ignore_settled,
    .on_room = ignore_room};

static inline void on_turn(void *arg)
{
    (void)arg;
    groups_tell(&groups);
    offers_tell(&offers);
    link_flush(uplinks.items[0].link);
}

static inline void on_timer(uv_timer_t *handle)
{
    (void)handle;
}

static inline void turn(void *arg)
{
    (void)arg;
    uv_run(reactor_loop(reactor), UV_RUN_ONCE);
}

/* A link is up; the broker has told of another node. */
static inline int setup(void **state)
{
    (void)state;
    char *name = (char *)"main", *endpoint = router.endpoint;
    brokers_t brokers = {.count = 1, .names = &name, .endpoints = &endpoint};
    zsys_init();
    zsys_handler_set(NULL);
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    config = config_new(NULL, (const char *const[]){"link/backoff_max=20ms"}, 1, stderr);
    reactor = reactor_new(on_turn, NULL);
    uv_timer_init(reactor_loop(reactor), &timer);
    uv_timer_start(&timer, on_timer, 1, 1);
    histogram_init(&records, 8);
    histogram_init(&bytes, 8);
    ledger = (ledger_t){0};
    said[0] = '\0';
    part_count = job_count = 0;
    router_open(&router, "tcp://127.0.0.1:*");
    router.turn = turn;
    link_options_t common = {.node = {{7}}, .ledger = &ledger, .batch_records = &records, .batch_bytes = &bytes};
    groups_init(&groups, &slots, &uplinks, &ledger, &common.node, &groups_owner, NULL);
    offers_init(&offers, &slots, &uplinks, &ledger, &offers_owner, NULL);
    uplinks_init(&uplinks, reactor, config, &brokers, &common, &link_owner, NULL);
    router_join(&router);
    router_put_origin(&router, OTHER, 2);
    router_flush(&router);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    groups_fini(&groups);
    offers_fini(&offers);
    uplinks_fini(&uplinks);
    slots_fini(&slots);
    router_close(&router);
    uv_close((uv_handle_t *)&timer, NULL);
    reactor_destroy(&reactor);
    config_destroy(&config);
    return 0;
}

/* Runs the node until it has told this. */
static inline void wait_said(const char *words)
{
    for (deadline_t deadline = deadline_in(DEADLINE_USUAL_MS); strcmp(said, words) != 0; turn(NULL))
        if (deadline_passed(deadline))
            assert_string_equal(said, words);
    said[0] = '\0';
}

static inline const control_t *expect_record(record_type_t type)
{
    turn(NULL);
    return &router_expect(&router, type)->control;
}

static inline void confirm(uint64_t session)
{
    router_put_session(&router, RECORD_CONFIRMED, session);
    router_flush(&router);
}

/* Message `number` of the other node's session 5, or of one of this node's, reaches a group or a service. */
static inline void deliver(uint64_t number, uint64_t session, const char *text)
{
    router_put_run(&router, OTHER);
    router_put_copy(&router, number, &session, 1, "eve", text);
    router_flush(&router);
}

/* A copy has ended here otherwise than by delivery. */
static inline void expect_report(uint64_t number, const char *name, int reason)
{
    const body_report_t *report = &router_wait(&router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, number);
    assert_int_equal(report->error, FERRY_ERROR_UNDELIVERED);
    assert_int_equal(report->reason, reason);
    assert_true(span_equal(report->name, span_str(name)));
}

static inline void expect_hold(uint64_t session, uint64_t number, bool again)
{
    const control_t *record = &router_wait(&router, RECORD_HOLD)->control;
    assert_int_equal(record->held.session, session);
    assert_int_equal(record->held.numbers.first, number);
    assert_int_equal(record->held.again, again);
    assert_false(record->held.over);
}

/* The link is lost, and begun anew with another instance. */
static inline void replace_broker(void)
{
    router_stop(&router);
    router_start(&router);
    router_welcome(&router);
}

#define NODE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
