/* SPDX-License-Identifier: MPL-2.0 */
/* deadline: the moment by which something must have happened, for tests that wait for conditions and never sleep. Pure
 * values; any thread. Every timeout is multiplied by FERRY_TEST_PATIENCE (1 when unset, 4 under a sanitizer), so that
 * tests name the time that a fast machine needs. */
#ifndef FERRY_TESTS_DEADLINE_H
#define FERRY_TESTS_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_USUAL_MS 10000 /* what a wait gets when a test has no reason for another time */

typedef struct {
    int64_t at_ms; /* on CLOCK_MONOTONIC */
} deadline_t;

/* How many times slower than a fast machine's release build things may be. */
unsigned deadline_patience(void);

/* The deadline that lies `timeout_ms` times the patience ahead. */
deadline_t deadline_in(unsigned timeout_ms);

/* How long it is until then, 0 once it has passed; what poll(2) takes. */
int deadline_left_ms(deadline_t self);

bool deadline_passed(deadline_t self);

/* Milliseconds on CLOCK_MONOTONIC. */
int64_t deadline_now_ms(void);

#endif
