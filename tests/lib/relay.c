/* SPDX-License-Identifier: MPL-2.0 */
/* relay: one thread that waits with poll(2), accepts, and lets every connection carry what it can. The test's thread
 * changes connections under the lock, which the thread holds but while it waits, and wakes it. */
#include "lib/relay.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/dice.h"
#include "lib/relay_connection.h"
#include "lib/stream_socket.h"
#include "lib/test.h"

#define CONNECTIONS_MAX 256 /* as many more wait in the kernel */
#define BACKLOG         64

/* What befalls connections that come. */
typedef struct {
    unsigned delay_directions;
    unsigned delay_ms;
    unsigned delay_percent;
    unsigned stall_directions;
    unsigned stall_percent;
} weather_t;

struct relay {
    pthread_t thread;
    pthread_mutex_t lock;
    int wake_fd;
    int listener_fd;
    char destination[64];
    char endpoint[64];
    bool stopping; /* under the lock, as everything below */
    dice_t dice;
    weather_t weather;
    relay_connection_t *connections;
    unsigned connection_count;
    relay_t *next; /* of the test's thread */
};

static relay_t *relays; /* all that are not destroyed */

static int64_t shorter(int64_t left, int64_t right)
{
    return left < 0 || (right >= 0 && right < left) ? right : left;
}

/* Waits until something can be done. Called with the lock, which is given up meanwhile. */
static void wait_for_work(relay_t *self)
{
    struct pollfd wanted[2 * CONNECTIONS_MAX + 2];
    nfds_t count = 2;
    int64_t timeout_ms = -1;
    int64_t now_ms = deadline_now_ms();
    wanted[0] = (struct pollfd){.fd = self->wake_fd, .events = POLLIN};
    wanted[1] =
        (struct pollfd){.fd = self->connection_count < CONNECTIONS_MAX ? self->listener_fd : -1, .events = POLLIN};
    for (relay_connection_t *each = self->connections; each; each = each->next, count += 2)
        timeout_ms = shorter(timeout_ms, relay_connection_wait(each, wanted + count, now_ms));
    pthread_mutex_unlock(&self->lock);
    poll(wanted, count, (int)timeout_ms);
    pthread_mutex_lock(&self->lock);
    uint64_t wakes;
    ssize_t size = read(self->wake_fd, &wakes, sizeof(wakes));
    assert(size == sizeof(wakes) || errno == EAGAIN);
}

static void expose(relay_t *self, relay_connection_t *connection)
{
    const weather_t *weather = &self->weather;
    if (weather->delay_directions && dice_chance(&self->dice, weather->delay_percent))
        relay_connection_delay(connection, weather->delay_directions, weather->delay_ms);
    if (weather->stall_directions && dice_chance(&self->dice, weather->stall_percent))
        relay_connection_stall(connection, weather->stall_directions);
}

static void accept_one(relay_t *self)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int one = 1;
    int near = accept4(self->listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (near < 0)
        return;
    setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int far = stream_socket_connect(self->destination, 0, 0);
    if (far < 0) {
        setsockopt(near, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(near);
        return;
    }
    relay_connection_t *connection = relay_connection_new(near, far);
    connection->next = self->connections;
    self->connections = connection;
    self->connection_count++;
    expose(self, connection);
}

static void carry_all(relay_t *self)
{
    int64_t now_ms = deadline_now_ms();
    for (relay_connection_t **at = &self->connections; *at;) {
        relay_connection_t *each = *at;
        relay_connection_carry(each, now_ms);
        if (!relay_connection_is_over(each)) {
            at = &each->next;
            continue;
        }
        *at = each->next;
        self->connection_count--;
        relay_connection_destroy(&each);
    }
}

static void *run(void *arg)
{
    relay_t *self = arg;
    pthread_mutex_lock(&self->lock);
    while (!self->stopping) {
        wait_for_work(self);
        if (self->connection_count < CONNECTIONS_MAX)
            accept_one(self);
        carry_all(self);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static void listen_somewhere(relay_t *self)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    self->listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->listener_fd < 0 || bind(self->listener_fd, (struct sockaddr *)&address, size) ||
        listen(self->listener_fd, BACKLOG) || getsockname(self->listener_fd, (struct sockaddr *)&address, &size))
        fail_msg("no port for a relay: %s", strerror(errno));
    snprintf(self->endpoint, sizeof(self->endpoint), "tcp://127.0.0.1:%u", ntohs(address.sin_port));
}

relay_t *relay_new(const char *destination, uint64_t seed)
{
    relay_t *self = calloc(1, sizeof(*self));
    assert(self);
    snprintf(self->destination, sizeof(self->destination), "%s", destination);
    self->dice.state = seed;
    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(self->wake_fd >= 0);
    listen_somewhere(self);
    pthread_mutex_init(&self->lock, NULL);
    int failed = pthread_create(&self->thread, NULL, run, self);
    assert(!failed);
    self->next = relays;
    relays = self;
    return self;
}

static void begin_change(relay_t *self)
{
    pthread_mutex_lock(&self->lock);
}

static void end_change(relay_t *self)
{
    uint64_t one = 1;
    ssize_t size = write(self->wake_fd, &one, sizeof(one));
    assert(size == sizeof(one));
    pthread_mutex_unlock(&self->lock);
}

void relay_destroy(relay_t **self_p)
{
    relay_t *self = *self_p;
    if (!self)
        return;
    relay_t **at = &relays;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    begin_change(self);
    self->stopping = true;
    end_change(self);
    pthread_join(self->thread, NULL);
    for (relay_connection_t *each; (each = self->connections) != NULL;) {
        self->connections = each->next;
        relay_connection_destroy(&each);
    }
    pthread_mutex_destroy(&self->lock);
    close(self->listener_fd);
    close(self->wake_fd);
    free(self);
    *self_p = NULL;
}

void relay_destroy_all(void)
{
    while (relays) {
        relay_t *first = relays;
        relay_destroy(&first);
    }
}

const char *relay_endpoint(const relay_t *self)
{
    return self->endpoint;
}

unsigned relay_connections(relay_t *self)
{
    begin_change(self);
    unsigned count = self->connection_count;
    end_change(self);
    return count;
}

unsigned relay_cut(relay_t *self, relay_cut_t how, unsigned percent)
{
    unsigned count = 0;
    begin_change(self);
    for (relay_connection_t *each = self->connections; each; each = each->next) {
        if (!dice_chance(&self->dice, percent))
            continue;
        if (how == RELAY_RESET)
            relay_connection_reset(each);
        else
            relay_connection_end(each);
        count++;
    }
    end_change(self);
    return count;
}

void relay_delay(relay_t *self, unsigned directions, unsigned delay_ms, unsigned percent)
{
    begin_change(self);
    self->weather.delay_directions = directions;
    self->weather.delay_ms = delay_ms;
    self->weather.delay_percent = percent;
    for (relay_connection_t *each = self->connections; each; each = each->next)
        if (dice_chance(&self->dice, percent))
            relay_connection_delay(each, directions, delay_ms);
    end_change(self);
}

void relay_stall(relay_t *self, unsigned directions, unsigned percent)
{
    begin_change(self);
    self->weather.stall_directions = directions;
    self->weather.stall_percent = percent;
    for (relay_connection_t *each = self->connections; each; each = each->next)
        if (dice_chance(&self->dice, percent))
            relay_connection_stall(each, directions);
    end_change(self);
}

void relay_heal(relay_t *self)
{
    begin_change(self);
    self->weather = (weather_t){0};
    for (relay_connection_t *each = self->connections; each; each = each->next)
        relay_connection_heal(each);
    end_change(self);
}
