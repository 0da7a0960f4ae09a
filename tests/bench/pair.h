/* SPDX-License-Identifier: MPL-2.0 */
/* pair: two clients of a gateway, of which one writes numbered messages to the other as fast as TCP takes them.
 * Whatever comes that must not come (a message lost, doubled, overtaken or damaged, an answer, a connection's end) ends
 * the program with 1 and the reason; so does every wait that takes longer than DEADLINE_USUAL_MS. The main thread's. */
#ifndef FERRY_BENCH_PAIR_H
#define FERRY_BENCH_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAIR_TEXT_MIN 10    /* bytes of a message's text, which begins with its number in this many digits */
#define PAIR_TEXT_MAX 60000 /* less than the longest line of a gateway, recipient and all */

typedef struct pair pair_t;

/* The clients' names are `s` and `r` with the pair's number. */
pair_t *pair_new(unsigned number, size_t text_size);
void pair_destroy(pair_t **self_p);

/* Each connects to the endpoint, as ferryd logs it, and says its name; they do not wait for the login. */
void pair_connect_sender(pair_t *self, const char *endpoint);
void pair_connect_reader(pair_t *self, const char *endpoint);

/* Waits until both are logged in. */
void pair_await_login(pair_t *self);

/* Adds both sockets to the epoll set; their events carry 2 * number for the sender, and one more for the reader. */
void pair_watch(pair_t *self, int epoll_fd);

/* Writes what TCP takes, if there is room; a sender that has something to read has met an error. */
void pair_on_sender(pair_t *self, uint32_t events);

/* Reads and checks what has come. Returns the number of messages that are complete by it. */
unsigned pair_on_reader(pair_t *self);

/* The sender begins no further message. */
void pair_stop(pair_t *self);

/* How many messages are on their way; 0 after a stop once everything has been written and read. */
uint64_t pair_pending(const pair_t *self);

/* Both say /quit, after a stop and when nothing is pending; then both wait for the end of file. */
void pair_quit(pair_t *self);
void pair_await_end(pair_t *self);

#endif
