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
#include "client/numbers.h"

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
    carrier_args_t args;  /* with the carrier's end, until that is started */
    zactor_t *carrier;    /* NULL until the first login */
    progress_t progress;  /* as it was read last */
    uint64_t logins;      /* how often the name was asked for */
    bool asking;          /* and the answer to the last time was not told to the program yet */
    uint64_t sent_count;  /* messages */
    uint64_t asked_count; /* groups and services: that must be answered */
    numbers_t jobs;       /* that were received and not ended */
    uint64_t sent_size;   /* bytes of letters */
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
    numbers_fini(&self->jobs);
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

/* Sends a letter that is filled in but for its number; `overhead` is what goes out beside its line. Blocks and returns
 * as ferry_send does. */
static int64_t ferry_post(ferry_t *self, letter_t *letter, size_t overhead, int timeout_ms)
{
    const line_t *line = &letter->line;
    size_t size = body_message_size(self->args.name, line->recipients, line->recipient_count, line->text) + overhead;
    int rc = size > self->progress.largest ? -FERRY_E_TOO_LARGE : ferry_wait_room(self, letter_size(line), timeout_ms);
    if (rc != 0)
        return rc;
    zmq_msg_t frame;
    letter->number = ++self->sent_count;
    letter_write(letter, &frame);
    self->sent_size += zmq_msg_size(&frame);
    handover_send(&frame, self->channel.commands, ZMQ_DONTWAIT);
    return (int64_t)self->sent_count;
}

/* Whether a message may be sent: 0, or -FERRY_E_…. */
static int ferry_check(ferry_t *self, const void *data, size_t size)
{
    if (!data && size > 0)
        return -FERRY_E_INVALID;
    ferry_read_progress(self);
    return ferry_standing(self);
}

static int64_t ferry_send_flagged(
    ferry_t *self, unsigned flags, const char *recipients, const void *data, size_t size, int timeout_ms)
{
    letter_t letter = {.kind = COMMAND_SEND, .flags = flags, .line.recipients = self->recipients};
    int rc = recipients ? ferry_check(self, data, size) : -FERRY_E_INVALID;
    if (rc == 0)
        rc = letter_address(&letter.line, &self->address, recipients);
    letter.line.text = span_of(data, size);
    return rc == 0 ? ferry_post(self, &letter, 0, timeout_ms) : rc;
}

int64_t ferry_send(ferry_t *self, const char *recipients, const void *data, size_t size, int timeout_ms)
{
    return ferry_send_flagged(self, 0, recipients, data, size, timeout_ms);
}

int64_t ferry_send_receipt(ferry_t *self, const char *recipients, const void *data, size_t size, int timeout_ms)
{
    return ferry_send_flagged(self, BODY_FLAG_RECEIPT, recipients, data, size, timeout_ms);
}

int64_t ferry_request(ferry_t *self, const char *service, const void *data, size_t size, int answer_ms, int timeout_ms)
{
    letter_t letter = {.kind = COMMAND_REQUEST, .detail = (uint64_t)answer_ms, .line.recipients = self->recipients};
    int rc = service && answer_ms > 0 && answer_ms <= LINE_TIME_MAX ? ferry_check(self, data, size) : -FERRY_E_INVALID;
    if (rc == 0)
        rc = letter_address(&letter.line, &self->address, service);
    if (rc == 0 && (letter.line.recipient_count != 1 || !name_is_service(letter.line.recipients[0])))
        rc = -FERRY_E_BAD_NAME;
    letter.line.text = span_of(data, size);
    return rc == 0 ? ferry_post(self, &letter, LETTER_LABEL_SIZE, timeout_ms) : rc;
}

/* The job that is open under that number, or NULL. */
static number_t *ferry_job(const ferry_t *self, int64_t job)
{
    return job > 0 ? numbers_find(&self->jobs, (uint64_t)job) : NULL;
}

int64_t ferry_reply(ferry_t *self, int64_t job, const void *data, size_t size, int timeout_ms)
{
    letter_t letter = {.kind = COMMAND_REPLY, .detail = (uint64_t)job, .line.text = span_of(data, size)};
    int rc = ferry_check(self, data, size);
    if (rc == 0 && !ferry_job(self, job))
        rc = -FERRY_E_NO_SUCH_JOB;
    int64_t number = rc == 0 ? ferry_post(self, &letter, LETTER_REPLY_SIZE, timeout_ms) : rc;
    if (number > 0)
        numbers_end(&self->jobs, ferry_job(self, job));
    return number;
}

int ferry_done(ferry_t *self, int64_t job)
{
    zmq_msg_t frame;
    int rc = ferry_check(self, NULL, 0);
    if (rc == 0 && !ferry_job(self, job))
        rc = -FERRY_E_NO_SUCH_JOB;
    if (rc != 0)
        return rc;
    numbers_end(&self->jobs, ferry_job(self, job));
    letter_write(&(letter_t){.kind = COMMAND_DONE, .detail = (uint64_t)job}, &frame);
    self->sent_size += zmq_msg_size(&frame);
    handover_send(&frame, self->channel.commands, ZMQ_DONTWAIT);
    return 0;
}

/* Says a command about a group or a service, whose name begins with that sign. Returns 0 or -FERRY_E_…. */
static int ferry_command_of(ferry_t *self, command_kind_t kind, uint32_t count, char sign, const char *name)
{
    int rc = ferry_check(self, NULL, 0);
    if (rc == 0 && (!name || *name != sign || line_check_name(span_str(name + 1), FERRY_NAME_MAX - 1) != 0))
        rc = -FERRY_E_BAD_NAME;
    if (rc == 0)
        channel_command_of(&self->channel, &(command_t){.kind = kind, .count = count}, span_str(name));
    return rc;
}

/* Says one that is answered, and waits until all are. */
static int ferry_ask(ferry_t *self, command_kind_t kind, uint32_t count, char sign, const char *name, int timeout_ms)
{
    int64_t began_ms = zclock_mono();
    int rc = ferry_command_of(self, kind, count, sign, name);
    if (rc != 0)
        return rc;
    self->asked_count++;
    while (rc == 0 && self->progress.answer_count < self->asked_count && ferry_standing(self) == 0)
        rc = ferry_wait(self, began_ms, timeout_ms);
    if (ferry_standing(self) != 0)
        return ferry_standing(self);
    return self->progress.answer_count == self->asked_count ? 0 : rc;
}

int ferry_join(ferry_t *self, const char *group, int timeout_ms)
{
    return ferry_ask(self, COMMAND_JOIN, 0, '#', group, timeout_ms);
}

int ferry_leave(ferry_t *self, const char *group)
{
    return ferry_command_of(self, COMMAND_LEAVE, 0, '#', group);
}

int ferry_serve(ferry_t *self, const char *service, int credit, int timeout_ms)
{
    if (credit < 1 || credit > LINE_CREDIT_MAX)
        return -FERRY_E_INVALID;
    return ferry_ask(self, COMMAND_SERVE, (uint32_t)credit, '@', service, timeout_ms);
}

int ferry_unserve(ferry_t *self, const char *service)
{
    return ferry_command_of(self, COMMAND_UNSERVE, 0, '@', service);
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
    int kind = ferry_msg_kind(msg);
    bool is_copy = kind == FERRY_MESSAGE || kind == FERRY_REPLY;
    self->closed = kind == FERRY_CLOSED;
    if (kind == FERRY_JOB)
        numbers_add(&self->jobs, (uint64_t)ferry_msg_job(msg), 1);
    channel_command(&self->channel, &(command_t){.kind = COMMAND_TAKEN, .count = is_copy, .size = size});
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
