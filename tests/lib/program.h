/* SPDX-License-Identifier: MPL-2.0 */
/* program: a ZeroMQ program as a test plays it: a bare DEALER that speaks the verbs of proto/plain.md. PINGs of the
 * broker are answered while something is waited for, unless the program is deaf. What does not come within
 * DEADLINE_USUAL_MS, or is something else, fails the running cmocka test. Belongs to the test's thread. */
#ifndef FERRY_TESTS_PROGRAM_H
#define FERRY_TESTS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

typedef struct program program_t;

/* Connects, and says nothing. */
program_t *program_connect(const char *endpoint);

/* The same with a routing id of its own. */
program_t *program_connect_as(const char *endpoint, const char *routing_id);

/* Connects, and logs in; the second with that credit. */
program_t *program_login(const char *endpoint, const char *name);
program_t *program_login_with(const char *endpoint, const char *name, const char *credit);

/* Closes the socket. All that are left are closed by program_close_all, for a test's teardown. */
void program_close(program_t **self_p);
void program_close_all(void);

/* Says a verb; NULL ends the frames, which are text. */
void program_say(program_t *self, const char *verb, ...) __attribute__((sentinel));

/* Sends bytes. */
void program_send(program_t *self, const char *destinations, const void *data, size_t size);

/* Sends a message of `count` frames of that size each. */
void program_send_frames(program_t *self, size_t count, size_t size);

/* Reads the next message, PINGs aside; its frames must be these, of text. */
void program_expect(program_t *self, const char *verb, ...) __attribute__((sentinel));

/* Reads a MESSAGE from that sender with these bytes. */
void program_expect_bytes(program_t *self, const char *sender, const void *data, size_t size);

/* Reads the next message; returns its frames as text with a '|' between them. Valid until the next call for it. */
const char *program_read(program_t *self);

/* Says PING to a broker that was started again until that answers that it does not know this peer: what went out on the
 * old connection is lost. */
void program_expect_restart(program_t *self);

/* Proves that nothing else has come before the answer to a PING that it says now. */
void program_barrier(program_t *self);

/* Says PING, and waits until it is answered, passing over everything else. */
void program_sync(program_t *self);

#endif
