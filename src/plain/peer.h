/* SPDX-License-Identifier: MPL-2.0 */
/* [2] peer: the state of one ZeroMQ program that is logged in, or wants to be, from its LOGIN to the last answer of its
 * broker. The peers actor's thread's.
 *
 *     REGISTERING ──CONFIRMED──▶ OPEN ──LEAVE──▶ SETTLING ──settled──▶ LEAVING ──LEFT──▶ FLUSHING ──all read, BYE──▶
 * GONE │                       └──────────────drain────────────────────────────────▶ │ └──DENIED, too late; any:
 * connection gone, stalled ─────────────────────────────────────────────────────▶ GONE GONE ──its broker knows it no
 * more──▶ freed at the end of the turn
 */
#ifndef FERRY_PLAIN_PEER_H
#define FERRY_PLAIN_PEER_H

#include "base/list.h"
#include "link/party.h"
#include "plain/peer_inbox.h"
#include "plain/peer_writer.h"
#include "wire/close.h"

typedef struct peers peers_t;

typedef enum {
    PEER_REGISTERING, /* its broker has not confirmed its name */
    PEER_OPEN,
    PEER_SETTLING, /* takes no more; waits until what it sent is settled */
    PEER_LEAVING,  /* its name goes; what was on its way still comes */
    PEER_FLUSHING, /* gets what it is owed, and reads it; then BYE */
    PEER_GONE,     /* its connection is not its own any more; its name may still be leaving */
} peer_state_t;

typedef struct peer {
    table_item_t item; /* by routing id, until it is GONE */
    peers_t *peers;    /* borrowed */
    uint64_t id;       /* slot in the low 32 bits, generation in the high ones */
    peer_state_t state;
    close_t close_reason; /* why it ends */
    bool registered;      /* its broker may know its name: REGISTER was said and no LEFT has come */
    bool is_lost;         /* ZeroMQ has no such connection */
    bool is_buried;       /* waits to be freed */
    span_t name;          /* in `bytes` */
    door_t door;          /* its route is in `bytes` */
    uplink_t *uplink;     /* to the broker of its name; borrowed */
    link_claim_t claim;   /* of the last confirmation of its name */
    uint64_t since_ms;    /* in this state */
    size_t counted;       /* bytes of memory, as the actor counted them last */
    list_node_t dirty;    /* in the actor's list of peers to flush, or of those to free */
    list_node_t timed;    /* in the actor's list of logins */
    list_node_t waiting;  /* for a paused name, or for room on a link */
    party_t party;        /* what it has sent, and its groups, services and requests */
    peer_inbox_t inbox;
    peer_writer_t writer;
    char bytes[];
} peer_t;

/* A LOGIN came by that route, which nobody else has: asks for the name. */
peer_t *peer_come(peers_t *peers, span_t route, const verb_t *login);
void peer_free(peer_t *self);

static inline bool peer_was_confirmed(const peer_t *self)
{
    return self->claim.term > 0;
}

/* Tells the program something, unless it has gone; or an ERROR, with those of up to 3 arguments that are not empty. */
void peer_say(peer_t *self, const span_t *frames, size_t count);
void peer_error(peer_t *self, int error, const span_t *arguments, size_t count);

/* Its login fails for that reason. */
void peer_fail(peer_t *self, int error, span_t argument);

/* What the broker says of its name. */
void peer_confirm(peer_t *self, link_claim_t claim);
void peer_deny(peer_t *self, int error);
void peer_left(peer_t *self);

/* It takes no more, and waits until all that it sent is settled; then it leaves. */
void peer_settle_down(peer_t *self);
void peer_leave(peer_t *self);

/* A new link to its broker is up: states it anew. If the node was given_up, what it has taken is not told of any more.
 */
void peer_restate(peer_t *self, bool given_up);

/* Its broker knows no name of this node any more. */
void peer_unlink(peer_t *self);

/* Its connection is lost, or it is cut off: lets its name go and ends its copies for that reason. */
void peer_cut(peer_t *self, close_t reason);

/* Sees whether its connection is there; cuts it if not. */
void peer_probe(peer_t *self);

/* For the drain: tells it that, and forgets what still waits; writes `INFO accepted N` behind what is owed, then BYE;
 * ends, at a deadline, the copies that it has not read; and says BYE whatever it has read. */
void peer_stop(peer_t *self);
void peer_finish(peer_t *self);
void peer_trim(peer_t *self);
void peer_dismiss(peer_t *self);

/* Hands over what may go and does what follows from it; once a turn for peers that something happened to. */
void peer_flush(peer_t *self);

/* Looks for silence. */
void peer_tick(peer_t *self);

#endif
