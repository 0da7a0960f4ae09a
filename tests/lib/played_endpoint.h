/* SPDX-License-Identifier: MPL-2.0 */
/* played_endpoint: an admin endpoint that the test plays, for answers that no ferryd gives. It answers in a thread of
 * its own; the functions are for the test's thread. */
#ifndef FERRY_TESTS_PLAYED_ENDPOINT_H
#define FERRY_TESTS_PLAYED_ENDPOINT_H

/* Listens on a free port of 127.0.0.1 and answers each request with 200 and a body: the first with `first`, every other
 * with `then` (borrowed). Returns its URL, valid until the test ends. */
const char *played_endpoint_open(const char *first, const char *then);

void played_endpoint_close_all(void);

#endif
