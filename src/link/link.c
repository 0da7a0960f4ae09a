/* SPDX-License-Identifier: MPL-2.0 */
/* link: the lifecycle. A DEALER is opened, says HELLO once ZeroMQ says that it is connected, and is up when WELCOME
 * comes; whatever goes wrong, it is destroyed and a new one is opened after a back-off with jitter. The tick looks for
 * what did not come in time. Owner: the thread of the reactor. */
#include <assert.h>
#include <czmq.h>
#include <sodium.h>

#include "base/handover.h"
#include "base/log.h"
#include "link/link_internal.h"
#include "wire/error.h"
#include "wire/reason.h"

#define LINK_READ_BUDGET 64 /* ZeroMQ messages a turn, so that what they cause is flushed in between */
#define LINK_TICK_MS     100
#define LINK_TCP_MAXRT   15000
#define LINK_TCP_IDLE    30

static const char *const link_state_names[] = {
    [LINK_DOWN] = "down",
    [LINK_CONNECTING] = "connecting",
    [LINK_GREETING] = "greeting",
    [LINK_UP] = "up",
    [LINK_LEAVING] = "leaving",
    [LINK_LEFT] = "left",
    [LINK_PARTING] = "parting",
    [LINK_CLOSED] = "closed",
};

#define TO(state) (1u << (state))
static const unsigned link_moves[] = {
    [LINK_DOWN] = TO(LINK_CONNECTING) | TO(LINK_CLOSED),
    [LINK_CONNECTING] = TO(LINK_GREETING) | TO(LINK_DOWN) | TO(LINK_CLOSED),
    [LINK_GREETING] = TO(LINK_UP) | TO(LINK_DOWN) | TO(LINK_CLOSED),
    [LINK_UP] = TO(LINK_LEAVING) | TO(LINK_DOWN) | TO(LINK_CLOSED),
    [LINK_LEAVING] = TO(LINK_LEFT) | TO(LINK_DOWN) | TO(LINK_CLOSED),
    [LINK_LEFT] = TO(LINK_PARTING) | TO(LINK_DOWN) | TO(LINK_CLOSED),
    [LINK_PARTING] = TO(LINK_DOWN) | TO(LINK_CLOSED),
    [LINK_CLOSED] = 0,
};

static void link_open(link_t *self);

void link_move(link_t *self, link_state_t state)
{
    assert(link_moves[self->state] & TO(state));
    self->state = state;
    self->opened_ms = reactor_now_ms(self->reactor);
    self->callbacks->on_state(self->owner, self);
}

static void dealer_set(void *dealer, int option, int value)
{
    int rc = zmq_setsockopt(dealer, option, &value, sizeof value);
    assert(rc == 0);
    (void)rc;
}

static void *dealer_new(const link_options_t *options)
{
    void *dealer = zmq_socket(zsys_init(), ZMQ_DEALER);
    if (!dealer)
        return NULL;
    dealer_set(dealer, ZMQ_LINGER, 0);
    dealer_set(dealer, ZMQ_SNDHWM, 0);
    dealer_set(dealer, ZMQ_RCVHWM, 0);
    dealer_set(dealer, ZMQ_RECONNECT_IVL, -1);
    dealer_set(dealer, ZMQ_IMMEDIATE, 1);
    dealer_set(dealer, ZMQ_IPV6, 1);
    dealer_set(dealer, ZMQ_CONNECT_TIMEOUT, (int)options->connect_timeout_ms);
    dealer_set(dealer, ZMQ_HANDSHAKE_IVL, (int)options->connect_timeout_ms);
    dealer_set(dealer, ZMQ_TCP_MAXRT, LINK_TCP_MAXRT);
    dealer_set(dealer, ZMQ_TCP_KEEPALIVE, 1);
    dealer_set(dealer, ZMQ_TCP_KEEPALIVE_IDLE, LINK_TCP_IDLE);
    return dealer;
}

static void link_drop_dealer(link_t *self, int linger_ms)
{
    if (!self->dealer)
        return;
    monitor_destroy(&self->monitor);
    watch_destroy(&self->watch);
    dealer_set(self->dealer, ZMQ_LINGER, linger_ms);
    zmq_close(self->dealer);
    self->dealer = NULL;
}

/* Receives one ZeroMQ message, of which two frames are kept, for the caller to close. Returns how many it has, 0 if
 * there is none. */
static unsigned frames_receive(void *dealer, zmq_msg_t frames[2])
{
    unsigned count = 0;
    bool more = true;
    while (more) {
        zmq_msg_t spare, *frame = count < 2 ? &frames[count] : &spare;
        zmq_msg_init(frame);
        if (handover_receive(frame, dealer, ZMQ_DONTWAIT) < 0) {
            handover_close(frame);
            break;
        }
        more = zmq_msg_more(frame);
        if (++count > 2)
            handover_close(frame);
    }
    return count;
}

/* Reads one message, which may lose the link. Returns false if there was none. */
static bool link_read_next(link_t *self)
{
    zmq_msg_t frames[2];
    unsigned count = frames_receive(self->dealer, frames);
    if (count > 2)
        link_lose(self, CLOSE_BAD_FRAME, span_str("too many frames"));
    else if (count > 0)
        link_receive(self, &frames[0], count == 2 ? &frames[1] : NULL);
    for (unsigned i = 0; i < count && i < 2; i++)
        handover_close(&frames[i]);
    return count > 0;
}

uint32_t link_stamp(const link_t *self)
{
    uint32_t stamp = (uint32_t)reactor_now_ms(self->reactor);
    return stamp ? stamp : UINT32_MAX;
}

bool link_was_silent(const link_t *self, uint64_t since_ms)
{
    return uv_hrtime() / 1000000 - since_ms >= self->timeout_ms / 4 * 3;
}

/* Loses a link that is in doubt: what came may be for a node that was given up since. Returns true then. */
static bool link_doubt(link_t *self)
{
    bool in_doubt = self->state >= LINK_UP && link_is_silent(self);
    if (in_doubt)
        link_lose(self, CLOSE_LINK_TIMEOUT, span_str("silent"));
    return in_doubt;
}

static void on_dealer(void *arg, short events)
{
    link_t *self = arg;
    if (self->state == LINK_CONNECTING && events & ZMQ_POLLOUT) {
        monitor_destroy(&self->monitor);
        watch_want(self->watch, ZMQ_POLLIN);
        link_greet(self);
        link_move(self, LINK_GREETING);
        return;
    }
    int budget = LINK_READ_BUDGET;
    while (budget > 0 && self->dealer && !link_doubt(self) && link_read_next(self))
        budget--;
    /* What came before the connection went is read first. */
    if (budget > 0 && self->dealer && self->state > LINK_CONNECTING && !(events & ZMQ_POLLOUT))
        link_lose(self, CLOSE_CONNECTION, span_str("disconnected"));
}

static void on_refused(void *arg)
{
    link_lose(arg, CLOSE_CONNECTION, span_str("refused"));
}

/* Whether a link that is not up need not come back for its owner to leave: no broker knows this node's names, or all
 * was said, or the broker has given the node up. */
static bool link_is_over(const link_t *self)
{
    if (!self->leave_wanted || !custody_is_settled(self->custody))
        return false;
    bool has_left = self->part_wanted && self->loss == CLOSE_BROKER_DRAINS;
    return !self->lost_ms || has_left || self->loss_up == CLOSE_ORDERLY ||
           reactor_now_ms(self->reactor) - self->lost_ms >= self->timeout_ms;
}

static void on_tick(uv_timer_t *timer)
{
    link_t *self = timer->data;
    if (self->state < LINK_UP && link_is_over(self)) {
        link_close(self);
        return;
    }
    switch (self->state) {
    case LINK_DOWN:
        link_open(self);
        break;
    case LINK_CONNECTING:
    case LINK_GREETING:
        if (reactor_now_ms(self->reactor) - self->opened_ms >= self->options.connect_timeout_ms)
            link_lose(self, CLOSE_CONNECTION, span_str(self->state == LINK_GREETING ? "no answer" : "no connection"));
        break;
    case LINK_CLOSED:
        break;
    default:
        link_doubt(self);
    }
}

static void link_wait(link_t *self, uint64_t first_ms, uint64_t repeat_ms)
{
    uv_timer_start(self->timer, on_tick, first_ms, repeat_ms);
}

/* Forgets what was on its way on the last DEALER; what was said and heard is for the next one to resume. */
static void link_reset(link_t *self)
{
    self->acknowledged = 0;
    self->unacknowledged_size = 0;
    self->acknowledge_now = false;
    self->broker_drains = self->drained_told = self->bye_heard = false;
    self->pause_count = 0;
    self->hold_at = SIZE_MAX;
    self->origins_stated = 0;
    buffer_clear(&self->controls);
}

static void link_open(link_t *self)
{
    self->dealer = dealer_new(&self->options);
    if (!self->dealer) {
        log_error("link-failed", log_str("broker", self->options.broker), log_str("reason", zmq_strerror(errno)));
        link_wait(self, self->options.backoff_max_ms, 0);
        return;
    }
    self->epoch++;
    link_reset(self);
    if (strncmp(self->options.endpoint, "inproc:", 7) != 0)
        self->monitor = monitor_new(self->reactor, self->dealer, on_refused, self);
    if (zmq_connect(self->dealer, self->options.endpoint) != 0) {
        log_error("link-failed", log_str("broker", self->options.broker), log_str("endpoint", self->options.endpoint),
            log_str("reason", zmq_strerror(errno)));
        link_drop_dealer(self, 0);
        link_wait(self, self->options.backoff_max_ms, 0);
        return;
    }
    self->watch = watch_new(self->reactor, self->dealer, ZMQ_POLLIN | ZMQ_POLLOUT, on_dealer, self);
    watch_hasten(self->watch);
    link_wait(self, LINK_TICK_MS, LINK_TICK_MS);
    link_move(self, LINK_CONNECTING);
}

/* How often the tick must come for heartbeats and timeouts of that rhythm. */
static uint64_t link_tick_ms(const link_t *self)
{
    uint32_t half = self->heartbeat_ms / 2 ? self->heartbeat_ms / 2 : 1;
    return half < LINK_TICK_MS ? half : LINK_TICK_MS;
}

void link_keep_time(link_t *self)
{
    link_wait(self, link_tick_ms(self), link_tick_ms(self));
}

/* A new link is opened after the back-off, a random half of which is taken off so that nodes do not come all at once.
 */
static void link_back_off(link_t *self)
{
    uint32_t wait = self->backoff_ms - randombytes_uniform(self->backoff_ms / 2 + 1);
    link_wait(self, wait, 0);
    self->backoff_ms *= 2;
    if (self->backoff_ms > self->options.backoff_max_ms)
        self->backoff_ms = self->options.backoff_max_ms;
}

static void link_log_loss(link_t *self, close_t reason, span_t detail)
{
    bool was_up = self->state >= LINK_UP;
    if (reason == CLOSE_ORDERLY) {
        log_info("link-closed", log_str("broker", self->options.broker), log_str("endpoint", self->options.endpoint));
        return;
    }
    if (was_up)
        self->links_lost++;
    if (was_up || reason != CLOSE_CONNECTION || self->epoch == 1)
        log_warning("link-lost", log_str("broker", self->options.broker), log_str("endpoint", self->options.endpoint),
            log_str("state", link_state_text(self)), log_str("reason", close_code(reason)), log_span("detail", detail));
}

void link_lose(link_t *self, close_t reason, span_t detail)
{
    link_log_loss(self, reason, detail);
    self->loss = reason;
    if (self->state >= LINK_UP) {
        self->loss_up = reason;
        self->lost_ms = reactor_now_ms(self->reactor);
        self->heard_before_ms = self->heard_ms;
    }
    link_drop_dealer(self, reason == CLOSE_ORDERLY ? (int)self->options.linger_ms : 0);
    link_reset(self);
    link_back_off(self);
    link_move(self, LINK_DOWN);
}

void link_close(link_t *self)
{
    uv_timer_stop(self->timer);
    link_drop_dealer(self, 0);
    link_move(self, LINK_CLOSED);
}

static void on_settled(void *arg, uint64_t session, uint64_t number, uint32_t count)
{
    link_t *self = arg;
    self->callbacks->on_settled(self->owner, self, session, number, count);
}

link_t *link_new(reactor_t *reactor, const link_options_t *options, const link_owner_t *callbacks, void *owner)
{
    link_t *self = zmalloc(sizeof *self);
    self->options = *options;
    self->limit = SIZE_MAX;
    self->callbacks = callbacks;
    self->owner = owner;
    self->reactor = reactor;
    self->backoff_ms = options->backoff_min_ms;
    self->timer = zmalloc(sizeof *self->timer);
    uv_timer_init(reactor_loop(reactor), self->timer);
    self->timer->data = self;
    self->acknowledging = zmalloc(sizeof *self->acknowledging);
    uv_timer_init(reactor_loop(reactor), self->acknowledging);
    self->acknowledging->data = self;
    self->custody = custody_new(options->ledger, on_settled, self);
    self->batch_size = self->largest_size = options->batch_size;
    self->timeout_ms = options->timeout_ms;
    link_reset(self);
    link_wait(self, 0, 0);
    return self;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void link_destroy(link_t **self_p)
{
    link_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    link_drop_dealer(self, 0);
    uv_close((uv_handle_t *)self->timer, on_timer_closed);
    uv_close((uv_handle_t *)self->acknowledging, on_timer_closed);
    custody_destroy(&self->custody);
    origins_fini(&self->origins);
    buffer_fini(&self->body);
    buffer_fini(&self->controls);
    free(self);
}

void link_stop(link_t *self)
{
    self->stop_wanted = true;
    if (self->state == LINK_UP)
        link_control_empty(self, RECORD_STOPPING);
}

void link_leave(link_t *self)
{
    self->leave_wanted = true;
    if (self->state == LINK_UP)
        link_say_leave(self);
    else if (self->state < LINK_UP && link_is_over(self))
        link_close(self);
}

void link_part(link_t *self)
{
    self->part_wanted = true;
}

link_state_t link_state(const link_t *self)
{
    return self->state;
}

const char *link_state_text(const link_t *self)
{
    return self->state == LINK_UP && self->broker_drains ? "broker-drains" : link_state_names[self->state];
}

bool link_is_up(const link_t *self)
{
    return self->state == LINK_UP && !self->broker_drains;
}

bool link_is_silent(const link_t *self)
{
    return link_was_silent(self, self->heard_ms);
}

const char *link_broker(const link_t *self)
{
    return self->options.broker;
}

close_t link_loss(const link_t *self)
{
    return self->loss;
}

origins_t *link_origins(link_t *self)
{
    return &self->origins;
}

bool link_is_settled(const link_t *self)
{
    return custody_is_settled(self->custody);
}

bool link_is_settled_below(const link_t *self, uint64_t number)
{
    return custody_is_settled_below(self->custody, number);
}

uint64_t link_floor(const link_t *self)
{
    return custody_floor(self->custody);
}

uint64_t link_next_number(const link_t *self)
{
    return custody_next_number(self->custody);
}

bool link_is_taken(const link_t *self, uint64_t number)
{
    return custody_is_taken(self->custody, number);
}

size_t link_memory(const link_t *self)
{
    return custody_memory(self->custody) + origins_memory(&self->origins) + self->body.capacity +
           self->controls.capacity;
}

size_t link_kept_size(const link_t *self)
{
    return custody_kept_size(self->custody) + buffer_size(&self->body);
}

uint64_t link_open_copies(const link_t *self)
{
    return custody_open_copies(self->custody);
}

json_t *link_json(const link_t *self)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "broker", self->options.broker,
        "endpoint", self->options.endpoint, "state", link_state_text(self), "epoch", (json_int_t)self->epoch,
        "window_bytes", (json_int_t)self->window_size, "open_bytes", (json_int_t)custody_open_size(self->custody),
        "open_messages", (json_int_t)(custody_next_number(self->custody) - custody_floor(self->custody)), "pauses",
        (json_int_t)self->pause_count, "batches_sent", (json_int_t)self->batches_sent, "batches_received",
        (json_int_t)self->batches_received, "lost", (json_int_t)self->links_lost);
}
