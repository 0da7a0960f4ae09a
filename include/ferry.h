/* SPDX-License-Identifier: MPL-2.0 */
/* ferry: FerryMQ's client library. A ferry_t is one name at the brokers: it logs in, sends messages to other names, to
 * groups and to services, and receives what others send, whether these are programs of this library, ZeroMQ programs,
 * or clients of the line protocol.
 *
 *     ferry_t *ferry = ferry_new ("alice", "tcp://127.0.0.1:7410");
 *     if (ferry && ferry_login (ferry, 5000) == 0) {
 *         ferry_send (ferry, "bob, carol", "hello", 5, 1000);
 *         ferry_msg_t *msg = ferry_recv (ferry, -1);
 *         ...
 *         ferry_msg_destroy (&msg);
 *     }
 *     ferry_destroy (&ferry, 5000);
 *
 * What ferry_send accepted is kept by the library until it has ended at every recipient: a broker that is stopped,
 * killed, replaced or cut off is a pause, after which everything goes on, without loss, in order, and nothing twice.
 *
 * Threads. Each ferry_t has a thread of its own, which does the work, and on which none of the program's code runs. Any
 * number of ferry_t may be used by any threads, but one of them by one thread at a time. The functions that block say
 * so, and return early with FERRY_E_INTERRUPTED when a signal handler of the program has run in their thread.
 *
 * Times are in milliseconds; as a timeout 0 does not wait, and -1 waits for ever. Sizes are in bytes. Texts are UTF-8
 * and end with NUL.
 *
 * The library installs no signal handler, and writes nothing unless the environment variable FERRY_LOG is debug, info,
 * warning or error: then its log goes to standard error. It uses czmq, whose process-wide context the first ferry_new
 * makes unless the program has; a program that wants czmq's own handling of SIGINT calls zsys_init () before that. Out
 * of memory aborts, as in czmq. After fork (2) a ferry_t is of no use in the child. */
#ifndef FERRY_H
#define FERRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FERRY_VERSION_MAJOR 0
#define FERRY_VERSION_MINOR 1
#define FERRY_VERSION_PATCH 0

#define FERRY_NAME_MAX       255  /* bytes of a name; gateways allow their clients 64, unless configured otherwise */
#define FERRY_RECIPIENTS_MAX 1024 /* of a message */

#define FERRY_EXPORT __attribute__((visibility("default")))

typedef struct ferry ferry_t;
typedef struct ferry_msg ferry_msg_t;

/* What went wrong. Functions return a code's negative; ferry_msg_error returns a code. Those below 64 have the numbers,
 * and ferry_code the words, of the line protocol's errors. */
enum {
    FERRY_E_BAD_NAME = 2,             /* that is not a name */
    FERRY_E_NAME_TAKEN = 3,           /* somebody else is logged in under this name */
    FERRY_E_TOO_LARGE = 11,           /* the message is larger than the brokers take (their link/batch) */
    FERRY_E_NO_RECIPIENT = 12,        /* nobody is named */
    FERRY_E_TOO_MANY_RECIPIENTS = 13, /* more than FERRY_RECIPIENTS_MAX */
    FERRY_E_NO_SUCH_PEER = 14,        /* nobody is logged in under the recipient's name */
    FERRY_E_UNDELIVERED = 16,         /* the message was accepted and not delivered; the reason says why */
    FERRY_E_UNCONFIRMED = 17,         /* whether it was delivered cannot be known; the reason says why */
    FERRY_E_NO_SUCH_JOB = 26,         /* there is no such job, or not any more */
    FERRY_E_TIMEOUT = 64,             /* it did not come about in that time; of a request: no answer came */
    FERRY_E_INTERRUPTED = 65,         /* by a signal */
    FERRY_E_NOT_LOGGED_IN = 66,       /* ferry_login has not succeeded */
    FERRY_E_INVALID = 67,             /* an argument is out of its bounds, or comes too late */
};

/* The sentence for a code or its negative, for people. Static. */
FERRY_EXPORT const char *ferry_strerror(int code);

/* The word for a code or its negative, for programs and logs: "name-taken". Static. */
FERRY_EXPORT const char *ferry_code(int code);

/* Makes a ferry_t for that name, which is not logged in yet. `brokers` is "tcp://127.0.0.1:7410" where there is one
 * broker that is called main; in general the list that the gateways have, in any order, each broker with its name:
 * "east=tcp://10.0.0.1:7410,west=tcp://10.0.0.2:7410". Does not block. Returns NULL with errno EINVAL if one of these
 * is none, or another errno if the process has no descriptors, or ZeroMQ no sockets, left. The caller owns the result.
 */
FERRY_EXPORT ferry_t *ferry_new(const char *name, const char *brokers);

/* Takes leave and frees; sets *self_p to NULL, which it may be before. Blocks for `deadline_ms` at most: waits until
 * every message is settled, returns to their senders the messages that were not received (they are told
 * `undelivered NAME gone`), and lets the name go. With 0 all of this is left out: the senders will be told that their
 * messages are unconfirmed, and the name is free when the broker notices. A signal does not end it early.
 *
 * Returns how many messages were not settled: each of them may, or may not, reach its recipients. */
FERRY_EXPORT int ferry_destroy(ferry_t **self_p, int deadline_ms);

/* How much may wait for ferry_recv, 256 KiB and 64 KiB if not set: at `high` bytes the senders to this name, and this
 * name's own messages, begin to wait, and at `low` they go on. Before ferry_login; does not block. Returns 0, or
 * -FERRY_E_INVALID unless high is at least 1024 and above low, and this comes in time. */
FERRY_EXPORT int ferry_set_marks(ferry_t *self, size_t high, size_t low);

/* How many bytes of messages may wait for their way to the brokers before ferry_send blocks, 256 KiB if not set; what
 * is under way comes on top. One message may always wait. Does not block. */
FERRY_EXPORT void ferry_set_queue(ferry_t *self, size_t size);

/* Whether ferry_recv tells of each message that it is settled (FERRY_SETTLED). It does not if this is not set. Before
 * ferry_login; does not block. Returns 0, or -FERRY_E_INVALID if that is over. */
FERRY_EXPORT int ferry_set_settled(ferry_t *self, bool tell);

/* Logs in. Blocks until the name is confirmed; brokers that cannot be reached are tried again and again. Returns 0, or
 * -FERRY_E_NAME_TAKEN, -FERRY_E_TIMEOUT or -FERRY_E_INTERRUPTED; it may be called again after each of these. */
FERRY_EXPORT int ferry_login(ferry_t *self, int timeout_ms);

/* Sends a message: `recipients` is "bob" or "bob, carol", `data` any bytes, which are copied. A client of the line
 * protocol gets what is a line: UTF-8 without control bytes other than tab, of 64 KiB at most; anything else is
 * returned with FERRY_E_UNDELIVERED and the reason not-a-line.
 *
 * Blocks while the queue (ferry_set_queue) is full: because brokers are away, because the window of the link is full,
 * because a recipient of a message in the queue is slow, or because more than the high mark of messages and events
 * waits for ferry_recv. N.B. so a program that sends and never receives may come to wait for itself, once many of its
 * messages have failed.
 *
 * Returns the message's number, from 1 and rising by one, once it is accepted; then it is settled sooner or later, and
 * what went wrong comes as FERRY_FAILURE. Or returns, and the message is not sent, -FERRY_E_BAD_NAME,
 * -FERRY_E_NO_RECIPIENT, -FERRY_E_TOO_MANY_RECIPIENTS, -FERRY_E_TOO_LARGE, -FERRY_E_TIMEOUT, -FERRY_E_INTERRUPTED,
 * -FERRY_E_NOT_LOGGED_IN, -FERRY_E_INVALID without recipients or data, or -FERRY_E_NAME_TAKEN if the name was lost
 * (FERRY_CLOSED).
 *
 * Recipients may also be groups, "#room", whose members but the sender each get the message; and services, "@mill", of
 * whose programs one gets it, and ends it. */
FERRY_EXPORT int64_t ferry_send(ferry_t *self, const char *recipients, const void *data, size_t size, int timeout_ms);

/* The same with a receipt: when all copies are delivered, FERRY_RECEIPT says so; if one was not, its FERRY_FAILURE
 * comes instead. To have been delivered is to have been received by a program, acknowledged by the kernel of a client
 * of the line protocol, or done as a job. */
FERRY_EXPORT int64_t ferry_send_receipt(
    ferry_t *self, const char *recipients, const void *data, size_t size, int timeout_ms);

/* Joins a group, "#room", and blocks until the program is a member of all that it has joined, which waits for brokers
 * that cannot be reached. What others send from then on comes as FERRY_MESSAGE, with ferry_msg_group. A restart of a
 * broker, orderly or not, takes nobody out of a group. N.B. a member that does not receive makes those wait that send
 * to the group. Returns 0, or -FERRY_E_BAD_NAME, -FERRY_E_NOT_LOGGED_IN, -FERRY_E_NAME_TAKEN; or -FERRY_E_TIMEOUT or
 * -FERRY_E_INTERRUPTED, after which it is joined as soon as that can be. */
FERRY_EXPORT int ferry_join(ferry_t *self, const char *group, int timeout_ms);

/* Leaves a group, in which the program need not be. What has come until then is received all the same. Does not block.
 * Returns 0, -FERRY_E_BAD_NAME or -FERRY_E_NOT_LOGGED_IN. */
FERRY_EXPORT int ferry_leave(ferry_t *self, const char *group);

/* Serves a service, "@mill": what is sent to it goes to one of the programs that serve it, as FERRY_JOB, of which a
 * program has `credit` at once, 1 to 10000, and ends each with ferry_done or ferry_reply. What a program has not ended
 * when it is gone, or destroys its ferry_t, is given to another; so work should bear being done twice. To serve a
 * service again is to change the credit. Blocks and returns as ferry_join does; -FERRY_E_INVALID for another credit. */
FERRY_EXPORT int ferry_serve(ferry_t *self, const char *service, int credit, int timeout_ms);

/* Serves it no more; jobs that the program has go on. Does not block. Returns as ferry_leave does. */
FERRY_EXPORT int ferry_unserve(ferry_t *self, const char *service);

/* The job is done. Does not block. It ends behind all that was sent before: should that be lost with the program, the
 * job is given to another. Returns 0, -FERRY_E_NO_SUCH_JOB or -FERRY_E_NOT_LOGGED_IN. */
FERRY_EXPORT int ferry_done(ferry_t *self, int64_t job);

/* The job is done, and this is the answer, which goes to who has asked, if it was a request; else it is dropped. Blocks
 * and returns as ferry_send does, with a message number of its own: an answer that comes too late is returned,
 * FERRY_E_UNDELIVERED with the reason expired. Or returns -FERRY_E_NO_SUCH_JOB. */
FERRY_EXPORT int64_t ferry_reply(ferry_t *self, int64_t job, const void *data, size_t size, int timeout_ms);

/* Asks a service. Blocks and returns as ferry_send does; within `answer_ms`, 1 to an hour (3,600,000), comes
 * FERRY_REPLY with that number and the answer, or else FERRY_FAILURE, with FERRY_E_TIMEOUT if nobody has answered in
 * that time. -FERRY_E_INVALID for another time. */
FERRY_EXPORT int64_t ferry_request(
    ferry_t *self, const char *service, const void *data, size_t size, int answer_ms, int timeout_ms);

/* Blocks until every message that was sent is settled: each of its recipients has received it, or the sender was told
 * (FERRY_FAILURE) that it did not. N.B. that may depend on slow recipients; and FERRY_FAILURE waits for ferry_recv.
 * Returns 0, -FERRY_E_TIMEOUT or -FERRY_E_INTERRUPTED. */
FERRY_EXPORT int ferry_settle(ferry_t *self, int timeout_ms);

/* How many of the messages that were sent are not settled. Does not block. */
FERRY_EXPORT uint64_t ferry_unsettled(ferry_t *self);

/* The next message or event. Blocks until there is one. With this call the message is delivered, as its sender sees it;
 * it never comes a second time. Returns NULL with errno EAGAIN when the time is over, EINTR after a signal, ENOTCONN
 * before the first ferry_login and after FERRY_CLOSED. The caller owns the result. */
FERRY_EXPORT ferry_msg_t *ferry_recv(ferry_t *self, int timeout_ms);

/* A descriptor for poll (2), epoll (7) and event loops: readable while ferry_recv may have something. It stays so until
 * a ferry_recv has returned NULL, so it may be watched for levels or for edges, if then everything is received. Only to
 * be polled; the ferry_t's own. Does not block. */
FERRY_EXPORT int ferry_fd(const ferry_t *self);

/* The same for zpoller_new, zloop and zmq_poll: a socket that is readable while ferry_recv has something. Only to be
 * polled; the ferry_t's own. Does not block. */
FERRY_EXPORT void *ferry_sock(const ferry_t *self);

/* What ferry_recv returns. */
enum {
    FERRY_MESSAGE = 1, /* somebody has sent a message: sender, data, size */
    FERRY_FAILURE = 2, /* a message has not reached a recipient: error, reason, recipient, number */
    FERRY_SETTLED = 3, /* a message is settled: number. All its failures came before; what has none was delivered */
    FERRY_CLOSED = 4,  /* the name was lost: error. It is the last; what was received before it is yours all the same */
    FERRY_JOB = 5,   /* somebody has sent a message to a service that this program serves: sender, service, job, data */
    FERRY_REPLY = 6, /* the answer to a request: number, data, size */
    FERRY_RECEIPT = 7, /* a message with a receipt was delivered to all: number */
};

/* The functions of a ferry_msg_t do not block and do not fail. It belongs to one thread at a time, and may outlive its
 * ferry_t. What they return lives as long as it does. */
FERRY_EXPORT int ferry_msg_kind(const ferry_msg_t *self);

/* Who has sent the message, or the job; "" of everything else. */
FERRY_EXPORT const char *ferry_msg_sender(const ferry_msg_t *self);

/* The group that the message was sent to; "" if it was sent to this name, and of everything else. */
FERRY_EXPORT const char *ferry_msg_group(const ferry_msg_t *self);

/* The service that a job is for, and its number, which is above all before; "" and 0 of everything else. */
FERRY_EXPORT const char *ferry_msg_service(const ferry_msg_t *self);
FERRY_EXPORT int64_t ferry_msg_job(const ferry_msg_t *self);

/* The bytes of the message; a NUL that is not counted stands behind them. Of events none. */
FERRY_EXPORT const void *ferry_msg_data(const ferry_msg_t *self);
FERRY_EXPORT size_t ferry_msg_size(const ferry_msg_t *self);

/* The number of the program's own message that an event is about, as ferry_send returned it; 0 if that is not known any
 * more: a recipient's gateway may find out that what was settled was not delivered. 0 of messages and jobs. */
FERRY_EXPORT int64_t ferry_msg_number(const ferry_msg_t *self);

/* The recipient that a failure is about; "" if it is about all that the message had, and of everything else. */
FERRY_EXPORT const char *ferry_msg_recipient(const ferry_msg_t *self);

/* The code of a failure (FERRY_E_NO_SUCH_PEER, FERRY_E_UNDELIVERED, FERRY_E_UNCONFIRMED, FERRY_E_TOO_LARGE,
 * FERRY_E_TIMEOUT of a request, or FERRY_E_NAME_TAKEN if the name was lost before the message left) or of the end of
 * the name; else 0. */
FERRY_EXPORT int ferry_msg_error(const ferry_msg_t *self);

/* Why, with FERRY_E_UNDELIVERED and FERRY_E_UNCONFIRMED: "gone", "stalled", "drained", "gateway-lost", "broker-lost",
 * "late", "not-a-line", "expired"; else "". Later versions may have others. Static. */
FERRY_EXPORT const char *ferry_msg_reason(const ferry_msg_t *self);

/* Frees; sets *self_p to NULL, which it may be before. */
FERRY_EXPORT void ferry_msg_destroy(ferry_msg_t **self_p);

#ifdef __cplusplus
}
#endif

#endif
