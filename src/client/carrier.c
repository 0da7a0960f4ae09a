/* SPDX-License-Identifier: MPL-2.0 */
/* [2] carrier: letters go from the program to the outbox, and from there, in order, to the links, as long as these have
 * room, the recipients are not paused, and the program receives what is sent to it; the program counts what waits here,
 * and blocks. Nothing fails but by abort: what cannot be sent ends as an event. Owner: the actor's thread. */
#include "client/carrier.h"

#include <limits.h>
#include <sodium.h>

#include "base/handover.h"
#include "client/carrier_party.h"
#include "ferry.h"
#include "wire/reason.h"

#define CARRIER_COMMAND_BUDGET 256 /* commands a turn */
#define CARRIER_TICK_MS        20  /* between looks at what requests wait for */

/* What all links take. */
static uint64_t carrier_largest(const carrier_t *self)
{
    uint64_t largest = UINT64_MAX;
    for (size_t i = 0; i < self->uplinks.count; i++)
        if (link_largest(self->uplinks.items[i].link) < largest)
            largest = link_largest(self->uplinks.items[i].link);
    return largest;
}

static void carrier_tell(carrier_t *self)
{
    self->progress.largest = carrier_largest(self);
    if (progress_equal(&self->progress, &self->told))
        return;
    channel_tell(&self->channel, &self->progress);
    watch_touch(self->command_watch);
    self->told = self->progress;
}

/* N.B. what the event rests on is told before it, so that a program that has received it knows that too. */
void carrier_event(carrier_t *self, const event_t *event, span_t name, span_t place, span_t data)
{
    if (self->phase != CARRIER_RUNNING)
        return;
    carrier_tell(self);
    self->waiting_size += channel_send_event(&self->channel, event, name, place, data);
    self->has_events = true;
}

void carrier_tell_event(carrier_t *self, const event_t *event)
{
    carrier_event(self, event, span_of(NULL, 0), span_of(NULL, 0), span_of(NULL, 0));
}

void carrier_settle(carrier_t *self, uint64_t number)
{
    self->progress.settled_count++;
    if (self->args->tells_settled)
        carrier_tell_event(self, &(event_t){.kind = FERRY_SETTLED, .number = number});
}

/* Ends the oldest letter, which no link has accepted. */
static void carrier_fail_letter(carrier_t *self, const letter_t *letter, int error)
{
    if (letter->kind == COMMAND_DONE)
        return;
    carrier_tell_event(self, &(event_t){.kind = FERRY_FAILURE, .error = (uint16_t)error, .number = letter->number});
    carrier_settle(self, letter->number);
}

/* Does what a letter says, whose line has a label. Returns 1, 0 if it must wait, or -FERRY_ERROR_…. */
static int carrier_obey_letter(carrier_t *self, const letter_t *letter)
{
    party_t *party = &self->party;
    uint64_t open = party->open_messages;
    int rc = 1;
    if (letter->kind == COMMAND_SEND)
        return party_send(party, &letter->line, letter->flags, &self->waiting);
    if (letter->kind == COMMAND_REQUEST)
        return party_request(
            party, &letter->line, letter->flags, reactor_now_ms(self->reactor) + letter->detail, &self->waiting);
    if (letter->kind == COMMAND_DONE)
        return party_done(party, letter->detail);
    rc = party_reply(party, letter->detail, &letter->line, letter->flags, &self->waiting);
    if (rc > 0 && party->open_messages == open) /* nobody has asked */
        carrier_settle(self, letter->number);
    return rc;
}

/* Sends the oldest letter. Returns false if it must wait; then it will be told when. */
static bool carrier_send_letter(carrier_t *self, letter_t *letter)
{
    char label[32];
    bool has_receipt = letter->flags & BODY_FLAG_RECEIPT;
    int size = snprintf(label, sizeof label, "%" PRIu64 "%s", letter->number, has_receipt ? CARRIER_RECEIPT : "");
    letter->line.label = span_of(label, (size_t)size);
    int rc = carrier_obey_letter(self, letter);
    if (rc < 0)
        carrier_fail_letter(self, letter, -rc);
    return rc != 0;
}

/* Reads the oldest letter. */
static letter_t carrier_letter(carrier_t *self, zmq_msg_t *frame)
{
    letter_t letter = {.line.recipients = self->recipients};
    letter_read(&letter, frame);
    return letter;
}

static void carrier_drop_letter(carrier_t *self, const letter_t *letter)
{
    self->progress.passed_size += letter->size;
    outbox_drop(&self->outbox);
}

void carrier_send_on(carrier_t *self)
{
    zmq_msg_t *frame;
    while (!list_has(&self->waiting) && !self->paused && (frame = outbox_first(&self->outbox))) {
        letter_t letter = carrier_letter(self, frame);
        if (!carrier_send_letter(self, &letter))
            return;
        carrier_drop_letter(self, &letter);
    }
}

void carrier_wake(carrier_t *self, const list_t *woken)
{
    if (list_is_empty(woken))
        return;
    list_remove(&self->waiting);
    carrier_send_on(self);
}

void carrier_fail_outbox(carrier_t *self, int error)
{
    zmq_msg_t *frame;
    list_remove(&self->waiting);
    while ((frame = outbox_first(&self->outbox))) {
        letter_t letter = carrier_letter(self, frame);
        carrier_fail_letter(self, &letter, error);
        carrier_drop_letter(self, &letter);
    }
}

static void carrier_login(carrier_t *self)
{
    if (self->session)
        slots_remove(&self->slots, self->session);
    self->session = slots_add(&self->slots, self, 0);
    party_enter(&self->party, self->session, self->args->name);
    self->progress.logins++;
    self->progress.login = LOGIN_PENDING;
    if (link_state(self->uplink->link) != LINK_UP)
        return;
    link_register(self->uplink->link, self->session, self->args->name, self->claim, self->paused);
    self->registered = true;
}

static void carrier_send(carrier_t *self, zmq_msg_t *frame)
{
    outbox_add(&self->outbox, frame);
    if (self->progress.login == LOGIN_LOST)
        carrier_fail_outbox(self, self->progress.login_error);
}

/* A command about a group or a service. */
static void carrier_command_of(carrier_t *self, const command_t *command, span_t name)
{
    party_t *party = &self->party;
    if (self->progress.login != LOGIN_DONE)
        self->progress.answer_count += command->kind == COMMAND_JOIN || command->kind == COMMAND_SERVE;
    else if (command->kind == COMMAND_JOIN)
        party_join(party, name);
    else if (command->kind == COMMAND_LEAVE)
        party_leave(party, name);
    else if (command->kind == COMMAND_SERVE)
        party_serve(party, name, command->count);
    else
        party_unserve(party, name);
}

static void carrier_command(carrier_t *self, zmq_msg_t *frame)
{
    command_t command;
    const char *at = zmq_msg_data(frame);
    memcpy(&command, at, sizeof command);
    switch ((command_kind_t)command.kind) {
    case COMMAND_LOGIN:
        carrier_login(self);
        break;
    case COMMAND_SEND:
    case COMMAND_REQUEST:
    case COMMAND_REPLY:
    case COMMAND_DONE:
        carrier_send(self, frame);
        break;
    case COMMAND_JOIN:
    case COMMAND_LEAVE:
    case COMMAND_SERVE:
    case COMMAND_UNSERVE:
        carrier_command_of(self, &command, span_of(at + sizeof command, zmq_msg_size(frame) - sizeof command));
        break;
    case COMMAND_TAKEN:
        self->taken += command.count;
        self->waiting_size -= command.size;
        break;
    case COMMAND_DRAIN:
        carrier_drain_begin(self, command.number);
        break;
    }
}

static void on_command(void *arg, short events)
{
    carrier_t *self = arg;
    (void)events;
    for (int budget = CARRIER_COMMAND_BUDGET; budget > 0; budget--) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (handover_receive(&frame, self->channel.commands, ZMQ_DONTWAIT) < 0)
            return;
        carrier_command(self, &frame);
        handover_close(&frame);
    }
}

static void on_pipe(void *arg, short events)
{
    carrier_t *self = arg;
    if (!(events & ZMQ_POLLIN))
        return;
    char *word = zstr_recv(self->pipe);
    if (word && streq(word, "$TERM"))
        reactor_stop(self->reactor);
    zstr_free(&word);
}

static void carrier_check_pauses(carrier_t *self)
{
    for (size_t i = 0; i < self->uplinks.count; i++) {
        list_t woken;
        paused_names_check(&self->uplinks.items[i].pauses, self->uplinks.items[i].link, &woken);
        carrier_wake(self, &woken);
    }
}

/* Lets the senders to this name, and its own letters, wait while much waits for the program. */
static void carrier_check_marks(carrier_t *self)
{
    bool paused = self->waiting_size >= (self->paused ? self->args->low_mark + 1 : self->args->high_mark);
    if (paused == self->paused)
        return;
    self->paused = paused;
    party_pause(&self->party, paused, paused);
    if (self->registered)
        link_pause(self->uplink->link, self->args->name, paused);
}

/* N.B. the rest is done by the turn that this makes. */
static void on_timer(uv_timer_t *timer)
{
    carrier_t *self = timer->data;
    exchange_tick(&self->exchange, reactor_now_ms(self->reactor));
}

/* Nobody looks at the time while nothing depends on it. */
static void carrier_check_timer(carrier_t *self)
{
    bool is_wanted = self->party.request_count > 0 || !exchange_is_settled(&self->exchange);
    bool is_active = uv_is_active((uv_handle_t *)&self->timer);
    if (is_wanted && !is_active)
        uv_timer_start(&self->timer, on_timer, CARRIER_TICK_MS, CARRIER_TICK_MS);
    else if (!is_wanted && is_active && self->phase == CARRIER_RUNNING)
        uv_timer_stop(&self->timer);
}

/* The end of a turn: what the program does and is told, then the links. */
static void on_turn(void *arg)
{
    carrier_t *self = arg;
    carrier_check_pauses(self);
    carrier_check_marks(self);
    carrier_send_on(self);
    holdings_tell(&self->holdings, self->uplink->link, self->session, self->taken, self->taken);
    exchange_turn(&self->exchange, reactor_now_ms(self->reactor));
    carrier_check_timer(self);
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_flush(self->uplinks.items[i].link);
    if (self->phase != CARRIER_RUNNING)
        carrier_drain_go_on(self);
    carrier_tell(self);
    if (self->has_events)
        channel_wake(&self->channel);
    self->has_events = false;
}

static carrier_t *carrier_new(zsock_t *pipe, const carrier_args_t *args)
{
    carrier_t *self = zmalloc(sizeof *self);
    self->args = args;
    self->pipe = pipe;
    self->channel = args->channel;
    self->reactor = reactor_new(on_turn, self);
    self->pipe_watch = watch_new(self->reactor, zsock_resolve(pipe), ZMQ_POLLIN, on_pipe, self);
    self->command_watch = watch_new(self->reactor, self->channel.commands, ZMQ_POLLIN, on_command, self);
    uv_timer_init(reactor_loop(self->reactor), &self->timer);
    self->timer.data = self;
    histogram_init(&self->batch_records, 16);
    histogram_init(&self->batch_bytes, 24);
    link_options_t common = {
        .ledger = &self->ledger, .batch_records = &self->batch_records, .batch_bytes = &self->batch_bytes};
    randombytes_buf(&common.node, sizeof common.node);
    uplinks_init(&self->uplinks, self->reactor, args->config, args->brokers, &common, &carrier_link_owner, self);
    self->uplink = uplinks_of_name(&self->uplinks, args->name);
    exchange_options_t options = {.groups = UINT_MAX, .services = UINT_MAX, .watches = UINT_MAX, .tracks = true};
    exchange_init(&self->exchange, &self->slots, &self->uplinks, &self->ledger, &common.node, &options,
        &carrier_party_owner, self);
    party_init(&self->party, &self->exchange);
    return self;
}

static void carrier_destroy(carrier_t **self_p)
{
    carrier_t *self = *self_p;
    self->phase = CARRIER_DRAINED; /* N.B. nobody is told of what ends now */
    holdings_forget(&self->holdings, self->uplink->link);
    holdings_fini(&self->holdings);
    outbox_fini(&self->outbox);
    party_end(&self->party, FERRY_REASON_GONE);
    exchange_fini(&self->exchange);
    watch_destroy(&self->pipe_watch);
    watch_destroy(&self->command_watch);
    uv_close((uv_handle_t *)&self->timer, NULL);
    uplinks_fini(&self->uplinks);
    reactor_destroy(&self->reactor);
    channel_end_close(&self->channel, false);
    slots_fini(&self->slots);
    free(self);
    *self_p = NULL;
}

void carrier_actor(zsock_t *pipe, void *args)
{
    handover_acquire(args);
    carrier_t *self = carrier_new(pipe, args);
    handover_release(args);
    zsock_signal(pipe, 0);
    reactor_run(self->reactor);
    carrier_destroy(&self);
    handover_release(args);
}
