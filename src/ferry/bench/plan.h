/* SPDX-License-Identifier: MPL-2.0 */
/* plan: what a run of the benchmark is to do, as its command line says it, and who does what in it: each client has a
 * number, and from it follow its name, its role, its generator process and whom it writes to. Constant once it is made;
 * shared by all processes. */
#ifndef FERRY_FERRY_BENCH_PLAN_H
#define FERRY_FERRY_BENCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferry/bench/order.h"
#include "ferry/bench/protocol.h"
#include "ferry/options.h"

typedef enum { WORK_PAIRS, WORK_ANY, WORK_FANOUT, WORK_PINGPONG, WORK_IDLE, WORK_LOGINS } work_t;

enum { PLAN_RUN_SIZE = 3, PLAN_NAME_SIZE = PROTOCOL_NAME_SIZE + 1, PLAN_NO_CLIENT = UINT32_MAX };

typedef struct {
    work_t work;
    const char *work_name;
    const protocol_t *protocol;
    unsigned client_count;  /* connections */
    unsigned sender_count;  /* clients 0 to sender_count - 1 write of their own accord */
    unsigned process_count; /* generators */
    size_t text_size;
    unsigned pipeline; /* messages of a sender that may be under way; 0: as many as TCP takes */
    uint64_t rate;     /* messages a second, over all senders; 0: as fast as they may */
    uint64_t duration_ms, warm_up_ms, wait_ms;
    bool is_timed; /* messages carry the time at which they were due */
    bool wants_json;
    const char *plot;                     /* a path, or NULL */
    char run[PLAN_RUN_SIZE + 1];          /* what tells this run's names from those of others */
    char (*digits)[PROTOCOL_DIGITS_SIZE]; /* of each client's name; the plan's own */
    order_t order;                        /* of any and idle */
} plan_t;

/* Takes the options, and looks at each. Returns 0, or -1 after one sentence on stderr. */
int plan_init(plan_t *self, const options_t *options);

void plan_fini(plan_t *self);

/* Writes the name of a client, with a NUL, and that of the run's group. */
void plan_client_name(const plan_t *self, unsigned client, char *name);
void plan_group_name(const plan_t *self, char *name);

/* The process that a client belongs to. */
unsigned plan_process_of(const plan_t *self, unsigned client);

/* True if messages are sent at all. */
bool plan_has_messages(const plan_t *self);

/* True if a client writes to others in turns; else it writes to one destination. */
static inline bool plan_is_any(const plan_t *self)
{
    return self->work == WORK_ANY || self->work == WORK_IDLE;
}

/* True if a client writes messages, or reads them. */
bool plan_writes(const plan_t *self, unsigned client);
bool plan_reads(const plan_t *self, unsigned client);

/* Where a client's first message goes, with its name in `name`, of PLAN_NAME_SIZE. */
destination_t plan_destination(const plan_t *self, unsigned client, char *name);

/* The other one of a pair. */
unsigned plan_partner(const plan_t *self, unsigned client);

/* The only client whose messages this one reads, PLAN_NO_CLIENT if there are several. */
unsigned plan_only_sender(const plan_t *self, unsigned client);

/* How many clients read each message. */
unsigned plan_copies(const plan_t *self);

#endif
