/* SPDX-License-Identifier: MPL-2.0 */
/* strangers: who was refused lately, so that one who goes on sending and does not read cannot make the broker queue
 * answers for it. Embedded; the router's thread; nothing fails. */
#ifndef FERRY_BROKER_STRANGERS_H
#define FERRY_BROKER_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

#define STRANGERS_COUNT    256
#define STRANGERS_PAUSE_MS 1000 /* between two answers to the same stranger */

/* An all-zero object is a valid empty one. */
typedef struct {
    struct {
        uint64_t hash;        /* of a routing id */
        uint64_t answered_ms; /* when it was answered last; 0 for nobody */
    } items[STRANGERS_COUNT];
} strangers_t;

/* Whether to answer the routing id with that hash now, which counts as answered. */
bool strangers_answer(strangers_t *self, uint64_t hash, uint64_t now_ms);

#endif
