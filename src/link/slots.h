/* SPDX-License-Identifier: MPL-2.0 */
/* slots: the numbers by which a node calls its sessions, groups and services on its links (proto/link.md, section 3): a
 * slot that is used again, and a generation that tells who has it. Embedded in a node; its thread's. Nothing fails but
 * by abort. */
#ifndef FERRY_LINK_SLOTS_H
#define FERRY_LINK_SLOTS_H

#include <stdint.h>

/* All zero is a valid empty one. */
typedef struct {
    void **items;    /* borrowed; NULL where a slot is free */
    uint64_t *ids;   /* the last of each slot, with the bit of its kind */
    uint32_t *spare; /* slots that are free, a stack */
    uint32_t count, spare_count;
} slots_t;

void slots_fini(slots_t *self);

/* Gives a session, a group or a service its number, which nobody else has had; `kind` is link_session_kind of its name.
 */
uint64_t slots_add(slots_t *self, void *item, uint64_t kind);

/* Whoever has that number, NULL if nobody has. */
void *slots_get(const slots_t *self, uint64_t id);

/* The number is not used any more. */
void slots_remove(slots_t *self, uint64_t id);

/* The session at the first slot from *at on, NULL at the end; *at is the slot behind it afterwards. Groups and
 * services are passed over. */
void *slots_next_session(const slots_t *self, uint32_t *at);

#endif
