/* SPDX-License-Identifier: MPL-2.0 */
/* binding: the options are set first, then endpoints are bound one by one. Binding fails for addresses in use or not
 * there. Owner: the socket's thread. */
#include "base/binding.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/endpoint.h"
#include "base/log.h"

#define BINDING_DOMAIN       "ferry"
#define BINDING_BACKLOG      4096
#define BINDING_HANDSHAKE_MS 5000
#define BINDING_MAXRT_MS     15000
#define BINDING_IDLE_S       30
#define BINDING_PORT_FIRST   15000 /* where port 0 is looked for: below the ports that the kernel gives to clients */
#define BINDING_PORT_COUNT   17000
#define BINDING_PORT_TRIES   200

static void socket_set(void *socket, int option, int value)
{
    int rc = zmq_setsockopt(socket, option, &value, sizeof value);
    assert(rc == 0);
    (void)rc;
}

/* N.B. a socket with a domain takes no peer of ZMTP 1 or 2, whose handshake aborts the process of libzmq before 4.3.5
 * if the socket is closed meanwhile (errno_assert in process_routing_id_msg). There is no handler to ask, and none is
 * wanted (ZMQ_ZAP_ENFORCE_DOMAIN is off). */
static void refuse_old_peers(void *socket)
{
    int rc = zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, BINDING_DOMAIN, strlen(BINDING_DOMAIN));
    assert(rc == 0);
    (void)rc;
}

void binding_prepare(void *socket, size_t frame_size)
{
    int64_t message_size = (int64_t)frame_size;
    int rc = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_size, sizeof message_size);
    assert(rc == 0);
    (void)rc;
    refuse_old_peers(socket);
    socket_set(socket, ZMQ_LINGER, 0);
    socket_set(socket, ZMQ_SNDHWM, 0);
    socket_set(socket, ZMQ_RCVHWM, 0);
    socket_set(socket, ZMQ_ROUTER_MANDATORY, 1);
    socket_set(socket, ZMQ_ROUTER_HANDOVER, 0);
    socket_set(socket, ZMQ_HANDSHAKE_IVL, BINDING_HANDSHAKE_MS);
    socket_set(socket, ZMQ_TCP_MAXRT, BINDING_MAXRT_MS);
    socket_set(socket, ZMQ_TCP_KEEPALIVE, 1);
    socket_set(socket, ZMQ_TCP_KEEPALIVE_IDLE, BINDING_IDLE_S);
    socket_set(socket, ZMQ_BACKLOG, BINDING_BACKLOG);
    socket_set(socket, ZMQ_IPV6, 1);
}

void binding_note(const char *role, json_t *listening, const char *text)
{
    json_array_append_new(listening, json_string(text));
    log_info("listening", log_str("role", role), log_str("endpoint", text));
}

int binding_fail(const char *role, const char *text, const char *reason)
{
    log_error("listen-failed", log_str("role", role), log_str("endpoint", text), log_str("reason", reason));
    return -1;
}

/* Tries random ports until one is free; `text` ends with ":0" and has room for a port. */
static int binding_any_port(void *socket, char *text)
{
    char *port = strrchr(text, ':') + 1;
    for (int tries = 0; tries < BINDING_PORT_TRIES; tries++) {
        unsigned number = BINDING_PORT_FIRST + randombytes_uniform(BINDING_PORT_COUNT);
        snprintf(port, sizeof "65535", "%u", number);
        if (zmq_bind(socket, text) == 0)
            return 0;
        if (zmq_errno() != EADDRINUSE)
            return -1;
    }
    return -1;
}

int binding_open(void *socket, const char *role, const char *wanted, json_t *listening)
{
    endpoint_t endpoint;
    const char *reason;
    char text[ENDPOINT_SIZE + sizeof "65535"];
    if (endpoint_parse(&endpoint, wanted, &reason) != 0)
        return binding_fail(role, wanted, reason);
    endpoint_text(&endpoint, text);
    /* N.B. ZeroMQ removes whatever lies at the path, another broker's socket too. */
    if (endpoint_is_taken(&endpoint))
        return binding_fail(role, wanted, strerror(EADDRINUSE));
    bool is_any = endpoint.kind == ENDPOINT_TCP && endpoint_port(&endpoint) == 0;
    if ((is_any ? binding_any_port(socket, text) : zmq_bind(socket, text)) != 0)
        return binding_fail(role, wanted, zmq_strerror(zmq_errno()));
    binding_note(role, listening, text);
    return 0;
}
