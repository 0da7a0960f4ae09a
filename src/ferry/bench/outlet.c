/* SPDX-License-Identifier: MPL-2.0 */
/* outlet: stamps messages in place and writes many with one call. */
#include "ferry/bench/outlet.h"

#include <czmq.h>
#include <errno.h>
#include <sys/socket.h>

#include "ferry/bench/stamp.h"

void outlet_init(outlet_t *self, unsigned client)
{
    *self = (outlet_t){.client = client};
}

void outlet_fini(outlet_t *self)
{
    free(self->frames);
    free(self->answer);
    *self = (outlet_t){0};
}

/* Makes the messages, with all that does not change. */
static void make_frames(outlet_t *self, const plan_t *plan, size_t room)
{
    char name[PLAN_NAME_SIZE];
    destination_t to = plan_destination(plan, self->client, name);
    char *frame = zmalloc(plan->text_size + PROTOCOL_OVERHEAD_MAX);
    self->layout = plan->protocol->message(frame, to, plan->text_size);
    memset(frame + self->layout.text_at, 'x', plan->text_size);
    self->capacity = (unsigned)(room / self->layout.size);
    if (plan->pipeline && self->capacity > plan->pipeline)
        self->capacity = plan->pipeline;
    if (self->capacity == 0)
        self->capacity = 1;
    self->frames = zmalloc(self->capacity * self->layout.size);
    for (unsigned i = 0; i < self->capacity; i++)
        memcpy(self->frames + i * self->layout.size, frame, self->layout.size);
    free(frame);
}

/* Writes the recipient's digits, and goes on to the next. */
static inline void address(outlet_t *self, const plan_t *plan, char *frame)
{
    const order_t *order = &plan->order;
    unsigned recipient = self->client + 1 + self->distance;
    if (recipient >= order->client_count)
        recipient -= order->client_count;
    memcpy(frame + self->layout.name_at, plan->digits[recipient], PROTOCOL_DIGITS_SIZE);
    self->distance += order->step;
    if (self->distance >= order->client_count - 1)
        self->distance -= order->client_count - 1;
}

unsigned outlet_fill(
    outlet_t *self, const plan_t *plan, uint64_t count, size_t room, const schedule_t *schedule, uint64_t now_ns)
{
    if (!self->frames)
        make_frames(self, plan, room);
    unsigned filled = count < self->capacity ? (unsigned)count : self->capacity;
    char *frame = self->frames;
    for (unsigned i = 0; i < filled; i++, frame += self->layout.size) {
        char *text = frame + self->layout.text_at;
        stamp_write(text, stamp_of(self->client, self->made + i));
        if (plan_is_any(plan))
            address(self, plan, frame);
        if (plan->is_timed)
            stamp_write(text + STAMP_SIZE, schedule ? schedule_due_ns(schedule, self->client, self->made + i) : now_ns);
    }
    self->made += filled;
    self->size = filled * self->layout.size;
    self->at = 0;
    return filled;
}

/* 0, or an errno other than EAGAIN; *at moves on. */
static int write_some(int fd, const char *data, size_t size, size_t *at)
{
    ssize_t written = send(fd, data + *at, size - *at, MSG_NOSIGNAL);
    if (written < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : errno;
    *at += (size_t)written;
    return 0;
}

static int write_answer(outlet_t *self, int fd)
{
    int error = write_some(fd, self->answer, self->answer_size, &self->answer_at);
    if (self->answer_at == self->answer_size) {
        free(self->answer);
        self->answer = NULL;
    }
    return error;
}

int outlet_write(outlet_t *self, int fd)
{
    int error = 0;
    if (self->at < self->size)
        error = write_some(fd, self->frames, self->size, &self->at);
    if (!error && self->at == self->size && self->answer)
        error = write_answer(self, fd);
    return error;
}

uint64_t outlet_cut(outlet_t *self)
{
    if (self->at == self->size)
        return 0;
    size_t begun = (self->at + self->layout.size - 1) / self->layout.size;
    uint64_t cut = self->size / self->layout.size - begun;
    self->size = begun * self->layout.size;
    self->made -= cut;
    return cut;
}

void outlet_answer(outlet_t *self, span_t text)
{
    static const char pong[] = "PONG";
    if (self->answer)
        return;
    self->answer_size = strlen(pong) + text.size;
    self->answer_at = 0;
    self->answer = zmalloc(self->answer_size + 1);
    memcpy(self->answer, pong, strlen(pong));
    memcpy(self->answer + strlen(pong), text.data, text.size);
}
