/* SPDX-License-Identifier: MPL-2.0 */
/* custody: what a node has accepted and is answerable for, by message number (proto/link.md, sections 4, 6 and 9). It
 * keeps each body, the very buffer that ZeroMQ sends, until every message in it is taken, to send it again on another
 * link, and each message until it is settled: taken, and no copy of it held by its recipient's node. Owned by the
 * link's thread.
 *
 *     accepted ──custody_accept──▶ open ──custody_taken──▶ taken ──(held copies: custody_ended)──▶ settled, forgotten
 */
#ifndef FERRY_LINK_CUSTODY_H
#define FERRY_LINK_CUSTODY_H

#include <zmq.h>

#include "base/ledger.h"
#include "wire/body.h"

#define CUSTODY_NUMBERS_MAX                                                                                            \
    (1u << 21) /* between the oldest message not taken and the newest; 24 bytes of memory each */

typedef struct custody custody_t;

/* Those `count` messages from `number` on, all of that sender's session, are settled. Called once for each message,
 * with as many as are settled at a time. Reports are not messages. */
typedef void(custody_settled_fn)(void *arg, uint64_t session, uint64_t number, uint32_t count);

/* `ledger` is borrowed and gets accepted, handed_over, shared, refused and unconfirmed. */
custody_t *custody_new(ledger_t *ledger, custody_settled_fn *on_settled, void *arg);
void custody_destroy(custody_t **self_p);

/* Accepts a message of that size with so many copies, some of them to groups, and gives it the next number. */
void custody_accept(custody_t *self, uint64_t session, uint32_t size, unsigned copies, unsigned groups);

/* Numbers a report; it has no copies and is never settled, and its size is not open. */
void custody_accept_report(custody_t *self);

/* Keeps a body with the next `count` of the numbers that were given. Takes the message. */
void custody_keep(custody_t *self, uint32_t count, zmq_msg_t *body);

/* The kept bodies that were sent. */
size_t custody_sent_count(const custody_t *self);

/* The kept bodies that wait to be sent; the first of them, sharing its content, which counts as sent from then on. */
size_t custody_unsent_count(const custody_t *self);
void custody_send_next(custody_t *self, zmq_msg_t *body);

/* Whether what a notice tells is news. A copy of an open message has ended then, and is not sent again; if it was
 * refused by its broker it is counted in the ledger and taken off the message. Not news is what was told before, and a
 * refusal of a message that is not open. */
bool custody_note(custody_t *self, const body_notice_t *notice);

/* The sender's session of a message that is not settled; false if that number is none. */
bool custody_session(const custody_t *self, uint64_t number, uint64_t *session);

/* What TAKEN, WAITS, HELD and ENDED records say. Numbers that are not known are passed over: they may be of an earlier
 * link.
 */
void custody_taken(custody_t *self, const control_t *record);
void custody_waits(custody_t *self, uint64_t number);
void custody_held(custody_t *self, const control_numbers_t *numbers, bool again);
void custody_ended(custody_t *self, const control_numbers_t *numbers);

/* The same copies are held, or not any more, by a node that lives and dies with the broker: for that name. */
void custody_lent(custody_t *self, const control_numbers_t *numbers, span_t name);
void custody_repaid(custody_t *self, const control_numbers_t *numbers, span_t name);

/* The broker is another instance: what was lent of messages that are taken is unconfirmed, and so counted, and told to
 * `tell`, once for each copy. What is not taken is sent again. */
void custody_call_in(custody_t *self, void (*tell)(void *arg, const body_notice_t *notice), void *arg);

/* A new link is up; before anything else is said of it. Until custody_settled nothing counts as settled; then what was
 * not HELD `again` since has ended. */
void custody_unsettle(custody_t *self);
void custody_settled(custody_t *self);

/* The link is resumed: the last `count` bodies that were sent are to be sent again as they are. */
void custody_resume(custody_t *self, uint64_t count);

/* The link is fresh: everything that was sent and is not wholly taken is to be sent again, less what has ended. What
 * the ledger of the broker had counted is counted here if that ledger was lost with it. */
typedef enum {
    CUSTODY_NEW_BROKER, /* another instance */
    CUSTODY_GIVEN_UP,   /* the same instance, which has told the end of all that had not ended: reports of that end here
                         */
} custody_anew_t;
void custody_begin_anew(custody_t *self, custody_anew_t why);

/* Whether the body that custody_send_next gives next is to be sent as `again`, since the link that it was sent on
 * before was not resumed. */
bool custody_next_is_again(const custody_t *self);

/* Whether a number below the next is taken. `self` is the custody, for who calls back. */
bool custody_is_taken(const void *self, uint64_t number);

uint64_t custody_next_number(const custody_t *self);
uint64_t custody_kept_first(const custody_t *self); /* the first number of the kept bodies, or the next number */
uint64_t custody_sent_end(const custody_t *self);   /* the lowest number that was not sent, or the next number */
uint64_t custody_floor(const custody_t *self);      /* the lowest number not known to be taken, or the next number */
size_t custody_open_size(const custody_t *self);    /* bytes of messages not taken, nor waiting for services */
size_t custody_kept_size(const custody_t *self);    /* bytes of bodies that are kept */
size_t custody_memory(const custody_t *self);       /* bytes that it holds */
bool custody_is_crowded(const custody_t *self);     /* CUSTODY_NUMBERS_MAX is reached */
bool custody_is_clear(const custody_t *self);       /* nothing that was sent is open */
bool custody_is_settled(const custody_t *self);     /* nothing that was accepted is open, or held */
bool custody_is_settled_below(const custody_t *self, uint64_t number); /* but for what is open from that number on */
uint64_t custody_open_copies(const custody_t *self);                   /* walks: for the ledger's pending */

#endif
