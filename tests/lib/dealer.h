/* SPDX-License-Identifier: MPL-2.0 */
/* dealer: a node as a test plays it by hand, with a bare DEALER and the records of the link protocol: nothing is sent,
 * acknowledged or answered by itself. What comes is taken apart and given out record by record. What does not come
 * within DEADLINE_USUAL_MS, or is something else, fails the running cmocka test. Belongs to the test's thread. */
#ifndef FERRY_TESTS_DEALER_H
#define FERRY_TESTS_DEALER_H

#include "base/buffer.h"
#include "wire/body.h"
#include "wire/control.h"
#include "wire/frame.h"

/* A record that has come. Spans are valid until the dealer is closed. */
typedef struct {
    record_type_t type;
    control_t control;    /* if it is a control record */
    body_record_t record; /* if it is of a body */
    body_run_t run;       /* of the body: the origin of a COPY */
    frame_header_t header;
} dealer_event_t;

typedef struct {
    void *socket;            /* libzmq's */
    frame_header_t header;   /* of what is sent next; sequence is set by dealer_flush */
    uint64_t sequence;       /* of the last batch that was sent */
    uint64_t received;       /* of the last batch that came */
    uint64_t number;         /* of the last message or report */
    unsigned message_flags;  /* BODY_FLAG_… of what dealer_put_message puts */
    link_id_t id;            /* of the node */
    link_id_t instance;      /* of the broker, as WELCOME told it */
    uint64_t taken;          /* `below` of the last TAKEN on this link */
    bool is_resumed;         /* the next TAKEN says what was told before, and is passed over */
    bool hears_origins;      /* ORIGIN is given out; else it is passed over */
    bool hears_settled;      /* likewise SETTLED */
    buffer_t controls, body; /* of what is sent next */
    uint32_t record_count;   /* in body */
    buffer_t events;         /* dealer_event_t that came and were not given out */
    buffer_t frames;         /* zmq_msg_t *: all that came */
} dealer_t;

/* A DEALER on that endpoint with epoch 1 and the node id that `id` makes; says nothing. */
void dealer_open(dealer_t *self, const char *endpoint, uint8_t id);
void dealer_close(dealer_t *self);

/* Closes the DEALER and opens another with the next epoch, as a node does that has lost its link, and begins anew. */
void dealer_reopen(dealer_t *self, const char *endpoint);

/* The same, and says HELLO so that the link is resumed; the first `received` batches were taken. Returns WELCOME. What
 * is sent next has the sequence after the one that WELCOME acknowledges. The TAKEN that is said again is passed over.
 */
const dealer_event_t *dealer_resume(dealer_t *self, const char *endpoint, uint64_t received);

/* A HELLO for the broker "main" as this node would say it, to be changed and sent. */
control_t dealer_hello(const dealer_t *self);

/* The same, and says REGISTERED without any names; nothing is acknowledged but `received`. */
void dealer_rejoin(dealer_t *self, const char *endpoint, uint64_t received);

/* Says HELLO, and reads WELCOME, which it returns. The second says REGISTERED too. */
const dealer_event_t *dealer_greet(dealer_t *self);
void dealer_join(dealer_t *self);

/* Add to what is sent next. A message's recipients are one string, separated by commas. */
void dealer_put(dealer_t *self, const control_t *control);
void dealer_put_empty(dealer_t *self, record_type_t type);
void dealer_put_register(dealer_t *self, uint64_t session, const char *name);
void dealer_put_again(dealer_t *self, uint64_t session, const char *name, uint64_t term, uint64_t serial);
void dealer_put_message(dealer_t *self, uint64_t session, const char *sender, const char *recipients, const char *text);
void dealer_put_more(dealer_t *self, const char *text); /* behind a message */
void dealer_put_report(dealer_t *self, const body_report_t *report);
void dealer_put_gap(dealer_t *self);

/* Sends that, with the acknowledgement of self->header. */
void dealer_flush(dealer_t *self);

/* Acknowledges every batch that has come, and flushes. */
void dealer_acknowledge(dealer_t *self);

/* Sends frames as they are. */
void dealer_send_raw(dealer_t *self, const void *const *frames, const size_t *sizes, size_t count);

/* The next record, passing over RUN, and ORIGIN and SETTLED unless they are to be heard, which must be of that type.
 * Valid until the next call. */
const dealer_event_t *dealer_expect(dealer_t *self, record_type_t type);

/* The next record, whatever it is. */
const dealer_event_t *dealer_next(dealer_t *self);

/* The next record of that type, passing over everything else. */
const dealer_event_t *dealer_wait(dealer_t *self, record_type_t type);

/* Waits for REFUSE with that reason. */
void dealer_expect_refused(dealer_t *self, int close);

/* Registers a name and waits until it is confirmed. */
void dealer_login(dealer_t *self, uint64_t session, const char *name);

/* Waits for a COPY, or a NOTICE, that says this. */
const dealer_event_t *dealer_expect_copy(dealer_t *self, uint64_t session, const char *sender, const char *text);
const dealer_event_t *dealer_expect_notice(dealer_t *self, int error, int reason, uint64_t number, const char *name);

/* Waits until TAKEN says that all under `below` is taken, without exceptions; passes over earlier ones. */
void dealer_expect_taken(dealer_t *self, uint64_t below);

/* Proves that nothing but heartbeats has come before the broker has handled what was sent before: registers a
 * group and takes it back. `slot` must be free. */
void dealer_barrier(dealer_t *self, uint32_t slot);

/* The numbers of a HELD or ENDED record must be these. */
void dealer_expect_numbers(const dealer_event_t *event, const uint64_t *numbers, size_t count);

#endif
