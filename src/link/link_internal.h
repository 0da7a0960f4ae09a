/* SPDX-License-Identifier: MPL-2.0 */
/* link_internal: the link's state, shared by its three files: link.c (lifecycle), link_in.c (what comes), link_out.c
 * (what goes). Nobody else includes this. */
#ifndef FERRY_LINK_LINK_INTERNAL_H
#define FERRY_LINK_LINK_INTERNAL_H

#include "link/custody.h"
#include "link/link.h"
#include "link/monitor.h"

struct link {
    link_options_t options;
    const link_owner_t *callbacks;
    void *owner;
    reactor_t *reactor;
    link_state_t state;
    uv_timer_t *timer;         /* back-off in DOWN, else a tick; freed by its close callback */
    uv_timer_t *acknowledging; /* runs while an acknowledgement waits for company; likewise */
    void *dealer;              /* NULL in DOWN and CLOSED */
    watch_t *watch;
    monitor_t *monitor; /* while CONNECTING */

    uint32_t epoch;
    uint32_t backoff_ms;
    uint64_t opened_ms; /* when the present state's wait began */
    uint64_t heard_ms;  /* when this node said what the broker is known to have
                           heard last: it keeps the node for a timeout since */
    uint64_t spoke_ms;
    uint64_t heard_before_ms; /* heard_ms of the link before */
    uint32_t doubts;          /* times that the broker may have given this node up */
    uint64_t lost_ms;         /* when the last link that was up was lost, or 0 */
    uint32_t batch_size;      /* where a batch is closed */
    uint32_t window_size, largest_size, heartbeat_ms, timeout_ms; /* of WELCOME; the largest batch that may be */
    link_id_t instance;                                           /* of the broker, of the last WELCOME */
    uint64_t term;                                                /* the highest that was seen */

    uint64_t sent;              /* sequence of the last batch that was sent to that instance */
    uint64_t received;          /* sequence of the last batch of that instance that was taken */
    uint64_t acknowledged;      /* the last sequence that was acknowledged on this link */
    size_t unacknowledged_size; /* bytes of the bodies that came since */
    bool acknowledge_now;       /* somebody waits for that acknowledgement */
    bool broker_drains, drained_told;
    bool bye_heard;  /* answered, the link ends when that is sent */
    close_t loss;    /* why the last DEALER was closed */
    close_t loss_up; /* why the last one that was up was */
    bool stop_wanted, leave_wanted, part_wanted;
    bool room_wanted;
    size_t limit; /* of open bytes, beside the window */

    custody_t *custody;
    origins_t origins;
    buffer_t body; /* records of the batch that is being made */
    uint32_t body_count;
    size_t body_whole_size; /* of the body if each MORE were the message that it stands for */
    struct {
        bool is_message; /* and then of this session, with these flags, to these encoded recipients: */
        unsigned flags, recipient_count, group_count;
        uint64_t session;
        size_t head_size;            /* of a MESSAGE without its text */
        size_t names_at, names_size; /* in body */
    } last;                          /* the record that body ends with */
    size_t body_size_last;           /* of the last batch: where the next one's memory starts */
    buffer_t controls;               /* records for the next header frames */
    size_t hold_at;                  /* where the last HOLD starts in controls, SIZE_MAX if another record follows it */
    control_t hold;                  /* that record, as it began */
    uint64_t hold_last;              /* its last number */
    uint32_t origins_stated;         /* handles that this node has given on this link */
    uint64_t pause_count;            /* names that are paused at the moment */
    uint64_t batches_sent, batches_received, links_lost;
};

/* Moves to another state, which must be an allowed move, and tells the owner. */
void link_move(link_t *self, link_state_t state);

/* The DEALER is lost for that reason: closes it, and begins the back-off. What was open stays so. */
void link_lose(link_t *self, close_t reason, span_t detail);

/* Everything is said, or nothing more can be: the DEALER is closed for good. */
void link_close(link_t *self);

/* Ticks as often as the heartbeat of WELCOME asks for. */
void link_keep_time(link_t *self);

/* Handles one ZeroMQ message, whose frames are borrowed; `body` is NULL when it has none. May lose the link. */
void link_receive(link_t *self, zmq_msg_t *header, zmq_msg_t *body);

/* Sends HELLO. */
void link_greet(link_t *self);

/* The stamp of what is said now: the reactor's clock, but never 0. */
uint32_t link_stamp(const link_t *self);

/* Whether the broker may have given this node up if it has heard nothing that was said since. */
bool link_was_silent(const link_t *self, uint64_t since_ms);

/* Closes the batch that is being made, if there is one, and gives it to custody. */
void link_seal(link_t *self);

/* Says everything that was put since WELCOME, then all batches that wait, and then REGISTERED. */
void link_registered(link_t *self);

/* Says LEAVE. */
void link_say_leave(link_t *self);

/* Appends a control record to the next header frame. */
void link_control(link_t *self, const control_t *record);
void link_control_empty(link_t *self, record_type_t type);

#endif
