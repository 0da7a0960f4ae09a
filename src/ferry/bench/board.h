/* SPDX-License-Identifier: MPL-2.0 */
/* board: the memory that all processes of a run share: how far the run is, which the supervisor alone says, and what
 * each generator has counted, which it alone writes. Every number is atomic, and none guards another, but for the
 * phase: what the supervisor writes before it sets a phase is seen by who sees the phase. */
#ifndef FERRY_FERRY_BENCH_BOARD_H
#define FERRY_FERRY_BENCH_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"

/* The phases follow each other in this order; each generator says when it has done what a phase asks for. */
typedef enum {
    PHASE_NONE,
    PHASE_SENDERS, /* the senders log in; before the readers, since a gateway may share its clients out in turns */
    PHASE_READERS, /* the others log in */
    PHASE_RUN,     /* messages flow; nobody is ever done with it */
    PHASE_STOP,    /* no further message is begun, and what is begun is written */
    PHASE_LEAVE,   /* all leave, in order */
} phase_t;

/* What one generator has counted. */
typedef struct {
    _Alignas(128) _Atomic uint64_t delivered; /* messages that were read, once each */
    _Atomic uint64_t written;                 /* messages that were sent */
    _Atomic uint64_t doubled, late;
    _Atomic uint64_t logins; /* that were confirmed */
    _Atomic unsigned done;   /* the last phase that it has done */
    histogram_t latency;     /* ns; of logins, the time from the connection to the confirmation */
    char complaint[512];     /* why it ended before its time; written before it ends */
} tally_t;

typedef struct {
    _Atomic unsigned phase;
    int64_t begin_ns;          /* monotonic: when messages begin to flow; written before PHASE_RUN */
    uint64_t measure_from_ns;  /* after begin_ns: messages that are due from then */
    uint64_t measure_until_ns; /* until then are measured */
    unsigned process_count, client_count, ring_size;
    tally_t *tallies;         /* of each process */
    _Atomic uint64_t *taken;  /* of each sender: how many of its messages have been read */
    _Atomic uint32_t *copies; /* a ring: of each message of a fan-out that is under way, how many have read it */
} board_t;

/* Makes the board, zeroed, before the processes are forked. `ring_size` may be 0. Aborts without memory. */
board_t *board_new(unsigned process_count, unsigned client_count, unsigned ring_size);

void board_destroy(board_t **self_p);

/* True once all generators have done a phase. */
bool board_all_done(const board_t *self, phase_t phase);

/* What a counter comes to over all generators. */
typedef struct {
    uint64_t delivered, written, doubled, late, logins;
} board_sum_t;

board_sum_t board_sum(const board_t *self);

/* Adds to a counter that this process alone writes. */
static inline void board_count(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + count, memory_order_relaxed);
}

/* Nanoseconds, monotonic. */
int64_t board_now_ns(void);

#endif
