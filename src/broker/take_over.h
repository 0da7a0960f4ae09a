/* SPDX-License-Identifier: MPL-2.0 */
/* take_over: with broker/name_policy = take-over a login has the name of whoever is logged in under it, who is closed;
 * in any case that of a client that is away. Two that fight for a name are damped, and so is one that comes and goes:
 * after each time that it changed hands it stays for a hold-off, which doubles as long as the fight goes on. Embedded
 * in broker_t; the router's thread; nothing fails but by abort. */
#ifndef FERRY_BROKER_TAKE_OVER_H
#define FERRY_BROKER_TAKE_OVER_H

#include <stdbool.h>

#include "base/list.h"
#include "base/table.h"

#define TAKE_OVER_HOLD_MS       1000  /* the first hold-off */
#define TAKE_OVER_MOST_MS       64000 /* the longest; a fight that rests for as long as its hold-off is over */
#define TAKE_OVER_AWAY_FIRST_MS 50    /* the first after a client that is away */
#define TAKE_OVER_AWAY_MOST_MS  2000  /* the longest: what such a client has not acknowledged is passed on each time */
#define TAKE_OVER_HOPE_MS       500   /* for which a login waits for the owner to be found away */
#define TAKE_OVER_FIGHTS        4096  /* names that are remembered; beyond, a login is denied */

struct broker;
struct peer;

typedef struct {
    bool is_enabled;
    table_t *fights; /* of fight_t, by name */
    list_t all;      /* the same */
    list_t hopes;    /* peer_t: logins that wait for owners to be found away */
} take_over_t;

void take_over_init(take_over_t *self, bool is_enabled);
void take_over_fini(take_over_t *self);

/* A login of a name that has an owner: takes it over, waits for the end of the hold-off among those who wait for the
 * owner, or is denied and freed. */
void take_over_claim(struct broker *broker, struct peer *owner, struct peer *newcomer);

/* A login of a name whose owner's client may be away, since it is the one that comes back, most likely: waits for a
 * moment for that to be known, and is denied then. The client of that owner is away. */
void take_over_hope(struct broker *broker, struct peer *owner, struct peer *newcomer);
void take_over_away(struct broker *broker, struct peer *owner);

/* Gives the names whose hold-off has ended to who waits for that. Now and then. */
void take_over_tick(struct broker *broker);

#endif
