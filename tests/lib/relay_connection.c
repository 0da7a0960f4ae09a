/* SPDX-License-Identifier: MPL-2.0 */
/* relay_connection: reads into chunks with the moment at which each is due, writes those that are, passes ends on
 * behind them. An error on one side is a reset for both. */
#include "lib/relay_connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK_SIZE   65536
#define STRETCH_SIZE (4 * 1024 * 1024) /* bytes that a direction holds before it reads no more */

struct chunk {
    chunk_t *next;
    int64_t due_ms;
    size_t at; /* up to where it is written */
    size_t size;
    char data[];
};

relay_connection_t *relay_connection_new(int near, int far)
{
    relay_connection_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->near = near;
    self->far = far;
    self->forth = (stretch_t){.from = near, .to = far};
    self->back = (stretch_t){.from = far, .to = near};
    return self;
}

static void drop_head(stretch_t *self)
{
    chunk_t *first = self->head;
    self->head = first->next;
    if (!self->head)
        self->tail = NULL;
    self->size -= first->size;
    free(first);
}

static void close_both(relay_connection_t *self)
{
    if (self->near >= 0)
        close(self->near);
    if (self->far >= 0)
        close(self->far);
    self->near = self->far = -1;
    while (self->forth.head)
        drop_head(&self->forth);
    while (self->back.head)
        drop_head(&self->back);
}

void relay_connection_destroy(relay_connection_t **self_p)
{
    relay_connection_t *self = *self_p;
    if (!self)
        return;
    close_both(self);
    free(self);
    *self_p = NULL;
}

bool relay_connection_is_over(const relay_connection_t *self)
{
    return self->near < 0;
}

void relay_connection_reset(relay_connection_t *self)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (self->near < 0)
        return;
    setsockopt(self->near, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    setsockopt(self->far, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close_both(self);
}

void relay_connection_end(relay_connection_t *self)
{
    self->forth.ended = true;
    self->back.ended = true;
}

static bool would_block(ssize_t size)
{
    return size < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool may_read(const stretch_t *self)
{
    return !self->stalled && !self->ended && self->size < STRETCH_SIZE;
}

/* Returns 0, or -1 when the connection is lost. */
static int read_all(stretch_t *self, int64_t now_ms)
{
    static _Thread_local char scratch[CHUNK_SIZE];
    while (may_read(self)) {
        ssize_t size = recv(self->from, scratch, sizeof(scratch), 0);
        if (size < 0)
            return would_block(size) ? 0 : -1;
        self->ended = size == 0;
        if (self->ended)
            break;
        chunk_t *chunk = malloc(sizeof(*chunk) + (size_t)size);
        assert(chunk);
        *chunk = (chunk_t){.due_ms = now_ms + self->delay_ms, .size = (size_t)size};
        memcpy(chunk->data, scratch, (size_t)size);
        if (self->tail)
            self->tail->next = chunk;
        else
            self->head = chunk;
        self->tail = chunk;
        self->size += chunk->size;
    }
    return 0;
}

static bool may_write(const stretch_t *self, int64_t now_ms)
{
    return !self->stalled && self->head && self->head->due_ms <= now_ms;
}

/* As read_all. */
static int write_due(stretch_t *self, int64_t now_ms)
{
    while (may_write(self, now_ms)) {
        chunk_t *chunk = self->head;
        ssize_t size = send(self->to, chunk->data + chunk->at, chunk->size - chunk->at, MSG_NOSIGNAL);
        if (size < 0)
            return would_block(size) ? 0 : -1;
        chunk->at += (size_t)size;
        if (chunk->at == chunk->size)
            drop_head(self);
    }
    if (!self->stalled && self->ended && !self->head && !self->shut) {
        self->shut = true;
        shutdown(self->to, SHUT_WR);
    }
    return 0;
}

static int carry(stretch_t *self, int64_t now_ms)
{
    return read_all(self, now_ms) || write_due(self, now_ms) ? -1 : 0;
}

void relay_connection_carry(relay_connection_t *self, int64_t now_ms)
{
    if (self->near < 0)
        return;
    if (carry(&self->forth, now_ms) || carry(&self->back, now_ms))
        relay_connection_reset(self);
    else if (self->forth.shut && self->back.shut)
        close_both(self);
}

void relay_connection_delay(relay_connection_t *self, unsigned directions, unsigned delay_ms)
{
    if (directions & RELAY_FORTH)
        self->forth.delay_ms = delay_ms;
    if (directions & RELAY_BACK)
        self->back.delay_ms = delay_ms;
}

void relay_connection_stall(relay_connection_t *self, unsigned directions)
{
    self->forth.stalled |= (directions & RELAY_FORTH) != 0;
    self->back.stalled |= (directions & RELAY_BACK) != 0;
}

static void heal(stretch_t *self)
{
    self->stalled = false;
    self->delay_ms = 0;
    for (chunk_t *chunk = self->head; chunk; chunk = chunk->next)
        chunk->due_ms = 0;
}

void relay_connection_heal(relay_connection_t *self)
{
    heal(&self->forth);
    heal(&self->back);
}

static int wait_stretch(const stretch_t *self, struct pollfd *from, struct pollfd *to, int64_t now_ms)
{
    if (may_read(self))
        from->events |= POLLIN;
    if (may_write(self, now_ms))
        to->events |= POLLOUT;
    else if (!self->stalled && self->head)
        return (int)(self->head->due_ms - now_ms);
    return -1;
}

int relay_connection_wait(const relay_connection_t *self, struct pollfd wanted[2], int64_t now_ms)
{
    wanted[0] = (struct pollfd){.fd = self->near};
    wanted[1] = (struct pollfd){.fd = self->far};
    int forth_ms = wait_stretch(&self->forth, &wanted[0], &wanted[1], now_ms);
    int back_ms = wait_stretch(&self->back, &wanted[1], &wanted[0], now_ms);
    /* N.B. poll reports a hang-up also where nothing is asked; a stalled connection must not hear of it. */
    for (int i = 0; i < 2; i++)
        if (wanted[i].events == 0)
            wanted[i].fd = -1;
    if (forth_ms < 0 || (back_ms >= 0 && back_ms < forth_ms))
        return back_ms;
    return forth_ms;
}
