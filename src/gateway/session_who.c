/* SPDX-License-Identifier: MPL-2.0 */
/* session_who: every broker is asked, since each has a part of the names, and their answers are sorted into one. Owner:
 * the worker's thread. */
#include "gateway/session_who.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/worker.h"

#define WHO_LINES_MAX 200 /* of an answer; as many as one broker tells at most */

struct session_who {
    buffer_t names; /* of all brokers that have answered, each u8 size and bytes */
    size_t count;
    bool more;
    size_t open;    /* brokers that have not */
    list_t waiting; /* the session, if its next line is another question */
    span_t prefix;  /* in bytes, behind `answered` */
    bool answered[];
};

int session_who(session_t *session, span_t prefix)
{
    if (session->who) {
        list_append(&session->who->waiting, &session->waiting);
        return 0;
    }
    const uplinks_t *uplinks = &session->worker->uplinks;
    session_who_t *self = calloc(1, sizeof *self + uplinks->count * sizeof(bool) + prefix.size);
    if (!self)
        abort();
    char *bytes = (char *)(self->answered + uplinks->count);
    if (prefix.size)
        memcpy(bytes, prefix.data, prefix.size);
    self->prefix = span_of(bytes, prefix.size);
    self->open = uplinks->count;
    list_init(&self->waiting);
    session->who = self;
    for (size_t i = 0; i < uplinks->count; i++)
        link_who(uplinks->items[i].link, session->id, prefix);
    return 1;
}

void session_who_end(session_t *session)
{
    session_who_t *self = session->who;
    if (!self)
        return;
    session->who = NULL;
    list_t waiting;
    list_take(&waiting, &self->waiting);
    buffer_fini(&self->names);
    free(self);
    worker_wake(&waiting);
}

/* For qsort. */
static int names_compare(const void *one, const void *other)
{
    return span_compare(*(const span_t *)one, *(const span_t *)other);
}

static void session_tell_who(session_t *session, const session_who_t *who)
{
    char count[24];
    size_t told = who->count < WHO_LINES_MAX ? who->count : WHO_LINES_MAX;
    span_t *names = malloc((who->count + 1) * sizeof *names), rest = buffer_span(&who->names);
    if (!names)
        abort();
    for (size_t i = 0; i < who->count; i++)
        names[i] = body_name_next(&rest);
    qsort(names, who->count, sizeof *names, names_compare);
    for (size_t i = 0; i < told; i++)
        writer_line(&session->writer, (span_t[]){span_str("info who "), names[i]}, 2);
    free(names);
    size_t size = (size_t)snprintf(count, sizeof count, "%zu", told);
    span_t more = span_str(who->more || told < who->count ? " more" : "");
    writer_line(&session->writer, (span_t[]){span_str("ok who "), span_of(count, size), more}, 3);
    worker_dirty(session);
}

void session_who_is(session_t *session, const uplink_t *uplink, span_t names, bool more)
{
    session_who_t *self = session->who;
    size_t index = (size_t)(uplink - session->worker->uplinks.items);
    if (!self || self->answered[index])
        return;
    self->answered[index] = true;
    self->more = self->more || more;
    buffer_append(&self->names, names.data, names.size);
    for (span_t rest = names; rest.size > 0; self->count++)
        body_name_next(&rest);
    if (--self->open > 0)
        return;
    if (session->state < SESSION_FLUSHING) /* N.B. nothing may follow the last line */
        session_tell_who(session, self);
    session_who_end(session);
    session_on_idle(session);
}

void session_who_restate(session_t *session, const uplink_t *uplink)
{
    const session_who_t *self = session->who;
    size_t index = (size_t)(uplink - session->worker->uplinks.items);
    if (self && !self->answered[index])
        link_who(uplink->link, session->id, self->prefix);
}
