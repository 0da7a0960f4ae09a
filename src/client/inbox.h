/* SPDX-License-Identifier: MPL-2.0 */
/* [8] inbox: the copies that the carrier has taken for its program, until the program has received them and their
 * origin was told. It stands in the place of a gateway's session writer; a program tells by itself what it has, so
 * there is no kernel to ask. The copies' bytes are under way to the program already. Embedded in the carrier, whose
 * thread's it is.
 *
 *     copies:  first ──received by the program── taken ──not received── next
 *              first ──nothing to tell── told ──to be told as ended── stated ──not told as held── next
 */
#ifndef FERRY_CLIENT_INBOX_H
#define FERRY_CLIENT_INBOX_H

#include "link/link.h"

typedef struct {
    origin_t *origin; /* a reference; who is told */
    uint64_t number;
    uint64_t session; /* of the sender */
} inbox_copy_t;

typedef struct {
    inbox_copy_t *copies; /* ring of `capacity`, a power of two */
    size_t capacity;
    uint64_t first, told, taken, stated, next; /* copies as drawn above; they count up for ever */
    uint64_t disowned_first, disowned_end;     /* copies that were told to their senders as unconfirmed by the broker */
} inbox_t;

/* Frees; the origins must have been let go (inbox_forget). */
void inbox_fini(inbox_t *self);

/* A copy has come and was sent to the program. */
void inbox_add(inbox_t *self, const body_copy_t *copy, origin_t *origin);

/* The program has received `count` more. */
void inbox_take(inbox_t *self, uint64_t count);

/* Tells the link of held copies and of those that have ended since. At the end of a turn. */
void inbox_tell(inbox_t *self, link_t *link, uint64_t session);

/* On a new link: states all copies anew that the program has not received. */
void inbox_restate(inbox_t *self, link_t *link, uint64_t session);

/* The broker has told the senders of all copies that it had not been told to have ended that they are unconfirmed: the
 * program still receives them, but they are not told of any more. */
void inbox_disown(inbox_t *self);

/* The program receives nothing more: reports each copy that it has not to its sender, as `undelivered NAME gone`. */
void inbox_return(inbox_t *self, link_t *link, uint64_t session, span_t name);

/* Lets all origins go; nobody is told any more. */
void inbox_forget(inbox_t *self, link_t *link);

#endif
