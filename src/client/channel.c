/* SPDX-License-Identifier: MPL-2.0 */
/* channel: two inproc pairs and an eventfd. Opening fails when descriptors or sockets run out; what is sent within the
 * process never does, but by want of memory, which aborts. Each end is one thread's. */
#include "client/channel.h"

#include <czmq.h>
#include <errno.h>
#include <sodium.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/handover.h"

enum { ENDPOINT_SIZE = 48 };

static void *socket_open(void)
{
    void *self = zmq_socket(zsys_init(), ZMQ_PAIR);
    int none = 0;
    if (!self)
        return NULL;
    zmq_setsockopt(self, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(self, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(self, ZMQ_RCVHWM, &none, sizeof none);
    return self;
}

static void socket_close(void **self_p)
{
    if (*self_p)
        zmq_close(*self_p);
    *self_p = NULL;
}

/* Opens two sockets that are each other's only peer. Returns 0, or -1 and errno. */
static int pair_open(void **one, void **other)
{
    char endpoint[ENDPOINT_SIZE];
    uint64_t id[2];
    randombytes_buf(id, sizeof id);
    snprintf(endpoint, sizeof endpoint, "inproc://%016" PRIx64 "%016" PRIx64, id[0], id[1]);
    *one = socket_open();
    *other = *one ? socket_open() : NULL;
    if (!*other || zmq_bind(*one, endpoint) != 0)
        return -1;
    return zmq_connect(*other, endpoint);
}

int channel_open(channel_end_t *program, channel_end_t *carrier)
{
    *program = *carrier = (channel_end_t){.wake = -1};
    program->wake = carrier->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (program->wake >= 0 && pair_open(&program->commands, &carrier->commands) == 0 &&
        pair_open(&program->events, &carrier->events) == 0)
        return 0;
    int error = errno;
    channel_end_close(carrier, false);
    channel_end_close(program, true);
    errno = error;
    return -1;
}

void channel_end_close(channel_end_t *self, bool program)
{
    socket_close(&self->commands);
    socket_close(&self->events);
    if (program && self->wake >= 0)
        close(self->wake);
    self->wake = -1;
}

void channel_command(const channel_end_t *self, const command_t *command)
{
    handover_send_bytes(self->commands, command, sizeof *command, ZMQ_DONTWAIT);
}

void channel_command_of(const channel_end_t *self, const command_t *command, span_t name)
{
    zmq_msg_t frame;
    if (zmq_msg_init_size(&frame, sizeof *command + name.size) != 0)
        abort();
    uint8_t *at = zmq_msg_data(&frame);
    memcpy(at, command, sizeof *command);
    memcpy(at + sizeof *command, name.data, name.size);
    handover_send(&frame, self->commands, ZMQ_DONTWAIT);
}

void channel_read_progress(const channel_end_t *self, progress_t *progress)
{
    while (handover_receive_bytes(self->commands, progress, sizeof *progress, ZMQ_DONTWAIT) == 0)
        ;
}

int channel_read_event(const channel_end_t *self, zmq_msg_t *frame)
{
    uint64_t count;
    int size = handover_receive(frame, self->events, ZMQ_DONTWAIT);
    if (size >= 0)
        return size;
    /* N.B. an event that comes before the descriptor is read is seen by the second look, a later one sets it again. */
    if (read(self->wake, &count, sizeof count) < 0)
        return -1;
    return handover_receive(frame, self->events, ZMQ_DONTWAIT);
}

void channel_tell(const channel_end_t *self, const progress_t *progress)
{
    handover_send_bytes(self->commands, progress, sizeof *progress, ZMQ_DONTWAIT);
}

/* Writes the bytes and a NUL. Returns where that ends. */
static uint8_t *put_text(uint8_t *at, span_t text)
{
    if (text.size)
        memcpy(at, text.data, text.size);
    at[text.size] = '\0';
    return at + text.size + 1;
}

size_t channel_send_event(const channel_end_t *self, const event_t *event, span_t name, span_t place, span_t data)
{
    zmq_msg_t frame;
    event_t head = *event;
    head.name_size = (uint16_t)name.size;
    head.place_size = (uint16_t)place.size;
    size_t size = sizeof head + name.size + 1 + place.size + 1 + data.size + 1;
    if (zmq_msg_init_size(&frame, size) != 0)
        abort();
    uint8_t *at = zmq_msg_data(&frame);
    memcpy(at, &head, sizeof head);
    put_text(put_text(put_text(at + sizeof head, name), place), data);
    if (handover_send(&frame, self->events, ZMQ_DONTWAIT) < 0)
        handover_close(&frame);
    return size;
}

void channel_wake(const channel_end_t *self)
{
    uint64_t one = 1;
    if (write(self->wake, &one, sizeof one) < 0)
        return; /* it is set, and so full that it can be set no more */
}
