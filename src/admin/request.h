/* SPDX-License-Identifier: MPL-2.0 */
/* request: one HTTP request on a connection of its own, from its acceptance to the last byte of its answer. Every
 * answer closes its connection, so a request and a connection are one thing here. Embedded in httpd; owned by the admin
 * actor's thread. */
#ifndef FERRY_ADMIN_REQUEST_H
#define FERRY_ADMIN_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "admin/progress.h"

/*
 *   FREE ─► ACCEPTED ─► READING ─┬─► ANSWERED
 *                                ├─► WAITING ─► ANSWERED
 *                                └─► FOLLOWING ⇄ PARKED
 *
 * and from each but WAITING and PARKED, in which libmicrohttpd does not look at the connection, back to FREE when it
 * closes: by itself once the answer is written, or cut at the deadline. */
typedef enum {
    REQUEST_FREE,
    REQUEST_ACCEPTED,  /* the socket was given to libmicrohttpd, which has not taken it up yet */
    REQUEST_READING,   /* head or body are under way */
    REQUEST_WAITING,   /* suspended until there is an answer */
    REQUEST_ANSWERED,  /* the answer is there, and perhaps under way */
    REQUEST_FOLLOWING, /* the answer is what a drain tells */
    REQUEST_PARKED,    /* the same, suspended until the drain tells more */
    REQUEST_STATE_COUNT
} request_state_t;

typedef struct {
    request_state_t state;
    int fd;                            /* libmicrohttpd's once it is accepted */
    struct MHD_Connection *connection; /* borrowed */
    uint64_t deadline_ms;              /* on the reactor's clock; 0 for none */
    const char *method;                /* libmicrohttpd's, until the connection closes */
    const char *path;                  /* likewise */
    size_t body_size;                  /* bytes of the body that were read and dropped */
    unsigned status;                   /* of the answer */
    struct MHD_Response *response;     /* not yet queued; owned */
    const progress_t *progress;        /* what it follows; borrowed */
} request_t;

/* For pages: */

/* The value of a header, or NULL. Borrowed. */
const char *request_header(const request_t *self, const char *name);

/* Whether the method is `method`; HEAD is a GET. */
bool request_is_method(const request_t *self, const char *method);

/* Whether the other end is on this machine's loopback. */
bool request_is_local(const request_t *self);

/* The same of any address; one of IPv4 may be written as one of IPv6, as sockets that serve both do. */
bool request_address_is_local(const struct sockaddr *address);

/* Answers with `size` bytes of `body`, which it takes and frees. A waiting request goes on at once. */
void request_answer(request_t *self, unsigned status, const char *type, char *body, size_t size);

/* Answers with a line of text, to which the end of line is added. */
void request_say(request_t *self, unsigned status, const char *line);

/* Adds a header to the answer, which must be there and not be sent yet: call it from where the answer was given. */
void request_add_header(request_t *self, const char *name, const char *value);

/* Lets the request wait for request_answer until the deadline, at which httpd answers it with 503. */
void request_wait(request_t *self, uint64_t deadline_ms);

/* Answers with everything that `progress` (borrowed, for as long as the connection lives) holds and will hold. */
void request_follow(request_t *self, const progress_t *progress);

/* For httpd: */

/* Begins with an accepted socket; with what libmicrohttpd made of it; ends. */
void request_init(request_t *self, int fd, uint64_t deadline_ms);
void request_start(request_t *self, struct MHD_Connection *connection);
void request_fini(request_t *self);

/* Gives the answer to libmicrohttpd, or suspends the connection until there is one; in its access handler only. */
enum MHD_Result request_queue(request_t *self);

/* Resumes a parked request, to read more progress. */
void request_wake(request_t *self);

/* Ends the connection at once: libmicrohttpd finds both of its directions shut and closes it. */
void request_cut(request_t *self);

#endif
