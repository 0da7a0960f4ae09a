/* SPDX-License-Identifier: MPL-2.0 */
/* held_list: HELD and ENDED records in the making: numbers that ascend, of one origin and one holder, share a record.
 * Lives on the stack of who makes them; the router's thread; nothing fails. */
#ifndef FERRY_BROKER_HELD_LIST_H
#define FERRY_BROKER_HELD_LIST_H

#include <stdint.h>

#include "base/buffer.h"
#include "broker/nodes.h"

/* Made by an initialiser that gives type and handle. */
typedef struct {
    record_type_t type; /* RECORD_HELD or RECORD_ENDED */
    uint32_t handle;    /* of the holder */
    bool again;         /* HELD: it is stated anew */
    span_t lent_name;   /* of whose copies these are, if the holder lives and dies with the broker; else empty */
    node_t *to;         /* the origin; NULL: nothing is in the making */
    uint64_t first;
    uint64_t last;
    buffer_t offsets; /* from first, little-endian u32 */
} held_list_t;

/* Adds a number of a message of `to`. */
void held_list_add(held_list_t *self, node_t *to, uint64_t number);

/* Tells the record that is in the making, as before another lent_name. */
void held_list_flush(held_list_t *self);

/* Tells the last record, and frees what the list needed. */
void held_list_fini(held_list_t *self);

#endif
