/* SPDX-License-Identifier: MPL-2.0 */
/* capture: everything that a process writes on its standard output and error, collected by a thread of its own, so that
 * the process never waits for a test that is busy with something else. The functions belong to the test's thread. */
#ifndef FERRY_TESTS_CAPTURE_H
#define FERRY_TESTS_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/deadline.h"

typedef enum { CAPTURE_OUTPUT, CAPTURE_ERRORS, CAPTURE_STREAMS } capture_stream_t;

typedef struct capture capture_t;

/* Starts to read both descriptors, which it takes and closes at the end. */
capture_t *capture_new(int output_fd, int errors_fd);

/* Stops the thread, even if somebody still holds the other ends of the pipes. */
void capture_destroy(capture_t **self_p);

/* Waits until the stream is longer than `size` bytes, has ended or the deadline has passed. Returns its size then. */
size_t capture_wait(capture_t *self, capture_stream_t stream, size_t size, deadline_t deadline);

/* Waits until both streams have ended. False if the deadline came first. */
bool capture_wait_end(capture_t *self, deadline_t deadline);

/* True once the stream is at its end. */
bool capture_ended(capture_t *self, capture_stream_t stream);

/* A copy, with a NUL behind it, of the stream from byte `from` on; the caller frees it. */
char *capture_copy(capture_t *self, capture_stream_t stream, size_t from);

#endif
