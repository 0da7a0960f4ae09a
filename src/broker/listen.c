/* SPDX-License-Identifier: MPL-2.0 */
/* listen: endpoints are bound in the order of the configuration, which has been checked for addresses that others than
 * this machine can reach, after the inproc one for nodes of the same process. Binding fails for addresses in use or not
 * there. Owner: the router's thread. */
#include "broker/listen.h"

#include <stdio.h>
#include <zmq.h>

#include "base/binding.h"
#include "base/endpoint.h"

#define LISTEN_INPROC_SIZE (ENDPOINT_SIZE + UINT8_MAX)

void listen_prepare(void *socket, uint32_t batch_size)
{
    binding_prepare(socket, (size_t)batch_size + LISTEN_MESSAGE_SLACK);
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
        return binding_fail("broker", text, zmq_strerror(zmq_errno()));
    binding_note("broker", listening, text);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < config_count(config, "broker/listen"); i++)
        rc = binding_open(socket, "broker", config_item(config, "broker/listen", i), listening);
    return rc;
}
