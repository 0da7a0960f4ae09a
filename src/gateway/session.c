/* SPDX-License-Identifier: MPL-2.0 */
/* [2] session: the happy path is LOGIN, REGISTERING, OPEN, SETTLING, LEAVING, FLUSHING, CLOSING, DEAD. A client that is
 * lost or cut goes to GONE at once, where its name is let go; so a copy that is on its way to it is returned under its
 * name. Its states are one machine, which is why it has more than 500 lines. Owner: the worker's thread. */
#include "gateway/session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/client_socket.h"
#include "gateway/session_acks.h"
#include "gateway/session_copies.h"
#include "gateway/worker.h"
#include "wire/reason.h"

#define TO(state) (1u << SESSION_##state)
static const unsigned session_moves[] = {
    [SESSION_LOGIN] = TO(REGISTERING) | TO(FLUSHING) | TO(DEAD),
    [SESSION_REGISTERING] = TO(OPEN) | TO(FLUSHING) | TO(GONE) | TO(DEAD),
    [SESSION_OPEN] = TO(SETTLING) | TO(FLUSHING) | TO(AWAY) | TO(GONE) | TO(DEAD),
    [SESSION_SETTLING] = TO(LEAVING) | TO(FLUSHING) | TO(GONE) | TO(DEAD),
    [SESSION_LEAVING] = TO(FLUSHING) | TO(GONE) | TO(DEAD),
    [SESSION_FLUSHING] = TO(CLOSING) | TO(GONE) | TO(DEAD),
    [SESSION_CLOSING] = TO(GONE) | TO(DEAD),
    [SESSION_AWAY] = TO(GONE) | TO(DEAD),
    [SESSION_GONE] = TO(DEAD),
    [SESSION_DEAD] = 0,
};

static void on_poll(uv_poll_t *handle, int status, int events);

static void session_move(session_t *self, session_state_t state)
{
    assert(session_moves[self->state] & (1u << state));
    self->state = state;
    self->since_ms = reactor_now_ms(self->worker->reactor);
    list_remove(&self->timed);
    if (state >= SESSION_LEAVING)
        shortcuts_fence(&self->worker->shortcuts, self);
    if (state == SESSION_LOGIN || state == SESSION_REGISTERING)
        list_append(&self->worker->logins, &self->timed);
    else if (state == SESSION_CLOSING)
        list_append(&self->worker->closings, &self->timed);
    else if (state == SESSION_AWAY)
        list_append(&self->worker->away, &self->timed);
    if (state == SESSION_AWAY)
        party_stop_serving(&self->party, FERRY_REASON_GONE);
    else if (state >= SESSION_GONE)
        party_end(&self->party, session_reason(self));
    else if (state >= SESSION_LEAVING)
        party_stop(&self->party, session_reason(self));
}

session_t *session_new(worker_t *worker, const handoff_t *handoff)
{
    size_t address_size = strlen(handoff->address) + 1;
    session_t *self = calloc(1, sizeof *self + address_size);
    if (!self)
        abort();
    self->worker = worker;
    self->fd = handoff->fd;
    memcpy(self->address, handoff->address, address_size);
    party_init(&self->party, &worker->exchange);
    self->since_ms = reactor_now_ms(worker->reactor);
    self->writer.is_tcp = client_socket_prepare(handoff->fd, &worker->limits);
    int rc = uv_poll_init(reactor_loop(worker->reactor), &self->poll, handoff->fd);
    assert(rc == 0);
    (void)rc;
    self->poll.data = self;
    list_append(&worker->logins, &self->timed);
    session_poll(self);
    return self;
}

static void on_poll_closed(uv_handle_t *handle)
{
    session_t *self = handle->data;
    self->poll_closed = true;
    if (self->state != SESSION_DEAD)
        return;
    reader_fini(&self->reader);
    writer_fini(&self->writer);
    session_acks_end(self);
    free(self->name);
    free(self);
}

/* Closes the connection; what is left of the session is state. */
static void session_close_socket(session_t *self)
{
    if (self->fd < 0)
        return;
    uv_close((uv_handle_t *)&self->poll, on_poll_closed);
    close(self->fd);
    self->fd = -1;
    list_remove(&self->waiting);
    list_remove(&self->writer.stalling);
    list_remove(&self->writer.unacknowledged);
    list_remove(&self->writer.receipted);
}

static void session_log_close(const session_t *self)
{
    log_info("close", log_str("address", self->address), log_span("name", session_name(self)),
        log_str("reason", close_code(self->close_reason)), log_uint("lines", self->reader.lines),
        log_uint("session", self->id));
}

void session_bury(session_t *self)
{
    session_log_close(self);
    self->worker->counters.closes[self->close_reason & 63]++;
    session_close_socket(self);
    list_remove(&self->writer.dirty);
    list_remove(&self->waiting);
    shortcuts_forget(&self->worker->shortcuts, self);
    if (self->uplink)
        writer_forget(&self->writer, self->uplink->link);
    session_move(self, SESSION_DEAD);
    worker_memory_count(self);
    worker_forget(self);
    if (self->poll_closed)
        on_poll_closed((uv_handle_t *)&self->poll);
}

/* Whether its broker still knows its name, or must be told of copies and still can be. */
static bool session_is_bound(const session_t *self)
{
    return self->uplink && link_state(self->uplink->link) != LINK_CLOSED &&
           (self->registered || writer_owes(&self->writer) || session_forwards(self));
}

/* What the session needs to hear of. */
static int session_events(const session_t *self)
{
    int events = self->reader.ended || self->half_closed ? 0 : UV_DISCONNECT;
    if (reader_is_wanted(self) || (self->state == SESSION_CLOSING && !self->client_closed))
        events |= UV_READABLE;
    return self->writer.blocked ? events | UV_WRITABLE : events;
}

static void session_poll_for(session_t *self, int events)
{
    if (events == self->poll_events)
        return;
    self->poll_events = (short)events;
    if (events)
        uv_poll_start(&self->poll, events, on_poll);
    else
        uv_poll_stop(&self->poll);
}

void session_poll(session_t *self)
{
    if (self->fd < 0)
        return;
    int events = session_events(self);
    session_poll_for(self, events | (self->poll_events & ~UV_WRITABLE));
}

void session_await(session_t *self)
{
    writer_await(&self->writer);
    session_look(self);
}

/* Drops what the client still writes. Once it has closed its side, and its kernel has everything, that is the end; what
 * its kernel has not is waited for by the worker's tick. */
static void session_discard(session_t *self)
{
    int rc = reader_discard(self);
    if (rc > 0)
        return;
    self->client_closed = true;
    session_look(self);
    if (rc < 0 || session_is_over(self))
        session_cut(self, self->close_reason);
    else
        session_poll(self);
}

/* Something may be read, or the client has ended its side. */
static void session_hear(session_t *self, int events)
{
    if (self->state == SESSION_CLOSING) {
        session_discard(self);
        return;
    }
    if (events & UV_DISCONNECT)
        self->half_closed = true;
    if (events & UV_READABLE && reader_is_wanted(self))
        reader_read(self);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    session_t *self = handle->data;
    if (status < 0) {
        session_cut(self, CLOSE_CLIENT_GONE);
        return;
    }
    bool is_unwanted = events & ~session_events(self);
    if (events & UV_WRITABLE)
        worker_dirty(self);
    session_hear(self, events);
    if (self->fd >= 0 && is_unwanted)
        session_poll_for(self, session_events(self));
    else
        session_poll(self);
}

void session_error_of(session_t *self, int error, const span_t *arguments, size_t count)
{
    span_t parts[8] = {span_str("error "), span_str(error_code(error))};
    size_t part_count = 2;
    assert(count <= 3);
    for (size_t i = 0; i < count; i++) {
        if (arguments[i].size == 0)
            continue;
        parts[part_count++] = span_str(" ");
        parts[part_count++] = arguments[i];
    }
    writer_line(&self->writer, parts, part_count);
    worker_dirty(self);
}

void session_error(session_t *self, int error, span_t argument)
{
    session_error_of(self, error, &argument, 1);
}

void session_fail(session_t *self, int error, span_t argument, close_t reason)
{
    session_error(self, error, argument);
    session_quit(self, reason);
}

void session_login(session_t *self, span_t name)
{
    self->name = malloc(name.size);
    if (!self->name)
        abort();
    memcpy(self->name, name.data, name.size);
    self->name_size = (uint16_t)name.size;
    party_enter(&self->party, self->id, session_name(self));
    self->uplink = uplinks_of_name(&self->worker->uplinks, name);
    session_move(self, SESSION_REGISTERING);
    if (link_state(self->uplink->link) == LINK_UP) {
        link_register(self->uplink->link, self->id, session_name(self), self->claim, self->writer.paused);
        self->registered = true;
    }
}

void session_confirm(session_t *self, link_claim_t claim)
{
    self->claim = claim;
    self->is_confirmed = true;
    if (self->registered && self->writer.paused)
        link_pause(self->uplink->link, session_name(self), true);
    if (self->state != SESSION_REGISTERING)
        return;
    self->worker->counters.logins++;
    log_info("login", log_str("address", self->address), log_span("name", session_name(self)),
        log_uint("worker", self->worker->index), log_uint("session", self->id));
    session_move(self, SESSION_OPEN);
    if (claim.resumes)
        session_resume_acks(self);
    if (claim.took_over) {
        writer_line(&self->writer, (span_t[]){span_str("info took-over "), session_name(self)}, 2);
        worker_dirty(self);
    }
    shortcuts_confirm(&self->worker->shortcuts, self);
    shortcuts_resume(&self->worker->shortcuts, self);
}

static void session_flush_out(session_t *self)
{
    session_move(self, SESSION_FLUSHING);
    self->writer.is_last = true;
    worker_dirty(self);
}

/* Somebody else has the name: what the client has not acknowledged is his. */
static void session_yield(session_t *self, int error)
{
    if (self->state == SESSION_OPEN) {
        session_error(self, error, session_name(self));
        writer_write(&self->writer, self->fd);
        session_close_socket(self);
        writer_suspend(&self->writer);
    }
    self->close_reason = CLOSE_LOGIN;
    session_move(self, SESSION_GONE);
    session_forward(self);
    worker_dirty(self);
}

void session_deny(session_t *self, int error)
{
    self->registered = self->is_confirmed = false;
    if (self->state == SESSION_REGISTERING) {
        session_fail(self, error, session_name(self), CLOSE_LOGIN);
    } else if (writer_is_numbered(&self->writer) && (self->state == SESSION_AWAY || self->state == SESSION_OPEN)) {
        session_yield(self, error);
    } else if (self->state == SESSION_GONE) {
        if (!session_is_bound(self))
            session_bury(self);
    } else if (self->state >= SESSION_OPEN && self->state <= SESSION_LEAVING) {
        self->close_reason = CLOSE_LOGIN;
        session_return(self);
        session_error(self, error, session_name(self));
        session_flush_out(self);
    }
}

/* Asks the broker to let the name go; what it sent until then still comes. */
static void session_leave(session_t *self)
{
    session_move(self, SESSION_LEAVING);
    if (self->registered && link_state(self->uplink->link) == LINK_UP)
        link_leaving(self->uplink->link, self->id);
    else if (!self->registered)
        session_left(self);
}

void session_left(session_t *self)
{
    self->registered = self->is_confirmed = false;
    if (self->state == SESSION_LEAVING) {
        if (self->said_quit)
            writer_line(&self->writer, &(span_t){"ok quit", 7}, 1);
        session_flush_out(self);
    } else if (self->state == SESSION_GONE && !session_is_bound(self))
        session_bury(self);
}

void session_quit(session_t *self, close_t reason)
{
    self->close_reason = reason;
    self->reader.ended = true;
    writer_lapse(&self->writer);
    list_remove(&self->waiting);
    if (self->state == SESSION_LOGIN || self->state == SESSION_REGISTERING) {
        if (self->registered && link_state(self->uplink->link) == LINK_UP)
            link_leaving(self->uplink->link, self->id);
        session_flush_out(self);
    } else if (self->state == SESSION_OPEN) {
        session_move(self, SESSION_SETTLING);
        session_on_idle(self);
    }
    session_poll(self);
}

void session_settle(session_t *self)
{
    if (self->reader.starved)
        reader_on_settled(self);
    session_on_idle(self);
}

void session_on_idle(session_t *self)
{
    if (self->state == SESSION_SETTLING && party_is_idle(&self->party))
        session_leave(self);
}

/* The connection is lost, and the client may come back for what it has not acknowledged. */
static void session_suspend(session_t *self)
{
    session_look(self);
    session_close_socket(self);
    writer_suspend(&self->writer);
    session_move(self, SESSION_AWAY);
    link_yield(self->uplink->link, self->id, true);
    worker_dirty(self);
}

void session_give_up(session_t *self, close_t reason)
{
    ledger_t *ledger = &self->worker->ledger;
    self->close_reason = reason;
    writer_loss_t loss = {
        .link = self->uplink->link, .session = self->id, .name = session_name(self), .reason = session_reason(self)};
    writer_abandon(&self->writer, &loss, &ledger->unconfirmed[loss.reason], &ledger->returned[loss.reason]);
    if (self->writer.paused && self->registered)
        link_pause(self->uplink->link, session_name(self), false);
    self->writer.paused = false;
    if (self->registered && link_state(self->uplink->link) == LINK_UP)
        link_leaving(self->uplink->link, self->id);
    session_move(self, SESSION_GONE);
    worker_dirty(self);
}

void session_cut(session_t *self, close_t reason)
{
    if (self->state >= SESSION_GONE)
        return;
    if (self->state == SESSION_AWAY) {
        session_give_up(self, reason);
        return;
    }
    if (writer_is_numbered(&self->writer) && self->state == SESSION_OPEN && reason == CLOSE_CLIENT_GONE &&
        self->worker->phase == WORKER_RUNNING) {
        session_suspend(self);
        return;
    }
    bool leaves = self->state == SESSION_LEAVING || (self->state >= SESSION_FLUSHING && self->registered);
    if (self->state < SESSION_FLUSHING || reason == CLOSE_CLIENT_STALLED)
        self->close_reason = reason;
    session_lose(self);
    session_close_socket(self);
    if (self->writer.paused && self->registered)
        link_pause(self->uplink->link, session_name(self), false);
    self->writer.paused = false;
    if (self->registered && !leaves && link_state(self->uplink->link) == LINK_UP)
        link_leaving(self->uplink->link, self->id);
    if (!session_is_bound(self)) {
        session_bury(self);
        return;
    }
    session_move(self, SESSION_GONE);
    worker_dirty(self);
}

static void session_end_output(session_t *self)
{
    session_move(self, SESSION_CLOSING);
    writer_end(&self->writer, self->fd);
}

static void session_check_marks(session_t *self)
{
    const writer_limits_t *limits = &self->worker->limits.writer;
    bool paused = writer_became_paused(&self->writer, limits);
    bool resumed = writer_became_resumed(&self->writer, limits);
    if (paused || resumed)
        party_pause(&self->party, paused, paused);
    if (!(paused || resumed) || !self->registered)
        return;
    self->worker->counters.pauses += paused;
    link_pause(self->uplink->link, session_name(self), paused);
}

/* Keeps the session in the list of those that the tick looks at while it has copies of which nothing is known, or
 * memory that it will not need if nothing more comes. */
static void session_watch_unacknowledged(session_t *self)
{
    list_node_t *node = &self->writer.unacknowledged;
    if (!writer_is_at_rest(&self->writer) && !list_has(node))
        list_append(&self->worker->unacknowledged, node);
}

void session_flush(session_t *self)
{
    if (self->fd >= 0) {
        if (writer_write(&self->writer, self->fd) < 0) {
            session_cut(self, CLOSE_CLIENT_GONE);
            return;
        }
        session_watch_unacknowledged(self);
        if (self->worker->limits.writer.share != SIZE_MAX || writer_owes_receipt(&self->writer))
            session_look(self);
        if (writer_owes_receipt(&self->writer) && !writer_is_numbered(&self->writer))
            worker_look_soon(self);
        session_check_marks(self);
        session_watch_stall(self);
        if (self->state == SESSION_FLUSHING && writer_is_empty(&self->writer))
            session_end_output(self);
        reader_go_on_flushed(self);
        session_poll(self);
    }
    if (self->state == SESSION_AWAY)
        session_check_marks(self);
    if (self->uplink && writer_must_tell(&self->writer))
        writer_tell(&self->writer, self->uplink->link, self->id);
    worker_memory_count(self);
    if (self->state == SESSION_GONE && !session_is_bound(self))
        session_bury(self);
}

void session_resume(session_t *self)
{
    if (session_forwards(self)) {
        session_forward(self);
        return;
    }
    reader_go_on(self);
    if (self->state < SESSION_GONE)
        session_poll(self);
}

void session_restate(session_t *self, bool given_up)
{
    link_t *link = self->uplink->link;
    bool wants_name = self->state == SESSION_REGISTERING || self->state == SESSION_OPEN ||
                      self->state == SESSION_SETTLING || self->state == SESSION_AWAY;
    self->is_confirmed = false;
    if (wants_name) {
        link_register(link, self->id, session_name(self), self->claim, self->writer.paused);
        self->registered = true;
        if (writer_is_numbered(&self->writer))
            link_yield(link, self->id, self->state == SESSION_AWAY);
    } else if (self->registered) {
        link_leaving(link, self->id);
    }
    if (self->forwards)
        session_forward(self);
    if (given_up)
        writer_disown(&self->writer);
    writer_restate(&self->writer, link, self->id);
    worker_dirty(self);
}

static void session_tell_accepted(session_t *self)
{
    char count[24];
    span_t parts[] = {span_str("info accepted "), span_of(count, 0)};
    parts[1].size = (size_t)snprintf(count, sizeof count, "%" PRIu64, self->reader.lines);
    writer_line(&self->writer, parts, 2);
    self->close_reason = CLOSE_GATEWAY_DRAINS;
}

void session_finish(session_t *self)
{
    if (self->state != SESSION_OPEN && self->state != SESSION_SETTLING && self->state != SESSION_LEAVING)
        return;
    session_tell_accepted(self);
    session_flush_out(self);
}

void session_trim(session_t *self)
{
    if (self->state >= SESSION_GONE || !session_was_confirmed(self) ||
        (writer_is_empty(&self->writer) && !writer_pending(&self->writer)))
        return;
    self->close_reason = CLOSE_GATEWAY_DRAINS;
    session_doubt(self);
    session_return(self);
    if (self->state == SESSION_FLUSHING)
        session_tell_accepted(self);
    worker_dirty(self);
}

void session_unlink(session_t *self)
{
    self->registered = false;
    session_left(self);
}
