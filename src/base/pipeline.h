/* SPDX-License-Identifier: MPL-2.0 */
/* pipeline: the actors of a process in the order of the way of a message, and the main thread's supervision of them: it
 * passes questions and answers between them and the admin actor, and stops them in that order. All of it is the main
 * thread's; actors talk to it by their pipes alone, in messages of text frames.
 *
 *     an actor at its start  two signals: 0, and then 0 if it could start or 1 if it could not and has said why
 *     main to an actor       STATUS | DRAIN, ms that are left | LEAVE | $TERM
 *     an actor to main       READY, 1 or 0, why | STATUS, JSON | STEP, word | SETTLED | DRAINED, lost copies, ledger
 * JSON main to admin          READY, 1 or 0, why | STATUS, head JSON, JSON of each actor | STEP, text | RESULT, code,
 * JSON admin to main          STATUS | DRAIN | DRAINED
 */
#ifndef FERRY_BASE_PIPELINE_H
#define FERRY_BASE_PIPELINE_H

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/budget.h"

typedef struct pipeline pipeline_t;

/* Where an actor stands; a stop goes through the stages in this order, a start against it. */
typedef enum {
    PIPELINE_LISTENER, /* the source of clients: stops accepting */
    PIPELINE_WORKER,   /* all workers settle before any of them leaves */
    PIPELINE_PEERS,    /* ZeroMQ programs: settles and leaves alone */
    PIPELINE_ROUTER,   /* routes what the workers said last */
    PIPELINE_ADMIN,    /* tells of all of it, and is the last */
    PIPELINE_STAGES,
} pipeline_stage_t;

typedef enum {
    PIPELINE_EXIT_CLEAN = 0,
    PIPELINE_EXIT_START = 1,     /* start-up or configuration */
    PIPELINE_EXIT_LOST = 3,      /* the drain lost something or ran out of time */
    PIPELINE_EXIT_IMPATIENT = 4, /* a second signal */
} pipeline_exit_t;

typedef struct {
    const char *role; /* "all", "gateway" or "broker"; borrowed */
    uint64_t drain_timeout_ms, drain_delay_ms;
    const budget_t *budget; /* for the status; borrowed; NULL: there is none */
    /* What a service manager is told, each borrowed; may be NULL. */
    void (*on_started)(void);
    void (*on_draining)(void);
    void (*on_alive)(void);
    uint64_t alive_ms; /* how often on_alive is due while every actor answers; 0: never */
} pipeline_options_t;

pipeline_t *pipeline_new(const pipeline_options_t *options);

/* Destroys the actors that are left, in pipeline order. */
void pipeline_destroy(pipeline_t **self_p);

/* Adds an actor, to be started by pipeline_start; name, function and args are borrowed. */
void pipeline_add(pipeline_t *self, pipeline_stage_t stage, const char *name, zactor_fn *actor, void *args);

/* Starts the actors, the last stage first. Returns 0, or -1 when one of them could not start (it has said why). */
int pipeline_start(pipeline_t *self);

/* Whether the actor of that name was started, and so took over what its arguments give it. */
bool pipeline_has_started(const pipeline_t *self, const char *name);

/* Supervises until the drain that SIGTERM, SIGINT or the admin actor began is over, destroys the actors in pipeline
 * order, and logs the ledger. SIGTERM and SIGINT must be blocked in all threads. Returns the exit code. */
pipeline_exit_t pipeline_run(pipeline_t *self);

#endif
