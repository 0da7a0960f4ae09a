/* SPDX-License-Identifier: MPL-2.0 */
/* endpoint: addresses as users write them (tcp://127.0.0.1:7400, tcp://[::1]:0, tcp://0.0.0.0:7400, ipc:///run/f.sock,
 * inproc://name, http://127.0.0.1:7480). Pure functions but for endpoint_listen; any thread. Host names are not looked
 * up, except `localhost`, which is 127.0.0.1, and `*`, which is 0.0.0.0. */
#ifndef FERRY_BASE_ENDPOINT_H
#define FERRY_BASE_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

#define ENDPOINT_SIZE 160 /* enough for every endpoint's text with its NUL */

typedef enum { ENDPOINT_TCP, ENDPOINT_IPC, ENDPOINT_INPROC, ENDPOINT_HTTP } endpoint_kind_t;

typedef struct {
    endpoint_kind_t kind;
    struct sockaddr_storage address; /* for tcp, http and ipc; not for inproc */
    socklen_t address_size;
    char path[108]; /* ipc: the path; inproc: the name */
} endpoint_t;

/* 0, or -1 with one sentence in `why` (a static string) when the text is no endpoint. */
int endpoint_parse(endpoint_t *self, const char *text, const char **why);

/* True if only this machine can reach it: 127.0.0.0/8, ::1, ipc and inproc. */
bool endpoint_is_local(const endpoint_t *self);

/* The port of a tcp or http endpoint, 0 for others. */
int endpoint_port(const endpoint_t *self);

/* True if there is something at the path of an ipc endpoint that must not be removed to listen there: a socket on which
 * somebody accepts, or anything else. Of others false: binding tells. */
bool endpoint_is_taken(const endpoint_t *self);

/* Opens a non-blocking, close-on-exec stream socket that listens there (tcp, http, ipc), with SO_REUSEADDR; a stale
 * ipc path (nobody accepts on it) is removed first, a live one is EADDRINUSE. Returns the descriptor, or -errno. */
int endpoint_listen(const endpoint_t *self, int backlog);

/* Writes the endpoint as text; after endpoint_listen on port 0 use endpoint_of_socket to learn the chosen port. */
void endpoint_text(const endpoint_t *self, char text[ENDPOINT_SIZE]);

/* A socket's address as text without the scheme: "127.0.0.1:50000", "[::1]:7", "unix", or else "unknown". */
void endpoint_of_address(const struct sockaddr_storage *address, char text[ENDPOINT_SIZE]);

/* Where `fd` is bound (peer = false) or where its other end is (peer = true), as endpoint_of_address. */
void endpoint_of_socket(int fd, bool peer, char text[ENDPOINT_SIZE]);

#endif
