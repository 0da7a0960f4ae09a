/* SPDX-License-Identifier: MPL-2.0 */
/* dealer_writer [6]: the broker's side of a link, and the only code that sends to that DEALER. What a turn routes to a
 * node becomes the body of one batch, which is kept until the node has acknowledged it; what a turn tells it becomes
 * control records in the same ZeroMQ message. Embedded in a node; the router's thread.
 *
 * Not bounded here: what is open is bounded by the windows of the nodes that sent it (proto/link.md, section 6). */
#ifndef FERRY_BROKER_DEALER_WRITER_H
#define FERRY_BROKER_DEALER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "broker/intake.h"
#include "wire/body.h"
#include "wire/control.h"

typedef struct outbatch outbatch_t; /* a body that is sealed: sent or to be sent, and not acknowledged */

typedef struct {
    void *socket;          /* the ROUTER, libzmq's; borrowed */
    span_t routing_id;     /* of the DEALER; borrowed */
    size_t batch_size;     /* a body that would grow over it is sealed first */
    uint32_t epoch;        /* of the link */
    uint64_t acknowledged; /* the node's last batch that came; goes with every message */
    uint32_t stamp;        /* the last of the node that came; so does this */
    bool connected;        /* false once ZeroMQ has said that the DEALER is gone */
    bool due;              /* a message must go even if there is nothing to say */
    bool is_held_back;     /* no batch goes yet */
    uint64_t sent_ms;      /* when something was sent last */

    buffer_t body;         /* of the batch that is being built */
    size_t body_size_last; /* of the last batch: what to expect of the next */
    uint32_t record_count; /* in body */
    uint32_t copy_count;   /* copies in body: one for each recipient but groups */
    uint32_t ref_count;    /* of refs: those of body */
    body_run_t run;        /* the last one in body; handle 0 for none */
    struct {
        inbatch_t *batch; /* borrowed; NULL if body does not end with a copy, else of the message at */
        uint32_t index;
        unsigned session_count;
        size_t sessions_at; /* in body: whom it is for */
    } tail;
    buffer_t refs; /* what each acknowledgement settles, in order of the bodies */

    buffer_t early;    /* control records that go with the first body of the turn: ORIGIN, CONFIRMED */
    buffer_t controls; /* all others: go with the last */

    outbatch_t *first, *last, *unsent; /* in order of sequence */
    uint64_t sequence;                 /* of the last sealed batch */
    uint64_t sequence_acknowledged;
    size_t sealed_size;  /* bytes of the sealed bodies */
    uint64_t batches;    /* sealed, ever */
    uint64_t send_turns; /* ZeroMQ messages sent, ever */
} dealer_writer_t;

void dealer_writer_init(dealer_writer_t *self, void *socket, size_t batch_size);

/* Begins a link, the first or one that resumes the last. Control records that were not sent are dropped: a link begins
 * with all of them anew. */
void dealer_writer_connect(dealer_writer_t *self, span_t routing_id, uint32_t epoch);

/* Whether a node may say that it took the batches up to `sequence`: they were sent, and it has not acknowledged more.
 */
bool dealer_writer_has_sent(const dealer_writer_t *self, uint64_t sequence);

/* Has the batches behind `sequence`, which must have been sent, sent again, but holds them back until
 * dealer_writer_let_go. */
void dealer_writer_rewind(dealer_writer_t *self, uint64_t sequence);

/* Sends the control records that are to go before the batches that were held back; these go when the turn ends. */
void dealer_writer_let_go(dealer_writer_t *self, uint64_t now_ms);

/* Forgets everything that is not acknowledged; its messages count as taken. Whoever routed it tells their senders
 * first. */
void dealer_writer_clear(dealer_writer_t *self);

void dealer_writer_fini(dealer_writer_t *self);

/* Adds a copy of message `index` of `batch` (its number follows from that) from the node with that handle and floor,
 * for up to BODY_RECIPIENTS_MAX sessions of this node. Returns how many copies the ledger counts: what goes to a group
 * is none, since those of its members are made at their nodes. */
unsigned dealer_writer_copy(dealer_writer_t *self, const body_run_t *run, const body_message_t *message,
    inbatch_t *batch, uint32_t index, const uint64_t *sessions, unsigned session_count);

/* The bytes of MOREs (body_next_more) that may follow the copy of that message for one session, which was added last; 0
 * if it was not. */
size_t dealer_writer_more_room(const dealer_writer_t *self, const inbatch_t *batch, uint32_t index);

/* Adds `count` of them. */
void dealer_writer_more(dealer_writer_t *self, span_t bytes, uint32_t count);

/* Adds a notice. `batch` and `index` are the report that it passes on, which is taken when this node has it, and `run`
 * is of the node that reports; both are NULL for a notice of the broker's own. */
void dealer_writer_notice(
    dealer_writer_t *self, const body_run_t *run, const body_notice_t *notice, inbatch_t *batch, uint32_t index);

/* What is added from now on goes into another body. */
void dealer_writer_close_body(dealer_writer_t *self);

/* Adds a control record. */
void dealer_writer_control(dealer_writer_t *self, const control_t *control);
void dealer_writer_control_empty(dealer_writer_t *self, record_type_t type);

/* Adds a control record that reaches the node no later than the first body of this turn. */
void dealer_writer_early(dealer_writer_t *self, const control_t *control);

/* Adds an ORIGIN record, likewise; it is handled before that body. */
void dealer_writer_origin(dealer_writer_t *self, uint32_t handle, const link_id_t *node);

/* Sends WELCOME at once, and before anything else. */
void dealer_writer_welcome(dealer_writer_t *self, const control_t *welcome, uint64_t now_ms);

/* Whether the DEALER is still there as far as ZeroMQ knows: sends a header alone to find out. */
bool dealer_writer_probe(dealer_writer_t *self);

/* Sends what there is to send. When the DEALER is gone, batches are kept, and control records, which only a new link
 * could use in another form, are dropped. */
void dealer_writer_flush(dealer_writer_t *self, uint64_t now_ms);

/* The node has taken every batch up to `sequence`. Returns the number of copies in the ones that are new, or
 * -CLOSE_BAD_SEQUENCE if it was never sent. */
int64_t dealer_writer_acknowledge(dealer_writer_t *self, uint64_t sequence);

/* The sequence of the batch that holds what was added last: when it is acknowledged, all before is. */
uint64_t dealer_writer_mark(const dealer_writer_t *self);

/* Bytes of the bodies, and copies in them, that are not acknowledged, the one being built included. The latter walks
 * all batches. */
size_t dealer_writer_open_size(const dealer_writer_t *self);
uint64_t dealer_writer_open_copies(const dealer_writer_t *self);

/* Bytes of memory that it holds, of which ZeroMQ may hold some longer. */
size_t dealer_writer_memory(const dealer_writer_t *self);

/* Batches that are not acknowledged, and when the oldest of them was sent (0 if none was). Walks all batches. */
uint32_t dealer_writer_open_batches(const dealer_writer_t *self);
uint64_t dealer_writer_waiting_since(const dealer_writer_t *self);

/* Calls `visit` with each body that is not acknowledged, in order; it must not add to this writer. Seals the one being
 * built. */
void dealer_writer_each_body(dealer_writer_t *self, void (*visit)(void *arg, span_t body), void *arg);

/* Answers a DEALER that has no link, or is to have none any more, with REFUSE. False if it is gone. */
bool dealer_writer_refuse(void *socket, span_t routing_id, uint32_t epoch, int close, span_t text);

#endif
