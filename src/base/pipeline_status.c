/* SPDX-License-Identifier: MPL-2.0 */
/* pipeline_status: admin's questions and their answers, the service manager's proof of life, and whether the process is
 * ready. A question goes to every actor at once; one that does not answer keeps it open, and admin gives up by itself.
 * Owner: the main thread. */
#include <jansson.h>
#include <unistd.h>

#include "base/log.h"
#include "base/pipeline_internal.h"

/* Who is not ready, if anybody. */
static const member_t *pipeline_unready(const pipeline_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i].tells_ready && !self->members[i].ready)
            return &self->members[i];
    return NULL;
}

/* Logs why the process is not ready, once for each reason; that it is still starting is none. */
static void pipeline_log_unready(pipeline_t *self, const char *why)
{
    if (streq(why, PIPELINE_STARTING) || (!self->ready && self->why_told && streq(why, self->why_told)))
        return;
    log_warning("not-ready", log_str("role", self->options.role), log_str("reason", why));
    free(self->why_told);
    self->why_told = strdup(why);
}

void pipeline_tell_ready(pipeline_t *self)
{
    const member_t *unready = pipeline_unready(self);
    bool ready = !unready && !self->draining;
    const char *why = self->draining ? "draining" : unready ? unready->why : "";
    if (ready != self->ready && ready)
        log_info("ready", log_str("role", self->options.role));
    else if (!self->draining && !ready)
        pipeline_log_unready(self, why);
    self->ready = ready;
    member_say(pipeline_admin(self), "READY", ready ? "1" : "0", why);
}

static char *pipeline_head(pipeline_t *self)
{
    const member_t *unready = pipeline_unready(self);
    const char *step = self->draining ? stage_name(self->stage) : "";
    json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:b, s:s, s:{s:s, s:s}}", "role", self->options.role, "version",
        FERRY_VERSION, "pid", (json_int_t)getpid(), "uptime_s", (json_int_t)((zclock_mono() - self->started_ms) / 1000),
        "ready", (int)self->ready, "ready_reason",
        self->draining ? "draining"
        : unready      ? unready->why
                       : "",
        "drain", "state", self->draining ? "draining" : "running", "step", step);
    if (self->options.budget)
        json_object_set_new(json, "memory", budget_json(self->options.budget));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

void pipeline_ask(pipeline_t *self)
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

void pipeline_answered(pipeline_t *self)
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
