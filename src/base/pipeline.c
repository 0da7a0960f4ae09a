/* SPDX-License-Identifier: MPL-2.0 */
/* pipeline: the table of a process's actors, their start against and their end in its order, and the loop of the main
 * thread that hears them and the signals. Owner: the main thread. */
#include <assert.h>
#include <jansson.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/handover.h"
#include "base/log.h"
#include "base/pipeline_internal.h"

#define PIPELINE_ADMIN_LAST_MS 1500 /* for admin to write its last answers */

/* Signals this close to each other are one request: timeout(1) and terminals signal a process and then its group. */
#define PIPELINE_ONE_REQUEST_MS 100

static const char *const stage_names[] = {
    [PIPELINE_LISTENER] = "listener",
    [PIPELINE_WORKER] = "worker",
    [PIPELINE_PEERS] = "peers",
    [PIPELINE_ROUTER] = "router",
    [PIPELINE_ADMIN] = "admin",
};

const char *stage_name(pipeline_stage_t stage)
{
    return stage_names[stage];
}

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
    free(self->why_told);
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
        .why = strdup(PIPELINE_STARTING),
    };
}

/* zactor_new waits for the actor's first signal and drops its value; the second one tells whether it could start. */
static int member_start(member_t *member)
{
    member->actor = zactor_new(member_run, member);
    if (!member->actor)
        return -1;
    member->started = true;
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

bool pipeline_has_started(const pipeline_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (streq(self->members[i].name, name))
            return self->members[i].started;
    return false;
}

member_t *pipeline_admin(pipeline_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].stage == PIPELINE_ADMIN && self->members[i].actor)
            return &self->members[i];
    return NULL;
}

void member_say(member_t *member, const char *first, const char *second, const char *third)
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

void pipeline_step(pipeline_t *self, const char *actor, const char *step)
{
    char text[160];
    log_info("drain", log_str("step", step), log_str("actor", actor));
    snprintf(text, sizeof text, "%s %s", actor, step);
    member_say(pipeline_admin(self), "STEP", text, NULL);
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

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    pipeline_t *self = arg;
    struct signalfd_siginfo info;
    (void)loop;
    if (read(item->fd, &info, sizeof info) != sizeof info)
        return 0;
    if (self->draining && zclock_mono() - self->draining_since_ms < PIPELINE_ONE_REQUEST_MS)
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
