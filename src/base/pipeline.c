/* SPDX-License-Identifier: MPL-2.0 */
/* pipeline: the table of a process's actors and the stop that goes through it: for each stage DRAIN, wait for every
 * DRAINED, next stage; then zactor_destroy in the same order. All steps share one deadline; a stage that does not
 * answer by then is left behind and the exit code says so. A second signal asks all actors what they still have, says
 * so and ends at once. Owner: the main thread. */
#include "base/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/handover.h"
#include "base/ledger.h"
#include "base/log.h"

#define PIPELINE_ACTORS_MAX       1100 /* gateway/workers is at most 1,024 */
#define PIPELINE_LAST_ASK_MS      250  /* for a last question, when a second signal came */
#define PIPELINE_ADMIN_LAST_MS    1500 /* for admin to write its last answers */
#define PIPELINE_STAGE_RESERVE_MS 500  /* of the deadline, for each stage that comes later */

typedef struct {
    pipeline_stage_t stage;
    const char *name;
    zactor_fn *function;
    void *args;
    zactor_t *actor; /* NULL before the start and after its end */
    bool tells_ready;
    bool ready;
    bool settled, drained;
    char *why;    /* it is not ready; malloc'd */
    char *status; /* its answer to the present STATUS; malloc'd */
} member_t;

struct pipeline {
    pipeline_options_t options;
    member_t members[PIPELINE_ACTORS_MAX];
    size_t count;
    zloop_t *loop;
    int signals;
    int64_t started_ms;
    bool ready;
    bool asked;      /* STATUS is out, not all answers are in */
    bool admin_asks; /* the answers are for admin, too */
    bool draining;
    bool late;              /* a deadline has passed */
    pipeline_stage_t stage; /* that is drained now */
    int64_t deadline_ms;
    uint64_t lost;
    uint64_t pending;
    ledger_t ledger;
    pipeline_exit_t code;
};

static const char *const stage_names[] = {
    [PIPELINE_LISTENER] = "listener",
    [PIPELINE_WORKER] = "worker",
    [PIPELINE_ROUTER] = "router",
    [PIPELINE_ADMIN] = "admin",
};

pipeline_t *pipeline_new(const pipeline_options_t *options)
{
    pipeline_t *self = zmalloc(sizeof *self);
    self->options = *options;
    self->started_ms = zclock_mono();
    self->signals = -1;
    return self;
}

/* The actor's thread. What it did with what it borrowed is done when member_destroy returns. */
static void member_run(zsock_t *pipe, void *arg)
{
    member_t *member = arg;
    member->function(pipe, member->args);
    handover_release(member);
}

static void member_destroy(pipeline_t *self, member_t *member)
{
    if (!member->actor)
        return;
    if (self->loop)
        zloop_reader_end(self->loop, zactor_sock(member->actor));
    zactor_destroy(&member->actor);
    handover_acquire(member);
    log_info("drain", log_str("step", "destroy"), log_str("actor", member->name));
}

static void pipeline_destroy_members(pipeline_t *self)
{
    for (int stage = 0; stage < PIPELINE_STAGES; stage++)
        for (size_t i = 0; i < self->count; i++)
            if ((int)self->members[i].stage == stage)
                member_destroy(self, &self->members[i]);
}

void pipeline_destroy(pipeline_t **self_p)
{
    pipeline_t *self = *self_p;
    if (!self)
        return;
    pipeline_destroy_members(self);
    for (size_t i = 0; i < self->count; i++) {
        free(self->members[i].why);
        free(self->members[i].status);
    }
    zloop_destroy(&self->loop);
    if (self->signals >= 0)
        close(self->signals);
    free(self);
    *self_p = NULL;
}

void pipeline_add(pipeline_t *self, pipeline_stage_t stage, const char *name, zactor_fn *actor, void *args)
{
    assert(self->count < PIPELINE_ACTORS_MAX);
    self->members[self->count++] = (member_t){
        .stage = stage,
        .name = name,
        .function = actor,
        .args = args,
        .tells_ready = stage == PIPELINE_WORKER || stage == PIPELINE_ROUTER,
        .why = strdup("starting"),
    };
}

/* zactor_new waits for the actor's first signal and drops its value; the second one tells whether it could start. */
static int member_start(member_t *member)
{
    member->actor = zactor_new(member_run, member);
    if (!member->actor)
        return -1;
    return zsock_wait(member->actor) == 0 ? 0 : -1;
}

int pipeline_start(pipeline_t *self)
{
    for (int stage = PIPELINE_STAGES; stage-- > 0;)
        for (size_t i = 0; i < self->count; i++)
            if ((int)self->members[i].stage == stage && member_start(&self->members[i]) != 0)
                return -1;
    return 0;
}

static member_t *pipeline_admin(pipeline_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].stage == PIPELINE_ADMIN && self->members[i].actor)
            return &self->members[i];
    return NULL;
}

static void member_say(member_t *member, const char *first, const char *second, const char *third)
{
    if (!member || !member->actor)
        return;
    zmsg_t *message = zmsg_new();
    zmsg_addstr(message, first);
    if (second)
        zmsg_addstr(message, second);
    if (third)
        zmsg_addstr(message, third);
    zmsg_send(&message, member->actor);
}

static void pipeline_step(pipeline_t *self, const char *actor, const char *step)
{
    char text[160];
    log_info("drain", log_str("step", step), log_str("actor", actor));
    snprintf(text, sizeof text, "%s %s", actor, step);
    member_say(pipeline_admin(self), "STEP", text, NULL);
}

/* Who is not ready, if anybody. */
static const member_t *pipeline_unready(const pipeline_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].tells_ready && !self->members[i].ready)
            return &self->members[i];
    return NULL;
}

static void pipeline_tell_ready(pipeline_t *self)
{
    const member_t *unready = pipeline_unready(self);
    bool ready = !unready && !self->draining;
    const char *why = self->draining ? "draining" : unready ? unready->why : "";
    if (ready != self->ready && ready)
        log_info("ready", log_str("role", self->options.role));
    else if (!self->draining && !ready)
        log_warning("not-ready", log_str("role", self->options.role), log_str("reason", why));
    self->ready = ready;
    member_say(pipeline_admin(self), "READY", ready ? "1" : "0", why);
}

static char *pipeline_head(pipeline_t *self)
{
    const member_t *unready = pipeline_unready(self);
    const char *step = self->draining ? stage_names[self->stage] : "";
    json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:b, s:s, s:{s:s, s:s}}", "role", self->options.role, "version",
        FERRY_VERSION, "pid", (json_int_t)getpid(), "uptime_s", (json_int_t)((zclock_mono() - self->started_ms) / 1000),
        "ready", (int)self->ready, "ready_reason",
        self->draining ? "draining"
        : unready      ? unready->why
                       : "",
        "drain", "state", self->draining ? "draining" : "running", "step", step);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static void pipeline_ask(pipeline_t *self)
{
    if (self->asked)
        return;
    self->asked = true;
    for (size_t i = 0; i < self->count; i++) {
        zstr_free(&self->members[i].status);
        if (self->members[i].stage != PIPELINE_ADMIN)
            member_say(&self->members[i], "STATUS", NULL, NULL);
    }
}

static bool pipeline_is_answered(const pipeline_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].actor && self->members[i].stage != PIPELINE_ADMIN && !self->members[i].status)
            return false;
    return true;
}

/* All actors have answered: tells admin and the service manager. */
static void pipeline_answered(pipeline_t *self)
{
    if (!self->asked || !pipeline_is_answered(self))
        return;
    self->asked = false;
    if (self->options.on_alive)
        self->options.on_alive();
    member_t *admin = pipeline_admin(self);
    if (!self->admin_asks || !admin)
        return;
    self->admin_asks = false;
    char *head = pipeline_head(self);
    zmsg_t *message = zmsg_new();
    zmsg_addstr(message, "STATUS");
    zmsg_addstr(message, head);
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].status)
            zmsg_addstr(message, self->members[i].status);
    zmsg_send(&message, admin->actor);
    free(head);
}

static bool stage_is_drained(const pipeline_t *self, pipeline_stage_t stage)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].stage == stage && !self->members[i].drained)
            return false;
    return true;
}

static bool workers_are_settled(const pipeline_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].stage == PIPELINE_WORKER && !self->members[i].settled)
            return false;
    return true;
}

static int64_t pipeline_left_ms(const pipeline_t *self)
{
    int64_t left = self->deadline_ms - zclock_mono();
    return left > 0 ? left : 0;
}

static bool pipeline_has(const pipeline_t *self, pipeline_stage_t stage)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].stage == stage)
            return true;
    return false;
}

/* What a stage may take: what is left, less what the later ones will need. */
static int64_t pipeline_stage_ms(const pipeline_t *self)
{
    int64_t left = pipeline_left_ms(self);
    for (int stage = (int)self->stage + 1; stage < PIPELINE_ADMIN; stage++)
        if (pipeline_has(self, (pipeline_stage_t)stage))
            left -= left / 4 < PIPELINE_STAGE_RESERVE_MS ? left / 4 : PIPELINE_STAGE_RESERVE_MS;
    return left;
}

static int on_stage_late(zloop_t *loop, int timer, void *arg)
{
    pipeline_t *self = arg;
    (void)loop;
    (void)timer;
    if (self->stage >= PIPELINE_ADMIN)
        return -1;
    log_error("drain-late", log_str("stage", stage_names[self->stage]));
    self->late = true;
    return -1;
}

static void pipeline_drain_stage(pipeline_t *self)
{
    char left[24];
    snprintf(left, sizeof left, "%" PRId64, pipeline_stage_ms(self));
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].stage == self->stage) {
            pipeline_step(self, self->members[i].name, "drain");
            member_say(&self->members[i], "DRAIN", left, NULL);
        }
}

/* Goes on to the next stage that has actors; behind the last, the loop ends. */
static void pipeline_next_stage(pipeline_t *self)
{
    while (self->stage < PIPELINE_ADMIN && stage_is_drained(self, self->stage))
        self->stage++;
    if (self->stage < PIPELINE_ADMIN)
        pipeline_drain_stage(self);
}

static int on_drain_delay(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    pipeline_t *self = arg;
    pipeline_next_stage(self);
    return self->stage == PIPELINE_ADMIN ? -1 : 0;
}

/* The orderly stop begins: not ready from now on, and after drain/delay the first stage is drained. */
static void pipeline_drain(pipeline_t *self, const char *why)
{
    if (self->draining)
        return;
    self->draining = true;
    self->deadline_ms = zclock_mono() + (int64_t)self->options.drain_timeout_ms;
    log_info("drain", log_str("step", "begin"), log_str("reason", why),
        log_uint("timeout_ms", self->options.drain_timeout_ms));
    if (self->options.on_draining)
        self->options.on_draining();
    pipeline_tell_ready(self);
    member_say(pipeline_admin(self), "STEP", "begin", NULL);
    zloop_timer(self->loop, self->options.drain_timeout_ms, 1, on_stage_late, self);
    zloop_timer(self->loop, self->options.drain_delay_ms, 1, on_drain_delay, self);
}

static void member_settled(pipeline_t *self, member_t *member)
{
    member->settled = true;
    pipeline_step(self, member->name, "settled");
    if (!workers_are_settled(self))
        return;
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].stage == PIPELINE_WORKER)
            member_say(&self->members[i], "LEAVE", NULL, NULL);
}

static void member_drained(pipeline_t *self, member_t *member, const char *lost, const char *ledger_text)
{
    ledger_t ledger;
    uint64_t pending;
    json_t *json = json_loads(ledger_text ? ledger_text : "", 0, NULL);
    if (json && ledger_from_json(&ledger, &pending, json) == 0) {
        ledger_add(&self->ledger, &ledger);
        self->pending += pending;
    }
    json_decref(json);
    self->lost += lost ? strtoull(lost, NULL, 10) : 0;
    member->drained = true;
    pipeline_step(self, member->name, "drained");
    if (stage_is_drained(self, self->stage))
        pipeline_next_stage(self);
}

static void member_says(pipeline_t *self, member_t *member, zmsg_t *message)
{
    char *word = zmsg_popstr(message);
    char *first = zmsg_popstr(message);
    char *second = zmsg_popstr(message);
    bool is_admin = member->stage == PIPELINE_ADMIN;
    if (streq(word, "STATUS") && is_admin) {
        self->admin_asks = true;
        pipeline_ask(self);
        pipeline_answered(self);
    } else if (streq(word, "STATUS") && first) {
        free(member->status);
        member->status = strdup(first);
        pipeline_answered(self);
    } else if (streq(word, "DRAIN") && is_admin) {
        pipeline_drain(self, "admin");
    } else if (streq(word, "READY") && first) {
        member->ready = streq(first, "1");
        free(member->why);
        member->why = strdup(second ? second : "");
        pipeline_tell_ready(self);
    } else if (streq(word, "STEP") && first) {
        pipeline_step(self, member->name, first);
    } else if (streq(word, "SETTLED")) {
        member_settled(self, member);
    } else if (streq(word, "DRAINED") && !is_admin) {
        member_drained(self, member, first, second);
    }
    zstr_free(&word);
    zstr_free(&first);
    zstr_free(&second);
}

static int on_member(zloop_t *loop, zsock_t *pipe, void *arg)
{
    pipeline_t *self = arg;
    (void)loop;
    zmsg_t *message = zmsg_recv(pipe);
    if (!message)
        return 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].actor && zactor_sock(self->members[i].actor) == pipe) {
            member_says(self, &self->members[i], message);
            break;
        }
    zmsg_destroy(&message);
    return self->draining && self->stage == PIPELINE_ADMIN ? -1 : 0;
}

/* A second signal: asks every actor what it still has, for a moment only, and says it. */
static void pipeline_give_up(pipeline_t *self)
{
    uint64_t pending = 0;
    ledger_t sum = {0};
    for (size_t i = 0; i < self->count; i++) {
        member_t *member = &self->members[i];
        if (!member->actor || member->stage == PIPELINE_ADMIN)
            continue;
        member_say(member, "STATUS", NULL, NULL);
        zsock_set_rcvtimeo(zactor_sock(member->actor), PIPELINE_LAST_ASK_MS);
        zmsg_t *message;
        while ((message = zmsg_recv(member->actor))) {
            char *word = zmsg_popstr(message), *text = zmsg_popstr(message);
            json_t *json = word && text && streq(word, "STATUS") ? json_loads(text, 0, NULL) : NULL;
            ledger_t ledger;
            uint64_t part;
            if (json && ledger_from_json(&ledger, &part, json_object_get(json, "ledger")) == 0) {
                ledger_add(&sum, &ledger);
                pending += part;
            }
            bool answered = json != NULL;
            json_decref(json);
            zstr_free(&word);
            zstr_free(&text);
            zmsg_destroy(&message);
            if (answered)
                break;
        }
    }
    ledger_log(&sum, pending);
    log_error("killed", log_str("reason", "second signal"), log_uint("lost", pending));
    _exit(PIPELINE_EXIT_IMPATIENT);
}

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    pipeline_t *self = arg;
    struct signalfd_siginfo info;
    (void)loop;
    if (read(item->fd, &info, sizeof info) != sizeof info)
        return 0;
    if (self->draining)
        pipeline_give_up(self);
    pipeline_drain(self, info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
    return 0;
}

static int on_alive(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    pipeline_ask(arg);
    pipeline_answered(arg);
    return 0;
}

static void pipeline_listen(pipeline_t *self)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    self->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    self->loop = zloop_new();
    assert(self->signals >= 0 && self->loop);
    zmq_pollitem_t item = {.fd = self->signals, .events = ZMQ_POLLIN};
    zloop_poller(self->loop, &item, on_signal, self);
    for (size_t i = 0; i < self->count; i++)
        zloop_reader(self->loop, zactor_sock(self->members[i].actor), on_member, self);
    if (self->options.alive_ms)
        zloop_timer(self->loop, self->options.alive_ms, 0, on_alive, self);
}

/* The result is told to admin, which writes its last answers. */
static void pipeline_tell_result(pipeline_t *self)
{
    member_t *admin = pipeline_admin(self);
    if (!admin)
        return;
    char code[16];
    snprintf(code, sizeof code, "%d", (int)self->code);
    json_t *json = ledger_json(&self->ledger, self->pending);
    char *text = json_dumps(json, JSON_COMPACT);
    member_say(admin, "RESULT", code, text);
    free(text);
    json_decref(json);
    zsock_set_rcvtimeo(zactor_sock(admin->actor), PIPELINE_ADMIN_LAST_MS);
    bool done = false;
    while (!done) {
        char *word = zstr_recv(admin->actor);
        done = !word || streq(word, "DRAINED");
        zstr_free(&word);
    }
}

pipeline_exit_t pipeline_run(pipeline_t *self)
{
    pipeline_listen(self);
    if (self->options.on_started)
        self->options.on_started();
    zloop_start(self->loop);
    bool balanced = ledger_balance(&self->ledger, self->pending) == 0;
    self->code = self->late || self->lost || !balanced ? PIPELINE_EXIT_LOST : PIPELINE_EXIT_CLEAN;
    ledger_log(&self->ledger, self->pending);
    pipeline_tell_result(self);
    pipeline_destroy_members(self);
    log_info("exit", log_str("role", self->options.role), log_uint("code", self->code), log_uint("lost", self->lost));
    return self->code;
}
