/* SPDX-License-Identifier: MPL-2.0 */
/* worker: the event loop of a part of the gateway's sessions. Clients and links are read in the middle of a turn; at
 * its end sessions with something to write are flushed, then the links, so that an acknowledgement never runs ahead of
 * the write pass. The tick looks for deadlines. Owner: this actor's thread. */
#include "gateway/worker.h"

#include <assert.h>
#include <sodium.h>
#include <unistd.h>

#include "base/handover.h"
#include "base/log.h"
#include "gateway/session_party.h"
#include "wire/reason.h"

#define WORKER_HANDOFF_BUDGET 256 /* connections a turn */

session_t *worker_session(worker_t *self, uint64_t id)
{
    return id & LINK_SESSION_KINDS ? NULL : slots_get(&self->slots, id);
}

void worker_dirty(session_t *session)
{
    if (!list_has(&session->writer.dirty))
        list_append(&session->worker->dirty, &session->writer.dirty);
}

static void worker_accept(worker_t *self, const handoff_t *handoff)
{
    session_t *session = session_new(self, handoff);
    session->id = slots_add(&self->slots, session, 0);
    self->session_count++;
    budget_join(self->account.budget);
    int error = handoff->error;
    if (!error && self->phase != WORKER_RUNNING)
        error = FERRY_ERROR_DRAINING;
    if (error)
        session_fail(session, error, span_of(NULL, 0), CLOSE_LOGIN);
}

void worker_forget(session_t *session)
{
    worker_t *self = session->worker;
    slots_remove(&self->slots, session->id);
    self->session_count--;
    budget_leave(self->account.budget);
    self->counters.logouts += session_was_confirmed(session);
    handoff_t handoff = {.fd = -1};
    memcpy(handoff.address, session->address, strlen(session->address) + 1);
    handover_send_bytes(zsock_resolve(self->listener), &handoff, sizeof handoff, ZMQ_DONTWAIT);
    watch_touch(self->listener_watch);
}

void worker_wake(list_t *woken)
{
    for (list_node_t *node; (node = list_first(woken));) {
        list_remove(node);
        session_resume(list_member(node, session_t, waiting));
    }
}

void worker_each(worker_t *self, void (*visit)(session_t *session, void *arg), void *arg)
{
    uint32_t at = 0;
    for (session_t *session; (session = slots_next_session(&self->slots, &at));)
        visit(session, arg);
}

void worker_say(worker_t *self, const char *first, ...)
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

static void worker_check_pauses(worker_t *self)
{
    for (size_t i = 0; i < self->uplinks.count; i++) {
        list_t woken;
        paused_names_check(&self->uplinks.items[i].pauses, self->uplinks.items[i].link, &woken);
        worker_wake(&woken);
    }
}

static void worker_flush(worker_t *self)
{
    for (list_node_t *node; (node = list_first(&self->dirty));) {
        list_remove(node);
        session_flush(list_member(node, session_t, writer.dirty));
    }
}

/* The end of a turn: clients first, then links; a session that is flushed may dirty others. */
static void on_turn(void *arg)
{
    worker_t *self = arg;
    worker_check_pauses(self);
    do
        worker_flush(self);
    while (shortcuts_go_on(&self->shortcuts));
    exchange_turn(&self->exchange, reactor_now_ms(self->reactor));
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_flush(self->uplinks.items[i].link);
    if (self->copies_this_turn)
        histogram_add(&self->turn_copies, self->copies_this_turn);
    self->copies_this_turn = 0;
    worker_memory_turn(self);
    if (self->phase != WORKER_RUNNING)
        worker_drain_go_on(self);
}

static void on_listener(void *arg, short events)
{
    worker_t *self = arg;
    handoff_t handoff;
    (void)events;
    for (int budget = WORKER_HANDOFF_BUDGET; budget > 0; budget--) {
        if (handover_receive_bytes(zsock_resolve(self->listener), &handoff, sizeof handoff, ZMQ_DONTWAIT) != 0)
            return;
        worker_accept(self, &handoff);
    }
}

static void worker_command(worker_t *self, zmsg_t *message)
{
    char *command = zmsg_popstr(message);
    char *argument = zmsg_popstr(message);
    if (streq(command, "STATUS")) {
        char *status = worker_status(self);
        worker_say(self, "STATUS", status, NULL);
        free(status);
    } else if (streq(command, "DRAIN") && argument) {
        worker_drain_begin(self, strtoull(argument, NULL, 10));
    } else if (streq(command, "LEAVE")) {
        worker_drain_leave(self);
    } else if (streq(command, "$TERM")) {
        reactor_stop(self->reactor);
    }
    zstr_free(&command);
    zstr_free(&argument);
}

static void on_pipe(void *arg, short events)
{
    worker_t *self = arg;
    if (!(events & ZMQ_POLLIN))
        return;
    zmsg_t *message = zmsg_recv(self->pipe);
    if (message)
        worker_command(self, message);
    zmsg_destroy(&message);
}

void worker_limits_init(worker_limits_t *self, const config_t *config)
{
    self->line.line_size = (size_t)config_number(config, "gateway/max_line");
    self->line.name_size = (size_t)config_number(config, "gateway/max_name");
    self->line.recipient_count = (unsigned)config_number(config, "gateway/max_recipients");
    self->bad_lines = (unsigned)config_number(config, "gateway/max_errors");
    if (self->bad_lines == 0)
        self->bad_lines = UINT32_MAX;
    self->writer.high_mark = (size_t)config_number(config, "gateway/high_mark");
    self->writer.low_mark = (size_t)config_number(config, "gateway/low_mark");
    self->writer.stall_time_ms = (uint64_t)config_number(config, "gateway/stall_time");
    self->writer.stall_rate = (uint64_t)config_number(config, "gateway/stall_rate");
    self->resume_time_ms = (uint64_t)config_number(config, "gateway/resume_time");
    self->login_timeout_ms = (uint64_t)config_number(config, "gateway/login_timeout");
    self->send_buffer_size = (int)config_number(config, "gateway/send_buffer");
    self->receive_buffer_size = (int)config_number(config, "gateway/receive_buffer");
    self->unready_after_ms = (uint64_t)config_number(config, "admin/unready_after");
}

static worker_t *worker_new(zsock_t *pipe, const worker_args_t *args)
{
    worker_t *self = zmalloc(sizeof *self);
    self->index = args->index;
    self->pipe = pipe;
    self->listener = args->listener;
    worker_limits_init(&self->limits, args->config);
    budget_account_init(&self->account, args->budget);
    self->scratch = zmalloc(reader_scratch_size(self->limits.line.line_size));
    randombytes_buf(&self->node, sizeof self->node);
    list_init(&self->dirty);
    list_init(&self->logins);
    list_init(&self->blocked);
    list_init(&self->closings);
    list_init(&self->away);
    list_init(&self->starved);
    histogram_init(&self->turn_copies, 20);
    histogram_init(&self->batch_records, 16);
    histogram_init(&self->batch_bytes, 24);
    self->reactor = reactor_new(on_turn, self);
    self->pipe_watch = watch_new(self->reactor, zsock_resolve(pipe), ZMQ_POLLIN, on_pipe, self);
    self->listener_watch = watch_new(self->reactor, zsock_resolve(self->listener), ZMQ_POLLIN, on_listener, self);
    worker_tick_init(self);
    worker_look_init(self);
    uv_timer_init(reactor_loop(self->reactor), &self->drain_timer);
    self->drain_timer.data = self;
    link_options_t common = {.node = self->node,
        .ledger = &self->ledger,
        .batch_records = &self->batch_records,
        .batch_bytes = &self->batch_bytes};
    uplinks_init(&self->uplinks, self->reactor, args->config, args->brokers, &common, &worker_link_owner, self);
    worker_memory_look(self);
    exchange_options_t options = {.groups = (unsigned)config_number(args->config, "gateway/max_groups"),
        .services = (unsigned)config_number(args->config, "gateway/max_services"),
        .watches = (unsigned)config_number(args->config, "gateway/max_watches")};
    exchange_init(&self->exchange, &self->slots, &self->uplinks, &self->ledger, &self->node, &options,
        &session_party_owner, self);
    shortcuts_init(&self->shortcuts, self, config_number(args->config, "gateway/shortcuts"));
    return self;
}

static void on_last_session(session_t *session, void *arg)
{
    (void)arg;
    session_bury(session);
}

static void worker_destroy(worker_t **self_p)
{
    worker_t *self = *self_p;
    worker_each(self, on_last_session, NULL);
    watch_destroy(&self->pipe_watch);
    watch_destroy(&self->listener_watch);
    uv_close((uv_handle_t *)&self->tick, NULL);
    uv_close((uv_handle_t *)&self->look_timer, NULL);
    uv_close((uv_handle_t *)&self->drain_timer, NULL);
    shortcuts_fini(&self->shortcuts);
    exchange_fini(&self->exchange);
    uplinks_fini(&self->uplinks);
    reactor_destroy(&self->reactor);
    budget_account_fini(&self->account);
    zsock_destroy(&self->listener);
    free(self->scratch);
    slots_fini(&self->slots);
    free(self);
    *self_p = NULL;
}

void worker_actor(zsock_t *pipe, void *args)
{
    worker_t *self = worker_new(pipe, args);
    zsock_signal(pipe, 0);
    zsock_signal(pipe, 0);
    reactor_run(self->reactor);
    worker_destroy(&self);
}
