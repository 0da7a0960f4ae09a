/* SPDX-License-Identifier: MPL-2.0 */
/* body: the records of body frames <-> bytes (proto/link.md, sections 4 and 5). This is the hot path of every link:
 * encoding appends to a buffer, decoding borrows from the frame, nothing is allocated. Any thread. */
#ifndef FERRY_WIRE_BODY_H
#define FERRY_WIRE_BODY_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/span.h"
#include "wire/control.h"

#define BODY_UP_HEADER_SIZE   16 /* u64 first number, u32 count, u32 0 */
#define BODY_DOWN_HEADER_SIZE 8  /* u32 count, u32 0 */
#define BODY_RECIPIENTS_MAX   1024
#define BODY_FLAG_RECEIPT     1u /* of a message and its copies: held until the client's kernel has acknowledged it */
#define BODY_FLAG_OPAQUE      2u /* likewise: the text is no line */
#define BODY_FLAG_REQUEST     4u /* likewise: an answer is wanted; the text begins with a label (body_label_get) */
#define BODY_FLAG_REPLY       8u /* likewise: an answer; its text begins with the request's label */
#define BODY_FORWARD          (BODY_FLAG_REQUEST | BODY_FLAG_REPLY) /* likewise: goes to who had it before and is away */
#define BODY_MESSAGE_SIZE     16                                    /* of a MESSAGE without names and text */
#define BODY_COPY_SIZE        24                                    /* of a COPY without sessions, name and text */
#define BODY_MORE_SIZE        4u                                    /* u8 type, u24 size of the text */
#define BODY_MORE_FLAGS       BODY_FLAG_OPAQUE                      /* a message with others has no MORE */
#define BODY_MORE_TEXT_MAX    UINT32_C(0xffffff)
#define BODY_NOTICE_TAKEN     1u
#define BODY_REPORT_SETTLED   1u

typedef struct {
    uint64_t session; /* of the sender */
    unsigned flags;   /* BODY_FLAG_… */
    bool more;        /* all but the text is as in the message before: it stands there as MORE */
    span_t sender, text;
    unsigned recipient_count;
    span_t recipients; /* encoded names: body_name_next walks them */
} body_message_t;

typedef struct {
    uint16_t error, reason;
    bool settled; /* the broker was told before that the copy has ended */
    link_id_t origin;
    uint64_t session, number;
    span_t name;
} body_report_t;

typedef struct {
    uint32_t handle;
    uint64_t floor;
    bool again;
} body_run_t;

typedef struct {
    uint64_t session;
    unsigned flags;
    bool more; /* it is of the number that follows, and all else but the text is as in the copy before */
    span_t sender, text;
    unsigned recipient_count;
    const uint8_t *recipients; /* u64 sessions: body_session_at */
    uint64_t number;
} body_copy_t;

/* A cursor over a body frame. `number` is the message number of the record that was read last (bodies of nodes). */
typedef struct {
    const uint8_t *at, *end;
    uint32_t left; /* records not read yet */
    uint64_t number;
    bool more_may_follow;
    union {
        body_message_t message;
        body_copy_t copy;
    } last; /* what MORE goes on from */
} body_t;

typedef struct {
    uint16_t error, reason;
    bool taken;
    uint64_t number, session;
    uint64_t
        report; /* the number of the REPORT that it passes on, of the node of the RUN before; 0: it passes on none */
    span_t name;
} body_notice_t;

typedef struct {
    record_type_t type;
    span_t bytes; /* the record as it stands in the body */
    union {
        body_message_t message; /* RECORD_MESSAGE, also for a MORE */
        body_report_t report;   /* RECORD_REPORT; RECORD_GAP has nothing */
        body_run_t run;         /* RECORD_RUN */
        body_copy_t copy;       /* RECORD_COPY, likewise */
        body_notice_t notice;   /* RECORD_NOTICE */
    };
} body_record_t;

/* Start reading a body of a node or of a broker. Return 0, or -CLOSE_BAD_RECORD if it announces no record or more than
 * fit into it. */
int body_open_up(body_t *self, span_t frame);
int body_open_down(body_t *self, span_t frame);

/* Reads the next record of a node's or a broker's body. Returns 1, 0 at the end (the announced records were all of the
 * frame), or -CLOSE_BAD_RECORD. Names are checked for their size only: nodes are trusted to have checked the rest. Left
 * to the caller: that recipients are distinct, that a RUN comes before the first COPY, and that slots of sessions are
 * below LINK_SLOT_LIMIT. */
int body_next_up(body_t *self, body_record_t *record);
int body_next_down(body_t *self, body_record_t *record);

/* Takes the MOREs that follow the message that was read last, as many as have together no more than `room` bytes, as
 * they stand. Returns how many there are; 0 too where the next record is bad. */
uint32_t body_next_more(body_t *self, size_t room, span_t *bytes);

/* Takes the next of a message's encoded recipients off `rest`; only for spans that body_next_up has checked. */
static inline span_t body_name_next(span_t *rest)
{
    size_t size = (uint8_t)rest->data[0];
    span_t name = span_of(rest->data + 1, size);
    rest->data += 1 + size;
    rest->size -= 1 + size;
    return name;
}

/* Recipient `index` of a copy. */
uint64_t body_session_at(const body_copy_t *copy, unsigned index);

/* Start a body in an empty buffer; the header's count is written by the finish functions, which must come last. */
void body_begin_up(buffer_t *to);
void body_finish_up(buffer_t *to, uint64_t first_number, uint32_t count);
void body_begin_down(buffer_t *to);
void body_finish_down(buffer_t *to, uint32_t count);

static inline bool body_is_forward(unsigned flags)
{
    return (flags & BODY_FORWARD) == BODY_FORWARD;
}

#define BODY_FORWARD_MARK "/" /* the place of what stands behind the last, with the number that comes next */

/* What the text of a forward holds: the number under which the client has it, where it was sent to, and its own text.
 * False if it is none. */
bool body_forward_get(span_t text, uint64_t *number, span_t *place, span_t *rest);

/* For who has no numbers: makes a forward the message that it was. False if nothing is left of it, as of the mark. */
bool body_forward_open(body_copy_t *copy);

/* Appends such a text; the place is 1 to 255 bytes. */
void body_forward_put(buffer_t *to, uint64_t number, span_t place, span_t text);

/* The label that the text of a request or a reply begins with, and what follows it. False if there is none. */
bool body_label_get(span_t text, span_t *label, span_t *rest);

/* Appends what such a text begins with; labels are 1 to 255 bytes. */
void body_label_put(buffer_t *to, span_t label);

/* The size of a MESSAGE record. */
size_t body_message_size(span_t sender, const span_t *recipients, unsigned recipient_count, span_t text);

/* Append a record. Names are 1 to 255 bytes, recipients 1 to BODY_RECIPIENTS_MAX. */
void body_put_message(buffer_t *to, uint64_t session, unsigned flags, span_t sender, const span_t *recipients,
    unsigned recipient_count, span_t text);
void body_put_report(buffer_t *to, const body_report_t *report);
void body_put_gap(buffer_t *to);
void body_put_run(buffer_t *to, const body_run_t *run);

/* Appends a COPY of `message` for those sessions. */
void body_put_copy(
    buffer_t *to, const body_message_t *message, uint64_t number, const uint64_t *sessions, unsigned session_count);
void body_put_notice(buffer_t *to, const body_notice_t *notice);

/* Appends a MORE, right behind a MESSAGE or COPY, or a MORE of such, whose flags are of BODY_MORE_FLAGS; the text is of
 * up to BODY_MORE_TEXT_MAX bytes. */
void body_put_more(buffer_t *to, span_t text);

#endif
