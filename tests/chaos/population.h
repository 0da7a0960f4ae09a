/* SPDX-License-Identifier: MPL-2.0 */
/* population: the clients of a chaos run. Most are plain: they write to three others without end and read all that
 * comes. A few are unruly all the time: they read slowly or not at all, end their input and come back, vanish with a
 * reset or silently, or move to another gateway. Owns its crowd; the test's thread. */
#ifndef FERRY_CHAOS_POPULATION_H
#define FERRY_CHAOS_POPULATION_H

#include "chaos/deployment.h"
#include "lib/crowd.h"
#include "lib/dice.h"

/* Groups of members (crowd_watch.h): plain clients of gateways that are spared, and of those that are hit; the unruly
 * that stay, and who writes to the unruly; the unruly that come and go. */
enum { POPULATION_STEADY = 1, POPULATION_HIT = 2, POPULATION_LAZY = 4, POPULATION_RESTLESS = 8 };
#define POPULATION_PLAIN  (POPULATION_STEADY | POPULATION_HIT)
#define POPULATION_UNRULY (POPULATION_LAZY | POPULATION_RESTLESS)
#define POPULATION_ALL    (POPULATION_PLAIN | POPULATION_UNRULY)

typedef struct population population_t;

/* Logs everybody in: `count` plain clients, and the unruly if they are wanted. `hit` has bit i for the clients of
 * gateway i. With `groups` some plain ones write to groups, whose members must be spared: they miss what is sent while
 * they are cut off. Deployment and dice are borrowed as long as the population lives. */
population_t *population_new(
    deployment_t *deployment, dice_t *dice, unsigned count, unsigned hit, bool unruly, bool groups);
void population_destroy(population_t **self_p);

crowd_t *population_crowd(population_t *self);

/* crowd_run, in which the unruly are unruly. */
void population_run(population_t *self, crowd_until_fn *until, void *arg, unsigned timeout_ms);

/* All who can move do it now, those that have an errand already excepted: they leave, and come back elsewhere. */
void population_move(population_t *self);

/* The unruly come back and read, and do no more mischief. */
void population_calm(population_t *self);

/* Whether everybody is logged in, and nobody about to leave. */
bool population_is_complete(population_t *self);

#endif
