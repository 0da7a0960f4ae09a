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
#include "gateway/session_groups.h"
#include "gateway/session_requests.h"
#include "gateway/session_services.h"
#include "gateway/session_watches.h"
#include "wire/reason.h"

#define WORKER_TICK_MS         100
#define WORKER_CLOSING_TIME_MS 2000 /* for a client to close after its end of file */
#define WORKER_HANDOFF_BUDGET  256  /* connections a turn */

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
    handover_send_bytes(zsock_resolve(self->listener), &session->origin, sizeof session->origin, ZMQ_DONTWAIT);
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

/* A link that is up again, for its sessions. */
typedef struct {
    const uplink_t *uplink;
    bool given_up;
} restating_t;

static void on_restated_session(session_t *session, void *arg)
{
    const restating_t *restating = arg;
    session_watches_restate(session, restating->uplink);
    if (session->uplink == restating->uplink)
        session_restate(session, restating->given_up);
}

static void on_unlinked_session(session_t *session, void *arg)
{
    if (session->uplink == arg)
        session_unlink(session);
}

static void on_up(void *owner, link_t *link, bool given_up)
{
    worker_t *self = owner;
    restating_t restating = {.uplink = uplinks_of_link(&self->uplinks, link), .given_up = given_up};
    worker_each(self, on_restated_session, &restating);
    groups_up(&self->groups, link, given_up);
    offers_up(&self->offers, link, given_up);
}

static void on_state(void *owner, link_t *link)
{
    worker_t *self = owner;
    link_state_t state = link_state(link);
    reactor_wake(self->reactor);
    if (state != LINK_DOWN && state != LINK_CLOSED && state != LINK_LEFT)
        return;
    uplink_t *uplink = uplinks_of_link(&self->uplinks, link);
    if (state == LINK_DOWN) {
        paused_names_doubt(&uplink->pauses);
        return;
    }
    worker_each(self, on_unlinked_session, uplink);
    groups_unlink(&self->groups, link);
    offers_unlink(&self->offers, link);
    list_t woken;
    paused_names_forget(&uplink->pauses, &woken);
    worker_wake(&woken);
}

/* The session with that id, if that link is its name's; NULL otherwise. */
static session_t *worker_session_on(worker_t *self, const link_t *link, uint64_t id)
{
    session_t *session = worker_session(self, id);
    return session && session->uplink && session->uplink->link == link ? session : NULL;
}

static void on_confirmed(void *owner, link_t *link, uint64_t id, link_claim_t claim)
{
    worker_t *self = owner;
    if (link_session_is_group(id))
        groups_confirmed(&self->groups, id, claim);
    else if (link_session_is_service(id))
        offers_confirmed(&self->offers, id, claim);
    session_t *session = worker_session_on(owner, link, id);
    if (session)
        session_confirm(session, claim);
}

static void on_denied(void *owner, link_t *link, uint64_t id, int error)
{
    session_t *session = worker_session_on(owner, link, id);
    if (session)
        session_deny(session, error);
}

static void on_left(void *owner, link_t *link, uint64_t id)
{
    worker_t *self = owner;
    if (link_session_is_group(id))
        groups_left(&self->groups, id);
    else if (link_session_is_service(id))
        offers_left(&self->offers, id);
    session_t *session = worker_session_on(owner, link, id);
    if (session)
        session_left(session);
}

/* A copy for a session that is not here: no broker sends that, since a session is kept until its LEFT. */
static void worker_orphan(worker_t *self, const body_copy_t *copy)
{
    log_warning("copy-for-nobody", log_uint("worker", self->index), log_uint("number", copy->number));
    self->ledger.returned[FERRY_REASON_GONE]++;
}

static void on_copy(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    worker_t *self = owner;
    self->copies_this_turn += copy->recipient_count;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t id = body_session_at(copy, i);
        session_t *session = worker_session_on(self, link, id);
        if (link_session_is_group(id))
            groups_copy(&self->groups, link, id, copy, origin);
        else if (link_session_is_service(id))
            offers_copy(&self->offers, link, id, copy, origin);
        else if (session)
            session_deliver(session, copy, origin);
        else
            worker_orphan(self, copy);
    }
}

static void on_late(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    worker_t *self = owner;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t id = body_session_at(copy, i);
        const session_t *session = worker_session_on(self, link, id);
        if (link_session_is_group(id))
            groups_late(&self->groups, link, id, copy, origin);
        else if (link_session_is_service(id))
            offers_late(&self->offers, link, id, copy, origin);
        else if (session)
            session_return_late(session, copy, origin);
        else
            worker_orphan(self, copy);
    }
}

static unsigned worker_uplink(worker_t *self, const link_t *link)
{
    return (unsigned)(uplinks_of_link(&self->uplinks, link) - self->uplinks.items);
}

/* How a copy to a service has ended: it is sent again, or it is the end of a request, of which *label tells. False if
 * its sender need not be told. */
static bool worker_hear_errand(worker_t *self, unsigned uplink, const body_notice_t *notice, span_t *label)
{
    errand_t *errand = errands_find(&self->errands, uplink, notice->number, notice->name);
    if (!errand)
        return true;
    span_t text;
    const errand_message_t *message = errand_message(errand);
    session_t *session = worker_session(self, message->session);
    if (message->flags & BODY_FLAG_REQUEST) {
        body_label_get(message->text, label, &text);
        if (!session || !session_awaits(session, *label))
            return false;
    }
    if (!errands_retry(&self->errands, &self->receipts, errand, notice))
        return true;
    if (session)
        session->open_messages++;
    return false;
}

static void on_notice(void *owner, link_t *link, const body_notice_t *notice)
{
    worker_t *self = owner;
    span_t label = {0};
    unsigned uplink = worker_uplink(self, link);
    if (name_is_service(notice->name) && !worker_hear_errand(self, uplink, notice, &label))
        return;
    session_t *session = worker_session(self, notice->session);
    if (label.size && session)
        session_drop_request(session, label);
    else
        label = receipts_fail(&self->receipts, uplink, notice->number);
    if (!session || session->state >= SESSION_CLOSING)
        return;
    span_t reason = notice->reason ? span_str(reason_code(notice->reason)) : span_of(NULL, 0);
    session_error_of(session, notice->error, (span_t[]){notice->name, reason, label}, 3);
}

static void on_settled(void *owner, link_t *link, uint64_t id, uint64_t number)
{
    worker_t *self = owner;
    session_t *session = worker_session(self, id);
    receipt_t *receipt = receipts_settle(&self->receipts, worker_uplink(self, link), number);
    if (session && receipt)
        session_receipt(session, receipt);
    receipt_destroy(&receipt);
    errands_settle(&self->errands, worker_uplink(self, link), number);
    if (session)
        session_settle(session);
}

static void on_pause(void *owner, link_t *link, span_t name, bool paused)
{
    worker_t *self = owner;
    list_t woken;
    paused_names_set(&uplinks_of_link(&self->uplinks, link)->pauses, name, paused, &woken);
    worker_wake(&woken);
}

static void on_presence(void *owner, link_t *link, uint64_t id, span_t name, bool is_here)
{
    (void)link;
    session_t *session = worker_session(owner, id);
    if (session)
        session_presence(session, name, is_here);
}

static void on_room(void *owner, link_t *link)
{
    worker_t *self = owner;
    uplink_t *uplink = uplinks_of_link(&self->uplinks, link);
    for (list_node_t *node; (node = list_first(&uplink->waiting)) && link_has_room(link);) {
        list_remove(node);
        session_resume(list_member(node, session_t, waiting));
    }
}

static const link_owner_t worker_link_owner = {
    .on_up = on_up,
    .on_state = on_state,
    .on_confirmed = on_confirmed,
    .on_denied = on_denied,
    .on_left = on_left,
    .on_copy = on_copy,
    .on_late = on_late,
    .on_notice = on_notice,
    .on_settled = on_settled,
    .on_pause = on_pause,
    .on_presence = on_presence,
    .on_room = on_room,
};

static void worker_check_pauses(worker_t *self)
{
    for (size_t i = 0; i < self->uplinks.count; i++) {
        list_t woken;
        paused_names_check(&self->uplinks.items[i].pauses, self->uplinks.items[i].link, &woken);
        worker_wake(&woken);
    }
}

/* The end of a turn: clients first, then links; a session that is flushed may dirty others. */
static void on_turn(void *arg)
{
    worker_t *self = arg;
    worker_check_pauses(self);
    for (list_node_t *node; (node = list_first(&self->dirty));) {
        list_remove(node);
        session_flush(list_member(node, session_t, writer.dirty));
    }
    groups_tell(&self->groups);
    offers_tell(&self->offers);
    errands_go_on(&self->errands, &self->uplinks, &self->receipts);
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_flush(self->uplinks.items[i].link);
    if (self->copies_this_turn)
        histogram_add(&self->turn_copies, self->copies_this_turn);
    self->copies_this_turn = 0;
    worker_memory_turn(self);
    if (self->phase != WORKER_RUNNING)
        worker_drain_go_on(self);
}

static void tick_logins(worker_t *self, uint64_t now)
{
    for (list_node_t *node; (node = list_first(&self->logins));) {
        session_t *session = list_member(node, session_t, timed);
        if (now - session->since_ms < self->limits.login_timeout_ms)
            return;
        session_fail(session, FERRY_ERROR_LOGIN_TIMEOUT, span_of(NULL, 0), CLOSE_LOGIN);
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
        uint64_t patience = WORKER_CLOSING_TIME_MS;
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
    requests_tick(self, now);
    worker_look(self);
    tick_closings(self, now);
    tick_blocked(self, now);
    worker_memory_tick(self);
    if (self->phase == WORKER_RUNNING)
        tick_ready(self, now);
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

static void worker_limits_init(worker_limits_t *self, const config_t *config)
{
    self->line.line_size = (size_t)config_number(config, "gateway/max_line");
    self->line.name_size = (size_t)config_number(config, "gateway/max_name");
    self->line.recipient_count = (unsigned)config_number(config, "gateway/max_recipients");
    self->bad_lines = (unsigned)config_number(config, "gateway/max_errors");
    if (self->bad_lines == 0)
        self->bad_lines = UINT32_MAX;
    self->watches = (unsigned)config_number(config, "gateway/max_watches");
    self->groups = (unsigned)config_number(config, "gateway/max_groups");
    self->services = (unsigned)config_number(config, "gateway/max_services");
    self->writer.high_mark = (size_t)config_number(config, "gateway/high_mark");
    self->writer.low_mark = (size_t)config_number(config, "gateway/low_mark");
    self->writer.stall_time_ms = (uint64_t)config_number(config, "gateway/stall_time");
    self->writer.stall_rate = (uint64_t)config_number(config, "gateway/stall_rate");
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
    worker_memory_look(self);
    self->scratch = zmalloc(reader_scratch_size(self->limits.line.line_size));
    randombytes_buf(&self->node, sizeof self->node);
    list_init(&self->dirty);
    list_init(&self->logins);
    list_init(&self->blocked);
    list_init(&self->closings);
    list_init(&self->starved);
    histogram_init(&self->turn_copies, 20);
    histogram_init(&self->batch_records, 16);
    histogram_init(&self->batch_bytes, 24);
    self->reactor = reactor_new(on_turn, self);
    self->pipe_watch = watch_new(self->reactor, zsock_resolve(pipe), ZMQ_POLLIN, on_pipe, self);
    self->listener_watch = watch_new(self->reactor, zsock_resolve(self->listener), ZMQ_POLLIN, on_listener, self);
    uv_timer_init(reactor_loop(self->reactor), &self->tick);
    self->tick.data = self;
    uv_timer_start(&self->tick, on_tick, WORKER_TICK_MS, WORKER_TICK_MS);
    worker_look_init(self);
    receipts_init(&self->receipts);
    errands_init(&self->errands);
    list_init(&self->requests);
    uv_timer_init(reactor_loop(self->reactor), &self->drain_timer);
    self->drain_timer.data = self;
    link_options_t common = {.node = self->node,
        .ledger = &self->ledger,
        .batch_records = &self->batch_records,
        .batch_bytes = &self->batch_bytes};
    uplinks_init(&self->uplinks, self->reactor, args->config, args->brokers, &common, &worker_link_owner, self);
    groups_init(&self->groups, &self->slots, &self->uplinks, &self->ledger, &self->node, &session_groups_owner, self);
    offers_init(&self->offers, &self->slots, &self->uplinks, &self->ledger, &session_services_owner, self);
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
    receipts_fini(&self->receipts);
    errands_fini(&self->errands);
    groups_fini(&self->groups);
    offers_fini(&self->offers);
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
