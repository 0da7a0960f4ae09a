/* SPDX-License-Identifier: MPL-2.0 */
/* generator_internal: what the files of the generator share: its clients, their conversations (generator_client.c) and
 * the flow of messages among them (generator_flow.c). One thread. */
#ifndef FERRY_FERRY_BENCH_GENERATOR_INTERNAL_H
#define FERRY_FERRY_BENCH_GENERATOR_INTERNAL_H

#include "ferry/bench/generator.h"
#include "ferry/bench/inlet.h"
#include "ferry/bench/outlet.h"
#include "ferry/bench/schedule.h"
#include "ferry/bench/window.h"

enum {
    INPUT_SIZE = 262144,                          /* bytes that are read at once */
    HELD_MAX = 65536 + 2 * PROTOCOL_OVERHEAD_MAX, /* bytes that may stand before them, of what has not ended yet */
};

/* A client goes from state to state in this order; in the work `logins` it begins anew. */
typedef enum {
    CLIENT_ABSENT,
    CLIENT_CONNECTING,
    CLIENT_LOGGING_IN,
    CLIENT_JOINING,
    CLIENT_READY,
    CLIENT_LEAVING, /* it has said so */
    CLIENT_LEFT,    /* and that was confirmed */
    CLIENT_GONE,    /* and the connection has ended */
} client_state_t;

typedef struct {
    unsigned index; /* among all clients of the run */
    int fd;         /* -1 without one */
    client_state_t state;
    bool is_armed;    /* it waits for room to write */
    bool is_ready;    /* it stands in the list of those that may write */
    unsigned sender;  /* whose messages alone it reads, or PLAN_NO_CLIENT */
    uint64_t turns;   /* of a ping-pong: messages that it has read */
    int64_t began_ns; /* when it began to connect, monotonic */
    outlet_t outlet;
    inlet_t inlet;
    window_t window; /* of the messages of `sender` */
} bench_client_t;

typedef struct {
    generator_options_t options;
    const plan_t *plan;
    board_t *board;
    tally_t *tally;
    bench_client_t *clients; /* in the order of their indices */
    unsigned client_count;
    unsigned sender_count; /* the first of them, which write of their own accord */
    uint32_t *place_of;    /* of each client of the run in `clients`, or PLAN_NO_CLIENT */
    int epoll_fd;
    char *input; /* HELD_MAX + INPUT_SIZE */
    inlet_shape_t shape;

    phase_t phase;
    bool is_done;          /* with the phase */
    bool is_flowing;       /* messages may be written */
    bool is_stopping;      /* no further message is begun */
    unsigned login_next;   /* the first client that has not begun to log in */
    unsigned login_end;    /* the first that is not to log in in this phase */
    unsigned login_count;  /* how many are at it */
    unsigned gone_count;   /* how many are gone */
    unsigned stopped_next; /* the first client that may not have written everything yet */

    window_t *windows; /* of each sender's messages, if they go to all */
    uint64_t fresh;    /* messages that the current read has brought */
    uint64_t now_ns;   /* after the beginning, as of the last look at the clock */
    schedule_t schedule;
    uint64_t schedule_round; /* messages before this were due, */
    unsigned schedule_next;  /* and this client's in this round is the next */
    uint64_t completed;      /* messages of a fan-out that all have read */
    size_t room;             /* bytes of messages that a client may make at once */
    uint32_t *ready;         /* clients that may write, by their places */
    unsigned ready_count;
} generator_t;

/* Ends the process, with this on the board. */
__attribute__((noreturn, format(printf, 2, 3))) void generator_fail(generator_t *self, const char *format, ...);

/* Looks at the clock. */
void generator_look_at_clock(generator_t *self);

/* generator_client.c: the conversation of a client. */
void bench_client_init(generator_t *generator, bench_client_t *self, unsigned index);
void bench_client_fini(bench_client_t *self);
void bench_client_connect(generator_t *generator, bench_client_t *self);
void bench_client_leave(generator_t *generator, bench_client_t *self);
void bench_client_on_event(generator_t *generator, bench_client_t *self, uint32_t events);

/* Waits for room to write, or no longer. */
void bench_client_arm(generator_t *generator, bench_client_t *self, bool armed);

/* generator.c: a client is logged in; its connection has ended in order. */
void generator_on_login(generator_t *self, bench_client_t *client);
void generator_on_gone(generator_t *self, bench_client_t *client);

/* generator_flow.c. Messages begin to flow: who may write is served from now on. */
void flow_begin(generator_t *self);

/* Writes for a client what it may and its socket takes. */
void flow_write(generator_t *self, bench_client_t *client);

/* Serves those who have become ready, or whose messages have become due. */
void flow_turn(generator_t *self);

/* A client has read a message that is whole. Fails if it is not his. */
void flow_take(generator_t *self, bench_client_t *client, const arrival_t *arrival);

/* Puts what the last read brought on the board. */
void flow_publish(generator_t *self);

/* Nobody begins a message any more, unless it is due. */
void flow_stop(generator_t *self);
bool flow_has_stopped(generator_t *self);

/* How long the loop may sleep, -1 for as long as nothing happens. */
int64_t flow_sleep_ns(const generator_t *self);

#endif
