/* SPDX-License-Identifier: MPL-2.0 */
/* crowd_member: one client of a crowd: its connection, what it still has to send and how fast it may read. Embedded in
 * the crowd, whose loop calls it; nobody but the crowd's files includes this. */
#ifndef FERRY_TESTS_CROWD_MEMBER_H
#define FERRY_TESTS_CROWD_MEMBER_H

#include <stddef.h>

#include "lib/account.h"
#include "lib/crowd.h"
#include "lib/line_buffer.h"
#include "lib/pace.h"

#define MEMBER_RECIPIENTS_MAX 64
#define MEMBER_NUMBER_SIZE    10 /* digits of a message's number, with which its text begins */

typedef struct member member_t;

/* What all members of a crowd share. */
typedef struct {
    const char *prefix;
    int epoll_fd;
    bool sending; /* crowd_start was called */
    bool wary;    /* crowd_beware was called */
    account_t *account;
    member_t *members;
    unsigned member_count;
    char *scratch;         /* MEMBER_READ_SIZE bytes to read into */
    crowd_totals_t totals; /* only what no single member knows is counted here: corrupt and everything from told on */
    char complaint[200];   /* the first line that was corrupt */
} crowd_ground_t;

#define MEMBER_READ_SIZE 65536

/*     AWAY ──▶ CONNECTING ──▶ GREETING ──▶ IN ──▶ GONE
 *      ▲            │             │         │
 *      └────────────┴─────────────┴─────────┘ members that return */
typedef enum { MEMBER_AWAY, MEMBER_CONNECTING, MEMBER_GREETING, MEMBER_IN, MEMBER_GONE } member_state_t;

struct member {
    crowd_ground_t *ground; /* borrowed, as long as the crowd lives */
    unsigned number;
    crowd_member_t description;
    member_state_t state;
    int64_t away_until_ms; /* AWAY: not to connect before */
    unsigned attempts;     /* logins that failed in a row, up to a bound */
    int fd;
    int ghost_fd;         /* the connection on which the member vanished silently, or -1 */
    unsigned cuts;        /* times that its connection ended without its asking */
    unsigned heard;       /* copies received since the last crowd_listen */
    uint64_t sent_before; /* messages completely written before it */
    bool is_heard;        /* somebody received one that was not */
    int64_t heard_ms;     /* when it received its last copy, or first logged in */
    int64_t pause_ms;     /* the longest time between two copies since the last crowd_mark */
    uint32_t events;      /* what epoll waits for; 0: not in the set */
    pace_t read_pace;
    pace_t write_pace;
    bool lags;           /* it did not read freely on this connection, and may be closed within a line for that */
    line_buffer_t input; /* empty, and without memory, between lines */
    int error;           /* errno of a send that failed: the connection is lost though it may read as ended */
    bool closing;        /* to shut the writing side when what was begun is written */
    bool shut;           /* done so */
    bool told;           /* `info accepted N` was read on this connection */
    uint64_t told_lines; /* that N */
    unsigned recipients[MEMBER_RECIPIENTS_MAX];
    unsigned recipient_count;
    bool gathers; /* it writes to a group of them, `#PREFIX-NUMBER` with its own number */
    unsigned
        greeting_lines; /* the /ping and the /joins, of this connection: the only lines besides messages that count */
    unsigned greetings; /* of these that are not answered yet */
    char *line;         /* one message with its end, whose number is written over each time */
    size_t line_size;   /* bytes of it, the same for every number */
    size_t number_at;   /* where its number stands */
    char *output;       /* whole lines that are to be sent */
    size_t output_at;   /* up to where they are sent */
    size_t output_size;
    uint64_t limit;   /* the number of the last message to send */
    uint64_t base;    /* messages that were accepted on connections before this one */
    uint64_t written; /* bytes of messages written on this one */
    uint64_t sent;    /* messages completely written on connections before this one */
};

/* What the members of a crowd share; the crowd's. */
crowd_ground_t *crowd_ground(crowd_t *self);

void member_init(member_t *self, crowd_ground_t *ground, unsigned number, const crowd_member_t *description);
void member_fini(member_t *self);

/* AWAY: begins to connect. */
void member_connect(member_t *self, int64_t now_ms);

/* Does what epoll says is possible. */
void member_on_ready(member_t *self, uint32_t events, int64_t now_ms);

/* Tells epoll what the member waits for now: after the clock has moved, or anything else has changed. */
void member_update(member_t *self, int64_t now_ms);

/* Sends no message but the rest of one that is begun. */
void member_stop(member_t *self);

/* The same, and then shuts the writing side; the member does not return any more. */
void member_half_close(member_t *self, int64_t now_ms);

/* GONE: becomes AWAY, with its line count as at first. */
void member_return(member_t *self);

/* IN: the connection is gone from one moment to the next, for the gateway with a reset, or silently: it hears nothing
 * more. What the member's kernel has acknowledged it still reads before. A reset is also the end of a connection on
 * which it has vanished silently before, in any state. */
void member_vanish(member_t *self, bool silently, int64_t now_ms);

/* What the lines that it reads make of a member (crowd_line.c): a line of its greeting is answered, the last of which
 * is its login, or its login failed for this reason; it received a copy; it read what it cannot explain. */
void member_on_greeting(member_t *self, int64_t now_ms);
void member_fail_login(member_t *self, const char *why, int64_t now_ms);
void member_hear(member_t *self, int64_t now_ms);
void member_complain(member_t *self, const char *what, const char *line);

/* Messages completely written; messages accepted (see crowd_totals_t); nothing more to send. */
uint64_t member_sent(const member_t *self);
uint64_t member_accepted(const member_t *self);
bool member_is_done(const member_t *self);

#endif
