/* SPDX-License-Identifier: MPL-2.0 */
/* played_endpoint: takes a connection, reads a request's head, answers, closes. Closing the listening socket's reading
 * side ends the thread's accept, which ends the thread. */
#include "lib/played_endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_SIZE 4096
#define URL_SIZE     64

typedef struct endpoint endpoint_t;

struct endpoint {
    int listener;
    const char *first; /* borrowed, as the next */
    const char *then;
    char url[URL_SIZE];
    pthread_t thread;
    endpoint_t *next;
};

static endpoint_t *endpoints; /* all that are open */

static bool read_head(int fd)
{
    char head[REQUEST_SIZE] = "";
    size_t size = 0;
    while (!strstr(head, "\r\n\r\n")) {
        ssize_t more = recv(fd, head + size, sizeof(head) - 1 - size, 0);
        if (more <= 0)
            return false;
        size += (size_t)more;
        head[size] = '\0';
    }
    return true;
}

static void *serve(void *arg)
{
    endpoint_t *self = arg;
    const char *body = self->first;
    for (int fd; (fd = accept(self->listener, NULL, NULL)) >= 0; body = self->then) {
        char head[REQUEST_SIZE];
        int size = snprintf(
            head, sizeof(head), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", strlen(body));
        if (read_head(fd) && send(fd, head, (size_t)size, MSG_NOSIGNAL) == size)
            send(fd, body, strlen(body), MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

const char *played_endpoint_open(const char *first, const char *then)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    endpoint_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->first = first;
    self->then = then;
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = bind(self->listener, (struct sockaddr *)&address, size) || listen(self->listener, 16) ||
             getsockname(self->listener, (struct sockaddr *)&address, &size);
    assert(!rc);
    snprintf(self->url, sizeof(self->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    rc = pthread_create(&self->thread, NULL, serve, self);
    assert(!rc);
    self->next = endpoints;
    endpoints = self;
    return self->url;
}

void played_endpoint_close_all(void)
{
    while (endpoints) {
        endpoint_t *self = endpoints;
        endpoints = self->next;
        shutdown(self->listener, SHUT_RD);
        pthread_join(self->thread, NULL);
        close(self->listener);
        free(self);
    }
}
