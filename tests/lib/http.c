/* SPDX-License-Identifier: MPL-2.0 */
/* http: writes one request with "Connection: close", reads to the end of file, then takes the answer apart. What is no
 * HTTP fails the test. */
#include "lib/http.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/stream_socket.h"
#include "lib/test.h"

#define READ_SIZE 16384

struct http_answer {
    char *text; /* status line and headers, NUL-terminated, then the body, NUL-terminated */
    char *body;
    int status;
};

typedef struct {
    char *data;
    size_t size;
} bytes_t;

static int ask(const char *base, const char *request, deadline_t deadline)
{
    int fd = stream_socket_connect(base, 0, 0);
    int failed = fd < 0 ? fd : stream_socket_wait(fd, deadline);
    if (failed)
        fail_msg("cannot connect to %s: %s", base, strerror(-failed));
    ssize_t sent = send(fd, request, strlen(request), MSG_NOSIGNAL);
    if (sent != (ssize_t)strlen(request))
        fail_msg("%s does not take the request", base);
    return fd;
}

static bytes_t read_all(int fd, deadline_t deadline)
{
    bytes_t all = {NULL, 0};
    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, deadline_left_ms(deadline)) == 0)
            fail_msg("no end of the HTTP answer in time: `%.*s`", (int)all.size, all.size ? all.data : "");
        all.data = realloc(all.data, all.size + READ_SIZE + 1);
        assert(all.data);
        ssize_t size = recv(fd, all.data + all.size, READ_SIZE, 0);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
            break;
        all.size += size > 0 ? (size_t)size : 0;
    }
    all.data[all.size] = '\0';
    close(fd);
    return all;
}

/* Joins the chunks in place. */
static void join_chunks(char *body)
{
    char *to = body;
    for (;;) {
        char *after = NULL;
        unsigned long size = strtoul(body, &after, 16);
        char *data = strstr(after, "\r\n");
        if (!data || strlen(data + 2) < size)
            fail_msg("the HTTP answer ends in the middle of a chunk");
        memmove(to, data + 2, size);
        to += size;
        body = data + 2 + size + 2;
        if (size == 0)
            break;
    }
    *to = '\0';
}

static void check_length(const http_answer_t *self)
{
    char value[32];
    if (!http_answer_header(self, "Content-Length", value, sizeof(value)))
        return;
    if (strtoul(value, NULL, 10) != strlen(self->body))
        fail_msg("the HTTP answer has %zu bytes of %s", strlen(self->body), value);
}

static http_answer_t *parse(bytes_t all)
{
    http_answer_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->text = all.data;
    self->body = strstr(all.data, "\r\n\r\n");
    if (!self->body || sscanf(all.data, "HTTP/1.1 %d", &self->status) != 1)
        fail_msg("that is no HTTP answer: `%s`", all.data);
    self->body[2] = '\0';
    self->body += 4;
    char value[32];
    if (http_answer_header(self, "Transfer-Encoding", value, sizeof(value)) && strcasecmp(value, "chunked") == 0)
        join_chunks(self->body);
    else
        check_length(self);
    return self;
}

/* NULL if the connection was closed without an answer. */
static http_answer_t *request(const char *method, const char *base, const char *path, const char *headers)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    char *text = NULL;
    int size =
        asprintf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", method, path, headers);
    assert(size > 0);
    int fd = ask(base, text, deadline);
    free(text);
    bytes_t all = read_all(fd, deadline);
    if (all.size > 0)
        return parse(all);
    free(all.data);
    return NULL;
}

static http_answer_t *require(http_answer_t *answer, const char *base, const char *path)
{
    if (!answer)
        fail_msg("%s%s is not answered", base, path);
    return answer;
}

http_answer_t *http_get(const char *base, const char *path)
{
    return require(request("GET", base, path, ""), base, path);
}

http_answer_t *http_post(const char *base, const char *path, const char *headers)
{
    char *all = NULL;
    int size = asprintf(&all, "Content-Length: 0\r\n%s", headers);
    assert(size > 0);
    http_answer_t *answer = request("POST", base, path, all);
    free(all);
    return require(answer, base, path);
}

void http_answer_destroy(http_answer_t **self_p)
{
    if (!*self_p)
        return;
    free((*self_p)->text);
    free(*self_p);
    *self_p = NULL;
}

int http_answer_status(const http_answer_t *self)
{
    return self->status;
}

const char *http_answer_body(const http_answer_t *self)
{
    return self->body;
}

bool http_answer_header(const http_answer_t *self, const char *name, char *value, size_t size)
{
    size_t name_size = strlen(name);
    for (const char *line = self->text; (line = strstr(line, "\r\n")) != NULL;) {
        line += 2;
        if (strncasecmp(line, name, name_size) != 0 || line[name_size] != ':')
            continue;
        const char *from = line + name_size + 1;
        from += strspn(from, " ");
        snprintf(value, size, "%.*s", (int)strcspn(from, "\r"), from);
        return true;
    }
    return false;
}

int http_status(const char *base, const char *path)
{
    http_answer_t *answer = request("GET", base, path, "");
    int status = answer ? answer->status : 0;
    http_answer_destroy(&answer);
    return status;
}

void http_wait_status(const char *base, const char *path, int status, unsigned timeout_ms)
{
    deadline_t deadline = deadline_in(timeout_ms);
    while (http_status(base, path) != status)
        if (deadline_passed(deadline))
            fail_msg("%s%s does not answer %d in time", base, path, status);
}

json_t *http_json(const char *base, const char *path)
{
    json_error_t error;
    http_answer_t *answer = http_get(base, path);
    json_t *json = answer->status == 200 ? json_loads(answer->body, 0, &error) : NULL;
    if (!json)
        fail_msg("%s%s answers %d and no JSON: `%s`", base, path, answer->status, answer->body);
    http_answer_destroy(&answer);
    return json;
}

json_t *json_at(json_t *root, const char *path)
{
    char key[64];
    while (root && *path) {
        size_t size = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)size, path);
        root = json_is_array(root) ? json_array_get(root, strtoul(key, NULL, 10)) : json_object_get(root, key);
        path += size + (path[size] == '.');
    }
    return root;
}

json_int_t http_number(const char *base, const char *path, const char *member)
{
    json_t *json = http_json(base, path);
    json_t *value = json_at(json, member);
    if (!json_is_integer(value))
        fail_msg("%s%s has no number %s", base, path, member);
    json_int_t number = json_integer_value(value);
    json_decref(json);
    return number;
}
