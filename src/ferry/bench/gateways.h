/* SPDX-License-Identifier: MPL-2.0 */
/* gateways: where the clients of the benchmark connect, in turns. Constant once it is made. */
#ifndef FERRY_FERRY_BENCH_GATEWAYS_H
#define FERRY_FERRY_BENCH_GATEWAYS_H

#include <sys/socket.h>

enum { GATEWAYS_MAX = 64 };

typedef struct {
    unsigned count;
    struct {
        struct sockaddr_storage address;
        socklen_t size;
    } each[GATEWAYS_MAX];
} gateways_t;

/* Takes addresses as dial() does, separated by commas, and connects to each once, to know that it is there and which of
 * the addresses of a host name is. Returns 0, or -1 after one sentence on stderr. Blocks as dial() does. */
int gateways_init(gateways_t *self, const char *addresses);

/* Begins to connect client number `client`. Returns a non-blocking, close-on-exec descriptor that the caller owns, or
 * a negative errno. */
int gateways_connect(const gateways_t *self, unsigned client);

#endif
