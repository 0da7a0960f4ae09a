/* SPDX-License-Identifier: MPL-2.0 */
/* pipeline_internal: the table of actors, shared by the three files of the pipeline: pipeline.c (its life, and what is
 * said), pipeline_status.c (questions and readiness), pipeline_drain.c (the stop). Nobody else includes this. */
#ifndef FERRY_BASE_PIPELINE_INTERNAL_H
#define FERRY_BASE_PIPELINE_INTERNAL_H

#include "base/ledger.h"
#include "base/pipeline.h"

#define PIPELINE_STARTING   "starting" /* why an actor is not ready that has not said so */
#define PIPELINE_ACTORS_MAX 1100       /* gateway/workers is at most 1,024 */

typedef struct {
    pipeline_stage_t stage;
    const char *name;
    zactor_fn *function;
    void *args;
    zactor_t *actor; /* NULL before the start and after its end */
    bool started;
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
    char *why_told;  /* it is not ready, as it was logged last; malloc'd */
    bool asked;      /* STATUS is out, not all answers are in */
    bool admin_asks; /* the answers are for admin, too */
    bool draining;
    int64_t draining_since_ms;
    bool late;              /* a deadline has passed */
    pipeline_stage_t stage; /* that is drained now */
    int64_t deadline_ms;
    uint64_t lost;
    uint64_t pending;
    ledger_t ledger;
    pipeline_exit_t code;
};

/* The name of a stage, for logs. Static. */
const char *stage_name(pipeline_stage_t stage);

/* The admin actor, NULL if there is none (any more). */
member_t *pipeline_admin(pipeline_t *self);

/* Says up to three words, NULL ends them, to an actor that may be NULL or ended. */
void member_say(member_t *member, const char *first, const char *second, const char *third);

/* A step of the drain: logs it, and tells admin. */
void pipeline_step(pipeline_t *self, const char *actor, const char *step);

/* Works out whether the process is ready, logs a change, and tells admin. */
void pipeline_tell_ready(pipeline_t *self);

/* Asks every actor for its STATUS, unless they are being asked; and does what is due once all have answered. */
void pipeline_ask(pipeline_t *self);
void pipeline_answered(pipeline_t *self);

/* The orderly stop begins: not ready from now on, and after drain/delay the first stage is drained. */
void pipeline_drain(pipeline_t *self, const char *why);

/* What the actors say during it. */
void member_settled(pipeline_t *self, member_t *member);
void member_drained(pipeline_t *self, member_t *member, const char *lost, const char *ledger_text);

/* A second signal: asks every actor what it still has, for a moment only, says it, and ends the process. */
void pipeline_give_up(pipeline_t *self);

#endif
