/* SPDX-License-Identifier: MPL-2.0 */
/* capture: one thread polls the two pipes and an eventfd that stops it, and appends what it reads under a lock; waiters
 * hear of every change. Reading errors count as the end of a stream. */
#include "lib/capture.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE 65536

typedef struct {
    int fd; /* -1 at the end of the stream */
    char *text;
    size_t size;
    size_t capacity;
} stream_t;

struct capture {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    int stop_fd;
    stream_t streams[CAPTURE_STREAMS]; /* under the lock */
};

static void stream_close(stream_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

static void stream_append(stream_t *self, const char *data, size_t size)
{
    if (self->size + size > self->capacity) {
        self->capacity = 2 * (self->size + size);
        self->text = realloc(self->text, self->capacity);
        assert(self->text);
    }
    memcpy(self->text + self->size, data, size);
    self->size += size;
}

/* N.B. reads outside the lock: the descriptor is closed by this thread alone while it runs. */
static void read_stream(capture_t *self, stream_t *stream)
{
    char data[READ_SIZE];
    ssize_t size = read(stream->fd, data, sizeof(data));
    if (size < 0 && errno == EINTR)
        return;
    pthread_mutex_lock(&self->lock);
    if (size > 0)
        stream_append(stream, data, (size_t)size);
    else
        stream_close(stream);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void *run(void *arg)
{
    capture_t *self = arg;
    stream_t *streams = self->streams;
    while (streams[CAPTURE_OUTPUT].fd >= 0 || streams[CAPTURE_ERRORS].fd >= 0) {
        struct pollfd fds[CAPTURE_STREAMS + 1] = {{.fd = self->stop_fd, .events = POLLIN}};
        for (int i = 0; i < CAPTURE_STREAMS; i++)
            fds[i + 1] = (struct pollfd){.fd = streams[i].fd, .events = POLLIN};
        if (poll(fds, CAPTURE_STREAMS + 1, -1) < 0)
            continue;
        if (fds[0].revents)
            break;
        for (int i = 0; i < CAPTURE_STREAMS; i++)
            if (fds[i + 1].revents)
                read_stream(self, &streams[i]);
    }
    return NULL;
}

capture_t *capture_new(int output_fd, int errors_fd)
{
    capture_t *self = calloc(1, sizeof(*self));
    assert(self);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&self->lock, NULL);
    self->stop_fd = eventfd(0, EFD_CLOEXEC);
    self->streams[CAPTURE_OUTPUT].fd = output_fd;
    self->streams[CAPTURE_ERRORS].fd = errors_fd;
    int failed = pthread_create(&self->thread, NULL, run, self);
    assert(!failed && self->stop_fd >= 0);
    return self;
}

void capture_destroy(capture_t **self_p)
{
    capture_t *self = *self_p;
    if (!self)
        return;
    uint64_t one = 1;
    ssize_t written = write(self->stop_fd, &one, sizeof(one));
    assert(written == sizeof(one));
    pthread_join(self->thread, NULL);
    for (int i = 0; i < CAPTURE_STREAMS; i++) {
        stream_close(&self->streams[i]);
        free(self->streams[i].text);
    }
    close(self->stop_fd);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

/* Waits for one change. False once the deadline has passed. Call it with the lock held. */
static bool wait_change(capture_t *self, deadline_t deadline)
{
    struct timespec until = {.tv_sec = deadline.at_ms / 1000, .tv_nsec = deadline.at_ms % 1000 * 1000000};
    return pthread_cond_timedwait(&self->changed, &self->lock, &until) == 0;
}

size_t capture_wait(capture_t *self, capture_stream_t stream, size_t size, deadline_t deadline)
{
    stream_t *waited = &self->streams[stream];
    pthread_mutex_lock(&self->lock);
    while (waited->size <= size && waited->fd >= 0 && wait_change(self, deadline))
        ;
    size = waited->size;
    pthread_mutex_unlock(&self->lock);
    return size;
}

bool capture_wait_end(capture_t *self, deadline_t deadline)
{
    stream_t *streams = self->streams;
    pthread_mutex_lock(&self->lock);
    while ((streams[CAPTURE_OUTPUT].fd >= 0 || streams[CAPTURE_ERRORS].fd >= 0) && wait_change(self, deadline))
        ;
    bool ended = streams[CAPTURE_OUTPUT].fd < 0 && streams[CAPTURE_ERRORS].fd < 0;
    pthread_mutex_unlock(&self->lock);
    return ended;
}

bool capture_ended(capture_t *self, capture_stream_t stream)
{
    pthread_mutex_lock(&self->lock);
    bool ended = self->streams[stream].fd < 0;
    pthread_mutex_unlock(&self->lock);
    return ended;
}

char *capture_copy(capture_t *self, capture_stream_t stream, size_t from)
{
    stream_t *copied = &self->streams[stream];
    pthread_mutex_lock(&self->lock);
    size_t size = copied->size > from ? copied->size - from : 0;
    char *text = malloc(size + 1);
    assert(text);
    if (size > 0)
        memcpy(text, copied->text + from, size);
    text[size] = '\0';
    pthread_mutex_unlock(&self->lock);
    return text;
}
