/* SPDX-License-Identifier: MPL-2.0 */
/* pipeline_drain: the stop goes through the stages: DRAIN to each actor of one, wait for every DRAINED, next stage;
 * workers settle together before any leaves. All steps share one deadline; a stage that does not answer by then is left
 * behind, and the exit code says so. Owner: the main thread. */
#include <inttypes.h>
#include <jansson.h>
#include <unistd.h>

#include "base/log.h"
#include "base/pipeline_internal.h"

#define PIPELINE_LAST_ASK_MS      1000 /* for a last question, when a second signal came */
#define PIPELINE_STAGE_RESERVE_MS 500  /* of the deadline, for each stage that comes later */

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
    log_error("drain-late", log_str("stage", stage_name(self->stage)));
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

void pipeline_drain(pipeline_t *self, const char *why)
{
    if (self->draining)
        return;
    self->draining = true;
    self->draining_since_ms = zclock_mono();
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

void member_settled(pipeline_t *self, member_t *member)
{
    member->settled = true;
    pipeline_step(self, member->name, "settled");
    if (!workers_are_settled(self))
        return;
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].stage == PIPELINE_WORKER)
            member_say(&self->members[i], "LEAVE", NULL, NULL);
}

void member_drained(pipeline_t *self, member_t *member, const char *lost, const char *ledger_text)
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

/* Adds what a report says of its actor's ledger. Returns false if the message is no report. */
static bool report_add(zmsg_t *message, ledger_t *sum, uint64_t *pending)
{
    char *word = zmsg_popstr(message), *text = zmsg_popstr(message);
    json_t *json = word && text && streq(word, "STATUS") ? json_loads(text, 0, NULL) : NULL;
    ledger_t ledger;
    uint64_t part;
    if (json && ledger_from_json(&ledger, &part, json_object_get(json, "ledger")) == 0) {
        ledger_add(sum, &ledger);
        *pending += part;
    }
    bool is_report = json != NULL;
    json_decref(json);
    zstr_free(&word);
    zstr_free(&text);
    return is_report;
}

/* Asks an actor for its report and waits for it, passing over what else it says. */
static void member_ask_last(member_t *member, ledger_t *sum, uint64_t *pending)
{
    member_say(member, "STATUS", NULL, NULL);
    zsock_set_rcvtimeo(zactor_sock(member->actor), PIPELINE_LAST_ASK_MS);
    for (bool answered = false; !answered;) {
        zmsg_t *message = zmsg_recv(member->actor);
        answered = !message || report_add(message, sum, pending);
        zmsg_destroy(&message);
    }
}

void pipeline_give_up(pipeline_t *self)
{
    uint64_t pending = 0;
    ledger_t sum = {0};
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].actor && self->members[i].stage != PIPELINE_ADMIN)
            member_ask_last(&self->members[i], &sum, &pending);
    ledger_log(&sum, pending);
    log_error("killed", log_str("reason", "second signal"), log_uint("lost", pending));
    _exit(PIPELINE_EXIT_IMPATIENT);
}
