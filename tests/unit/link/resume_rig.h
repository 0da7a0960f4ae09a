/* SPDX-License-Identifier: MPL-2.0 */
/* resume_rig: what tests of links that are lost and made anew share: a node that broker and node know, and the ways in
 * which a broker welcomes again. */
#ifndef FERRY_TESTS_RESUME_RIG_H
#define FERRY_TESTS_RESUME_RIG_H

#include "link_rig.h"

enum { ORIGIN = 2, NODE = 9 };

/* A body is sent in a turn of its own. */
static inline void send_batch(uint64_t session, const char *recipients, uint64_t number)
{
    rig_send(session, recipients, "text");
    router_expect_number(&rig.router, RECORD_MESSAGE, number);
}

static inline void put_notice(int error, bool taken, uint64_t report, uint64_t number, const char *name)
{
    int reason = error != FERRY_ERROR_UNCONFIRMED ? 0 : taken ? FERRY_REASON_GATEWAY_LOST : FERRY_REASON_BROKER_LOST;
    router_put_notice(&rig.router, &(body_notice_t){.error = (uint16_t)error,
                                       .reason = (uint16_t)reason,
                                       .taken = taken,
                                       .number = number,
                                       .session = 1,
                                       .report = report,
                                       .name = span_str(name)});
}

static inline void put_copy(bool again, uint64_t number, const char *text)
{
    router_put_run_of(&rig.router, &(body_run_t){.handle = ORIGIN, .floor = 1, .again = again});
    router_put_copy(&rig.router, number, &(uint64_t){5}, 1, "eve", text);
}

/* What the broker sent is read. */
static inline void flush_and_barrier(void)
{
    router_put_session(&rig.router, RECORD_CONFIRMED, 777);
    router_flush(&rig.router);
    rig_wait("confirmed:777 ");
}

/* The link is lost, and the same broker has taken the node's first `acknowledged` batches. */
static inline void resume_behind(uint64_t acknowledged)
{
    rig_break(true);
    router_hello(&rig.router);
    router_put_resumed(&rig.router, acknowledged);
    router_put_empty(&rig.router, RECORD_SETTLED);
    router_flush(&rig.router);
}

/* The link is lost, and begun anew: by another instance, or by the same one, which has given the node up. */
static inline void begin_anew(bool given_up)
{
    rig_break(given_up);
    router_welcome(&rig.router);
}

/* The same when there is nothing to be sent again. */
static inline void join_anew(void)
{
    begin_anew(false);
    router_expect(&rig.router, RECORD_REGISTERED);
}

#endif
