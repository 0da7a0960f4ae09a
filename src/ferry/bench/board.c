/* SPDX-License-Identifier: MPL-2.0 */
/* board: anonymous shared mappings, one for each part. */
#include "ferry/bench/board.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static void *map(size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *memory = mmap(NULL, count * size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

static void unmap(void *memory, size_t count, size_t size)
{
    if (memory)
        munmap(memory, count * size);
}

board_t *board_new(unsigned process_count, unsigned client_count, unsigned ring_size)
{
    board_t *self = map(1, sizeof *self);
    self->process_count = process_count;
    self->client_count = client_count;
    self->ring_size = ring_size;
    self->tallies = map(process_count, sizeof *self->tallies);
    self->taken = map(client_count, sizeof *self->taken);
    self->copies = map(ring_size, sizeof *self->copies);
    for (unsigned i = 0; i < process_count; i++)
        histogram_init_precise(&self->tallies[i].latency);
    return self;
}

void board_destroy(board_t **self_p)
{
    board_t *self = *self_p;
    if (!self)
        return;
    for (unsigned i = 0; i < self->process_count; i++)
        histogram_fini(&self->tallies[i].latency);
    unmap(self->tallies, self->process_count, sizeof *self->tallies);
    unmap((void *)self->taken, self->client_count, sizeof *self->taken);
    unmap((void *)self->copies, self->ring_size, sizeof *self->copies);
    unmap(self, 1, sizeof *self);
    *self_p = NULL;
}

bool board_all_done(const board_t *self, phase_t phase)
{
    for (unsigned i = 0; i < self->process_count; i++)
        if (atomic_load(&self->tallies[i].done) < phase)
            return false;
    return true;
}

board_sum_t board_sum(const board_t *self)
{
    board_sum_t sum = {0};
    for (unsigned i = 0; i < self->process_count; i++) {
        const tally_t *tally = &self->tallies[i];
        sum.delivered += atomic_load_explicit(&tally->delivered, memory_order_relaxed);
        sum.written += atomic_load_explicit(&tally->written, memory_order_relaxed);
        sum.doubled += atomic_load_explicit(&tally->doubled, memory_order_relaxed);
        sum.late += atomic_load_explicit(&tally->late, memory_order_relaxed);
        sum.logins += atomic_load_explicit(&tally->logins, memory_order_relaxed);
    }
    return sum;
}

int64_t board_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}
