/* SPDX-License-Identifier: MPL-2.0 */
/* party_watches: the broker says how things are at first, on each link, and whenever that changes; the client hears
 * only of what is new to it. Owner: the node's thread. */
#include <stdlib.h>

#include "link/party_internal.h"
#include "wire/error.h"

struct party_watch {
    party_watch_t *next;
    uplink_t *uplink; /* borrowed: of the name's broker */
    bool is_asked;    /* the client waits for the answer */
    bool is_here;     /* as the client was told last */
    size_t name_size;
    char name[];
};

static span_t watched_name(const party_watch_t *self)
{
    return span_of(self->name, self->name_size);
}

/* Where the watch of that name is in the list, or its end. */
static party_watch_t **watched_at(party_t *self, span_t name)
{
    party_watch_t **at = &party_tie(self)->watches;
    while (*at && !span_equal(watched_name(*at), name))
        at = &(*at)->next;
    return at;
}

static party_watch_t *watched_new(party_t *party, span_t name)
{
    party_watch_t *self = calloc(1, sizeof *self + name.size);
    if (!self)
        abort();
    memcpy(self->name, name.data, name.size);
    self->name_size = name.size;
    self->uplink = uplinks_of_name(party->exchange->uplinks, name);
    party->ties->watch_count++;
    return self;
}

static void watched_destroy(party_t *party, party_watch_t **at)
{
    party_watch_t *self = *at;
    link_watch(self->uplink->link, party->session, watched_name(self), false);
    *at = self->next;
    party->ties->watch_count--;
    free(self);
}

int party_watch(party_t *self, span_t name)
{
    party_watch_t **at = watched_at(self, name);
    if (!*at && self->ties->watch_count >= self->exchange->options.watches) {
        party_untie(self);
        return -FERRY_ERROR_TOO_MANY_WATCHES;
    }
    if (!*at)
        *at = watched_new(self, name);
    (*at)->is_asked = true;
    link_watch((*at)->uplink->link, self->session, name, true);
    return 1;
}

void party_unwatch(party_t *self, span_t name)
{
    party_watch_t **at = watched_at(self, name);
    self->exchange->callbacks->on_answer(self, PARTY_UNWATCH, name);
    if (*at)
        watched_destroy(self, at);
    party_untie(self);
}

void party_presence(party_t *self, span_t name, bool is_here)
{
    party_watch_t *watch = self->ties ? *watched_at(self, name) : NULL;
    if (!watch)
        return;
    bool is_asked = watch->is_asked;
    if (!is_asked && watch->is_here == is_here)
        return;
    watch->is_asked = false;
    watch->is_here = is_here;
    self->exchange->callbacks->on_presence(self, name, is_here, is_asked);
}

void party_restate_watches(party_t *self, const uplink_t *uplink)
{
    for (const party_watch_t *watch = self->ties ? self->ties->watches : NULL; watch; watch = watch->next)
        if (watch->uplink == uplink)
            link_watch(uplink->link, self->session, watched_name(watch), true);
}

void party_unwatch_all(party_t *self)
{
    while (self->ties && self->ties->watches)
        watched_destroy(self, &self->ties->watches);
}
