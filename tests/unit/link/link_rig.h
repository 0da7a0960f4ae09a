/* SPDX-License-Identifier: MPL-2.0 */
/* link_rig: a real link on a reactor in the test's own thread, and the broker that the test plays by hand. What the
 * link tells its owner is written down, one word each; waiting runs turns of the reactor. */
#ifndef FERRY_TESTS_LINK_RIG_H
#define FERRY_TESTS_LINK_RIG_H

#include "lib/test.h"

#include <czmq.h>

#include "base/log.h"
#include "lib/deadline.h"
#include "lib/router.h"
#include "link/link.h"
#include "wire/error.h"
#include "wire/reason.h"

enum { RIG_SAID_SIZE = 65536, RIG_TURN_MS = 1 };

typedef struct rig {
    reactor_t *reactor;
    uv_timer_t timer; /* so that a turn ends */
    link_options_t options;
    ledger_t ledger;
    histogram_t records, bytes;
    link_t *link;
    router_t router;
    char said[RIG_SAID_SIZE];    /* what was told and not yet expected: "state:up copy:7:5:eve:hello " */
    link_claim_t claim;          /* of the last on_confirmed */
    void (*on_up)(link_t *link); /* what else to do then; may be NULL */
    void (*on_copy)(link_t *link, const body_copy_t *copy, origin_t *origin);
} rig_t;

static rig_t rig;

static inline void __attribute__((format(printf, 1, 2))) rig_say(const char *format, ...)
{
    size_t size = strlen(rig.said);
    va_list args;
    va_start(args, format);
    int rc = vsnprintf(rig.said + size, sizeof rig.said - size, format, args);
    va_end(args);
    assert_in_range(rc, 1, sizeof rig.said - size - 1);
}

static inline void on_rig_up(void *owner, link_t *link, bool given_up)
{
    (void)owner;
    rig_say(given_up ? "given-up " : "welcome ");
    if (rig.on_up)
        rig.on_up(link);
}

static inline void on_rig_state(void *owner, link_t *link)
{
    (void)owner;
    rig_say("state:%s ", link_state_text(link));
}

static inline void on_rig_confirmed(void *owner, link_t *link, uint64_t session, link_claim_t claim)
{
    (void)owner, (void)link;
    rig.claim = claim;
    rig_say("confirmed:%u ", (unsigned)session);
}

static inline void on_rig_denied(void *owner, link_t *link, uint64_t session, int error)
{
    (void)owner, (void)link;
    rig_say("denied:%u:%s ", (unsigned)session, error_code(error));
}

static inline void on_rig_left(void *owner, link_t *link, uint64_t session)
{
    (void)owner, (void)link;
    rig_say("left:%u ", (unsigned)session);
}

static inline void rig_say_copy(const char *word, const body_copy_t *copy)
{
    rig_say("%s:%u:", word, (unsigned)copy->number);
    for (unsigned i = 0; i < copy->recipient_count; i++)
        rig_say("%s%u", i ? "," : "", (unsigned)body_session_at(copy, i));
    rig_say(":%.*s:%.*s ", (int)copy->sender.size, copy->sender.data, (int)copy->text.size, copy->text.data);
}

static inline void on_rig_late(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    (void)owner, (void)link, (void)origin;
    rig_say_copy("late", copy);
}

static inline void on_rig_copy(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    (void)owner;
    rig_say_copy("copy", copy);
    if (rig.on_copy)
        rig.on_copy(link, copy, origin);
}

static inline void on_rig_notice(void *owner, link_t *link, const body_notice_t *notice)
{
    (void)owner, (void)link;
    rig_say("notice:%s:%.*s:%u ", error_code(notice->error), (int)notice->name.size, notice->name.data,
        (unsigned)notice->session);
}

static inline void on_rig_settled(void *owner, link_t *link, uint64_t session, uint64_t number, uint32_t count)
{
    (void)owner, (void)link, (void)number;
    for (uint32_t i = 0; i < count; i++)
        rig_say("settled:%u ", (unsigned)session);
}

static inline void on_rig_pause(void *owner, link_t *link, span_t name, bool paused)
{
    (void)owner, (void)link;
    rig_say("%s:%.*s ", paused ? "pause" : "resume", (int)name.size, name.data);
}

static inline void on_rig_room(void *owner, link_t *link)
{
    (void)owner, (void)link;
    rig_say("room ");
}

static const link_owner_t rig_owner = {
    .on_up = on_rig_up,
    .on_state = on_rig_state,
    .on_confirmed = on_rig_confirmed,
    .on_denied = on_rig_denied,
    .on_left = on_rig_left,
    .on_copy = on_rig_copy,
    .on_late = on_rig_late,
    .on_notice = on_rig_notice,
    .on_settled = on_rig_settled,
    .on_pause = on_rig_pause,
    .on_room = on_rig_room,
};

static inline void on_rig_turn(void *arg)
{
    (void)arg;
    if (rig.link)
        link_flush(rig.link);
}

static inline void on_rig_timer(uv_timer_t *timer)
{
    (void)timer;
}

static inline void rig_turn(void *arg)
{
    (void)arg;
    uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
}

/* Before each test: a broker on a port of its own; no link yet, so that a test may change its options. */
static inline int rig_open(void **state)
{
    (void)state;
    rig = (rig_t){0};
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT); /* losing links is daily work here */
    zsys_init();
    zsys_handler_set(NULL);
    router_open(&rig.router, "tcp://127.0.0.1:*");
    rig.router.turn = rig_turn;
    rig.reactor = reactor_new(on_rig_turn, NULL);
    uv_timer_init(reactor_loop(rig.reactor), &rig.timer);
    uv_timer_start(&rig.timer, on_rig_timer, RIG_TURN_MS, RIG_TURN_MS);
    histogram_init(&rig.records, 16);
    histogram_init(&rig.bytes, 24);
    rig.options = (link_options_t){.broker = "main",
        .connect_timeout_ms = 60000,
        .timeout_ms = 60000,
        .backoff_min_ms = 1,
        .backoff_max_ms = 20,
        .linger_ms = 1000,
        .batch_size = 128 * 1024,
        .ledger = &rig.ledger,
        .batch_records = &rig.records,
        .batch_bytes = &rig.bytes};
    memset(rig.options.node.bytes, 0xaa, LINK_ID_SIZE);
    memset(rig.options.digest.bytes, 0xdd, LINK_ID_SIZE);
    return 0;
}

static inline int rig_close(void **state)
{
    (void)state;
    link_destroy(&rig.link);
    router_close(&rig.router);
    uv_close((uv_handle_t *)&rig.timer, NULL);
    reactor_destroy(&rig.reactor);
    return 0;
}

/* Makes the link. */
static inline void rig_link(void)
{
    rig.options.endpoint = rig.router.endpoint;
    rig.ledger = (ledger_t){0};
    rig.said[0] = '\0';
    rig.link = link_new(rig.reactor, &rig.options, &rig_owner, NULL);
}

/* The same, and runs it until it is up and has said REGISTERED. */
static inline void rig_join(void)
{
    rig_link();
    router_join(&rig.router);
}

/* Waits until the link has told its owner this, and forgets everything up to it. */
static inline void rig_wait(const char *word)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    char *at;
    while (!(at = strstr(rig.said, word))) {
        if (deadline_passed(deadline))
            fail_msg("'%s' was not told, but '%s'", word, rig.said);
        rig_turn(NULL);
    }
    memmove(rig.said, at + strlen(word), strlen(at + strlen(word)) + 1);
}

static inline void rig_forget_rooms(void)
{
    for (char *at; (at = strstr(rig.said, "room "));)
        memmove(at, at + 5, strlen(at + 5) + 1);
}

/* Exactly this was told since the last rig_wait, but for rooms. */
static inline void rig_expect_said(const char *words)
{
    rig_forget_rooms();
    assert_string_equal(rig.said, words);
    rig.said[0] = '\0';
}

/* Waits until something is told, but for rooms: this and nothing before it. */
static inline void rig_expect_next(const char *words)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    for (rig_forget_rooms(); strlen(rig.said) < strlen(words); rig_forget_rooms()) {
        if (deadline_passed(deadline))
            fail_msg("'%s' was not told, but '%s'", words, rig.said);
        rig_turn(NULL);
    }
    if (strncmp(rig.said, words, strlen(words)) != 0)
        fail_msg("'%s' was told instead of '%s'", rig.said, words);
    memmove(rig.said, rig.said + strlen(words), strlen(rig.said + strlen(words)) + 1);
}

/* Accepts a message to recipients that are separated by commas. */
static inline void rig_send(uint64_t session, const char *recipients, const char *text)
{
    span_t names[64];
    unsigned count = 0;
    for (const char *at = recipients; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        names[count++] = span_of(at, strcspn(at, ","));
    assert_true(link_has_room(rig.link));
    link_send(rig.link, session, 0, span_str("eve"), names, count, span_str(text));
}

static inline void rig_report(const char *name)
{
    link_report(rig.link, 5,
        &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
            .reason = FERRY_REASON_GONE,
            .session = 1,
            .number = 1,
            .name = span_str(name)});
}

/* The connection is lost, and the broker is there again: the same one, or another instance. */
static inline void rig_break(bool same)
{
    router_stop(&rig.router);
    rig_wait("state:down ");
    if (same)
        router_return(&rig.router);
    else
        router_start(&rig.router);
}

/* The link is lost for that reason. */
static inline void rig_expect_loss(close_t reason)
{
    rig_wait("state:down ");
    assert_string_equal(close_code(link_loss(rig.link)), close_code(reason));
}

/* Every copy that was accepted is counted in one place. */
static inline void rig_check_ledger(void)
{
    ledger_t ledger = rig.ledger;
    ledger.taken_over = 0; /* what became of those is the owner's affair */
    assert_int_equal(ledger_balance(&ledger, link_open_copies(rig.link)), 0);
}

#define RIG_TEST(function) cmocka_unit_test_setup_teardown(function, rig_open, rig_close)

#endif
