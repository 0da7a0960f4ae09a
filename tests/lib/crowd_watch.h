/* SPDX-License-Identifier: MPL-2.0 */
/* crowd_watch: what a test that harms servers asks a crowd: what became of the copies between groups of its members,
 * how long their streams stood still, and how often their connections were cut. Groups are bits (crowd_member_t), and
 * each function takes any number of them. The test's thread. */
#ifndef FERRY_TESTS_CROWD_WATCH_H
#define FERRY_TESTS_CROWD_WATCH_H

#include "lib/account.h"
#include "lib/crowd.h"

#define CROWD_HEARD 8 /* copies: more than lie in the buffers of one member that reads */

/* What became of the copies from members of the groups `from` to members of the groups `to`. */
account_sum_t crowd_sum(crowd_t *self, unsigned from, unsigned to);

/* Prints up to `count` of the flows that lost, doubled or disordered copies. */
void crowd_tell_faults(crowd_t *self, unsigned count);

/* How many connections of the groups ended without the member's asking, crowd_vanish not counted. */
unsigned crowd_cuts(crowd_t *self, unsigned groups);

/* How many members of the groups are not logged in. */
unsigned crowd_away(crowd_t *self, unsigned groups);

/* Whether anybody has still something to write. */
bool crowd_is_writing(crowd_t *self);

/* The first line that was corrupt (crowd_totals_t), "" if none was; the crowd's. */
const char *crowd_complaint(crowd_t *self);

/* Begins a measurement: pauses that last now count, whenever they began. */
void crowd_mark(crowd_t *self);

/* From now on it counts who hears something; and a condition for crowd_run: each member of the groups *(unsigned *)arg
 * has received CROWD_HEARD copies since, and has written a message since that was received, if it writes any. */
void crowd_listen(crowd_t *self);
crowd_until_fn crowd_has_heard;

/* The longest time, in ms, that the stream of copies of any member of the groups has stood still since the mark, up to
 * the last copy of each. */
int64_t crowd_pause_ms(crowd_t *self, unsigned groups);

#endif
