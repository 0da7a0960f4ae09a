/* SPDX-License-Identifier: MPL-2.0 */
/* list: a doubly linked list whose nodes are embedded in its members, so that nothing is allocated when a member comes
 * or goes. A node is in one list at most. Owned by one thread. */
#ifndef FERRY_BASE_LIST_H
#define FERRY_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list_node {
    struct list_node *next, *previous; /* NULL when it is in no list */
} list_node_t;

typedef struct {
    list_node_t head;
} list_t;

/* The member of type `type` whose field `field` is this node. */
#define list_member(node, type, field) ((type *)((char *)(node)-offsetof(type, field)))

static inline void list_init(list_t *self)
{
    self->head.next = self->head.previous = &self->head;
}

static inline bool list_is_empty(const list_t *self)
{
    return self->head.next == &self->head;
}

/* The first node, NULL if there is none. */
static inline list_node_t *list_first(const list_t *self)
{
    return list_is_empty(self) ? NULL : self->head.next;
}

static inline bool list_has(const list_node_t *node)
{
    return node->next != NULL;
}

static inline void list_append(list_t *self, list_node_t *node)
{
    node->next = &self->head;
    node->previous = self->head.previous;
    node->previous->next = node;
    self->head.previous = node;
}

/* Takes the node out of whatever list it is in, if any. */
static inline void list_remove(list_node_t *node)
{
    if (!node->next)
        return;
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->next = node->previous = NULL;
}

/* Moves all members of `from` to the empty list `self`. */
static inline void list_take(list_t *self, list_t *from)
{
    list_init(self);
    if (list_is_empty(from))
        return;
    *self = *from;
    self->head.next->previous = self->head.previous->next = &self->head;
    list_init(from);
}

#endif
