/* SPDX-License-Identifier: MPL-2.0 */
/* peers_drain: the orderly stop, in the steps of peers_phase_t. DRAIN: take what has come and accept no more, wait
 * until all is settled; names go; each program gets what it is owed, `INFO accepted N`, and, when it has read that,
 * BYE; then BYE to the brokers, and DRAINED. Each step has its part of the time that is left; at its end the next
 * begins anyway. Owner: the peers actor's thread. */
#include <inttypes.h>

#include "base/log.h"
#include "plain/peers.h"
#include "wire/reason.h"

#define DRAIN_STEP_MS    10    /* between looks at what may go on */
#define DRAIN_RECEIVE    20000 /* messages that are taken of what has come when the drain begins */
#define DRAIN_RESERVE_MS 2000  /* kept for returning what programs did not read, for the last words, and for BYE */

static void peers_enter(peers_t *self, peers_phase_t phase, const char *step)
{
    self->phase = phase;
    log_info("drain-peers", log_str("step", step), log_uint("peers", self->count));
    reactor_wake(self->reactor);
}

/* What is unread is asked for more often than the tick does; the rest is done by the turn that this makes. */
static void on_asked_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_tick(peer);
}

static void on_drain_timer(uv_timer_t *timer)
{
    peers_each(timer->data, on_asked_peer, NULL);
}

static void on_stopped_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_stop(peer);
}

/* From now on waits for what the links were given until now. */
static void peers_await_links(peers_t *self)
{
    for (size_t i = 0; i < self->uplinks.count; i++)
        self->uplinks.items[i].awaited = link_next_number(self->uplinks.items[i].link);
}

static bool peers_links_settled(const peers_t *self)
{
    if (!exchange_is_settled(&self->exchange))
        return false;
    for (size_t i = 0; i < self->uplinks.count; i++)
        if (!link_is_settled_below(self->uplinks.items[i].link, self->uplinks.items[i].awaited))
            return false;
    return true;
}

static bool peers_links_reached(const peers_t *self, link_state_t state)
{
    for (size_t i = 0; i < self->uplinks.count; i++)
        if (link_state(self->uplinks.items[i].link) < state)
            return false;
    return true;
}

void peers_drain_begin(peers_t *self, uint64_t left_ms)
{
    if (self->phase != PEERS_RUNNING)
        return;
    uint64_t now = reactor_now_ms(self->reactor);
    uint64_t reserve = left_ms / 3 < DRAIN_RESERVE_MS ? left_ms / 3 : DRAIN_RESERVE_MS;
    peers_receive(self, DRAIN_RECEIVE);
    self->trim_deadline_ms = now + left_ms - reserve;
    self->settle_deadline_ms = now + left_ms - reserve / 2;
    self->leave_deadline_ms = now + left_ms - reserve / 8 * 3;
    self->flush_deadline_ms = now + left_ms - reserve / 4;
    self->end_deadline_ms = now + left_ms - reserve / 8;
    peers_enter(self, PEERS_SETTLING, "settle");
    uv_timer_start(&self->drain_timer, on_drain_timer, DRAIN_STEP_MS, DRAIN_STEP_MS);
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_stop(self->uplinks.items[i].link);
    peers_each(self, on_stopped_peer, NULL);
    self->settling = PEERS_MESSAGES;
    peers_await_links(self);
}

static void on_awaited_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_writer_await(&peer->writer);
}

static bool peers_have_read(const peers_t *self)
{
    uint32_t at = 0;
    for (const peer_t *peer; (peer = slots_next_session(&self->slots, &at));)
        if (peer_writer_is_awaited(&peer->writer))
            return false;
    return true;
}

/* Waits for what there was when each wait began, since others go on sending meanwhile. */
static bool peers_settle_on(peers_t *self)
{
    if (self->settling == PEERS_MESSAGES && peers_links_settled(self)) {
        peers_each(self, on_awaited_peer, NULL);
        self->settling = PEERS_READERS;
    }
    if (self->settling == PEERS_READERS && peers_have_read(self)) {
        peers_await_links(self);
        self->settling = PEERS_REPORTS;
    }
    return self->settling == PEERS_REPORTS && peers_links_settled(self);
}

static void on_trimmed_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_trim(peer);
}

/* At that time: what programs have not read by then has ended otherwise. */
static void peers_trim(peers_t *self)
{
    if (self->is_trimmed || reactor_now_ms(self->reactor) < self->trim_deadline_ms)
        return;
    self->is_trimmed = true;
    peers_each(self, on_trimmed_peer, NULL);
    exchange_give_up(&self->exchange, FERRY_REASON_DRAINED);
}

static void peers_leave(peers_t *self)
{
    peers_enter(self, PEERS_LEAVING, "leave");
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_leave(self->uplinks.items[i].link);
}

static void on_finished_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_finish(peer);
}

static void on_dismissed_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_trim(peer);
    peer_dismiss(peer);
}

static bool peers_are_gone(const peers_t *self)
{
    uint32_t at = 0;
    for (const peer_t *peer; (peer = slots_next_session(&self->slots, &at));)
        if (peer->state != PEER_GONE)
            return false;
    return true;
}

static void peers_flush_on(peers_t *self, uint64_t now)
{
    if (now >= self->flush_deadline_ms)
        peers_each(self, on_dismissed_peer, NULL);
    else if (!peers_are_gone(self))
        return;
    peers_enter(self, PEERS_PARTING, "bye");
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_part(self->uplinks.items[i].link);
}

static void on_ended_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_cut(peer, CLOSE_DEADLINE);
}

static void peers_finish(peers_t *self)
{
    peers_each(self, on_ended_peer, NULL);
    uv_timer_stop(&self->drain_timer);
    uint64_t pending = peers_pending(self);
    char lost[24];
    snprintf(lost, sizeof lost, "%" PRIu64, pending);
    json_t *ledger = ledger_json(&self->ledger, pending);
    char *text = json_dumps(ledger, JSON_COMPACT);
    peers_enter(self, PEERS_DRAINED, "drained");
    peers_say(self, "DRAINED", lost, text, NULL);
    free(text);
    json_decref(ledger);
}

void peers_drain_go_on(peers_t *self)
{
    uint64_t now = reactor_now_ms(self->reactor);
    if (self->phase < PEERS_PARTING)
        peers_trim(self);
    if (self->phase == PEERS_SETTLING) {
        if (peers_settle_on(self) || now >= self->settle_deadline_ms)
            peers_leave(self);
    } else if (self->phase == PEERS_LEAVING) {
        if (peers_links_reached(self, LINK_LEFT) || now >= self->leave_deadline_ms) {
            peers_enter(self, PEERS_FLUSHING, "flush");
            peers_each(self, on_finished_peer, NULL);
        }
    } else if (self->phase == PEERS_FLUSHING) {
        peers_flush_on(self, now);
    } else if (self->phase == PEERS_PARTING) {
        if ((peers_links_reached(self, LINK_CLOSED) && self->count == 0) || now >= self->end_deadline_ms)
            peers_finish(self);
    }
}
