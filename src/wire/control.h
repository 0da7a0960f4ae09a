/* SPDX-License-Identifier: MPL-2.0 */
/* control: the control records of a header frame <-> bytes (proto/link.md, sections 2 to 11). Encoding appends to a
 * buffer; decoding borrows from the frame. Any thread. */
#ifndef FERRY_WIRE_CONTROL_H
#define FERRY_WIRE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/span.h"
#include "wire/close.h"

#define LINK_VERSION    2
#define LINK_ID_SIZE    16
#define LINK_ID_OF_SIZE 8          /* what the id of a broker's own node begins with, of the instance's */
#define LINK_SLOT_LIMIT (1u << 20) /* the low 32 bits of a session are below this */

#define LINK_SESSION_GROUP   (UINT64_C(1) << 63) /* in the sessions of groups, and in no other */
#define LINK_SESSION_SERVICE (UINT64_C(1) << 62) /* likewise of services */

#define LINK_SESSION_KINDS (LINK_SESSION_GROUP | LINK_SESSION_SERVICE)

#define CONTROL_NODES_MAX 2048 /* ids in HELLO and in WELCOME: half of a frame's control records */

typedef struct {
    uint8_t bytes[LINK_ID_SIZE];
} link_id_t;

typedef enum {
#define RECORD(name, number, text, place, direction) RECORD_##name = number,
#include "records.def"
#undef RECORD
} record_type_t;

/* Whether a name, of one byte at least, is a group's, or a service's. */
static inline bool name_is_group(span_t name)
{
    return name.data[0] == '#';
}
static inline bool name_is_service(span_t name)
{
    return name.data[0] == '@';
}

/* Whether a session is a group's, which stands for its members at that node. */
static inline bool link_session_is_group(uint64_t session)
{
    return (session & LINK_SESSION_GROUP) != 0;
}

/* The bit that a session of that name has. */
static inline uint64_t link_session_kind(span_t name)
{
    return name_is_group(name) ? LINK_SESSION_GROUP : name_is_service(name) ? LINK_SESSION_SERVICE : 0;
}

/* Whether a session stands for one program that serves a service. */
static inline bool link_session_is_service(uint64_t session)
{
    return (session & LINK_SESSION_SERVICE) != 0;
}

typedef enum { CONTROL_FROM_NODE, CONTROL_FROM_BROKER } control_side_t;

/* A list of message numbers: `first`, then `first + offset` for each of the little-endian u32 in `offsets`. */
typedef struct {
    uint64_t first;
    span_t offsets;
} control_numbers_t;

typedef struct {
    record_type_t type;
    union {
        struct {
            uint16_t version; /* if it is not LINK_VERSION, the other fields were not read */
            link_id_t node, instance, digest;
            uint64_t first, term;
            span_t broker; /* a name */
            span_t nodes;  /* whole ids, LINK_ID_SIZE bytes each; at most CONTROL_NODES_MAX */
        } hello;
        struct {
            bool resumed;
            uint32_t window_size, batch_size, heartbeat_ms, timeout_ms, handle;
            link_id_t instance;
            uint64_t term;
            span_t nodes; /* whole ids, LINK_ID_SIZE bytes each */
        } welcome;
        struct {
            uint16_t close; /* close_t, or a number that is newer than we are */
            span_t text;
        } refuse;
        struct {
            uint64_t session, term, serial; /* REGISTER, CONFIRMED; LEAVING, LEFT use session alone */
            bool again, doubtful, paused;   /* REGISTER */
            bool took_over, resumes;        /* CONFIRMED */
            bool is_on;      /* WATCH: from now on; PRESENCE: it is here; both with session and name. YIELD: its
                            client is away; with session */
            uint16_t error;  /* DENIED, with session */
            uint64_t member; /* ONLY, with session */
            span_t name;     /* REGISTER; PAUSE, RESUME, YIELDED use it alone */
        } name;
        struct {
            uint32_t handle;
            link_id_t node; /* ORIGIN */
            bool orderly;   /* GONE: it left with BYE */
        } origin;
        struct {
            uint64_t below;
            span_t exceptions; /* pairs of u64: control_exception_at */
        } taken;
        struct {
            uint64_t session;          /* HOLD, END, DONE, CREDIT */
            uint32_t handle;           /* HOLD: the origin; HELD, ENDED: the holder */
            bool again;                /* HOLD, HELD */
            bool over;                 /* HOLD again, of a service: it has ended */
            uint32_t count;            /* END, CREDIT; DONE: the place */
            control_numbers_t numbers; /* HOLD, HELD, ENDED */
            bool lent;                 /* HELD, ENDED: the holder lives and dies with the broker; then with: */
            span_t name;               /* of the recipient */
        } held;
        struct {
            uint64_t session; /* WHO, WHO_IS */
            bool more;        /* WHO_IS: there are others */
            span_t names; /* WHO: the prefix, 0 to 255 bytes; WHO_IS: names, each u8 size and bytes: body_name_next */
        } who;
        uint64_t number; /* DRAINED, BYE, BYE_OK, WAITS */
    };
} control_t;

/* Takes the next record off `rest`. Returns 1, 0 at the end, or -CLOSE_BAD_RECORD: unknown, truncated, with a lying
 * size, a bad name, or one that `side` may not send. What link.md promises of the fields is checked, too: bits and
 * integers that are 0, slots of REGISTER, LEAVING, HOLD and END below LINK_SLOT_LIMIT, limits in WELCOME that are not
 * 0, and exceptions of TAKEN that ascend below `below` without touching. */
int control_next(control_t *self, span_t *rest, control_side_t side);

/* Appends the record. HOLD, HELD, ENDED and TAKEN write their lists from the borrowed spans. */
void control_put(buffer_t *to, const control_t *self);

/* Appends a record that has no payload: REGISTERED, DRAIN, LEAVE, LEAVE_OK, SETTLED. */
void control_put_empty(buffer_t *to, record_type_t type);

/* The bytes that control_put appends, to keep a frame within FRAME_CONTROLS_SIZE. */
size_t control_size(const control_t *self);

static inline size_t control_numbers_count(const control_numbers_t *self)
{
    return 1 + self->offsets.size / 4;
}

/* Number `index` of the list, below control_numbers_count. */
uint64_t control_numbers_at(const control_numbers_t *self, size_t index);

/* Range `index` of a TAKEN record's exceptions. */
void control_exception_at(const control_t *self, size_t index, uint64_t *first, uint64_t *count);
static inline size_t control_exception_count(const control_t *self)
{
    return self->taken.exceptions.size / 16;
}

static inline bool link_id_equal(const link_id_t *a, const link_id_t *b)
{
    return memcmp(a->bytes, b->bytes, LINK_ID_SIZE) == 0;
}

/* Whether that node lives and dies with that instance of a broker (proto/link.md, section 9). */
static inline bool link_id_is_of(const link_id_t *node, const link_id_t *instance)
{
    return memcmp(node->bytes, instance->bytes, LINK_ID_OF_SIZE) == 0;
}

#define LINK_ID_TEXT_SIZE (2 * LINK_ID_SIZE + 1)

/* Writes the id as 32 hexadecimal digits and a NUL. */
void link_id_text(const link_id_t *self, char text[LINK_ID_TEXT_SIZE]);

/* The name of a record type for logs ("HELLO"), "unknown" for others. Static. */
const char *record_name(int type);

#endif
