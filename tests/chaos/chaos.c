/* SPDX-License-Identifier: MPL-2.0 */
/* chaos: starts a deployment and its clients, injects, waits until everybody hears again, lets the load go on for a
 * while of the dice's choice, and so on; then brings all to rest, sums up, reads the ledgers and drains. What is not as
 * the fault allows fails the test once its row is made. */
#include "chaos/chaos_internal.h"

#include <inttypes.h>
#include <string.h>

#include "lib/crowd_watch.h"
#include "lib/deadline.h"
#include "lib/test.h"

#define CLIENTS       200
#define CALM_LEAST    200 /* copies that come between two injections */
#define CALM_MOST     2000
#define AWAIT_MS      60000  /* for everybody to hear again */
#define REST_MS       300000 /* for all to end once nothing is sent any more: a receive buffer of 4 KiB takes 5 KB/s */
#define QUIET_MS      3000   /* in which nothing has ended, with nothing pending: what is still open is lost */
#define BOOKS_MS      200    /* between two readings of the ledgers */
#define FAULTS_TOLD   10     /* flows that lost something, in words */
#define SHORT_PERCENT 60     /* of the link timeout, at most */
#define LONG_PERCENT  140    /* at least */

struct chaos {
    const chaos_fault_t *fault;
    dice_t dice;
    deployment_t *deployment;
    population_t *population;
    result_t *result;
};

/* When nothing is sent any more. */
typedef struct {
    chaos_t *chaos;
    uint64_t ended;
    int64_t changed_ms; /* when that was another number */
    int64_t read_ms;    /* when the ledgers were read */
} rest_t;

deployment_t *chaos_deployment(chaos_t *self)
{
    return self->deployment;
}

population_t *chaos_population(chaos_t *self)
{
    return self->population;
}

dice_t *chaos_dice(chaos_t *self)
{
    return &self->dice;
}

unsigned chaos_pick_gateway(chaos_t *self)
{
    unsigned gateway = 0;
    do
        gateway = dice_roll(&self->dice, self->fault->shape.gateways);
    while (self->fault->hit && !(self->fault->hit >> gateway & 1));
    return gateway;
}

unsigned chaos_pick_broker(chaos_t *self)
{
    return dice_roll(&self->dice, self->fault->shape.brokers);
}

static bool is_time(crowd_t *crowd, void *arg)
{
    (void)crowd;
    return deadline_now_ms() >= *(int64_t *)arg;
}

void chaos_go_on(chaos_t *self, unsigned time_ms)
{
    int64_t until_ms = deadline_now_ms() + time_ms;
    population_run(self->population, is_time, &until_ms, time_ms + AWAIT_MS);
}

void chaos_await_end(chaos_t *self, process_t *process)
{
    population_run(self->population, crowd_process_ended, process, AWAIT_MS);
}

static bool is_all_well(crowd_t *crowd, void *arg)
{
    unsigned groups = POPULATION_PLAIN;
    (void)arg;
    return crowd_has_heard(crowd, &groups) && crowd_away(crowd, groups) == 0;
}

void chaos_await_all(chaos_t *self)
{
    crowd_listen(population_crowd(self->population));
    population_run(self->population, is_all_well, NULL, AWAIT_MS);
}

unsigned chaos_short_ms(chaos_t *self)
{
    unsigned most_ms = deployment_link_timeout_ms() * SHORT_PERCENT / 100;
    return dice_between(&self->dice, most_ms / 10, most_ms);
}

unsigned chaos_long_ms(chaos_t *self)
{
    unsigned least_ms = deployment_link_timeout_ms() * LONG_PERCENT / 100;
    return dice_between(&self->dice, least_ms, least_ms * 3 / 2);
}

static void inject_once(chaos_t *self)
{
    crowd_t *crowd = population_crowd(self->population);
    crowd_mark(crowd);
    self->fault->inject(self);
    chaos_await_all(self);
    result_add_pause(self->result, crowd_pause_ms(crowd, POPULATION_STEADY));
    uint64_t received = crowd_totals(crowd).received + dice_between(&self->dice, CALM_LEAST, CALM_MOST);
    population_run(self->population, crowd_has_received, &received, AWAIT_MS);
}

/* Everything has ended, or nothing ends any more; and no process says that anything is pending. */
static bool is_at_rest(crowd_t *crowd, void *arg)
{
    rest_t *rest = arg;
    int64_t now_ms = deadline_now_ms();
    uint64_t ended = crowd_totals(crowd).ended;
    if (ended != rest->ended) {
        rest->ended = ended;
        rest->changed_ms = now_ms;
    }
    bool quiet = now_ms - rest->changed_ms > QUIET_MS * (int64_t)deadline_patience();
    if (now_ms - rest->read_ms < BOOKS_MS || crowd_away(crowd, POPULATION_ALL) > 0 || crowd_is_writing(crowd))
        return false;
    if (!quiet && crowd_sum(crowd, POPULATION_ALL, POPULATION_ALL).lost > 0)
        return false;
    rest->read_ms = now_ms;
    return deployment_book(rest->chaos->deployment).pending == 0;
}

static bool is_everybody_back(crowd_t *crowd, void *arg)
{
    (void)crowd;
    return population_is_complete(arg);
}

static void come_to_rest(chaos_t *self)
{
    crowd_t *crowd = population_crowd(self->population);
    rest_t rest = {.chaos = self, .changed_ms = deadline_now_ms()};
    population_calm(self->population);
    population_run(self->population, is_everybody_back, self->population, AWAIT_MS);
    crowd_stop(crowd);
    crowd_run(crowd, is_at_rest, &rest, REST_MS);
}

static void sum_up(chaos_t *self)
{
    crowd_t *crowd = population_crowd(self->population);
    const chaos_fault_t *fault = self->fault;
    result_t *result = self->result;
    result->messages = crowd_totals(crowd).accepted;
    result->all = crowd_sum(crowd, POPULATION_ALL, POPULATION_ALL);
    result->steady = crowd_sum(crowd, POPULATION_STEADY, POPULATION_STEADY);
    result->kept = crowd_sum(crowd, POPULATION_ALL & ~fault->lost_from, POPULATION_ALL & ~fault->lost_to);
    result->once = crowd_sum(crowd, POPULATION_ALL, POPULATION_ALL & ~fault->doubled_to);
    /* What a client sent before it was cut off may come behind what it sends when it is back. */
    result->ordered = crowd_sum(crowd, POPULATION_ALL & ~POPULATION_RESTLESS, POPULATION_ALL & ~fault->doubled_to);
    result->cuts = crowd_cuts(crowd, POPULATION_STEADY);
    result->failed = NULL;
    crowd_tell_faults(crowd, FAULTS_TOLD);
}

/* Each ledger for itself, and all together unless the fault forbids it. */
static void check_books(chaos_t *self)
{
    char text[300];
    book_t book = deployment_book(self->deployment);
    book_describe(&book, text, sizeof(text));
    print_message("%s: the ledgers: %s\n", self->fault->name, text);
    if (book.faulty > 0)
        fail_msg("%s: a ledger does not balance: %s", self->fault->name, text);
    bool parts = self->fault->allows & (CHAOS_PARTS | CHAOS_KILLS) || self->fault->doubled_to;
    if (!parts && !book_is_closed(&book))
        fail_msg("%s: the ledgers do not balance among each other: %s", self->fault->name, text);
}

static void expect_none(const result_t *result, uint64_t count, const char *what)
{
    if (count > 0)
        fail_msg("%s: %ju %s", result->fault, (uintmax_t)count, what);
}

static void check_pause(const chaos_t *self)
{
    const chaos_fault_t *fault = self->fault;
    int64_t median_ms = result_median_ms(self->result);
    bool judged = fault->pause_ms > 0 && self->result->times >= fault->long_times && deadline_patience() == 1;
    if (judged && median_ms >= fault->pause_ms)
        fail_msg("%s: half of the pauses took %jd ms or more", fault->name, (intmax_t)median_ms);
}

static void check_result(const chaos_t *self)
{
    const result_t *result = self->result;
    expect_none(result, result->kept.lost, "copies were lost that may not be");
    expect_none(result, result->once.doubled, "copies were doubled");
    expect_none(result, result->ordered.disordered, "copies were disordered");
    expect_none(result, result->cuts, "connections of clients were closed");
    if (!(self->fault->allows & CHAOS_TELLS))
        expect_none(result, result_told(result), "copies between connected clients ended in error lines");
    check_pause(self);
}

static void check_crowd(crowd_t *crowd)
{
    crowd_totals_t totals = crowd_totals(crowd);
    if (totals.corrupt > 0)
        fail_msg("%ju corrupt lines; the first: %s", (uintmax_t)totals.corrupt, crowd_complaint(crowd));
}

void chaos_run(const chaos_fault_t *fault, unsigned times, uint64_t seed, result_t *result)
{
    chaos_t self = {.fault = fault, .dice = {.state = seed}, .result = result};
    self.deployment = deployment_start(&fault->shape, &self.dice);
    self.population = population_new(
        self.deployment, &self.dice, CLIENTS, fault->hit, true, !fault->hit && !(fault->allows & CHAOS_TELLS));
    if (fault->allows & CHAOS_KILLS)
        crowd_beware(population_crowd(self.population));
    chaos_await_all(&self);
    for (unsigned i = 0; i < times; i++)
        inject_once(&self);
    come_to_rest(&self);
    sum_up(&self);
    crowd_t *crowd = population_crowd(self.population);
    check_books(&self);
    check_crowd(crowd);
    crowd_half_close(crowd);
    crowd_run(crowd, crowd_is_over, NULL, AWAIT_MS);
    deployment_stop(self.deployment);
    check_result(&self);
    population_destroy(&self.population);
    deployment_destroy(&self.deployment);
}
