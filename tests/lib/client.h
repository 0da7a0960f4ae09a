/* SPDX-License-Identifier: MPL-2.0 */
/* client: one client of a gateway, as a test plays it: it speaks lines over TCP or a Unix socket. Nothing blocks past
 * DEADLINE_USUAL_MS; what does not come by then, or is something else, fails the running cmocka test. Belongs to the
 * test's thread. */
#ifndef FERRY_TESTS_CLIENT_H
#define FERRY_TESTS_CLIENT_H

#include <stddef.h>

typedef struct client client_t;

/* Connects to an endpoint as ferryd logs it, and says nothing. */
client_t *client_connect(const char *endpoint);

/* The same with socket buffers of these sizes (bytes; 0 for the system's), set before connecting. */
client_t *client_connect_sized(const char *endpoint, int receive_buffer, int send_buffer);

/* Takes a connected socket, whichever side it is: so a test can play the gateway too. */
client_t *client_adopt(int fd);

/* Connects, says the name and waits until it is confirmed, which the answer to a /ping behind it proves. */
client_t *client_login(const char *endpoint, const char *name);

/* Closes the socket and frees the client. */
void client_close(client_t **self_p);

/* The same, but the other side sees a reset instead of an end of file. */
void client_reset(client_t **self_p);

/* Closes every client that is left. */
void client_close_all(void);

/* Writes bytes as they are; waits for room, reading meanwhile. */
void client_send_bytes(client_t *self, const void *data, size_t size);

/* The same for bytes that the other end may refuse: gives up when the connection ends. */
void client_try_send(client_t *self, const void *data, size_t size);

/* Writes a line, whose end is added; the second as printf does. */
void client_send(client_t *self, const char *line);
void client_sendf(client_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The end of input for the gateway: shutdown(2) of the writing side. */
void client_half_close(client_t *self);

/* The next line without its end, valid until the next call for this client. */
const char *client_read(client_t *self);

/* The same if a whole line is there now; NULL if not. */
const char *client_read_ready(client_t *self);

/* Waits until something lies in the socket, and leaves it there. */
void client_wait_input(client_t *self);

/* Reads the next line and fails the test unless it is `line`, or begins with `prefix`. The third as printf does. */
void client_expect(client_t *self, const char *line);
const char *client_expect_prefix(client_t *self, const char *prefix);
void client_expectf(client_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails the test unless an orderly end of file comes next: no line, no part of one, and no reset. */
void client_expect_eof(client_t *self);

/* Reads to the end, be it orderly or a reset, and returns how many lines began with `prefix`. */
unsigned client_count_to_end(client_t *self, const char *prefix);

/* Proves that nothing else was sent to the client before the answer to a /ping that it sends now. The gateway has read
 * everything before it then; what other peers sent may still be under way. */
void client_barrier(client_t *self);

#endif
