/* SPDX-License-Identifier: MPL-2.0 */
/* listen: endpoints are bound in the order of the configuration, which has been checked for addresses that others than
 * this machine can reach, after the inproc one for nodes of the same process. Binding fails for addresses in use or not
 * there. Owner: the router's thread. */
#include "broker/listen.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/endpoint.h"
#include "base/log.h"

#define LISTEN_BACKLOG      4096
#define LISTEN_HANDSHAKE_MS 5000
#define LISTEN_MAXRT_MS     15000
#define LISTEN_IDLE_S       30
#define LISTEN_PORT_FIRST   15000 /* where port 0 is looked for: below the ports that the kernel gives to clients */
#define LISTEN_PORT_COUNT   17000
#define LISTEN_PORT_TRIES   200
#define LISTEN_INPROC_SIZE  (ENDPOINT_SIZE + UINT8_MAX)

static void socket_set(void *socket, int option, int value)
{
    int rc = zmq_setsockopt(socket, option, &value, sizeof value);
    assert(rc == 0);
    (void)rc;
}

void listen_prepare(void *socket, uint32_t batch_size)
{
    int64_t message_size = (int64_t)batch_size + LISTEN_MESSAGE_SLACK;
    int rc = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_size, sizeof message_size);
    assert(rc == 0);
    (void)rc;
    socket_set(socket, ZMQ_LINGER, 0);
    socket_set(socket, ZMQ_SNDHWM, 0);
    socket_set(socket, ZMQ_RCVHWM, 0);
    socket_set(socket, ZMQ_ROUTER_MANDATORY, 1);
    socket_set(socket, ZMQ_ROUTER_HANDOVER, 0);
    socket_set(socket, ZMQ_HANDSHAKE_IVL, LISTEN_HANDSHAKE_MS);
    socket_set(socket, ZMQ_TCP_MAXRT, LISTEN_MAXRT_MS);
    socket_set(socket, ZMQ_TCP_KEEPALIVE, 1);
    socket_set(socket, ZMQ_TCP_KEEPALIVE_IDLE, LISTEN_IDLE_S);
    socket_set(socket, ZMQ_BACKLOG, LISTEN_BACKLOG);
    socket_set(socket, ZMQ_IPV6, 1);
}

static void listen_note(json_t *listening, const char *text)
{
    json_array_append_new(listening, json_string(text));
    log_info("listening", log_str("role", "broker"), log_str("endpoint", text));
}

static int listen_fail(const char *text, const char *reason)
{
    log_error("listen-failed", log_str("role", "broker"), log_str("endpoint", text), log_str("reason", reason));
    return -1;
}

/* Tries random ports until one is free; `text` ends with ":0" and has room for a port. */
static int listen_any_port(void *socket, char *text)
{
    char *port = strrchr(text, ':') + 1;
    for (int tries = 0; tries < LISTEN_PORT_TRIES; tries++) {
        unsigned number = LISTEN_PORT_FIRST + randombytes_uniform(LISTEN_PORT_COUNT);
        snprintf(port, sizeof "65535", "%u", number);
        if (zmq_bind(socket, text) == 0)
            return 0;
        if (zmq_errno() != EADDRINUSE)
            return -1;
    }
    return -1;
}

static int listen_one(void *socket, const char *wanted, json_t *listening)
{
    endpoint_t endpoint;
    const char *reason;
    char text[ENDPOINT_SIZE + sizeof "65535"];
    if (endpoint_parse(&endpoint, wanted, &reason) != 0)
        return listen_fail(wanted, reason);
    endpoint_text(&endpoint, text);
    /* N.B. ZeroMQ removes whatever lies at the path, another broker's socket too. */
    if (endpoint_is_taken(&endpoint))
        return listen_fail(wanted, strerror(EADDRINUSE));
    bool is_any = endpoint.kind == ENDPOINT_TCP && endpoint_port(&endpoint) == 0;
    if ((is_any ? listen_any_port(socket, text) : zmq_bind(socket, text)) != 0)
        return listen_fail(wanted, zmq_strerror(zmq_errno()));
    listen_note(listening, text);
    return 0;
}

static void listen_inproc_text(char text[LISTEN_INPROC_SIZE], const char *name)
{
    snprintf(text, LISTEN_INPROC_SIZE, "inproc://ferrymq-broker-%s", name);
}

/* N.B. only of inproc: zmq_unbind of any other endpoint cuts the connections that it has accepted. */
void listen_release(void *socket, const char *name)
{
    char text[LISTEN_INPROC_SIZE];
    listen_inproc_text(text, name);
    zmq_unbind(socket, text);
}

int listen_bind(void *socket, const config_t *config, const char *name, json_t *listening)
{
    char text[LISTEN_INPROC_SIZE];
    listen_inproc_text(text, name);
    if (zmq_bind(socket, text) != 0)
        return listen_fail(text, zmq_strerror(zmq_errno()));
    listen_note(listening, text);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < config_count(config, "broker/listen"); i++)
        rc = listen_one(socket, config_item(config, "broker/listen", i), listening);
    return rc;
}
