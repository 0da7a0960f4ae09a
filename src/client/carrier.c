/* SPDX-License-Identifier: MPL-2.0 */
/* [2] carrier: letters go from the program to the outbox, and from there, in order, to the links, as long as these have
 * room, the recipients are not paused, and the program receives what is sent to it; the program counts what waits here,
 * and blocks. Nothing fails but by abort: what cannot be sent ends as an event. Owner: the actor's thread. */
#include "client/carrier.h"

#include <assert.h>
#include <sodium.h>

#include "base/handover.h"
#include "ferry.h"

#define CARRIER_COMMAND_BUDGET 256 /* commands a turn */

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
void carrier_event(carrier_t *self, const event_t *event, span_t name, span_t data)
{
    if (self->phase != CARRIER_RUNNING)
        return;
    carrier_tell(self);
    self->waiting_size += channel_send_event(&self->channel, event, name, data);
    self->has_events = true;
}

void carrier_settle(carrier_t *self, uint64_t number)
{
    number_t *message = numbers_find(&self->open, number);
    assert(message);
    if (message->value > 1) {
        message->value--;
        return;
    }
    numbers_end(&self->open, message);
    self->progress.settled_count++;
    if (self->args->tells_settled)
        carrier_event(self, &(event_t){.kind = FERRY_SETTLED, .number = number}, span_of(NULL, 0), span_of(NULL, 0));
}

/* Ends the oldest letter, which no link has accepted. */
static void carrier_fail_letter(carrier_t *self, const letter_t *letter, int error)
{
    carrier_event(self, &(event_t){.kind = FERRY_FAILURE, .error = (uint16_t)error, .number = letter->number},
        span_of(NULL, 0), span_of(NULL, 0));
    numbers_add(&self->open, letter->number, 1);
    carrier_settle(self, letter->number);
}

/* Notes which of each link's messages are the parts of the letter that was just sent. */
static void carrier_note_parts(carrier_t *self, const letter_t *letter, int parts)
{
    numbers_add(&self->open, letter->number, (uint64_t)parts);
    for (size_t i = 0; i < self->uplinks.count; i++)
        if (link_next_number(self->uplinks.items[i].link) > self->next[i])
            numbers_add(&self->parts[i], self->next[i], letter->number);
}

/* Sends the oldest letter. Returns false if it must wait; then it will be told when. */
static bool carrier_send_letter(carrier_t *self, const letter_t *letter)
{
    for (size_t i = 0; i < self->uplinks.count; i++)
        self->next[i] = link_next_number(self->uplinks.items[i].link);
    int parts =
        uplinks_send(&self->uplinks, self->session, letter->flags, self->args->name, &letter->line, &self->waiting);
    if (parts > 0)
        carrier_note_parts(self, letter, parts);
    else if (parts < 0)
        carrier_fail_letter(self, letter, -parts);
    return parts != 0;
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
    self->session += (uint64_t)1 << 32;
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

static void carrier_command(carrier_t *self, zmq_msg_t *frame)
{
    command_t command;
    memcpy(&command, zmq_msg_data(frame), sizeof command);
    switch ((command_kind_t)command.kind) {
    case COMMAND_LOGIN:
        carrier_login(self);
        break;
    case COMMAND_SEND:
        carrier_send(self, frame);
        break;
    case COMMAND_TAKEN:
        inbox_take(&self->inbox, command.count);
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
    if (self->registered)
        link_pause(self->uplink->link, self->args->name, paused);
}

/* The end of a turn: what the program does and is told, then the links. */
static void on_turn(void *arg)
{
    carrier_t *self = arg;
    carrier_check_pauses(self);
    carrier_check_marks(self);
    carrier_send_on(self);
    inbox_tell(&self->inbox, self->uplink->link, self->session);
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
    self->parts = zmalloc(args->brokers->count * sizeof *self->parts);
    self->next = zmalloc(args->brokers->count * sizeof *self->next);
    uplinks_init(&self->uplinks, self->reactor, args->config, args->brokers, &common, &carrier_link_owner, self);
    self->uplink = uplinks_of_name(&self->uplinks, args->name);
    return self;
}

static void carrier_destroy(carrier_t **self_p)
{
    carrier_t *self = *self_p;
    inbox_forget(&self->inbox, self->uplink->link);
    inbox_fini(&self->inbox);
    outbox_fini(&self->outbox);
    for (size_t i = 0; i < self->uplinks.count; i++)
        numbers_fini(&self->parts[i]);
    numbers_fini(&self->open);
    watch_destroy(&self->pipe_watch);
    watch_destroy(&self->command_watch);
    uv_close((uv_handle_t *)&self->timer, NULL);
    uplinks_fini(&self->uplinks);
    reactor_destroy(&self->reactor);
    channel_end_close(&self->channel, false);
    free(self->parts);
    free(self->next);
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
