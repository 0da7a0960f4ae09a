/* SPDX-License-Identifier: MPL-2.0 */
/* carrier_drain: the orderly stop, in the steps of carrier_phase_t. The program receives nothing more, so that what it
 * has not received is returned at once, as is what still comes: two programs that stop together do not wait for each
 * other. Then all that was sent is settled, the name goes, and BYE. A step that is out of time gives way to the next.
 * Owner: the actor's thread. */
#include "base/log.h"
#include "client/carrier.h"
#include "wire/reason.h"

#define DRAIN_STEP_MS    10   /* between looks at the deadlines */
#define DRAIN_RESERVE_MS 1000 /* kept for the name to go, and for BYE */

static void carrier_enter(carrier_t *self, carrier_phase_t phase, const char *step)
{
    self->phase = phase;
    log_info("drain", log_span("name", self->args->name), log_str("step", step));
    reactor_wake(self->reactor);
}

/* The rest is done by the turn that this makes. */
static void on_drain_timer(uv_timer_t *timer)
{
    (void)timer;
}

/* Nothing waits for the program any more, whatever lies in the channel. */
static void carrier_stop_receiving(carrier_t *self)
{
    uplink_t *uplink = self->uplink;
    holdings_loss_t loss = {
        .link = uplink->link, .session = self->session, .name = self->args->name, .reason = FERRY_REASON_GONE};
    for (; self->taken < self->holdings.next; self->taken++)
        holdings_report(&self->holdings, self->taken, &loss, FERRY_ERROR_UNDELIVERED);
    self->waiting_size = 0;
    if (self->paused && self->registered)
        link_pause(uplink->link, self->args->name, false);
    self->paused = false;
}

void carrier_drain_begin(carrier_t *self, uint64_t left_ms)
{
    if (self->phase != CARRIER_RUNNING)
        return;
    uint64_t now = reactor_now_ms(self->reactor);
    uint64_t reserve = left_ms / 3 < DRAIN_RESERVE_MS ? left_ms / 3 : DRAIN_RESERVE_MS;
    self->settle_deadline_ms = now + left_ms - reserve;
    self->leave_deadline_ms = now + left_ms - reserve / 2;
    self->end_deadline_ms = now + left_ms;
    carrier_enter(self, CARRIER_SETTLING, "settle");
    uv_timer_start(&self->timer, on_drain_timer, DRAIN_STEP_MS, DRAIN_STEP_MS);
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_stop(self->uplinks.items[i].link);
    carrier_stop_receiving(self);
}

static bool carrier_is_settled(const carrier_t *self)
{
    for (size_t i = 0; i < self->uplinks.count; i++)
        if (!link_is_settled(self->uplinks.items[i].link))
            return false;
    return !outbox_first(&self->outbox) && exchange_is_settled(&self->exchange);
}

static bool carrier_links_reached(const carrier_t *self, link_state_t state)
{
    for (size_t i = 0; i < self->uplinks.count; i++)
        if (link_state(self->uplinks.items[i].link) < state)
            return false;
    return true;
}

/* What is in the outbox now was never sent, and counts as not settled. */
static void carrier_leave(carrier_t *self)
{
    carrier_enter(self, CARRIER_LEAVING, "leave");
    list_remove(&self->waiting);
    while (outbox_first(&self->outbox))
        outbox_drop(&self->outbox);
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_leave(self->uplinks.items[i].link);
}

static void carrier_part_links(carrier_t *self)
{
    carrier_enter(self, CARRIER_PARTING, "bye");
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_part(self->uplinks.items[i].link);
}

static void carrier_finish(carrier_t *self)
{
    carrier_enter(self, CARRIER_DRAINED, "drained");
    uv_timer_stop(&self->timer);
    self->progress.drained = true;
}

void carrier_drain_go_on(carrier_t *self)
{
    uint64_t now = reactor_now_ms(self->reactor);
    if (!outbox_first(&self->outbox)) /* N.B. the ends of jobs are in there, too */
        party_stop(&self->party, FERRY_REASON_GONE);
    if (self->phase == CARRIER_SETTLING && (carrier_is_settled(self) || now >= self->settle_deadline_ms))
        carrier_leave(self);
    if (self->phase == CARRIER_LEAVING && (carrier_links_reached(self, LINK_LEFT) || now >= self->leave_deadline_ms))
        carrier_part_links(self);
    if (self->phase == CARRIER_PARTING && (carrier_links_reached(self, LINK_CLOSED) || now >= self->end_deadline_ms))
        carrier_finish(self);
}
