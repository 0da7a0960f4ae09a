/* SPDX-License-Identifier: MPL-2.0 */
/* [2] shortcuts: the sender waits for what is on its way over the broker only when many messages in a row have gone
 * there for no other reason; so one that never stops comes to its shortcut, and the others lose no time. Owner: the
 * worker's thread. */
#include "gateway/shortcuts.h"

#include <assert.h>
#include <stdlib.h>

#include "gateway/session_copies.h"
#include "gateway/worker.h"
#include "wire/control.h"
#include "wire/reason.h"

#define SHORTCUT_DETOURS 32 /* messages; waiting takes as long as some ten of them */

struct shortcut {
    table_item_t item;   /* the session's name */
    session_t *session;  /* borrowed */
    uint64_t fence;      /* messages below it may be for the session, too; 0 once they are all taken */
    uint64_t sent;       /* messages to it that went to the broker since then have numbers up to this one, */
    uint64_t arrived;    /* and those up to this one have come back */
    unsigned detours;    /* messages in a row that had to go to the broker since others were on their way there */
    list_t senders;      /* sessions that wait for it */
    list_node_t waiting; /* in shortcuts_t.waiting while there are any */
};

/* A copy that did not arrive. */
typedef struct {
    uint64_t sender; /* a session */
    uint16_t error, reason, name_size;
    bool has_ended; /* before */
} failure_t;

void shortcuts_init(shortcuts_t *self, worker_t *worker, bool is_used)
{
    *self = (shortcuts_t){.worker = worker, .is_used = is_used, .names = table_new()};
    list_init(&self->waiting);
    list_init(&self->woken);
}

void shortcuts_fini(shortcuts_t *self)
{
    assert(table_count(self->names) == 0);
    table_destroy(&self->names, NULL);
    buffer_fini(&self->failures);
}

static const link_t *shortcut_link(const shortcut_t *self)
{
    return self->session->uplink->link;
}

/* Those who wait for it go on in this turn. */
static void shortcut_wake(shortcut_t *self, list_t *woken)
{
    list_remove(&self->waiting);
    for (list_node_t *node; (node = list_first(&self->senders));) {
        list_remove(node);
        list_append(woken, node);
    }
}

void shortcuts_forget(shortcuts_t *self, session_t *session)
{
    shortcut_t *shortcut = session->shortcut;
    if (!shortcut)
        return;
    shortcut_wake(shortcut, &self->woken);
    table_take(self->names, &shortcut->item);
    free(shortcut);
    session->shortcut = NULL;
    self->last.head = 0;
}

static void shortcuts_add(shortcuts_t *self, session_t *session)
{
    shortcuts_confirm(self, session);
    shortcut_t *shortcut = calloc(1, sizeof *shortcut);
    if (!shortcut)
        abort();
    shortcut->item.key = session_name(session);
    shortcut->session = session;
    list_init(&shortcut->senders);
    session->shortcut = shortcut;
    shortcut->fence = link_next_number(shortcut_link(shortcut));
    table_put(self->names, &shortcut->item);
    self->last.head = 0;
}

void shortcuts_learn(shortcuts_t *self, session_t *session, uint64_t number)
{
    if (!self->is_used || session->state != SESSION_OPEN)
        return;
    if (!session->shortcut)
        shortcuts_add(self, session);
    session->shortcut->arrived = number;
}

void shortcuts_confirm(shortcuts_t *self, const session_t *session)
{
    shortcut_t *shortcut = (shortcut_t *)table_get(self->names, session_name(session));
    if (shortcut && shortcut->session != session)
        shortcuts_forget(self, shortcut->session);
}

void shortcuts_resume(shortcuts_t *self, session_t *session)
{
    list_append(&self->woken, &session->waiting);
}

/* Whether the message is to one name, which is no group's and no service's. */
static bool line_is_plain(const line_t *line)
{
    return line->kind == LINE_MESSAGE && line->recipient_count == 1 && !name_is_group(line->recipients[0]) &&
           !name_is_service(line->recipients[0]);
}

/* The shortcut to the recipient of a plain message, NULL if there is none. */
static shortcut_t *shortcuts_find(shortcuts_t *self, const line_t *line)
{
    if (table_count(self->names) == 0)
        return NULL;
    if (!line->head || line->head != self->last.head) {
        self->last.shortcut = (shortcut_t *)table_get(self->names, line->recipients[0]);
        self->last.head = line->head;
    }
    return self->last.shortcut;
}

/* Whether the broker would bring the session what it is sent. */
static bool shortcut_is_usable(const shortcut_t *self)
{
    const session_t *session = self->session;
    return session->state == SESSION_OPEN && session->is_confirmed && !writer_is_numbered(&session->writer) &&
           link_is_up(shortcut_link(self));
}

/* The same, for a sender that is read now. The clock is asked once a sender and turn, as it is once a batch. */
static bool shortcuts_may_use(shortcuts_t *self, const shortcut_t *shortcut, const session_t *sender)
{
    const link_t *link = shortcut_link(shortcut);
    if (shortcut->session == sender || !shortcut_is_usable(shortcut))
        return false;
    if (self->trusted.sender == sender && self->trusted.link == link)
        return true;
    if (link_is_silent(link))
        return false;
    self->trusted.sender = sender;
    self->trusted.link = link;
    return true;
}

static bool shortcut_is_paused(const shortcut_t *self)
{
    const session_t *session = self->session;
    return session->writer.paused || writer_is_over(&session->writer, &session->worker->limits.writer);
}

/* Whether what was sent before the shortcut was there may be on its way. N.B. that may take long, since it may be
 * something else. */
static bool shortcut_is_fenced(shortcut_t *self)
{
    if (self->fence && link_floor(shortcut_link(self)) >= self->fence)
        self->fence = 0;
    return self->fence != 0;
}

/* The same of what sessions had sent that have ended. */
static bool shortcuts_are_fenced(shortcuts_t *self)
{
    bool is_fenced = false;
    for (size_t i = 0; self->is_fenced && i < self->worker->uplinks.count; i++) {
        const uplink_t *uplink = &self->worker->uplinks.items[i];
        is_fenced |= link_floor(uplink->link) < uplink->fence;
    }
    return self->is_fenced = is_fenced;
}

/* Whether all that was sent to it over the broker since then has come. */
static bool shortcut_is_clear(const shortcut_t *self)
{
    return self->arrived >= self->sent || link_is_taken(shortcut_link(self), self->sent);
}

/* N.B. the session is flushed once more: that is when it is looked at whether it is paused, and may stall. */
static void shortcuts_wait(shortcuts_t *self, shortcut_t *shortcut, session_t *sender)
{
    worker_dirty(shortcut->session);
    list_append(&shortcut->senders, &sender->waiting);
    if (!list_has(&shortcut->waiting))
        list_append(&self->waiting, &shortcut->waiting);
}

static void shortcuts_deliver(shortcuts_t *self, session_t *to, session_t *sender, span_t text)
{
    body_copy_t copy = {.session = sender->id, .sender = session_name(sender), .text = text};
    if (writer_must_look(&to->writer))
        session_look(to);
    writer_shortcut(&to->writer, &copy, self);
    worker_dirty(to);
    self->open++;
    sender->shortcut_open++;
    sender->party.open_messages++;
    self->worker->ledger.accepted++;
    self->worker->counters.shortcuts++;
    self->worker->copies_this_turn++;
}

/* Whether something that the sender has sent to others than one name may be under way. */
static bool sender_has_others(session_t *sender)
{
    if (sender->has_others && sender->party.open_messages == sender->shortcut_open)
        sender->has_others = false;
    return sender->has_others;
}

int shortcuts_send(shortcuts_t *self, session_t *sender, const line_t *line)
{
    shortcut_t *shortcut = line_is_plain(line) ? shortcuts_find(self, line) : NULL;
    if (!shortcut || !shortcuts_may_use(self, shortcut, sender) || shortcuts_are_fenced(self) ||
        shortcut_is_fenced(shortcut) || sender_has_others(sender))
        return -1;
    bool is_paused = shortcut_is_paused(shortcut), is_clear = shortcut_is_clear(shortcut);
    if (!is_paused && !is_clear && (shortcut->detours++ < SHORTCUT_DETOURS || self->is_stopped))
        return -1;
    if (is_paused || !is_clear) {
        shortcuts_wait(self, shortcut, sender);
        return 0;
    }
    shortcut->detours = 0;
    shortcuts_deliver(self, shortcut->session, sender, line->text);
    return 1;
}

void shortcuts_sent(shortcuts_t *self, session_t *sender, const line_t *line)
{
    if (!line_is_plain(line)) {
        sender->has_others = true;
        return;
    }
    shortcut_t *shortcut = sender->has_others ? NULL : shortcuts_find(self, line);
    if (shortcut)
        shortcut->sent = link_next_number(shortcut_link(shortcut)) - 1;
}

void shortcuts_fence(shortcuts_t *self, session_t *session)
{
    if (!self->is_used || !sender_has_others(session))
        return;
    self->is_fenced = true;
    for (size_t i = 0; i < self->worker->uplinks.count; i++) {
        uplink_t *uplink = &self->worker->uplinks.items[i];
        uplink->fence = link_next_number(uplink->link);
    }
}

/* Whether those who wait for it must go on waiting. */
static bool shortcuts_must_wait(const shortcuts_t *self, const shortcut_t *shortcut)
{
    return shortcut_is_usable(shortcut) &&
           (shortcut_is_paused(shortcut) || (!shortcut_is_clear(shortcut) && !self->is_stopped));
}

bool shortcuts_go_on(shortcuts_t *self)
{
    list_t woken;
    self->trusted.sender = NULL;
    bool any = shortcuts_tell(self);
    if (list_is_empty(&self->waiting) && list_is_empty(&self->woken))
        return any;
    for (list_node_t *node = self->waiting.head.next, *next; node != &self->waiting.head; node = next) {
        shortcut_t *shortcut = list_member(node, shortcut_t, waiting);
        next = node->next;
        if (!shortcuts_must_wait(self, shortcut))
            shortcut_wake(shortcut, &self->woken);
    }
    list_take(&woken, &self->woken);
    any |= !list_is_empty(&woken);
    worker_wake(&woken);
    return any;
}

void shortcuts_stop(shortcuts_t *self)
{
    self->is_stopped = true;
    shortcuts_go_on(self);
}

void shortcuts_end(shortcuts_t *self, uint64_t sender, uint32_t count)
{
    session_t *session = worker_session(self->worker, sender);
    self->open -= count;
    if (!session)
        return;
    session->shortcut_open -= count;
    session->party.open_messages -= count;
    session_settle(session);
}

void shortcuts_fail(shortcuts_t *self, uint64_t sender, bool has_ended, span_t name, int error, int reason)
{
    failure_t failure = {.sender = sender,
        .error = (uint16_t)error,
        .reason = (uint16_t)reason,
        .name_size = (uint16_t)name.size,
        .has_ended = has_ended};
    buffer_append(&self->failures, &failure, sizeof failure);
    buffer_append(&self->failures, name.data, name.size);
    reactor_wake(self->worker->reactor);
}

static void shortcuts_tell_one(shortcuts_t *self, const failure_t *failure, span_t name)
{
    session_t *session = worker_session(self->worker, failure->sender);
    if (session && session->state < SESSION_CLOSING)
        session_error_of(session, failure->error, (span_t[]){name, span_str(reason_code(failure->reason))}, 2);
    if (!failure->has_ended)
        shortcuts_end(self, failure->sender, 1);
}

bool shortcuts_tell(shortcuts_t *self)
{
    bool any = buffer_size(&self->failures) > 0;
    while (buffer_size(&self->failures)) {
        buffer_t failures = self->failures;
        self->failures = (buffer_t){0};
        for (span_t left = buffer_span(&failures); left.size;) {
            failure_t failure;
            memcpy(&failure, left.data, sizeof failure);
            span_t name = span_of(left.data + sizeof failure, failure.name_size);
            shortcuts_tell_one(self, &failure, name);
            left = span_of(name.data + name.size, left.size - sizeof failure - name.size);
        }
        buffer_fini(&failures);
    }
    return any;
}
