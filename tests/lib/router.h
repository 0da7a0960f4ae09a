/* SPDX-License-Identifier: MPL-2.0 */
/* router: a broker as a test plays it by hand for one node at a time, with a bare ROUTER and the records of the link
 * protocol: nothing is sent, acknowledged or answered by itself. What comes is taken apart and given out record by
 * record. What does not come within DEADLINE_USUAL_MS, or is something else, fails the running cmocka test. The test's
 * thread. */
#ifndef FERRY_TESTS_ROUTER_H
#define FERRY_TESTS_ROUTER_H

#include "base/buffer.h"
#include "wire/body.h"
#include "wire/control.h"
#include "wire/frame.h"

enum { ROUTER_ENDPOINT_SIZE = 128, ROUTER_ID_SIZE_MAX = 255 };

/* A record that has come. Spans are valid until the router is closed. */
typedef struct {
    record_type_t type;
    control_t control;     /* if it is a control record */
    body_record_t record;  /* if it is of a body */
    uint64_t number;       /* of a MESSAGE or REPORT */
    frame_header_t header; /* of the ZeroMQ message that it came in */
    size_t arrival;        /* the place of that message in router_t.headers */
} router_event_t;

typedef struct {
    void *socket;                        /* libzmq's */
    char endpoint[ROUTER_ENDPOINT_SIZE]; /* where nodes connect */
    void (*turn)(void *arg); /* waits a moment for the node, in the test's thread too; NULL: zmq_poll does */
    void *arg;
    uint8_t routing_id[ROUTER_ID_SIZE_MAX]; /* of the node that said HELLO last; others are passed over */
    size_t routing_id_size;
    control_t welcome;       /* what router_welcome says */
    uint64_t serial;         /* of the last name that was confirmed */
    uint64_t first;          /* of the last HELLO */
    frame_header_t header;   /* of what is sent next; the sequence is set by router_flush */
    uint64_t sequence;       /* of the last batch that was sent; goes on when the link is resumed, as do the next two */
    uint64_t received;       /* of the last batch that came */
    uint64_t number;         /* of the last record of it */
    buffer_t ends;           /* uint64_t: the last number of each batch that came, by sequence */
    buffer_t controls, body; /* of what is sent next */
    uint32_t record_count;   /* in body */
    unsigned copy_flags;     /* of the copies that are put next */
    buffer_t events;         /* router_event_t that came and were not given out */
    buffer_t headers;        /* frame_header_t of every ZeroMQ message of the node that came on this link */
    buffer_t frames;         /* zmq_msg_t *: all that came */
} router_t;

/* A ROUTER on that endpoint, where tcp://127.0.0.1:* takes a free port below 32768. */
void router_open(router_t *self, const char *endpoint);
void router_close(router_t *self);

/* Closes the ROUTER. */
void router_stop(router_t *self);

/* Opens it again where it was, as another instance with the next term, or as the same one. */
void router_start(router_t *self);
void router_return(router_t *self);

/* Waits for HELLO. */
const router_event_t *router_hello(router_t *self);

/* Waits for HELLO and welcomes the node to a fresh link, where nothing is held of it. */
void router_welcome(router_t *self);

/* Waits for HELLO and resumes the link: all that came was taken, and nothing is held. */
void router_resume(router_t *self);

/* Welcomes the node, and passes over everything up to REGISTERED. */
void router_join(router_t *self);

/* Add to what is sent next. */
void router_put(router_t *self, const control_t *control);
void router_put_empty(router_t *self, record_type_t type);

/* WELCOME to a fresh link, or to one that is resumed behind batch `acknowledged` of the node, which sends again what
 * follows that. */
void router_put_welcome(router_t *self);
void router_put_resumed(router_t *self, uint64_t acknowledged);

/* CONFIRMED with the next serial, LEFT. */
void router_put_session(router_t *self, record_type_t type, uint64_t session);
void router_put_taken(router_t *self, uint64_t below);

/* HELD, HELD with `again`, or ENDED of one number. */
void router_put_numbers(router_t *self, record_type_t type, uint64_t number);
void router_put_held_again(router_t *self, uint64_t number);

/* ORIGIN of a node whose id is that byte all over, GONE. */
void router_put_origin(router_t *self, uint32_t handle, uint8_t node);
void router_put_gone(router_t *self, uint32_t handle, bool orderly);

/* The same of a message that is given. */
void router_put_copy_of(router_t *self, const body_message_t *message, uint64_t number, uint64_t session);

/* A RUN of what was not sent before, of an origin that has taken nothing; any RUN. */
void router_put_run(router_t *self, uint32_t handle);
void router_put_run_of(router_t *self, const body_run_t *run);
void router_put_copy(router_t *self, uint64_t number, const uint64_t *sessions, unsigned session_count,
    const char *sender, const char *text);
void router_put_notice(router_t *self, const body_notice_t *notice);

/* Sends that, with the acknowledgement of self->header. */
void router_flush(router_t *self);

/* Sends frames as they are. */
void router_send_raw(router_t *self, const void *const *frames, const size_t *sizes, size_t count);

/* The next record, which must be of that type. Valid until the next call. */
const router_event_t *router_expect(router_t *self, record_type_t type);

/* The next record of any type. */
const router_event_t *router_next(router_t *self);

/* The next record of that type, passing over everything else. */
const router_event_t *router_wait(router_t *self, record_type_t type);

/* Waits for a MESSAGE that says this, or for a record of a body with that number. */
const router_event_t *router_expect_message(router_t *self, uint64_t number, const char *text);
const router_event_t *router_expect_number(router_t *self, record_type_t type, uint64_t number);

/* Waits until the node has acknowledged that batch, or until so many ZeroMQ messages of its have come. */
void router_expect_acknowledged(router_t *self, uint64_t sequence);
void router_expect_arrivals(router_t *self, size_t count);

size_t router_arrivals(const router_t *self);
const frame_header_t *router_header_at(const router_t *self, size_t arrival);

#endif
