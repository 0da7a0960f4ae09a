/* SPDX-License-Identifier: MPL-2.0 */
/* crowd: many clients at once, driven by one epoll loop in the test's thread. Members send numbered messages to each
 * other as fast as TCP takes them and read at the rate that they are given; what became of every message is kept
 * account of.
 *
 *     crowd_t *crowd = crowd_new("load", 100);
 *     unsigned to = crowd_join(crowd, &(crowd_member_t){.endpoint = gateway, .read_rate = 20000});
 *     unsigned from = crowd_join(crowd, &(crowd_member_t){.endpoint = gateway, .line_count = 1000, .text_size = 100});
 *     crowd_address(crowd, from, to);
 *     crowd_login(crowd, 100, 10000);
 *     crowd_start(crowd);
 *     crowd_run(crowd, crowd_is_settled, NULL, 60000);
 *     crowd_check(crowd);
 *
 * Functions that wait fail the running cmocka test, with the totals, when the deadline passes. The test's thread. */
#ifndef FERRY_TESTS_CROWD_H
#define FERRY_TESTS_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/pace.h"

#define CROWD_ENDLESS UINT64_MAX /* a line count: until crowd_stop */

typedef struct crowd crowd_t;

typedef struct {
    const char *endpoint; /* as ferryd logs it; borrowed as long as the crowd lives */
    uint64_t line_count;  /* messages that it sends; 0 for a pure reader */
    uint32_t text_size;   /* bytes of a message's text, at least the 10 of its number, at most 16,000 */
    uint32_t read_rate;   /* bytes per second once logged in; PACE_FREE, PACE_NEVER */
    uint32_t write_rate;  /* the same for what it sends */
    int receive_buffer;   /* socket buffers in bytes, 0 for the system's */
    int send_buffer;
    unsigned group; /* one bit or none, as the test likes, for crowd_watch.h */
    bool returns;   /* connects again when its connection ends, and goes on behind what was accepted */
} crowd_member_t;

typedef struct {
    uint64_t sent;     /* messages that were completely written, again ones included */
    uint64_t accepted; /* messages, by what each sender was told at its end; all that it sent while it is still there */
    uint64_t received; /* copies */
    uint64_t ended;    /* copies received, refused, returned or unconfirmed */
    uint64_t corrupt;  /* lines that have no place where they were read */
    unsigned members;  /* all */
    unsigned connected; /* logged in now */
    unsigned told;      /* connections that read `info accepted N` */
    unsigned draining;  /* connections that read `info draining` */
    unsigned eofs;      /* connections that ended in order */
    unsigned untold;    /* of these, without `info accepted N`, though the member had not asked for its end */
    unsigned resets;    /* connections that ended otherwise */
    unsigned refusals;  /* logins that failed and are tried again, by members that return */
} crowd_totals_t;

/* Members are called "PREFIX-0", "PREFIX-1"… in the order in which they join, `member_max` at most. */
crowd_t *crowd_new(const char *prefix, unsigned member_max);
void crowd_destroy(crowd_t **self_p);

/* Destroys every crowd that is left. */
void crowd_destroy_all(void);

/* Adds a member that is not connected yet; the description is copied. Returns its number. */
unsigned crowd_join(crowd_t *self, const crowd_member_t *member);

/* Adds one to the recipients of each of `from`'s messages; before crowd_start, and at most 64. */
void crowd_address(crowd_t *self, unsigned from, unsigned to);

/* Each of `from`'s messages goes to a group of its recipients, who join it as they log in: what one of them misses
 * while it is not connected is none of its account. Before they log in, and before crowd_start. */
void crowd_gather(crowd_t *self, unsigned from);

/* Connects all that are not and waits until each has logged in, at most `at_once` of them under way at a time. A login
 * that is refused fails the test, unless the member returns. */
void crowd_login(crowd_t *self, unsigned at_once, unsigned timeout_ms);

/* Senders begin to send in the next crowd_run. */
void crowd_start(crowd_t *self);

/* Gateways may be killed: the end of file that answers a member's own end does not prove that all it wrote was
 * accepted. */
void crowd_beware(crowd_t *self);

/* Senders send nothing more but the rest of a line that they have begun. */
void crowd_stop(crowd_t *self);

/* Everybody shuts its writing side, once what it has begun is written. */
void crowd_half_close(crowd_t *self);

/* One member shuts its writing side, as crowd_half_close does; one that is gone connects again and, if it still had
 * messages to send, goes on behind those that were accepted. */
void crowd_leave(crowd_t *self, unsigned member);
void crowd_rejoin(crowd_t *self, unsigned member);
bool crowd_is_gone(const crowd_t *self, unsigned member);

/* The next time that the member connects, it does so there; the text is borrowed as long as the crowd lives. */
void crowd_move(crowd_t *self, unsigned member, const char *endpoint);

/* The member's connection, if it has one, is gone from one moment to the next, for the gateway with a reset or
 * silently. Whether what it had written was accepted is not known then; a member that returns goes on behind it. With a
 * reset, also the connection on which it has vanished silently before is gone for the gateway, too. */
void crowd_vanish(crowd_t *self, unsigned member, bool silently);

/* Bytes per second from now on. */
void crowd_set_read_rate(crowd_t *self, unsigned member, uint32_t read_rate);
void crowd_set_write_rate(crowd_t *self, unsigned member, uint32_t write_rate);

/* Runs the members until the condition holds. `until` is asked after every turn of the loop, some 10 ms apart at most.
 */
typedef bool crowd_until_fn(crowd_t *self, void *arg);
void crowd_run(crowd_t *self, crowd_until_fn *until, void *arg, unsigned timeout_ms);

/* Conditions: every connection has ended; every sender is done and every copy of what it sent (or was told to be
 * accepted) has ended; at least *(uint64_t *)arg copies were received; the process_t `arg` has ended; everybody is
 * logged in. */
crowd_until_fn crowd_is_over;
crowd_until_fn crowd_is_settled;
crowd_until_fn crowd_has_received;
crowd_until_fn crowd_process_ended;
crowd_until_fn crowd_is_in;

/* How many copies the member has received, and whether it has sent all of its lines. */
uint64_t crowd_received_by(const crowd_t *self, unsigned member);
bool crowd_has_sent(const crowd_t *self, unsigned member);

crowd_totals_t crowd_totals(const crowd_t *self);

/* Fails the test unless nobody saw a reset, a corrupt line or an end without `info accepted N`, and every accepted
 * message ended once at each recipient, in order (see account_fault). */
void crowd_check(const crowd_t *self);

#endif
