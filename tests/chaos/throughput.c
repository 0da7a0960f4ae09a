/* SPDX-License-Identifier: MPL-2.0 */
/* throughput: what one that stands still costs the others. Two measurements, each with and without it, by turns: a
 * gateway of three that is stopped while messages to its clients come, and one client of 1,000 that does not read.
 * Prints a row of a table for each; the figures are medians. A program of tests/chaos/run and no test, since it takes
 * the machine for itself; fails if anything is lost. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "chaos/deployment.h"
#include "lib/crowd.h"
#include "lib/crowd_watch.h"
#include "lib/deadline.h"
#include "lib/test.h"

#define ROUNDS_MAX  25
#define WINDOW_MS   3000 /* longer than the link timeout, so that a stopped gateway is given up within it */
#define TEXT_SIZE   100
#define FAST_PAIRS  50 /* between the gateways that are not stopped */
#define CLIENTS     1000
#define WRITERS     10    /* to who stands still */
#define WRITER_RATE 50000 /* bytes per second of each of them */
#define WAIT_MS     60000

enum { OTHERS = 1, STILL = 2 }; /* groups */

typedef struct {
    deployment_t *deployment;
    crowd_t *crowd;
    unsigned first_writer;
    unsigned still; /* the client that does not read, or the first on the gateway that is stopped */
} scene_t;

typedef void scene_turn_fn(scene_t *self, bool stands_still);

static unsigned rounds = 5;

static unsigned join(scene_t *self, unsigned gateway, uint32_t write_rate, unsigned group)
{
    return crowd_join(self->crowd, &(crowd_member_t){.endpoint = deployment_clients(self->deployment, gateway),
                                       .line_count = CROWD_ENDLESS,
                                       .text_size = TEXT_SIZE,
                                       .write_rate = write_rate,
                                       .group = group,
                                       .returns = group == STILL});
}

/* Those who write to who stands still, quiet at first. */
static void join_writers(scene_t *self, unsigned gateways, unsigned still_count)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        unsigned writer = join(self, i % gateways, PACE_NEVER, STILL);
        self->first_writer = i == 0 ? writer : self->first_writer;
        crowd_address(self->crowd, writer, self->still + i % still_count);
    }
}

static void let_write(scene_t *self, bool stands_still)
{
    for (unsigned i = 0; i < WRITERS; i++)
        crowd_set_write_rate(self->crowd, self->first_writer + i, stands_still ? WRITER_RATE : PACE_NEVER);
}

static bool is_time(crowd_t *crowd, void *arg)
{
    (void)crowd;
    return deadline_now_ms() >= *(int64_t *)arg;
}

/* Copies a second that the others receive. */
static uint64_t measure(scene_t *self)
{
    int64_t began_ms = deadline_now_ms();
    int64_t until_ms = began_ms + WINDOW_MS;
    uint64_t before = crowd_sum(self->crowd, OTHERS, OTHERS).received;
    crowd_run(self->crowd, is_time, &until_ms, WAIT_MS);
    uint64_t received = crowd_sum(self->crowd, OTHERS, OTHERS).received - before;
    return received * 1000 / (uint64_t)(deadline_now_ms() - began_ms);
}

static void await_others(scene_t *self)
{
    unsigned groups = OTHERS;
    crowd_listen(self->crowd);
    crowd_run(self->crowd, crowd_has_heard, &groups, WAIT_MS);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static uint64_t median(uint64_t *figures)
{
    qsort(figures, rounds, sizeof(*figures), compare);
    return figures[rounds / 2];
}

static void compare_turns(scene_t *self, const char *name, scene_turn_fn *turn)
{
    uint64_t without[ROUNDS_MAX];
    uint64_t with[ROUNDS_MAX];
    crowd_login(self->crowd, 200, WAIT_MS);
    crowd_start(self->crowd);
    for (unsigned i = 0; i < rounds; i++) {
        await_others(self);
        without[i] = measure(self);
        turn(self, true);
        with[i] = measure(self);
        turn(self, false);
    }
    uint64_t usual = median(without);
    uint64_t harmed = median(with);
    printf("| %s | %u | %" PRIu64 " | %" PRIu64 " | %.1f %% |\n", name, rounds, usual, harmed,
        100.0 * (double)harmed / (double)usual);
}

static void finish(scene_t *self)
{
    account_sum_t told = crowd_sum(self->crowd, STILL, STILL);
    printf("<!-- to who stood still: %ju copies received, %ju returned, %ju unconfirmed, %ju refused -->\n",
        (uintmax_t)told.received, (uintmax_t)told.ends[ACCOUNT_RETURNED], (uintmax_t)told.ends[ACCOUNT_UNCONFIRMED],
        (uintmax_t)told.ends[ACCOUNT_REFUSED]);
    crowd_stop(self->crowd);
    let_write(self, true); /* the rest of a line that is begun */
    crowd_half_close(self->crowd);
    crowd_run(self->crowd, crowd_is_over, NULL, WAIT_MS);
    account_sum_t others = crowd_sum(self->crowd, OTHERS, OTHERS);
    assert_int_equal(others.lost + others.doubled + others.disordered, 0);
    deployment_stop(self->deployment);
    crowd_destroy(&self->crowd);
    deployment_destroy(&self->deployment);
}

static void stop_third(scene_t *self, bool stands_still)
{
    process_signal(deployment_gateway(self->deployment, 2), stands_still ? SIGSTOP : SIGCONT);
    let_write(self, stands_still);
}

static void one_stopped_gateway_of_three(void **state)
{
    (void)state;
    dice_t dice = {.state = 3};
    scene_t self = {.crowd = crowd_new("t", 2 * FAST_PAIRS + 2 * WRITERS)};
    self.deployment = deployment_start(&(deployment_shape_t){.brokers = 1, .gateways = 3}, &dice);
    for (unsigned i = 0; i < 2 * FAST_PAIRS; i++)
        join(&self, i % 2, PACE_FREE, OTHERS);
    for (unsigned i = 0; i < 2 * FAST_PAIRS; i++)
        crowd_address(self.crowd, i, (i + 1) % (2 * FAST_PAIRS));
    self.still = join(&self, 2, PACE_NEVER, STILL);
    for (unsigned i = 1; i < WRITERS; i++)
        join(&self, 2, PACE_NEVER, STILL);
    join_writers(&self, 2, WRITERS);
    compare_turns(&self, "one gateway of three stopped, messages to its clients", stop_third);
    finish(&self);
}

static void stop_reading(scene_t *self, bool stands_still)
{
    crowd_set_read_rate(self->crowd, self->still, stands_still ? PACE_NEVER : PACE_FREE);
    let_write(self, stands_still);
}

static void one_stuck_reader_of_1000(void **state)
{
    (void)state;
    dice_t dice = {.state = 4};
    scene_t self = {.crowd = crowd_new("t", CLIENTS + 1 + WRITERS)};
    self.deployment = deployment_start(&(deployment_shape_t){.brokers = 1, .gateways = 2}, &dice);
    for (unsigned i = 0; i < CLIENTS; i++)
        join(&self, i % 2, PACE_FREE, OTHERS);
    for (unsigned i = 0; i < CLIENTS; i++)
        crowd_address(self.crowd, i, (i + 1) % CLIENTS);
    self.still = join(&self, 0, PACE_NEVER, STILL);
    join_writers(&self, 2, 1);
    compare_turns(&self, "one of 1,000 clients does not read, messages to it", stop_reading);
    finish(&self);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {TEST(one_stopped_gateway_of_three), TEST(one_stuck_reader_of_1000)};
    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    if (rounds < 1 || rounds > ROUNDS_MAX)
        return EXIT_FAILURE;
    printf("| what stands still | rounds | copies/s of the others without | with | ratio |\n"
           "| --- | --- | --- | --- | --- |\n");
    return TEST_RUN(tests);
}
