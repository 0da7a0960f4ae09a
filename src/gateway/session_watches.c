/* SPDX-License-Identifier: MPL-2.0 */
/* session_watches: the broker says how things are at first, on each link, and whenever that changes; the client hears
 * only of what is new to it. Owner: the worker's thread. */
#include "gateway/session_watches.h"

#include <stdlib.h>

#include "gateway/worker.h"

struct session_watch {
    session_watch_t *next;
    uplink_t *uplink; /* borrowed: of the name's broker */
    bool is_asked;    /* the client waits for the answer */
    bool is_here;     /* as the client was told last */
    size_t name_size;
    char name[];
};

static span_t watched_name(const session_watch_t *self)
{
    return span_of(self->name, self->name_size);
}

/* Where the watch of that name is in the list, or its end. */
static session_watch_t **watched_at(session_t *session, span_t name)
{
    session_watch_t **at = &session->watches;
    while (*at && !span_equal(watched_name(*at), name))
        at = &(*at)->next;
    return at;
}

static session_watch_t *watched_new(session_t *session, span_t name)
{
    session_watch_t *self = calloc(1, sizeof *self + name.size);
    if (!self)
        abort();
    memcpy(self->name, name.data, name.size);
    self->name_size = name.size;
    self->uplink = uplinks_of_name(&session->worker->uplinks, name);
    session->watch_count++;
    return self;
}

static void watched_destroy(session_t *session, session_watch_t **at)
{
    session_watch_t *self = *at;
    link_watch(self->uplink->link, session->id, watched_name(self), false);
    *at = self->next;
    session->watch_count--;
    free(self);
}

int session_watch(session_t *session, span_t name)
{
    session_watch_t **at = watched_at(session, name);
    if (!*at && session->watch_count >= session->worker->limits.watches)
        return -FERRY_ERROR_TOO_MANY_WATCHES;
    if (!*at)
        *at = watched_new(session, name);
    (*at)->is_asked = true;
    link_watch((*at)->uplink->link, session->id, name, true);
    return 1;
}

static void session_say(session_t *session, const char *words, span_t name, const char *state)
{
    span_t parts[] = {span_str(words), name, span_str(state)};
    writer_line(&session->writer, parts, 3);
    worker_dirty(session);
}

void session_unwatch(session_t *session, span_t name)
{
    session_watch_t **at = watched_at(session, name);
    session_say(session, "ok unwatch ", name, "");
    if (*at)
        watched_destroy(session, at);
}

void session_presence(session_t *session, span_t name, bool is_here)
{
    session_watch_t *watch = *watched_at(session, name);
    if (!watch || session->state >= SESSION_FLUSHING) /* N.B. nothing may follow the last line */
        return;
    if (watch->is_asked)
        session_say(session, "ok watch ", name, is_here ? " here" : " away");
    else if (watch->is_here != is_here)
        session_say(session, is_here ? "info came " : "info went ", name, "");
    watch->is_asked = false;
    watch->is_here = is_here;
}

void session_watches_restate(session_t *session, const uplink_t *uplink)
{
    for (const session_watch_t *watch = session->watches; watch; watch = watch->next)
        if (watch->uplink == uplink)
            link_watch(uplink->link, session->id, watched_name(watch), true);
}

void session_watches_end(session_t *session)
{
    while (session->watches)
        watched_destroy(session, &session->watches);
}
