/* SPDX-License-Identifier: MPL-2.0 */
/* generator_flow: who may write, and what becomes of what was read. A message that may be written makes its sender
 * ready, and who is ready is served once a turn of the loop, so that many messages go with one call. Nobody waits for
 * somebody's reading unless the plan has a pipeline. */
#include <czmq.h>

#include "ferry/bench/generator_internal.h"
#include "ferry/bench/stamp.h"

#define POLL_NS 1000000 /* how often a process looks what other processes have read */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How many further messages a client may write now. */
static uint64_t allowed(const generator_t *self, const bench_client_t *client)
{
    const plan_t *plan = self->plan;
    uint64_t made = client->outlet.made;
    if (!self->is_flowing || !plan_writes(plan, client->index))
        return 0;
    if (plan->rate)
        return schedule_count(&self->schedule, client->index, least(self->now_ns, self->board->measure_until_ns - 1)) -
               made;
    if (self->is_stopping)
        return 0;
    if (plan->work == WORK_PINGPONG)
        return client->turns + (client->index < plan->sender_count) - made;
    if (!plan->pipeline)
        return UINT64_MAX;
    uint64_t taken = plan->work == WORK_FANOUT
                         ? self->completed
                         : atomic_load_explicit(&self->board->taken[client->index], memory_order_relaxed);
    return plan->pipeline - (made - taken);
}

static void make_ready(generator_t *self, bench_client_t *client)
{
    if (client->is_ready)
        return;
    client->is_ready = true;
    self->ready[self->ready_count++] = (uint32_t)(client - self->clients);
}

static void make_index_ready(generator_t *self, unsigned index)
{
    if (self->place_of[index] != PLAN_NO_CLIENT)
        make_ready(self, &self->clients[self->place_of[index]]);
}

static void make_all_ready(generator_t *self)
{
    for (unsigned i = 0; i < self->client_count; i++)
        if (plan_writes(self->plan, self->clients[i].index))
            make_ready(self, &self->clients[i]);
}

void flow_begin(generator_t *self)
{
    self->is_flowing = true;
    make_all_ready(self);
}

void flow_write(generator_t *self, bench_client_t *client)
{
    outlet_t *outlet = &client->outlet;
    uint64_t count = outlet_is_empty(outlet) ? allowed(self, client) : 0;
    if (count > 0) {
        if (self->plan->is_timed)
            generator_look_at_clock(self);
        board_count(&self->tally->written, outlet_fill(outlet, self->plan, count, self->room,
                                               self->plan->rate ? &self->schedule : NULL, self->now_ns));
    }
    int error = outlet_write(outlet, client->fd);
    if (error)
        generator_fail(self, "client b%s%.*s cannot write: %s", self->plan->run, PROTOCOL_DIGITS_SIZE,
            self->plan->digits[client->index], strerror(error));
    bench_client_arm(self, client, !outlet_is_empty(outlet) || allowed(self, client) > 0);
}

/* The senders of this process in turns, as the schedule has it. */
static void serve_schedule(generator_t *self)
{
    while (self->sender_count > 0) {
        bench_client_t *client = &self->clients[self->schedule_next];
        if (schedule_due_ns(&self->schedule, client->index, self->schedule_round) > self->now_ns)
            break;
        make_ready(self, client);
        if (++self->schedule_next == self->sender_count) {
            self->schedule_next = 0;
            self->schedule_round++;
        }
    }
}

/* Messages of a fan-out complete in their order, or nearly. */
static void serve_copies(generator_t *self)
{
    board_t *board = self->board;
    while (atomic_load(&board->copies[self->completed % board->ring_size]) == plan_copies(self->plan)) {
        atomic_store(&board->copies[self->completed % board->ring_size], 0);
        self->completed++;
        make_index_ready(self, 0);
    }
}

static bool depends_on_others(const generator_t *self)
{
    return self->is_flowing && self->plan->pipeline && self->plan->process_count > 1 &&
           (plan_is_any(self->plan) || self->plan->work == WORK_FANOUT);
}

void flow_turn(generator_t *self)
{
    if (!self->is_flowing)
        return;
    if (self->plan->rate) {
        generator_look_at_clock(self);
        serve_schedule(self);
    }
    if (self->board->ring_size && self->place_of[0] != PLAN_NO_CLIENT)
        serve_copies(self);
    if (depends_on_others(self))
        make_all_ready(self);
    for (unsigned i = 0; i < self->ready_count; i++) {
        bench_client_t *client = &self->clients[self->ready[i]];
        client->is_ready = false;
        if (client->fd >= 0 && !client->is_armed)
            flow_write(self, client);
    }
    self->ready_count = 0;
}

int64_t flow_sleep_ns(const generator_t *self)
{
    if (self->ready_count > 0)
        return 0;
    if (depends_on_others(self))
        return POLL_NS;
    if (!self->is_flowing || !self->plan->rate || self->is_stopping || self->sender_count == 0)
        return -1;
    int64_t due =
        (int64_t)schedule_due_ns(&self->schedule, self->clients[self->schedule_next].index, self->schedule_round);
    int64_t sleep = self->board->begin_ns + due - board_now_ns();
    return sleep > 0 ? sleep : 0;
}

/* Somebody may write because this message was read. */
static void return_credit(generator_t *self, bench_client_t *client, unsigned sender, uint64_t number)
{
    board_t *board = self->board;
    if (self->plan->work == WORK_PINGPONG) {
        client->turns++;
        make_ready(self, client);
    } else if (self->plan->work == WORK_FANOUT) {
        atomic_fetch_add(&board->copies[number % board->ring_size], 1);
    } else {
        if (self->plan->process_count > 1)
            atomic_fetch_add_explicit(&board->taken[sender], 1, memory_order_relaxed);
        else
            board_count(&board->taken[sender], 1);
        make_index_ready(self, sender);
    }
}

/* Of a sender that writes to all: true if another process reads this message. */
typedef struct {
    const generator_t *generator;
    unsigned sender;
} foreign_t;

static bool is_foreign(const void *arg, uint64_t number)
{
    const foreign_t *foreign = arg;
    const generator_t *self = foreign->generator;
    unsigned recipient = order_recipient(&self->plan->order, foreign->sender, number);
    return self->place_of[recipient] == PLAN_NO_CLIENT;
}

static window_verdict_t window_of_all(
    generator_t *self, const bench_client_t *client, const arrival_t *arrival, uint64_t *number)
{
    window_t *window = &self->windows[arrival->sender];
    int64_t nearest = stamp_number(arrival->stamp, window->base);
    *number = (uint64_t)nearest;
    if (nearest < 0 || order_recipient(&self->plan->order, arrival->sender, *number) != client->index)
        return WINDOW_ABSURD;
    foreign_t foreign = {.generator = self, .sender = arrival->sender};
    return window_take(
        window, *number, self->plan->client_count - 1, self->plan->process_count > 1 ? is_foreign : NULL, &foreign);
}

static window_verdict_t window_of_one(bench_client_t *client, const arrival_t *arrival, uint64_t *number)
{
    int64_t nearest = stamp_number(arrival->stamp, client->window.base);
    *number = (uint64_t)nearest;
    if (nearest < 0 || arrival->sender != client->sender)
        return WINDOW_ABSURD;
    return window_take(&client->window, *number, 1, NULL, NULL);
}

static void measure(generator_t *self, uint64_t due_ns)
{
    if (due_ns >= self->board->measure_from_ns && due_ns < self->board->measure_until_ns)
        histogram_add(&self->tally->latency, self->now_ns > due_ns ? self->now_ns - due_ns : 0);
}

void flow_take(generator_t *self, bench_client_t *client, const arrival_t *arrival)
{
    uint64_t number;
    window_verdict_t verdict =
        self->windows ? window_of_all(self, client, arrival, &number) : window_of_one(client, arrival, &number);
    switch (verdict) {
    case WINDOW_ABSURD:
        generator_fail(self, "client b%s%.*s reads message %" PRIu64 " of client b%s%.*s, which was not sent to it",
            self->plan->run, PROTOCOL_DIGITS_SIZE, self->plan->digits[client->index],
            arrival->stamp & STAMP_NUMBER_MASK, self->plan->run, PROTOCOL_DIGITS_SIZE,
            self->plan->digits[arrival->sender]);
    case WINDOW_DOUBLED:
        board_count(&self->tally->doubled, 1);
        return;
    case WINDOW_LATE:
        board_count(&self->tally->late, 1);
        break;
    case WINDOW_NEW:
        break;
    }
    self->fresh++;
    if (self->plan->is_timed)
        measure(self, arrival->due_ns);
    if (self->plan->pipeline)
        return_credit(self, client, arrival->sender, number);
}

void flow_publish(generator_t *self)
{
    board_count(&self->tally->delivered, self->fresh);
    self->fresh = 0;
}

void flow_stop(generator_t *self)
{
    self->is_stopping = true;
    generator_look_at_clock(self);
    for (unsigned i = 0; i < self->client_count && !self->plan->rate; i++)
        board_count(&self->tally->written, -outlet_cut(&self->clients[i].outlet));
    if (self->plan->rate)
        make_all_ready(self);
}

bool flow_has_stopped(generator_t *self)
{
    while (self->stopped_next < self->client_count) {
        const bench_client_t *client = &self->clients[self->stopped_next];
        if (!outlet_is_empty(&client->outlet) || allowed(self, client) > 0)
            return false;
        self->stopped_next++;
    }
    return true;
}
