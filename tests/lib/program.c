/* SPDX-License-Identifier: MPL-2.0 */
/* program: one libzmq context for all, which is ended with the last program. */
#include "lib/program.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "lib/deadline.h"
#include "lib/test.h"

#define FRAMES_MAX 8
#define TEXT_SIZE  4096

struct program {
    void *socket;
    zmq_msg_t frames[FRAMES_MAX]; /* of the message that was read last */
    size_t count;
    unsigned pings;
    char text[TEXT_SIZE];
    program_t *next;
};

/* What LeakSanitizer leaves out. libzmq 4.3.4 now and then forgets the properties of a connection that ends while a
 * message of it is under way (440 bytes; zeromq/libzmq issue 2602 shows the same). No other C++ is in these programs,
 * and no frame beyond operator new is known of it. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libstdc++.so";
}

static void *context;
static program_t *programs; /* all that are not closed */

program_t *program_connect_as(const char *endpoint, const char *routing_id)
{
    int linger = 1000;
    program_t *self = calloc(1, sizeof *self);
    assert(self);
    if (!context)
        context = zmq_ctx_new();
    self->socket = zmq_socket(context, ZMQ_DEALER);
    assert(self->socket);
    zmq_setsockopt(self->socket, ZMQ_LINGER, &linger, sizeof linger);
    if (routing_id)
        zmq_setsockopt(self->socket, ZMQ_ROUTING_ID, routing_id, strlen(routing_id));
    self->next = programs;
    programs = self;
    assert_int_equal(zmq_connect(self->socket, endpoint), 0);
    return self;
}

program_t *program_connect(const char *endpoint)
{
    return program_connect_as(endpoint, NULL);
}

program_t *program_login(const char *endpoint, const char *name)
{
    program_t *self = program_connect(endpoint);
    program_say(self, "LOGIN", name, NULL);
    program_expect(self, "OK", "LOGIN", name, NULL);
    return self;
}

program_t *program_login_with(const char *endpoint, const char *name, const char *credit)
{
    program_t *self = program_connect(endpoint);
    program_say(self, "LOGIN", name, "", credit, NULL);
    program_expect(self, "OK", "LOGIN", name, NULL);
    return self;
}

static void program_clear(program_t *self)
{
    while (self->count > 0)
        zmq_msg_close(&self->frames[--self->count]);
}

void program_close(program_t **self_p)
{
    program_t *self = *self_p;
    program_t **at = &programs;
    if (!self)
        return;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    program_clear(self);
    zmq_close(self->socket);
    free(self);
    *self_p = NULL;
    if (!programs) {
        zmq_ctx_term(context);
        context = NULL;
    }
}

void program_close_all(void)
{
    while (programs) {
        program_t *program = programs;
        program_close(&program);
    }
}

static void send_frame(program_t *self, const void *data, size_t size, bool more)
{
    assert_int_equal(zmq_send(self->socket, data, size, more ? ZMQ_SNDMORE : 0), (int)size);
}

void program_say(program_t *self, const char *verb, ...)
{
    va_list frames;
    va_start(frames, verb);
    for (const char *frame = verb; frame;) {
        const char *next = va_arg(frames, const char *);
        send_frame(self, frame, strlen(frame), next != NULL);
        frame = next;
    }
    va_end(frames);
}

void program_send(program_t *self, const char *destinations, const void *data, size_t size)
{
    send_frame(self, "SEND", 4, true);
    send_frame(self, destinations, strlen(destinations), true);
    send_frame(self, data, size, false);
}

void program_send_frames(program_t *self, size_t count, size_t size)
{
    char *frame = calloc(1, size + 1);
    assert(frame);
    for (size_t i = 0; i < count; i++)
        send_frame(self, frame, size, i + 1 < count);
    free(frame);
}

static void program_receive(program_t *self, deadline_t deadline)
{
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    program_clear(self);
    if (zmq_poll(&item, 1, deadline_left_ms(deadline)) <= 0)
        fail_msg("nothing came");
    bool more = true;
    while (more && self->count < FRAMES_MAX) {
        zmq_msg_t *frame = &self->frames[self->count++];
        zmq_msg_init(frame);
        assert_true(zmq_msg_recv(frame, self->socket, 0) >= 0);
        more = zmq_msg_more(frame);
    }
    assert_false(more);
}

static bool frame_is(program_t *self, size_t index, const void *data, size_t size)
{
    return index < self->count && zmq_msg_size(&self->frames[index]) == size &&
           (size == 0 || memcmp(zmq_msg_data(&self->frames[index]), data, size) == 0);
}

/* Reads the next message that is no PING, and answers those. */
static void program_next(program_t *self)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    program_receive(self, deadline);
    while (frame_is(self, 0, "PING", 4)) {
        send_frame(self, "PONG", 4, true);
        send_frame(self, zmq_msg_data(&self->frames[1]), zmq_msg_size(&self->frames[1]), false);
        program_receive(self, deadline);
    }
}

static const char *program_text(program_t *self)
{
    size_t size = 0;
    for (size_t i = 0; i < self->count; i++)
        size += (size_t)snprintf(self->text + size, sizeof self->text - size, "%s%.*s", i ? "|" : "",
            (int)(zmq_msg_size(&self->frames[i]) < 256 ? zmq_msg_size(&self->frames[i]) : 256),
            (const char *)zmq_msg_data(&self->frames[i]));
    return self->text;
}

const char *program_read(program_t *self)
{
    program_next(self);
    return program_text(self);
}

void program_expect(program_t *self, const char *verb, ...)
{
    char expected[TEXT_SIZE] = "";
    size_t size = 0;
    va_list frames;
    va_start(frames, verb);
    for (const char *frame = verb; frame; frame = va_arg(frames, const char *))
        size += (size_t)snprintf(expected + size, sizeof expected - size, "%s%s", size ? "|" : "", frame);
    va_end(frames);
    assert_string_equal(program_read(self), expected);
}

void program_expect_bytes(program_t *self, const char *sender, const void *data, size_t size)
{
    program_next(self);
    if (!frame_is(self, 0, "MESSAGE", 7) || !frame_is(self, 1, sender, strlen(sender)))
        fail_msg("not a message from %s: %s", sender, program_text(self));
    assert_true(frame_is(self, 3, data, size));
}

void program_expect_restart(program_t *self)
{
    enum { PATIENCE_MS = 1000 };
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    do
        program_say(self, "PING", "", NULL);
    while (zmq_poll(&item, 1, PATIENCE_MS) <= 0 && !deadline_passed(deadline));
    program_expect(self, "ERROR", "unknown-peer", NULL);
}

void program_barrier(program_t *self)
{
    char token[32];
    snprintf(token, sizeof token, "barrier-%u", ++self->pings);
    program_say(self, "PING", token, NULL);
    program_expect(self, "PONG", token, NULL);
}

void program_sync(program_t *self)
{
    char token[32];
    size_t size = (size_t)snprintf(token, sizeof token, "sync-%u", ++self->pings);
    program_say(self, "PING", token, NULL);
    do
        program_next(self);
    while (!frame_is(self, 0, "PONG", 4) || !frame_is(self, 1, token, size));
}
