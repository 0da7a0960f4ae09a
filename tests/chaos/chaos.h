/* SPDX-License-Identifier: MPL-2.0 */
/* chaos: one fault at a time, injected again and again into a deployment under load, and at the end the account of
 * every copy. A test program is a table of faults:
 *
 *     static const chaos_fault_t faults[] = {{.name = "broker-killed", .inject = kill_broker, …}};
 *     int main(int argc, char **argv) { return chaos_main(argc, argv, faults, sizeof(faults) / sizeof(faults[0])); }
 *
 * The injection says what is done once; the rest is the same for all: load from numbered messages, clients that
 * misbehave all the time, a wait until everybody hears again what is sent, and at the end rest, the ledgers, and a
 * drain of all. The test's thread. */
#ifndef FERRY_CHAOS_CHAOS_H
#define FERRY_CHAOS_CHAOS_H

#include <stddef.h>

#include "chaos/deployment.h"
#include "chaos/population.h"
#include "lib/crowd.h"
#include "lib/dice.h"

/* What a fault may do besides what its masks of groups say. */
enum {
    CHAOS_TELLS = 1, /* copies between the steady may end in error lines */
    CHAOS_PARTS = 2, /* the ledgers may not balance among each other, only each for itself */
    CHAOS_KILLS = 4, /* gateways: the same, and the ends that their clients read prove nothing */
};

typedef struct chaos chaos_t;
typedef void chaos_inject_fn(chaos_t *self);

typedef struct {
    const char *name;
    const char *what; /* is done, in words */
    chaos_inject_fn *inject;
    deployment_shape_t shape;
    unsigned hit; /* bit i: the clients of gateway i may lose their connections, and messages with these */
    unsigned allows;
    unsigned lost_from;  /* groups of population.h whose copies may be lost: nobody is left who could be told */
    unsigned lost_to;    /* the same by recipient: who was killed had taken them */
    unsigned doubled_to; /* groups whose copies may be doubled: they log in anew while their broker is away */
    unsigned times;      /* injections in a short run */
    unsigned long_times; /* and in a long one */
    unsigned pause_ms;   /* half of the pauses of a long run must be below it, unless the build needs patience; or 0 */
    const char *(*lacks)(void); /* NULL, or what the machine lacks for it in words, NULL if nothing */
} chaos_fault_t;

/* Runs all faults of the table, or those that the options pick, and prints their results as a table. Returns the exit
 * code of the program: 77 if all were skipped. */
int chaos_main(int argc, char **argv, const chaos_fault_t *faults, size_t count);

/* For injections. */
deployment_t *chaos_deployment(chaos_t *self);
population_t *chaos_population(chaos_t *self);
dice_t *chaos_dice(chaos_t *self);

/* A gateway that is hit, and any broker: the dice's choice. */
unsigned chaos_pick_gateway(chaos_t *self);
unsigned chaos_pick_broker(chaos_t *self);

/* Lets the clients go on for a time, until a process has ended, or until each plain one hears again. */
void chaos_go_on(chaos_t *self, unsigned time_ms);
void chaos_await_end(chaos_t *self, process_t *process);
void chaos_await_all(chaos_t *self);

/* Times below and above the link timeout, in ms: the dice's choice. */
unsigned chaos_short_ms(chaos_t *self);
unsigned chaos_long_ms(chaos_t *self);

#endif
