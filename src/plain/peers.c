/* SPDX-License-Identifier: MPL-2.0 */
/* peers: the event loop. Programs and links are read in the middle of a turn; at its end peers that something happened
 * to are flushed, then the links, so that an acknowledgement never runs ahead of what it says. The tick looks for
 * silence and deadlines. Only the start can fail. Owner: this actor's thread. */
#include "plain/peers.h"

#include <assert.h>
#include <sodium.h>

#include "base/binding.h"
#include "base/handover.h"
#include "base/log.h"
#include "plain/peer_hear.h"
#include "plain/peer_party.h"
#include "wire/reason.h"

#define PEERS_TICK_MS        100
#define PEERS_RECEIVE_BUDGET 256         /* messages a turn */
#define PEERS_FRAME_SLACK    (64 * 1024) /* over the largest payload: what is a little too large is answered */

peer_t *peers_get(peers_t *self, uint64_t id)
{
    return id & LINK_SESSION_KINDS ? NULL : slots_get(&self->slots, id);
}

void peers_dirty(peer_t *peer)
{
    if (!peer->is_buried && !list_has(&peer->dirty))
        list_append(&peer->peers->dirty, &peer->dirty);
}

bool peers_may_answer(peers_t *self, span_t route)
{
    return answers_allow(&self->answers, route, reactor_now_ms(self->reactor));
}

void peers_login(peers_t *self, span_t route, const verb_t *login, size_t unread_size)
{
    peer_t *peer = peer_come(self, route, login);
    peer->writer.bytes = unread_size;
    self->count++;
    table_put(self->routes, &peer->item);
}

void peers_unroute(peer_t *peer)
{
    table_take(peer->peers->routes, &peer->item);
}

void peers_forget(peer_t *peer)
{
    peers_t *self = peer->peers;
    slots_remove(&self->slots, peer->id);
    self->count--;
    budget_account_change(&self->account, peer->counted, 0);
    list_remove(&peer->dirty);
    list_remove(&peer->timed);
    list_append(&self->buried, &peer->dirty);
}

void peers_wake(list_t *woken)
{
    for (list_node_t *node; (node = list_first(woken));) {
        list_remove(node);
        peer_go_on(list_member(node, peer_t, waiting));
    }
}

void peers_each(peers_t *self, void (*visit)(peer_t *peer, void *arg), void *arg)
{
    uint32_t at = 0;
    for (peer_t *peer; (peer = slots_next_session(&self->slots, &at));)
        visit(peer, arg);
}

void peers_say(peers_t *self, const char *first, ...)
{
    zmsg_t *message = zmsg_new();
    va_list args;
    va_start(args, first);
    for (const char *word = first; word; word = va_arg(args, const char *))
        zmsg_addstr(message, word);
    va_end(args);
    zmsg_send(&message, self->pipe);
    watch_touch(self->pipe_watch);
}

/* Counts what a peer holds of the process's memory. */
static void peers_count(peers_t *self, peer_t *peer)
{
    size_t size = peer_inbox_memory(&peer->inbox) + peer_writer_memory(&peer->writer);
    budget_account_change(&self->account, peer->counted, size);
    peer->counted = size;
}

static void peers_flush(peers_t *self)
{
    for (list_node_t *node; (node = list_first(&self->dirty));) {
        peer_t *peer = list_member(node, peer_t, dirty);
        list_remove(node);
        peer_flush(peer);
        if (!peer->is_buried)
            peers_count(self, peer);
    }
}

static void peers_free_buried(peers_t *self)
{
    for (list_node_t *node; (node = list_first(&self->buried));) {
        list_remove(node);
        peer_free(list_member(node, peer_t, dirty));
    }
}

static void peers_count_links(peers_t *self)
{
    size_t size = exchange_memory(&self->exchange);
    for (size_t i = 0; i < self->uplinks.count; i++)
        size += link_memory(self->uplinks.items[i].link);
    budget_account_change(&self->account, self->links_counted, size);
    self->links_counted = size;
    self->is_full = budget_look(self->account.budget) == BUDGET_FULL;
}

static void on_turn(void *arg)
{
    peers_t *self = arg;
    peers_check_pauses(self);
    peers_flush(self);
    exchange_turn(&self->exchange, reactor_now_ms(self->reactor));
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_flush(self->uplinks.items[i].link);
    peers_count_links(self);
    if (self->phase != PEERS_RUNNING)
        peers_drain_go_on(self);
    peers_free_buried(self);
    watch_touch(self->router_watch);
}

static void on_router(void *arg, short events)
{
    if (events & ZMQ_POLLIN)
        peers_receive(arg, PEERS_RECEIVE_BUDGET);
}

static void tick_logins(peers_t *self, uint64_t now)
{
    for (list_node_t *node; (node = list_first(&self->logins));) {
        peer_t *peer = list_member(node, peer_t, timed);
        if (now - peer->since_ms < self->limits.login_timeout_ms)
            return;
        peer_fail(peer, FERRY_ERROR_LOGIN_TIMEOUT, span_of(NULL, 0));
    }
}

static void on_ticked_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_tick(peer);
}

static void on_tick(uv_timer_t *timer)
{
    peers_t *self = timer->data;
    tick_logins(self, reactor_now_ms(self->reactor));
    exchange_tick(&self->exchange, reactor_now_ms(self->reactor));
    peers_each(self, on_ticked_peer, NULL);
    budget_account_tell(&self->account);
}

static void peers_command(peers_t *self, zmsg_t *message)
{
    char *command = zmsg_popstr(message);
    char *argument = zmsg_popstr(message);
    if (streq(command, "STATUS")) {
        char *status = peers_status(self);
        peers_say(self, "STATUS", status, NULL);
        free(status);
    } else if (streq(command, "DRAIN") && argument) {
        peers_drain_begin(self, strtoull(argument, NULL, 10));
    } else if (streq(command, "$TERM")) {
        reactor_stop(self->reactor);
    }
    zstr_free(&command);
    zstr_free(&argument);
}

static void on_pipe(void *arg, short events)
{
    peers_t *self = arg;
    if (!(events & ZMQ_POLLIN))
        return;
    zmsg_t *message = zmsg_recv(self->pipe);
    if (message)
        peers_command(self, message);
    zmsg_destroy(&message);
}

static void peers_limits_init(peers_limits_t *self, const config_t *config)
{
    size_t window = (size_t)config_number(config, "broker/peer_window");
    self->verb.line.line_size = (size_t)config_number(config, "gateway/max_line");
    self->verb.line.name_size = (size_t)config_number(config, "gateway/max_name");
    self->verb.line.recipient_count = (unsigned)config_number(config, "gateway/max_recipients");
    self->verb.payload_size = (size_t)config_number(config, "broker/peer_max_message");
    self->peer.window_size = self->peer.high_mark = window;
    self->peer.stall_time_ms = (uint64_t)config_number(config, "broker/peer_stall_time");
    self->peer.probe_time_ms = (uint64_t)config_number(config, "broker/peer_probe_time");
    self->login_timeout_ms = (uint64_t)config_number(config, "broker/peer_login_timeout");
    self->peer_count = (uint32_t)config_number(config, "broker/max_peers");
}

/* What begins as the instance of the broker does that it ends with (proto/link.md, section 9). */
static void peers_draw_node(peers_t *self, const link_id_t *instance)
{
    randombytes_buf(&self->node, sizeof self->node);
    memcpy(self->node.bytes, instance->bytes, LINK_ID_OF_SIZE);
}

static peers_t *peers_new(zsock_t *pipe, const peers_args_t *args)
{
    peers_t *self = zmalloc(sizeof *self);
    self->pipe = pipe;
    self->config = args->config;
    self->brokers = args->brokers;
    self->listening = json_array();
    self->routes = table_new();
    self->linger_ms = (uint32_t)config_number(args->config, "link/linger");
    peers_limits_init(&self->limits, args->config);
    peers_draw_node(self, &args->instance);
    exchange_options_t options = {.groups = (unsigned)config_number(args->config, "gateway/max_groups"),
        .services = (unsigned)config_number(args->config, "gateway/max_services"),
        .watches = (unsigned)config_number(args->config, "gateway/max_watches")};
    exchange_init(
        &self->exchange, &self->slots, &self->uplinks, &self->ledger, &self->node, &options, &peer_party_owner, self);
    answers_init(&self->answers);
    budget_account_init(&self->account, args->budget);
    list_init(&self->dirty);
    list_init(&self->logins);
    list_init(&self->buried);
    histogram_init(&self->batch_records, 16);
    histogram_init(&self->batch_bytes, 24);
    return self;
}

/* Makes the ROUTER and binds it. Returns 0, or -1 when that failed, which was logged. */
static int peers_listen(peers_t *self)
{
    const char *endpoint = config_string(self->config, "broker/peer_listen");
    self->router = zsock_new(ZMQ_ROUTER);
    if (!self->router)
        return binding_fail("peers", endpoint, zmq_strerror(zmq_errno()));
    self->socket = zsock_resolve(self->router);
    binding_prepare(self->socket, self->limits.verb.payload_size + PEERS_FRAME_SLACK);
    /* N.B. a program that set its routing id, and was started again, would not be heard otherwise. */
    zmq_setsockopt(self->socket, ZMQ_ROUTER_HANDOVER, &(int){1}, sizeof(int));
    return binding_open(self->socket, "peers", endpoint, self->listening);
}

static void peers_run(peers_t *self)
{
    self->reactor = reactor_new(on_turn, self);
    self->pipe_watch = watch_new(self->reactor, zsock_resolve(self->pipe), ZMQ_POLLIN, on_pipe, self);
    self->router_watch = watch_new(self->reactor, self->socket, ZMQ_POLLIN, on_router, self);
    uv_timer_init(reactor_loop(self->reactor), &self->tick);
    uv_timer_init(reactor_loop(self->reactor), &self->drain_timer);
    self->tick.data = self->drain_timer.data = self;
    uv_timer_start(&self->tick, on_tick, PEERS_TICK_MS, PEERS_TICK_MS);
    reactor_run(self->reactor);
}

static void on_last_peer(peer_t *peer, void *arg)
{
    (void)arg;
    peer_writer_forget(&peer->writer, peer->uplink->link);
    peer->is_buried = true;
    party_end(&peer->party, FERRY_REASON_GONE);
    if (peer->state != PEER_GONE)
        peers_unroute(peer);
    list_remove(&peer->waiting);
    peers_forget(peer);
}

/* Lets go of what belongs to the loop. */
static void peers_stop(peers_t *self)
{
    peers_each(self, on_last_peer, NULL);
    peers_free_buried(self);
    watch_destroy(&self->pipe_watch);
    watch_destroy(&self->router_watch);
    uv_close((uv_handle_t *)&self->tick, NULL);
    uv_close((uv_handle_t *)&self->drain_timer, NULL);
    exchange_fini(&self->exchange);
    if (self->uplinks.count > 0)
        uplinks_fini(&self->uplinks);
    reactor_destroy(&self->reactor);
}

static void peers_destroy(peers_t **self_p)
{
    peers_t *self = *self_p;
    int linger = (int)self->linger_ms;
    if (self->socket)
        zmq_setsockopt(self->socket, ZMQ_LINGER, &linger, sizeof linger);
    zsock_destroy(&self->router);
    answers_fini(&self->answers);
    table_destroy(&self->routes, NULL);
    budget_account_fini(&self->account);
    json_decref(self->listening);
    slots_fini(&self->slots);
    free(self->next);
    free(self);
    *self_p = NULL;
}

void peers_actor(zsock_t *pipe, void *args)
{
    peers_t *self = peers_new(pipe, args);
    zsock_signal(pipe, 0);
    int rc = peers_listen(self);
    zsock_signal(pipe, rc == 0 ? 0 : 1);
    if (rc == 0) {
        peers_run(self);
        peers_stop(self);
    }
    peers_destroy(&self);
}
