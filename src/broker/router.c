/* SPDX-License-Identifier: MPL-2.0 */
/* router: one reactor serves the ROUTER and the pipe. What comes is routed while it is read; when the turn ends each
 * node that something was routed or told to is flushed once. Timers look for silence, for messages that wait too long,
 * and for the drain's deadline. Only the start can fail. Owner: the actor's own thread. */
#include "broker/router.h"

#include <sodium.h>
#include <zmq.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/dispatch.h"
#include "broker/drain.h"
#include "broker/front.h"
#include "broker/held_origins.h"
#include "broker/listen.h"
#include "broker/loss.h"
#include "broker/pauses.h"
#include "broker/services.h"
#include "broker/status.h"

#define ROUTER_TICK_MIN_MS    5
#define ROUTER_TICK_MAX_MS    100
#define ROUTER_HISTOGRAM_BITS 24
#define ROUTER_RECORD_SIZE    64 /* of a message and its batch, beside names and text */

typedef struct {
    broker_t broker;
    zsock_t *pipe; /* borrowed */
    zsock_t *router;
    watch_t *pipe_watch, *router_watch;
    uint32_t linger_ms, settling_time_ms;
    uv_timer_t tick, taken, deadline;
    uint64_t taken_at_ms; /* when `taken` ends, if it is active */
} router_t;

static void node_count(node_t *node)
{
    size_t size = dealer_writer_memory(&node->writer);
    budget_account_change(&node->broker->account, node->counted, size);
    node->counted = size;
}

static void node_flush(node_t *node)
{
    broker_t *broker = node->broker;
    if (!node->ended) {
        pauses_check(node);
        if (!node_is_restating(node))
            dispatch_taken(node);
    }
    dealer_writer_flush(&node->writer, broker_now_ms(broker));
    node_count(node);
}

/* Flushing one node may touch others, which the end of a congestion concerns. */
static void nodes_flush(nodes_t *nodes)
{
    while (nodes->touched) {
        node_t *node = nodes->touched;
        nodes->touched = node->touched_next;
        node->touched = false;
        node_flush(node);
        if (node->ended) {
            node->touched_next = nodes->ended;
            nodes->ended = node;
        }
    }
    nodes_reap(nodes);
}

static void router_say(router_t *self, const char *word, const char *first, const char *second)
{
    zstr_sendx(self->pipe, word, first, second, NULL);
    watch_touch(self->pipe_watch);
}

static void router_close(router_t *self, uint32_t linger_ms)
{
    if (!self->router)
        return;
    int linger = (int)linger_ms;
    watch_destroy(&self->router_watch);
    listen_release(self->broker.socket, self->broker.name);
    zmq_setsockopt(self->broker.socket, ZMQ_LINGER, &linger, sizeof linger);
    zsock_destroy(&self->router);
    self->broker.socket = NULL;
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&self->broker.nodes, &at));)
        node->writer.connected = false;
}

static void router_say_step(router_t *self)
{
    router_say(self, "STEP", drain_word(self->broker.drain), NULL);
}

static void router_say_drained(router_t *self)
{
    char count[32];
    uint64_t pending = status_pending(&self->broker);
    snprintf(count, sizeof count, "%" PRIu64, pending);
    json_t *json = ledger_json(&self->broker.ledger, pending);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    router_say(self, "DRAINED", count, text);
    free(text);
}

static void router_drain_end(router_t *self)
{
    uv_timer_stop(&self->deadline);
    router_close(self, self->linger_ms);
    router_say_drained(self);
}

static void on_taken_due(uv_timer_t *timer)
{
    router_t *self = timer->data;
    uint32_t at = 0;
    self->broker.taken_due_ms = 0;
    for (node_t *node; (node = nodes_next(&self->broker.nodes, &at));)
        if (node->intake.changed || node->intake.is_young)
            node_touch(node);
}

static void router_start_taken(router_t *self)
{
    uint64_t now_ms = broker_now_ms(&self->broker), due_ms = self->broker.taken_due_ms;
    if (due_ms == 0 || (uv_is_active((uv_handle_t *)&self->taken) && self->taken_at_ms <= due_ms))
        return;
    uv_timer_start(&self->taken, on_taken_due, due_ms > now_ms ? due_ms - now_ms : 0, 0);
    self->taken_at_ms = due_ms;
}

static void on_turn(void *arg)
{
    router_t *self = arg;
    broker_t *broker = &self->broker;
    bool moved;
    settle_step(broker);
    do {
        nodes_flush(&broker->nodes);
        moved = drain_step(broker);
        if (moved)
            router_say_step(self);
    } while (moved || broker->nodes.touched);
    if (self->router && broker->drain == DRAIN_CLOSED)
        router_drain_end(self);
    if (self->router)
        watch_touch(self->router_watch);
    router_start_taken(self);
}

static void on_deadline(uv_timer_t *timer)
{
    router_t *self = timer->data;
    log_warning("drain-deadline", log_str("role", "broker"), log_str("step", drain_word(self->broker.drain)),
        log_uint("nodes", self->broker.nodes.count));
    drain_expire(&self->broker);
    router_say_step(self);
}

static void on_tick(uv_timer_t *timer)
{
    router_t *self = timer->data;
    broker_t *broker = &self->broker;
    bool was_away = awake_clock_tick(&broker->clock, reactor_now_ms(broker->reactor));
    uint64_t now_ms = broker_now_ms(broker);
    uint32_t at = 0;
    budget_account_tell(&broker->account);
    take_over_tick(broker);
    services_tick(broker);
    who_tick(broker);
    for (node_t *node; self->router && (node = nodes_next(&broker->nodes, &at));) {
        if (now_ms - node->heard_ms >= broker->timeout_ms) {
            loss_of_node(node, CLOSE_LINK_TIMEOUT);
            continue;
        }
        pauses_check(node);
        if (!was_away && now_ms - node->writer.sent_ms < broker->heartbeat_ms)
            continue;
        node->writer.due = true;
        node_touch(node);
    }
}

static void on_router(void *arg, short events)
{
    router_t *self = arg;
    if (events & ZMQ_POLLIN)
        front_receive(&self->broker);
}

static void router_say_status(router_t *self)
{
    json_t *json = status_json(&self->broker);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    router_say(self, "STATUS", text, NULL);
    free(text);
}

static void router_drain(router_t *self, const char *deadline_ms)
{
    if (self->broker.drain != DRAIN_NONE)
        return;
    drain_begin(&self->broker);
    router_say_step(self);
    uv_timer_start(&self->deadline, on_deadline, strtoull(deadline_ms ? deadline_ms : "0", NULL, 10), 0);
}

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void router_stop(router_t *self)
{
    router_close(self, 0);
    watch_destroy(&self->pipe_watch);
    uv_close((uv_handle_t *)&self->tick, on_handle_closed);
    uv_close((uv_handle_t *)&self->taken, on_handle_closed);
    uv_close((uv_handle_t *)&self->deadline, on_handle_closed);
    reactor_stop(self->broker.reactor);
}

static void on_pipe(void *arg, short events)
{
    router_t *self = arg;
    char *word = NULL, *value = NULL;
    if (!(events & ZMQ_POLLIN))
        return;
    if (zstr_recvx(self->pipe, &word, &value, NULL) == -1 || strcmp(word, "$TERM") == 0)
        router_stop(self);
    else if (strcmp(word, "STATUS") == 0)
        router_say_status(self);
    else if (strcmp(word, "DRAIN") == 0)
        router_drain(self, value);
    zstr_free(&word);
    zstr_free(&value);
}

/* The largest body of a node: a usual batch, or one message of a ZeroMQ program alone, with its recipients. */
static uint32_t broker_batch_size(const config_t *config)
{
    int64_t name = 1 + config_number(config, "gateway/max_name");
    int64_t largest = config_number(config, "broker/peer_max_message") + ROUTER_RECORD_SIZE + name +
                      name * config_number(config, "gateway/max_recipients");
    int64_t batch = config_number(config, "link/batch");
    return (uint32_t)(largest > batch ? largest : batch);
}

static void broker_init(broker_t *self, const router_args_t *args)
{
    const config_t *config = args->config;
    self->name = args->name;
    self->window_size = (uint32_t)config_number(config, "link/window");
    self->batch_size = broker_batch_size(config);
    self->heartbeat_ms = (uint32_t)config_number(config, "link/heartbeat");
    self->timeout_ms = (uint32_t)config_number(config, "link/timeout");
    self->term = 1;
    self->listening = json_array();
    self->names = table_new();
    self->shared_names = table_new();
    list_init(&self->paused_services);
    claims_init(&self->claims);
    self->held_origins = table_new();
    nodes_init(&self->nodes);
    kept_init(&self->kept);
    watches_init(&self->watches);
    who_init(&self->who);
    take_over_init(&self->take_over, config_number(config, "broker/name_policy") == 1);
    histogram_init(&self->batch_records, ROUTER_HISTOGRAM_BITS);
    histogram_init(&self->batch_bytes, ROUTER_HISTOGRAM_BITS);
    self->instance = args->instance;
}

/* Forgets the nodes without telling anybody: their links are closed. */
static void broker_fini(broker_t *self)
{
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&self->nodes, &at));)
        loss_of_node(node, CLOSE_BROKER_DRAINS);
    nodes_flush(&self->nodes);
    nodes_fini(&self->nodes);
    held_origins_fini(self);
    gone_fini(&self->gone);
    owed_fini(&self->owed);
    kept_fini(&self->kept);
    settle_fini(&self->settle);
    take_over_fini(&self->take_over);
    watches_fini(&self->watches);
    who_fini(&self->who);
    table_destroy(&self->names, NULL);
    table_destroy(&self->shared_names, NULL);
    claims_fini(&self->claims);
    buffer_fini(&self->recipients);
    json_decref(self->listening);
    budget_account_fini(&self->account);
}

static uint32_t router_tick_ms(const broker_t *broker)
{
    uint32_t tick_ms = broker->heartbeat_ms / 4;
    if (tick_ms < ROUTER_TICK_MIN_MS)
        return ROUTER_TICK_MIN_MS;
    return tick_ms > ROUTER_TICK_MAX_MS ? ROUTER_TICK_MAX_MS : tick_ms;
}

static void router_start_timers(router_t *self)
{
    uv_loop_t *loop = reactor_loop(self->broker.reactor);
    uv_timer_init(loop, &self->tick);
    uv_timer_init(loop, &self->taken);
    uv_timer_init(loop, &self->deadline);
    self->tick.data = self->taken.data = self->deadline.data = self;
    uint32_t tick_ms = router_tick_ms(&self->broker);
    awake_clock_init(&self->broker.clock, reactor_now_ms(self->broker.reactor), tick_ms);
    uv_timer_start(&self->tick, on_tick, tick_ms, tick_ms);
}

/* Makes the ROUTER and binds it. Returns 0, or -1 when that failed, which was logged. */
static int router_listen(router_t *self, const router_args_t *args)
{
    self->router = zsock_new(ZMQ_ROUTER);
    if (!self->router) {
        log_error("listen-failed", log_str("role", "broker"), log_str("reason", zmq_strerror(zmq_errno())));
        return -1;
    }
    self->broker.socket = zsock_resolve(self->router);
    listen_prepare(self->broker.socket, self->broker.batch_size);
    return listen_bind(self->broker.socket, args->config, args->name, self->broker.listening);
}

static void router_run(router_t *self)
{
    broker_t *broker = &self->broker;
    broker->reactor = reactor_new(on_turn, self);
    self->router_watch = watch_new(broker->reactor, broker->socket, ZMQ_POLLIN, on_router, self);
    watch_hasten(self->router_watch);
    self->pipe_watch = watch_new(broker->reactor, zsock_resolve(self->pipe), ZMQ_POLLIN, on_pipe, self);
    router_start_timers(self);
    settle_begin(broker, self->settling_time_ms);
    router_say(self, "READY", "1", "");
    reactor_run(broker->reactor);
    broker_fini(broker);
    reactor_destroy(&broker->reactor);
}

void router_actor(zsock_t *pipe, void *args)
{
    const router_args_t *options = args;
    router_t *self = zmalloc(sizeof *self);
    self->pipe = pipe;
    self->linger_ms = (uint32_t)config_number(options->config, "link/linger");
    self->settling_time_ms = (uint32_t)config_number(options->config, "link/settling_time");
    broker_init(&self->broker, options);
    budget_account_init(&self->broker.account, options->budget);
    zsock_signal(pipe, 0);
    int rc = router_listen(self, options);
    zsock_signal(pipe, rc == 0 ? 0 : 1);
    if (rc == 0) {
        router_run(self);
    } else {
        router_close(self, 0);
        broker_fini(&self->broker);
    }
    free(self);
}
