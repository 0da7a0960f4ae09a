/* SPDX-License-Identifier: MPL-2.0 */
/* party_who: every broker is asked, since each has a part of the names, and their answers are sorted into one. Owner:
 * the node's thread. */
#include <stdlib.h>
#include <string.h>

#include "link/party_internal.h"

struct party_who {
    buffer_t names; /* of all brokers that have answered, each u8 size and bytes */
    size_t count;
    bool more;
    size_t open;    /* brokers that have not */
    list_t waiting; /* the session, if what it says next is another question */
    span_t prefix;  /* in bytes, behind `answered` */
    bool answered[];
};

int party_who(party_t *self, span_t prefix, list_node_t *waiter)
{
    if (self->who) {
        list_append(&self->who->waiting, waiter);
        return 0;
    }
    const uplinks_t *uplinks = self->exchange->uplinks;
    party_who_t *who = calloc(1, sizeof *who + uplinks->count * sizeof(bool) + prefix.size);
    if (!who)
        abort();
    char *bytes = (char *)(who->answered + uplinks->count);
    if (prefix.size)
        memcpy(bytes, prefix.data, prefix.size);
    who->prefix = span_of(bytes, prefix.size);
    who->open = uplinks->count;
    list_init(&who->waiting);
    self->who = who;
    for (size_t i = 0; i < uplinks->count; i++)
        link_who(uplinks->items[i].link, self->session, prefix);
    return 1;
}

void party_drop_who(party_t *self)
{
    party_who_t *who = self->who;
    if (!who)
        return;
    self->who = NULL;
    list_t waiting;
    list_take(&waiting, &who->waiting);
    buffer_fini(&who->names);
    free(who);
    self->exchange->callbacks->wake(self->exchange->owner, &waiting);
}

/* For qsort. */
static int names_compare(const void *one, const void *other)
{
    return span_compare(*(const span_t *)one, *(const span_t *)other);
}

static void party_tell_who(party_t *self)
{
    const party_who_t *who = self->who;
    size_t told = who->count < PARTY_WHO_MAX ? who->count : PARTY_WHO_MAX;
    span_t *names = malloc((who->count + 1) * sizeof *names), rest = buffer_span(&who->names);
    if (!names)
        abort();
    for (size_t i = 0; i < who->count; i++)
        names[i] = body_name_next(&rest);
    qsort(names, who->count, sizeof *names, names_compare);
    self->exchange->callbacks->on_who(self, names, told, who->more || told < who->count);
    free(names);
}

void party_who_is(party_t *self, const uplink_t *uplink, span_t names, bool more)
{
    party_who_t *who = self->who;
    size_t index = (size_t)(uplink - self->exchange->uplinks->items);
    if (!who || who->answered[index])
        return;
    who->answered[index] = true;
    who->more = who->more || more;
    buffer_append(&who->names, names.data, names.size);
    for (span_t rest = names; rest.size > 0; who->count++)
        body_name_next(&rest);
    if (--who->open > 0)
        return;
    party_tell_who(self);
    party_drop_who(self);
    self->exchange->callbacks->on_idle(self);
}

void party_restate_who(party_t *self, const uplink_t *uplink)
{
    const party_who_t *who = self->who;
    size_t index = (size_t)(uplink - self->exchange->uplinks->items);
    if (who && !who->answered[index])
        link_who(uplink->link, self->session, who->prefix);
}
