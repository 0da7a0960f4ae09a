/* SPDX-License-Identifier: MPL-2.0 */
/* worker_tick: looks for deadlines: of logins, closings, requests, clients that take nothing, and brokers that are
 * away. Owner: the worker's thread. */
#include <stdio.h>

#include "gateway/worker.h"

#define TICK_MS         100
#define TICK_CLOSING_MS 2000 /* for a client to close after its end of file */

static void tick_logins(worker_t *self, uint64_t now)
{
    for (list_node_t *node; (node = list_first(&self->logins));) {
        session_t *session = list_member(node, session_t, timed);
        if (now - session->since_ms < self->limits.login_timeout_ms)
            return;
        session_fail(session, FERRY_ERROR_LOGIN_TIMEOUT, span_of(NULL, 0), CLOSE_LOGIN);
    }
}

static void tick_away(worker_t *self, uint64_t now)
{
    for (list_node_t *node; (node = list_first(&self->away));) {
        session_t *session = list_member(node, session_t, timed);
        if (now - session->since_ms < self->limits.resume_time_ms)
            return;
        session_give_up(session, CLOSE_CLIENT_GONE);
    }
}

/* A client whose kernel may still acknowledge copies has the time of one that takes nothing. */
static void tick_closings(worker_t *self, uint64_t now)
{
    list_t closings;
    list_take(&closings, &self->closings);
    for (list_node_t *node; (node = list_first(&closings));) {
        session_t *session = list_member(node, session_t, timed);
        list_remove(node);
        list_append(&self->closings, node);
        uint64_t patience = TICK_CLOSING_MS;
        if (writer_unacknowledged(&session->writer) && patience < self->limits.writer.stall_time_ms)
            patience = self->limits.writer.stall_time_ms;
        if (now - session->since_ms >= patience)
            session_cut(session, CLOSE_DEADLINE);
    }
}

static void tick_blocked(worker_t *self, uint64_t now)
{
    list_t blocked;
    list_take(&blocked, &self->blocked);
    for (list_node_t *node; (node = list_first(&blocked));) {
        session_t *session = list_member(node, session_t, writer.stalling);
        list_remove(node);
        list_append(&self->blocked, node);
        if (worker_memory_takes_returns(self) && writer_is_stalled(&session->writer, &self->limits.writer, now))
            session_cut(session, CLOSE_CLIENT_STALLED);
    }
}

/* Tells main that the worker is not ready for want of that link, unless it knows. */
static void worker_tell_unready(worker_t *self, const link_t *away)
{
    char why[256];
    close_t loss = link_loss(away);
    if (self->unready_told && loss == self->unready_loss)
        return;
    snprintf(why, sizeof why, "no link to broker %s%s%s", link_broker(away), loss ? ": " : " yet",
        loss ? close_meaning(loss) : "");
    worker_say(self, "READY", "0", why, NULL);
    self->ready = false;
    self->unready_told = true;
    self->unready_loss = loss;
}

/* Tells main when the worker becomes ready, and when a broker has been away for longer than admin/unready_after. */
static void tick_ready(worker_t *self, uint64_t now)
{
    const link_t *away = NULL;
    for (size_t i = 0; i < self->uplinks.count && !away; i++)
        if (link_state(self->uplinks.items[i].link) < LINK_UP)
            away = self->uplinks.items[i].link;
    if (!away) {
        self->unready_since_ms = 0;
        if (!self->ready)
            worker_say(self, "READY", "1", "", NULL);
        self->ready = true;
        return;
    }
    if (!self->unready_since_ms) {
        self->unready_since_ms = now;
        self->unready_told = false;
    }
    if (!self->ready || now - self->unready_since_ms >= self->limits.unready_after_ms)
        worker_tell_unready(self, away);
}

static void on_tick(uv_timer_t *timer)
{
    worker_t *self = timer->data;
    uint64_t now = reactor_now_ms(self->reactor);
    tick_logins(self, now);
    exchange_tick(&self->exchange, now);
    worker_look(self);
    tick_closings(self, now);
    tick_away(self, now);
    tick_blocked(self, now);
    worker_memory_tick(self);
    if (self->phase == WORKER_RUNNING)
        tick_ready(self, now);
}

void worker_tick_init(worker_t *self)
{
    uv_timer_init(reactor_loop(self->reactor), &self->tick);
    self->tick.data = self;
    uv_timer_start(&self->tick, on_tick, TICK_MS, TICK_MS);
}
