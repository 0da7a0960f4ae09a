/* SPDX-License-Identifier: MPL-2.0 */
/* carrier: the actor behind a ferry_t, a node of the link protocol with one session, the program's name. It is to the
 * program what a gateway's worker is to its clients. A turn reads commands and links; at its end the outbox goes to the
 * links, which are then flushed. It keeps its own thread, and everything in it is that thread's.
 *
 *     login:  NONE ──COMMAND_LOGIN──▶ PENDING ──CONFIRMED──▶ DONE ──DENIED when registered again──▶ LOST
 *                                      ▲  │ DENIED
 *                       COMMAND_LOGIN──┴─ DENIED
 *     phase:  RUNNING ──COMMAND_DRAIN──▶ SETTLING ──▶ LEAVING ──▶ PARTING ──▶ DRAINED
 */
#ifndef FERRY_CLIENT_CARRIER_H
#define FERRY_CLIENT_CARRIER_H

#include <czmq.h>

#include "client/channel.h"
#include "client/letter.h"
#include "client/outbox.h"
#include "link/holdings.h"
#include "link/party.h"

/* What a ferry_t gives its carrier; borrowed for the actor's life. */
typedef struct {
    span_t name;
    const config_t *config;
    const brokers_t *brokers;
    channel_end_t channel; /* the carrier's from then on */
    size_t high_mark, low_mark;
    bool tells_settled;
} carrier_args_t;

/* The actor (a zactor_fn). It hears $TERM from its pipe, and everything else from its channel. */
void carrier_actor(zsock_t *pipe, void *args);

typedef enum {
    CARRIER_RUNNING,
    CARRIER_SETTLING, /* what the program does not receive any more is returned; all messages are settled */
    CARRIER_LEAVING,  /* no more copies come once all brokers have agreed */
    CARRIER_PARTING,  /* BYE */
    CARRIER_DRAINED,
} carrier_phase_t;

typedef struct carrier {
    const carrier_args_t *args; /* borrowed */
    reactor_t *reactor;
    watch_t *pipe_watch, *command_watch;
    zsock_t *pipe; /* borrowed */
    channel_end_t channel;
    uplinks_t uplinks;
    ledger_t ledger; /* what links count; nobody asks */
    histogram_t batch_records, batch_bytes;

    slots_t slots;       /* the program, its groups and services */
    exchange_t exchange; /* of one party: */
    party_t party;
    uint64_t session; /* another one for each login; 0 before the first */
    uplink_t *uplink; /* to the broker of the name; borrowed */
    link_claim_t claim;
    bool registered; /* its broker may know the name */
    bool paused;     /* too much waits for the program */
    size_t waiting_size;

    holdings_t holdings; /* copies that were sent to the program */
    uint64_t taken;      /* copies below it have been received by it */
    outbox_t outbox;
    list_node_t waiting; /* what the oldest letter waits for: a paused name, or room */
    progress_t progress, told;
    bool has_events; /* that the program was not woken for */

    carrier_phase_t phase;
    uv_timer_t timer; /* runs in a drain, and while a request is open */
    uint64_t settle_deadline_ms, leave_deadline_ms, end_deadline_ms;

    span_t recipients[LINE_RECIPIENTS_MAX]; /* scratch */
} carrier_t;

/* What links tell (carrier_links.c); the owner is the carrier. */
extern const link_owner_t carrier_link_owner;

/* Gives the links what they take of the outbox, and waits for the rest. */
void carrier_send_on(carrier_t *self);

/* Does so if the outbox has waited for what has woken it; *woken is empty then. */
void carrier_wake(carrier_t *self, const list_t *woken);

/* Sends an event to the program, unless that does not receive any more; the second without any text. */
void carrier_event(carrier_t *self, const event_t *event, span_t name, span_t place, span_t data);
void carrier_tell_event(carrier_t *self, const event_t *event);

/* That message of the program is settled. */
void carrier_settle(carrier_t *self, uint64_t number);

/* Ends all messages that no link has accepted with that error. */
void carrier_fail_outbox(carrier_t *self, int error);

/* The orderly stop (carrier_drain.c): its beginning, with the ms that it may take, and what is looked at in every turn
 * of it.
 */
void carrier_drain_begin(carrier_t *self, uint64_t left_ms);
void carrier_drain_go_on(carrier_t *self);

#endif
