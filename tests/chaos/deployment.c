/* SPDX-License-Identifier: MPL-2.0 */
/* deployment: starts each process with the addresses that it and its successors keep: a broker's is the port that its
 * first one chose, a gateway's a port that is looked for, below those that the system gives to who connects. */
#include "chaos/deployment.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/server.h"
#include "lib/test.h"

#define LINK_TIMEOUT_MS 2000
#define SETTLING_MS     5000 /* longer than the link timeout, link/connect_timeout and link/backoff_max */
#define STALL_MS        2000
#define DRAIN_MS        60000
#define PORT_LEAST      12000
#define PORT_MOST       30000
#define OPTION_SIZE     120

/* What every process of a role is started with, besides its addresses. */
#define COMMON_OPTIONS                                                                                                 \
    "-s", "drain/timeout=60s", "-s", "link/connect_timeout=1s", "-s", "link/heartbeat=200ms", "-s",                    \
        self->link_timeout, "-s", self->settling_time
#define GATEWAY_OPTIONS                                                                                                \
    "-s", "gateway/workers=2", "-s", "gateway/high_mark=64KiB", "-s", "gateway/low_mark=16KiB", "-s",                  \
        "gateway/send_buffer=16KiB", "-s", self->stall_time

typedef struct {
    server_t *server;
    char endpoint[64];
    char name[24]; /* of a broker */
} place_t;

struct deployment {
    deployment_shape_t shape;
    place_t brokers[DEPLOYMENT_BROKERS_MAX];
    place_t gateways[DEPLOYMENT_GATEWAYS_MAX];
    relay_t *relays[DEPLOYMENT_GATEWAYS_MAX][DEPLOYMENT_BROKERS_MAX];
    char link_timeout[OPTION_SIZE];
    char settling_time[OPTION_SIZE];
    char stall_time[OPTION_SIZE];
    book_t past; /* of the processes that have drained */
};

unsigned deployment_link_timeout_ms(void)
{
    return LINK_TIMEOUT_MS * deadline_patience();
}

static bool is_free(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return found;
}

static void find_place(place_t *self, dice_t *dice)
{
    unsigned port = dice_between(dice, PORT_LEAST, PORT_MOST);
    for (unsigned tries = 0; !is_free(port); tries++) {
        assert_true(tries < 1000);
        port = dice_between(dice, PORT_LEAST, PORT_MOST);
    }
    snprintf(self->endpoint, sizeof(self->endpoint), "tcp://127.0.0.1:%u", port);
}

static void launch_broker(deployment_t *self, unsigned broker)
{
    place_t *place = &self->brokers[broker];
    char name[OPTION_SIZE];
    char listen[OPTION_SIZE];
    snprintf(name, sizeof(name), "broker/name=%s", place->name);
    snprintf(listen, sizeof(listen), "broker/listen=%s", *place->endpoint ? place->endpoint : "tcp://127.0.0.1:0");
    place->server = server_launch("broker", "-s", name, "-s", listen, COMMON_OPTIONS, NULL);
}

static void launch_gateway(deployment_t *self, unsigned gateway)
{
    place_t *place = &self->gateways[gateway];
    char listen[OPTION_SIZE];
    char brokers[DEPLOYMENT_BROKERS_MAX][OPTION_SIZE];
    snprintf(listen, sizeof(listen), "gateway/listen=%s", place->endpoint);
    for (unsigned i = 0; i < self->shape.brokers; i++)
        snprintf(brokers[i], OPTION_SIZE, "gateway/broker=%s=%s", self->brokers[i].name,
            self->shape.relayed ? relay_endpoint(self->relays[gateway][i]) : self->brokers[i].endpoint);
    if (self->shape.brokers == 2)
        place->server = server_launch(
            "gateway", "-s", listen, "-s", brokers[0], "-s", brokers[1], COMMON_OPTIONS, GATEWAY_OPTIONS, NULL);
    else
        place->server = server_launch("gateway", "-s", listen, "-s", brokers[0], COMMON_OPTIONS, GATEWAY_OPTIONS, NULL);
}

static void start_brokers(deployment_t *self)
{
    for (unsigned i = 0; i < self->shape.brokers; i++) {
        place_t *place = &self->brokers[i];
        snprintf(place->name, sizeof(place->name), "broker-%u", i);
        launch_broker(self, i);
        server_wait_ready(place->server);
        snprintf(place->endpoint, sizeof(place->endpoint), "%s", server_broker(place->server));
    }
}

deployment_t *deployment_start(const deployment_shape_t *shape, dice_t *dice)
{
    deployment_t *self = calloc(1, sizeof(*self));
    assert(self && shape->brokers <= DEPLOYMENT_BROKERS_MAX && shape->gateways <= DEPLOYMENT_GATEWAYS_MAX);
    self->shape = *shape;
    process_limit_descriptors(shape->descriptors);
    snprintf(self->link_timeout, OPTION_SIZE, "link/timeout=%ums", deployment_link_timeout_ms());
    snprintf(self->settling_time, OPTION_SIZE, "link/settling_time=%ums", SETTLING_MS * deadline_patience());
    snprintf(self->stall_time, OPTION_SIZE, "gateway/stall_time=%ums", STALL_MS * deadline_patience());
    start_brokers(self);
    for (unsigned i = 0; i < shape->gateways; i++) {
        find_place(&self->gateways[i], dice);
        for (unsigned k = 0; shape->relayed && k < shape->brokers; k++)
            self->relays[i][k] = relay_new(self->brokers[k].endpoint, dice_roll(dice, UINT32_MAX));
        launch_gateway(self, i);
    }
    for (unsigned i = 0; i < shape->gateways; i++)
        server_wait_ready(self->gateways[i].server);
    return self;
}

/* Waits for the end of a process that was told to drain, and adds its ledger to those of the past. */
static void take_leave(deployment_t *self, place_t *place)
{
    process_expect_exit(server_process(place->server), 0, DRAIN_MS);
    book_t book = book_read_log(place->server);
    assert_int_equal(book.faulty, 0);
    book_add(&self->past, &book);
    server_destroy(&place->server);
}

void deployment_stop(deployment_t *self)
{
    for (unsigned i = 0; i < self->shape.gateways; i++)
        process_signal(server_process(self->gateways[i].server), SIGTERM);
    for (unsigned i = 0; i < self->shape.gateways; i++)
        take_leave(self, &self->gateways[i]);
    for (unsigned i = 0; i < self->shape.brokers; i++)
        process_signal(server_process(self->brokers[i].server), SIGTERM);
    for (unsigned i = 0; i < self->shape.brokers; i++)
        take_leave(self, &self->brokers[i]);
}

void deployment_destroy(deployment_t **self_p)
{
    deployment_t *self = *self_p;
    if (!self)
        return;
    for (unsigned i = 0; i < self->shape.gateways; i++) {
        server_destroy(&self->gateways[i].server);
        for (unsigned k = 0; k < self->shape.brokers; k++)
            relay_destroy(&self->relays[i][k]);
    }
    for (unsigned i = 0; i < self->shape.brokers; i++)
        server_destroy(&self->brokers[i].server);
    free(self);
    *self_p = NULL;
}

const deployment_shape_t *deployment_shape(const deployment_t *self)
{
    return &self->shape;
}

process_t *deployment_broker(deployment_t *self, unsigned broker)
{
    return server_process(self->brokers[broker].server);
}

process_t *deployment_gateway(deployment_t *self, unsigned gateway)
{
    return server_process(self->gateways[gateway].server);
}

const char *deployment_clients(const deployment_t *self, unsigned gateway)
{
    return self->gateways[gateway].endpoint;
}

const char *deployment_nodes(const deployment_t *self, unsigned broker)
{
    return self->brokers[broker].endpoint;
}

unsigned deployment_port(const deployment_t *self, unsigned broker)
{
    return (unsigned)strtoul(strrchr(self->brokers[broker].endpoint, ':') + 1, NULL, 10);
}

relay_t *deployment_relay(deployment_t *self, unsigned gateway, unsigned broker)
{
    assert(self->shape.relayed);
    return self->relays[gateway][broker];
}

/* Clears a place whose process was killed or told to drain. */
static void bury(deployment_t *self, place_t *place)
{
    if (process_wait_exit(server_process(place->server), DRAIN_MS) == -SIGKILL)
        server_destroy(&place->server);
    else
        take_leave(self, place);
}

void deployment_renew_broker(deployment_t *self, unsigned broker)
{
    bury(self, &self->brokers[broker]);
    launch_broker(self, broker);
}

void deployment_renew_gateway(deployment_t *self, unsigned gateway)
{
    bury(self, &self->gateways[gateway]);
    launch_gateway(self, gateway);
}

book_t deployment_book(deployment_t *self)
{
    book_t sum = self->past;
    for (unsigned i = 0; i < self->shape.gateways; i++) {
        book_t book = book_read(self->gateways[i].server);
        book_add(&sum, &book);
    }
    for (unsigned i = 0; i < self->shape.brokers; i++) {
        book_t book = book_read(self->brokers[i].server);
        book_add(&sum, &book);
    }
    return sum;
}
