/* SPDX-License-Identifier: MPL-2.0 */
/* [1] ferry: the program's side of its carrier. A call checks its arguments, says a command, and where it blocks, waits
 * for the carrier's progress; what cannot be done is a code. Owner: the program's thread. */
#include "ferry.h"

#include <czmq.h>
#include <errno.h>
#include <poll.h>

#include "base/handover.h"
#include "client/broker_list.h"
#include "client/carrier.h"
#include "client/ferry_msg.h"
#include "client/host.h"
#include "client/letter.h"

#define FERRY_HIGH_MARK     (256 * 1024)
#define FERRY_LOW_MARK      (64 * 1024)
#define FERRY_HIGH_LEAST    1024
#define FERRY_QUEUE_SIZE    (256 * 1024)
#define FERRY_DRAIN_EVER_MS (INT64_MAX / 2)

struct ferry {
    host_guest_t guest;
    char *name;
    config_t *config;
    brokers_t *brokers;
    channel_end_t channel;
    carrier_args_t args; /* with the carrier's end, until that is started */
    zactor_t *carrier;   /* NULL until the first login */
    progress_t progress; /* as it was read last */
    uint64_t logins;     /* how often the name was asked for */
    bool asking;         /* and the answer to the last time was not told to the program yet */
    uint64_t sent_count; /* messages */
    uint64_t sent_size;  /* bytes of letters */
    uint64_t queue_size;
    bool closed; /* FERRY_CLOSED was received */
    buffer_t address;
    span_t recipients[FERRY_RECIPIENTS_MAX];
};

/* Ends the carrier, and closes what is shared with it, or was to be. */
static void ferry_let_go(ferry_t *self)
{
    if (self->carrier) {
        host_end_actor(&self->carrier);
        handover_acquire(&self->args);
    }
    channel_end_close(&self->args.channel, false);
    channel_end_close(&self->channel, true);
}

static void on_exit_of_program(host_guest_t *guest)
{
    ferry_let_go(list_member(guest, ferry_t, guest));
}

/* What ferry_new has found to be right. */
static int ferry_init(ferry_t *self, const char *name, config_t *config)
{
    self->name = strdup(name);
    self->config = config;
    self->brokers = brokers_new(config, NULL);
    self->queue_size = FERRY_QUEUE_SIZE;
    self->args = (carrier_args_t){.name = span_str(self->name),
        .config = config,
        .brokers = self->brokers,
        .high_mark = FERRY_HIGH_MARK,
        .low_mark = FERRY_LOW_MARK};
    host_join(&self->guest, on_exit_of_program);
    return channel_open(&self->channel, &self->args.channel);
}

ferry_t *ferry_new(const char *name, const char *brokers)
{
    host_enter();
    bool is_name = name && line_check_name(span_str(name), FERRY_NAME_MAX) == 0;
    config_t *config = is_name && brokers ? broker_list_read(brokers) : NULL;
    if (!config) {
        errno = EINVAL;
        return NULL;
    }
    ferry_t *self = zmalloc(sizeof *self);
    if (ferry_init(self, name, config) != 0) {
        int error = errno;
        ferry_destroy(&self, 0);
        errno = error;
    }
    return self;
}

static void ferry_read_progress(ferry_t *self)
{
    channel_read_progress(&self->channel, &self->progress);
}

/* What is left of a timeout that began at that time; for poll. */
static int ferry_left_ms(int64_t began_ms, int timeout_ms)
{
    int64_t left = timeout_ms < 0 ? -1 : began_ms + timeout_ms - zclock_mono();
    return timeout_ms < 0 ? -1 : left < 0 ? 0 : (int)left;
}

/* Waits for progress. Returns 0, -FERRY_E_TIMEOUT or -FERRY_E_INTERRUPTED. */
static int ferry_wait(ferry_t *self, int64_t began_ms, int timeout_ms)
{
    zmq_pollitem_t item = {.socket = self->channel.commands, .events = ZMQ_POLLIN};
    int rc = zmq_poll(&item, 1, ferry_left_ms(began_ms, timeout_ms));
    ferry_read_progress(self);
    if (rc < 0)
        return -FERRY_E_INTERRUPTED;
    return rc == 0 ? -FERRY_E_TIMEOUT : 0;
}

static void ferry_take_leave(ferry_t *self, int deadline_ms)
{
    command_t drain = {
        .kind = COMMAND_DRAIN, .number = (uint64_t)(deadline_ms < 0 ? FERRY_DRAIN_EVER_MS : deadline_ms)};
    channel_command(&self->channel, &drain);
    do
        ferry_wait(self, 0, -1);
    while (!self->progress.drained);
}

int ferry_destroy(ferry_t **self_p, int deadline_ms)
{
    ferry_t *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    host_part(&self->guest);
    if (self->carrier)
        ferry_take_leave(self, deadline_ms);
    ferry_let_go(self);
    int unsettled = (int)(self->sent_count - self->progress.settled_count);
    brokers_destroy(&self->brokers);
    config_destroy(&self->config);
    buffer_fini(&self->address);
    free(self->name);
    free(self);
    return unsettled;
}

int ferry_set_marks(ferry_t *self, size_t high, size_t low)
{
    if (self->carrier || high < FERRY_HIGH_LEAST || low >= high)
        return -FERRY_E_INVALID;
    self->args.high_mark = high;
    self->args.low_mark = low;
    return 0;
}

void ferry_set_queue(ferry_t *self, size_t size)
{
    self->queue_size = size;
}

int ferry_set_settled(ferry_t *self, bool tell)
{
    if (self->carrier)
        return -FERRY_E_INVALID;
    self->args.tells_settled = tell;
    return 0;
}

/* Whether the name is had, or why not. */
static int ferry_standing(const ferry_t *self)
{
    if (self->logins != self->progress.logins || self->progress.login <= LOGIN_PENDING)
        return -FERRY_E_NOT_LOGGED_IN;
    return self->progress.login == LOGIN_DONE ? 0 : -self->progress.login_error;
}

static void ferry_start(ferry_t *self)
{
    handover_release(&self->args);
    host_enter();
    self->carrier = host_start_actor(carrier_actor, &self->args);
    handover_acquire(&self->args);
    self->args.channel = (channel_end_t){.wake = -1};
}

static void ferry_ask_name(ferry_t *self)
{
    self->logins++;
    self->asking = true;
    channel_command(&self->channel, &(command_t){.kind = COMMAND_LOGIN});
}

int ferry_login(ferry_t *self, int timeout_ms)
{
    int64_t began_ms = zclock_mono();
    if (!self->carrier)
        ferry_start(self);
    ferry_read_progress(self);
    if (!self->asking && self->progress.login != LOGIN_DONE && self->progress.login != LOGIN_LOST)
        ferry_ask_name(self);
    int rc = 0;
    while (ferry_standing(self) == -FERRY_E_NOT_LOGGED_IN && rc == 0)
        rc = ferry_wait(self, began_ms, timeout_ms);
    if (ferry_standing(self) == -FERRY_E_NOT_LOGGED_IN)
        return rc;
    self->asking = false;
    return ferry_standing(self);
}

/* Whether a letter of that size must wait until others have left. */
static bool ferry_is_full(const ferry_t *self, size_t size)
{
    uint64_t waiting = self->sent_size - self->progress.passed_size;
    return waiting > 0 && waiting + size > self->queue_size;
}

/* Waits until there is room for a letter of that size. */
static int ferry_wait_room(ferry_t *self, size_t size, int timeout_ms)
{
    int64_t began_ms = zclock_mono();
    int rc = ferry_standing(self);
    while (rc == 0 && ferry_is_full(self, size)) {
        rc = ferry_wait(self, began_ms, timeout_ms);
        if (ferry_standing(self) != 0)
            rc = ferry_standing(self);
    }
    return rc;
}

int64_t ferry_send(ferry_t *self, const char *recipients, const void *data, size_t size, int timeout_ms)
{
    line_t line = {.recipients = self->recipients};
    if (!recipients || (!data && size > 0))
        return -FERRY_E_INVALID;
    ferry_read_progress(self);
    int rc = ferry_standing(self);
    if (rc == 0)
        rc = letter_address(&line, &self->address, recipients);
    line.text = span_of(data, size);
    if (rc == 0 &&
        body_message_size(self->args.name, line.recipients, line.recipient_count, line.text) > self->progress.largest)
        rc = -FERRY_E_TOO_LARGE;
    if (rc == 0)
        rc = ferry_wait_room(self, letter_size(&line), timeout_ms);
    if (rc != 0)
        return rc;
    zmq_msg_t frame;
    letter_write(&frame, &line, ++self->sent_count);
    self->sent_size += zmq_msg_size(&frame);
    handover_send(&frame, self->channel.commands, ZMQ_DONTWAIT);
    return (int64_t)self->sent_count;
}

int ferry_settle(ferry_t *self, int timeout_ms)
{
    int64_t began_ms = zclock_mono();
    int rc = 0;
    while (ferry_unsettled(self) > 0 && rc == 0)
        rc = ferry_wait(self, began_ms, timeout_ms);
    return ferry_unsettled(self) > 0 ? rc : 0;
}

uint64_t ferry_unsettled(ferry_t *self)
{
    ferry_read_progress(self);
    return self->sent_count - self->progress.settled_count;
}

/* Takes an event: from here on the message is delivered. */
static ferry_msg_t *ferry_take(ferry_t *self, zmq_msg_t *frame)
{
    size_t size = zmq_msg_size(frame);
    ferry_msg_t *msg = ferry_msg_new(frame);
    bool is_message = ferry_msg_kind(msg) == FERRY_MESSAGE;
    self->closed = ferry_msg_kind(msg) == FERRY_CLOSED;
    channel_command(&self->channel, &(command_t){.kind = COMMAND_TAKEN, .count = is_message, .size = size});
    return msg;
}

ferry_msg_t *ferry_recv(ferry_t *self, int timeout_ms)
{
    int64_t began_ms = zclock_mono();
    struct pollfd item = {.fd = self->channel.wake, .events = POLLIN};
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    errno = ENOTCONN;
    while (self->logins > 0 && !self->closed) {
        if (channel_read_event(&self->channel, &frame) >= 0)
            return ferry_take(self, &frame);
        int rc = poll(&item, 1, ferry_left_ms(began_ms, timeout_ms));
        if (rc > 0)
            continue;
        errno = rc == 0 ? EAGAIN : EINTR;
        break;
    }
    return NULL;
}

int ferry_fd(const ferry_t *self)
{
    return self->channel.wake;
}

void *ferry_sock(const ferry_t *self)
{
    return self->channel.events;
}
