/* SPDX-License-Identifier: MPL-2.0 */
/* trial: the supervisor's way through the phases. Two looks at everything that is counted, one after the warm-up and
 * one at the end of the duration, are what the rates and CPU times come from; what was lost is known when nothing more
 * comes.
 */
#include "ferry/bench/trial.h"

#include <czmq.h>

#include "ferry/bench/board.h"
#include "ferry/bench/crew.h"
#include "ferry/display.h"

#define MS             INT64_C(1000000) /* ns */
#define HEADSTART_NS   (20 * MS)        /* in which all generators learn when they are to begin */
#define STALL_NS       (30 * 1000 * MS) /* a login or leave that lasts longer than this since the last one is none */
#define LOOK_NS        (5 * MS)         /* how often it is looked whether the last message has come */
#define SAMPLE_LEAST   (50 * MS)        /* between two points of the throughput over time */
#define SAMPLES_WANTED 200

/* What has been counted at a moment. */
typedef struct {
    int64_t at_ns;
    uint64_t count; /* messages, or logins */
    uint64_t generator_ns;
    watched_cpu_t cpu[WATCHED_MAX][WATCHED_PIDS_MAX];
} look_t;

typedef struct {
    const plan_t *plan;
    const watched_t *watched;
    unsigned watched_count;
    outcome_t *outcome;
    board_t *board;
    crew_t *crew;
    look_t from, to;
} trial_t;

static uint64_t counted(const trial_t *self)
{
    board_sum_t sum = board_sum(self->board);
    return self->plan->work == WORK_LOGINS ? sum.logins : sum.delivered;
}

static int look(const trial_t *self, look_t *look)
{
    look->at_ns = board_now_ns();
    look->count = counted(self);
    look->generator_ns = crew_cpu_ns(self->crew);
    for (unsigned i = 0; i < self->watched_count; i++)
        if (watched_read_cpu(&self->watched[i], look->cpu[i]))
            return -1;
    return 0;
}

/* Lets all do a phase of logging in or leaving, however long that takes, as long as it goes on. */
static int do_phase(trial_t *self, phase_t phase, const char *what)
{
    uint64_t logins;
    crew_begin(self->crew, phase);
    do {
        logins = board_sum(self->board).logins;
        int rc = crew_await(self->crew, phase, board_now_ns() + STALL_NS);
        if (rc <= 0)
            return rc;
    } while (board_sum(self->board).logins != logins);
    display_complain("ferry bench: %s does not go on: nothing has happened for %d s (%" PRIu64 " of %u are logged in)",
        what, (int)(STALL_NS / MS / 1000), logins, self->plan->client_count);
    return -1;
}

enum { MEMORY_BEFORE, MEMORY_FULL, MEMORY_AFTER };

static int look_at_memory(trial_t *self, int when)
{
    for (unsigned i = 0; i < self->watched_count; i++) {
        uint64_t bytes;
        if (watched_read_memory(&self->watched[i], &bytes))
            return -1;
        if (when == MEMORY_BEFORE)
            self->outcome->watched[i].memory_before = bytes;
        else if (when == MEMORY_FULL)
            self->outcome->watched[i].memory_full = bytes;
        else
            self->outcome->watched[i].memory_after = bytes;
    }
    return 0;
}

static void set_times(trial_t *self)
{
    uint64_t from = self->plan->warm_up_ms * (uint64_t)MS;
    self->board->measure_from_ns = from;
    self->board->measure_until_ns = from + self->plan->duration_ms * (uint64_t)MS;
    self->board->begin_ns = board_now_ns() + HEADSTART_NS;
}

static void add_sample(trial_t *self, int64_t at_ns, uint64_t count, int64_t before_ns, uint64_t before)
{
    outcome_t *outcome = self->outcome;
    if (outcome->sample_count == OUTCOME_SAMPLES_MAX || at_ns <= before_ns)
        return;
    unsigned i = outcome->sample_count++;
    outcome->samples[i].seconds = (double)(at_ns - self->board->begin_ns) / 1e9;
    outcome->samples[i].per_s = (double)(count - before) * 1e9 / (double)(at_ns - before_ns);
}

/* Waits until then, and looks from time to time how much has come. */
static int sample_until(trial_t *self, int64_t until_ns)
{
    int64_t run_ns = (int64_t)(self->plan->warm_up_ms + self->plan->duration_ms) * MS;
    int64_t step_ns = run_ns / SAMPLES_WANTED > SAMPLE_LEAST ? run_ns / SAMPLES_WANTED : SAMPLE_LEAST;
    int64_t before_ns = board_now_ns();
    uint64_t before = counted(self);
    while (before_ns < until_ns) {
        int64_t next_ns = before_ns + step_ns < until_ns ? before_ns + step_ns : until_ns;
        if (crew_wait(self->crew, next_ns))
            return -1;
        int64_t now_ns = board_now_ns();
        uint64_t count = counted(self);
        add_sample(self, now_ns, count, before_ns, before);
        before_ns = now_ns;
        before = count;
    }
    return 0;
}

static int measure(trial_t *self)
{
    set_times(self);
    crew_begin(self->crew, PHASE_RUN);
    if (crew_wait(self->crew, self->board->begin_ns) ||
        sample_until(self, self->board->begin_ns + (int64_t)self->board->measure_from_ns) || look(self, &self->from) ||
        sample_until(self, self->board->begin_ns + (int64_t)self->board->measure_until_ns) || look(self, &self->to))
        return -1;
    return look_at_memory(self, MEMORY_AFTER);
}

static uint64_t missing(const trial_t *self)
{
    board_sum_t sum = board_sum(self->board);
    uint64_t expected = sum.written * plan_copies(self->plan);
    return expected > sum.delivered ? expected - sum.delivered : 0;
}

/* The senders stop, and what is under way may come, as long as something does: much may lie in the buffers of TCP. */
static int drain(trial_t *self)
{
    int64_t wait_ns = (int64_t)self->plan->wait_ms * MS;
    int64_t until_ns = board_now_ns() + wait_ns;
    uint64_t before = 0;
    crew_begin(self->crew, PHASE_STOP);
    while (!(board_all_done(self->board, PHASE_STOP) && missing(self) == 0) && board_now_ns() < until_ns) {
        uint64_t delivered = board_sum(self->board).delivered;
        if (crew_wait(self->crew, board_now_ns() + LOOK_NS))
            return -1;
        if (delivered != before)
            until_ns = board_now_ns() + wait_ns;
        before = delivered;
    }
    return 0;
}

static int run_phases(trial_t *self)
{
    if (look_at_memory(self, MEMORY_BEFORE) || do_phase(self, PHASE_SENDERS, "the login") ||
        do_phase(self, PHASE_READERS, "the login") || look_at_memory(self, MEMORY_FULL) || measure(self) || drain(self))
        return -1;
    /* What is lost keeps a client from its orderly leave, perhaps. */
    return missing(self) > 0 ? 0 : do_phase(self, PHASE_LEAVE, "the leave");
}

static void conclude(trial_t *self)
{
    outcome_t *outcome = self->outcome;
    board_sum_t sum = board_sum(self->board);
    outcome->seconds = (double)(self->to.at_ns - self->from.at_ns) / 1e9;
    outcome->messages = self->to.count - self->from.count;
    outcome->lost = missing(self);
    outcome->doubled = sum.doubled;
    outcome->late = sum.late;
    outcome->generator_cpu_ns = self->to.generator_ns - self->from.generator_ns;
    outcome->watched_count = self->watched_count;
    for (unsigned i = 0; i < self->watched_count; i++) {
        outcome->watched[i].name = self->watched[i].name;
        outcome->watched[i].cpu_ns = watched_cpu_between(&self->watched[i], self->from.cpu[i], self->to.cpu[i]);
    }
    for (unsigned i = 0; i < self->board->process_count; i++)
        histogram_merge(&outcome->latency, &self->board->tallies[i].latency);
}

int trial_run(const plan_t *plan, const gateways_t *gateways, const watched_t *watched, unsigned watched_count,
    outcome_t *outcome)
{
    trial_t *self = zmalloc(sizeof *self);
    *self = (trial_t){.plan = plan, .watched = watched, .watched_count = watched_count, .outcome = outcome};
    self->board = board_new(plan->process_count, plan->client_count, plan->work == WORK_FANOUT ? plan->pipeline : 0);
    self->crew = crew_new(plan, self->board, gateways);
    int rc = run_phases(self);
    if (rc == 0)
        conclude(self);
    crew_destroy(&self->crew);
    board_destroy(&self->board);
    free(self);
    return rc;
}
