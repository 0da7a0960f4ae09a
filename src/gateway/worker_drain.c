/* SPDX-License-Identifier: MPL-2.0 */
/* worker_drain: the orderly stop of a worker, in the steps of worker_phase_t. DRAIN: take what the kernel holds and
 * read no more, wait until all is settled, say SETTLED. LEAVE (when all workers have settled): names go, outputs are
 * flushed, each client reads `info accepted N` and end of file, what was not taken in time is returned; then BYE, and
 * DRAINED. Each step has its part of the time that is left; at its end the next begins anyway. Owner: the worker's
 * thread. */
#include <inttypes.h>

#include "base/log.h"
#include "gateway/worker.h"
#include "wire/reason.h"

#define DRAIN_STEP_MS    10   /* between looks at what may go on */
#define DRAIN_SPREAD     50   /* steps over which closings are spread, so that clients do not all come back at once */
#define DRAIN_LEAST      64   /* sessions in each of these steps at least */
#define DRAIN_RESERVE_MS 2000 /* kept for returning what clients did not take, for the last lines, and for BYE */

static void worker_enter(worker_t *self, worker_phase_t phase, const char *step)
{
    self->phase = phase;
    log_info("drain-worker", log_uint("worker", self->index), log_str("step", step),
        log_uint("sessions", self->session_count));
    reactor_wake(self->reactor);
}

/* The rest is done by the turn that this makes. */
static void on_drain_timer(uv_timer_t *timer)
{
    worker_look(timer->data);
}

static void on_drain_session(session_t *session, void *arg)
{
    (void)arg;
    if (session->state == SESSION_LOGIN || session->state == SESSION_REGISTERING) {
        session_fail(session, FERRY_ERROR_DRAINING, span_of(NULL, 0), CLOSE_GATEWAY_DRAINS);
    } else if (session->state == SESSION_AWAY) {
        session_give_up(session, CLOSE_GATEWAY_DRAINS);
    } else if (session->state == SESSION_OPEN) {
        reader_finish(session);
        if (session->state != SESSION_OPEN)
            return;
        session->reader.acks_only = writer_is_numbered(&session->writer);
        session->reader.ended = !writer_is_numbered(&session->writer);
        session->reader.choked = false;
        list_remove(&session->waiting);
        writer_line(&session->writer, &(span_t){"info draining", 13}, 1);
        worker_dirty(session);
    }
}

void worker_drain_begin(worker_t *self, uint64_t left_ms)
{
    if (self->phase != WORKER_RUNNING)
        return;
    uint64_t now = reactor_now_ms(self->reactor);
    uint64_t reserve = left_ms / 3 < DRAIN_RESERVE_MS ? left_ms / 3 : DRAIN_RESERVE_MS;
    self->trim_deadline_ms = now + left_ms - reserve;
    self->settle_deadline_ms = now + left_ms - reserve / 2;
    self->leave_deadline_ms = now + left_ms - reserve / 8 * 3;
    self->flush_deadline_ms = now + left_ms - reserve / 4;
    self->cut_deadline_ms = now + left_ms - reserve / 16 * 3;
    self->end_deadline_ms = now + left_ms - reserve / 8;
    worker_enter(self, WORKER_SETTLING, "settle");
    uv_timer_start(&self->drain_timer, on_drain_timer, DRAIN_STEP_MS, DRAIN_STEP_MS);
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_stop(self->uplinks.items[i].link);
    shortcuts_stop(&self->shortcuts);
    worker_each(self, on_drain_session, NULL);
    worker_settle_begin(self);
}

static bool worker_links_reached(worker_t *self, link_state_t state)
{
    for (size_t i = 0; i < self->uplinks.count; i++)
        if (link_state(self->uplinks.items[i].link) < state)
            return false;
    return true;
}

void worker_drain_leave(worker_t *self)
{
    if (self->phase != WORKER_SETTLED)
        return;
    worker_enter(self, WORKER_LEAVING, "leave");
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_leave(self->uplinks.items[i].link);
}

static void on_trim_session(session_t *session, void *arg)
{
    (void)arg;
    session_trim(session);
}

/* Tells the next sessions `info accepted N`. Returns true when all have been told. */
static bool worker_finish_some(worker_t *self, bool all)
{
    uint32_t count = all ? self->slots.count : self->slots.count / DRAIN_SPREAD + DRAIN_LEAST;
    session_t *session = NULL;
    for (; count > 0 && (session = slots_next_session(&self->slots, &self->drain_slot)); count--)
        session_finish(session);
    return !session;
}

static bool worker_has_output(const worker_t *self)
{
    uint32_t at = 0;
    for (const session_t *session; (session = slots_next_session(&self->slots, &at));)
        if (session->state < SESSION_CLOSING)
            return true;
    return !list_is_empty(&self->unacknowledged);
}

/* A line of which a part was written holds a session up; later nobody could be told of its copy any more. */
static void on_stuck_session(session_t *session, void *arg)
{
    (void)arg;
    if (!writer_pending(&session->writer))
        return;
    session->close_reason = CLOSE_GATEWAY_DRAINS;
    session_cut(session, CLOSE_DEADLINE);
}

/* Once, at that time: what clients have not taken is returned to its senders, and who waits for services is told. */
static void worker_trim_at(worker_t *self, uint64_t deadline_ms, bool *trimmed)
{
    if (*trimmed || reactor_now_ms(self->reactor) < deadline_ms)
        return;
    *trimmed = true;
    worker_each(self, on_trim_session, NULL); /* N.B. first: it drops what waits to be written */
    shortcuts_tell(&self->shortcuts);
    exchange_give_up(&self->exchange, FERRY_REASON_DRAINED);
}

static void worker_flush_on(worker_t *self, uint64_t now)
{
    bool late = now >= self->flush_deadline_ms;
    bool told = worker_finish_some(self, late);
    worker_trim_at(self, self->flush_deadline_ms, &self->flush_trimmed);
    if (now >= self->cut_deadline_ms)
        worker_each(self, on_stuck_session, NULL);
    else if (!told || worker_has_output(self))
        return;
    worker_enter(self, WORKER_PARTING, "bye");
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_part(self->uplinks.items[i].link);
}

static void on_end_session(session_t *session, void *arg)
{
    (void)arg;
    session_cut(session, CLOSE_DEADLINE);
}

static void worker_finish(worker_t *self)
{
    worker_each(self, on_end_session, NULL);
    uv_timer_stop(&self->drain_timer);
    uint64_t pending = worker_pending(self);
    char lost[24];
    snprintf(lost, sizeof lost, "%" PRIu64, pending);
    json_t *ledger = ledger_json(&self->ledger, pending);
    char *text = json_dumps(ledger, JSON_COMPACT);
    worker_enter(self, WORKER_DRAINED, "drained");
    worker_say(self, "DRAINED", lost, text, NULL);
    free(text);
    json_decref(ledger);
}

void worker_drain_go_on(worker_t *self)
{
    uint64_t now = reactor_now_ms(self->reactor);
    switch (self->phase) {
    case WORKER_SETTLING:
        worker_trim_at(self, self->trim_deadline_ms, &self->settle_trimmed);
        if (worker_settle_go_on(self) || now >= self->settle_deadline_ms) {
            worker_enter(self, WORKER_SETTLED, "settled");
            worker_say(self, "SETTLED", NULL);
        }
        break;
    case WORKER_SETTLED:
        worker_trim_at(self, self->trim_deadline_ms, &self->settle_trimmed);
        break;
    case WORKER_LEAVING:
        if (worker_links_reached(self, LINK_LEFT) || now >= self->leave_deadline_ms)
            worker_enter(self, WORKER_FLUSHING, "flush");
        break;
    case WORKER_FLUSHING:
        worker_flush_on(self, now);
        break;
    case WORKER_PARTING:
        if ((worker_links_reached(self, LINK_CLOSED) && self->session_count == 0) || now >= self->end_deadline_ms)
            worker_finish(self);
        break;
    default:
        break;
    }
}
