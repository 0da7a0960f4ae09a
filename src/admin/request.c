/* SPDX-License-Identifier: MPL-2.0 */
/* request: one HTTP request on a connection of its own. Its page answers it at once, or lets it wait, or lets it follow
 * the progress of a drain; in the latter two libmicrohttpd's connection is suspended while there is nothing to send,
 * and then it does not notice that a client has gone. What fails in between closes the connection. Owner: the admin
 * actor's thread. */
#include "admin/request.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BLOCK_SIZE = 4096 };

static const bool moves[REQUEST_STATE_COUNT][REQUEST_STATE_COUNT] = {
    [REQUEST_FREE] = {[REQUEST_ACCEPTED] = true},
    [REQUEST_ACCEPTED] = {[REQUEST_READING] = true, [REQUEST_FREE] = true},
    [REQUEST_READING] =
        {[REQUEST_WAITING] = true, [REQUEST_ANSWERED] = true, [REQUEST_FOLLOWING] = true, [REQUEST_FREE] = true},
    [REQUEST_WAITING] = {[REQUEST_ANSWERED] = true},
    [REQUEST_ANSWERED] = {[REQUEST_FREE] = true},
    [REQUEST_FOLLOWING] = {[REQUEST_PARKED] = true, [REQUEST_FREE] = true},
    [REQUEST_PARKED] = {[REQUEST_FOLLOWING] = true},
};

static void request_move(request_t *self, request_state_t state)
{
    bool allowed = moves[self->state][state];
    assert(allowed);
    (void)allowed;
    self->state = state;
}

void request_init(request_t *self, int fd, uint64_t deadline_ms)
{
    *self = (request_t){.state = self->state, .fd = fd, .deadline_ms = deadline_ms};
    request_move(self, REQUEST_ACCEPTED);
}

void request_start(request_t *self, struct MHD_Connection *connection)
{
    self->connection = connection;
    request_move(self, REQUEST_READING);
}

void request_fini(request_t *self)
{
    request_move(self, REQUEST_FREE);
    if (self->response)
        MHD_destroy_response(self->response);
    self->response = NULL;
    self->connection = NULL;
}

const char *request_header(const request_t *self, const char *name)
{
    return MHD_lookup_connection_value(self->connection, MHD_HEADER_KIND, name);
}

bool request_is_method(const request_t *self, const char *method)
{
    return strcmp(self->method, method) == 0 || (strcmp(self->method, "HEAD") == 0 && strcmp(method, "GET") == 0);
}

static bool is_loopback_ipv4(const uint8_t *address)
{
    return address[0] == 127;
}

static bool is_loopback_ipv6(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && is_loopback_ipv4(&address->s6_addr[12]));
}

bool request_address_is_local(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return is_loopback_ipv4((const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr);
    if (address->sa_family == AF_INET6)
        return is_loopback_ipv6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return false;
}

bool request_is_local(const request_t *self)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(self->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && info->client_addr && request_address_is_local(info->client_addr);
}

/* The answer is given once; one that waits goes on. */
static void request_give(request_t *self, request_state_t state, unsigned status, struct MHD_Response *response)
{
    bool waiting = self->state == REQUEST_WAITING;
    if (!response)
        abort();
    request_move(self, state);
    self->status = status;
    self->response = response;
    request_add_header(self, MHD_HTTP_HEADER_CONNECTION, "close");
    request_add_header(self, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (waiting)
        MHD_resume_connection(self->connection);
}

void request_answer(request_t *self, unsigned status, const char *type, char *body, size_t size)
{
    request_give(self, REQUEST_ANSWERED, status, MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE));
    request_add_header(self, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

void request_say(request_t *self, unsigned status, const char *line)
{
    size_t size = strlen(line) + 1;
    char *body = malloc(size);
    if (!body)
        abort();
    memcpy(body, line, size - 1);
    body[size - 1] = '\n';
    request_answer(self, status, "text/plain; charset=utf-8", body, size);
}

void request_add_header(request_t *self, const char *name, const char *value)
{
    MHD_add_response_header(self->response, name, value);
}

void request_wait(request_t *self, uint64_t deadline_ms)
{
    request_move(self, REQUEST_WAITING);
    self->deadline_ms = deadline_ms;
}

static ssize_t on_stream_read(void *arg, uint64_t position, char *data, size_t size)
{
    request_t *self = arg;
    ssize_t count = progress_read(self->progress, position, data, size);
    if (count < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (count == 0) {
        request_move(self, REQUEST_PARKED);
        MHD_suspend_connection(self->connection);
    }
    return count;
}

void request_follow(request_t *self, const progress_t *progress)
{
    self->progress = progress;
    if (!progress_is_finished(progress))
        self->deadline_ms = 0;
    request_give(self, REQUEST_FOLLOWING, MHD_HTTP_OK,
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_SIZE, on_stream_read, self, NULL));
    request_add_header(self, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
}

enum MHD_Result request_queue(request_t *self)
{
    if (self->state == REQUEST_WAITING) {
        MHD_suspend_connection(self->connection);
        return MHD_YES;
    }
    assert(self->response);
    enum MHD_Result result = MHD_queue_response(self->connection, self->status, self->response);
    MHD_destroy_response(self->response);
    self->response = NULL;
    return result;
}

void request_wake(request_t *self)
{
    request_move(self, REQUEST_FOLLOWING);
    MHD_resume_connection(self->connection);
}

void request_cut(request_t *self)
{
    shutdown(self->fd, SHUT_RDWR);
}
