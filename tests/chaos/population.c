/* SPDX-License-Identifier: MPL-2.0 */
/* population: joins the members in the order of their roles, then asks each unruly one in every turn of the crowd
 * whether its time has come. What a member does next, and when, is the dice's choice. */
#include "chaos/population.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/crowd_watch.h"
#include "lib/deadline.h"

#define PLAIN_TEXT    40    /* bytes */
#define PLAIN_LINE    61    /* bytes of a line with its three names, about */
#define PLAIN_LINES_S 20    /* lines a second, divided by the patience */
#define ODD_TEXT      200   /* of who writes to the unruly, and of these */
#define ODD_RATE      2500  /* bytes per second */
#define LIVELY_RATE   10000 /* of who writes to those that come and go: enough to find out soon about the silent */
#define STUCK_RATE    40000 /* of who writes to one that does not read: enough to fill all on the way */
#define SLOW_RATE     2000  /* bytes per second that a slow reader takes */
#define ODD_BUFFER    4096
#define REST_LEAST_MS 300 /* between two deeds of an unruly member */
#define REST_MOST_MS  1800
#define EACH_ROLE     3 /* members in each unruly role */
#define GROUP_EACH    4 /* one of so many plain members writes to a group */

typedef enum { ROLE_SLOW, ROLE_STUCK, ROLE_LEAVER, ROLE_RESET, ROLE_SILENT, ROLE_MOVER, ROLE_COUNT } role_t;

typedef struct {
    unsigned member;
    role_t role;
    unsigned gateway;
    bool away; /* left, and has to come back */
    bool deaf; /* stuck and not reading */
    int64_t next_ms;
} unruly_t;

struct population {
    deployment_t *deployment;
    dice_t *dice;
    crowd_t *crowd;
    unsigned plain_count;
    unruly_t unruly[ROLE_COUNT * EACH_ROLE];
    unsigned unruly_count;
    bool calm;
    crowd_until_fn *until; /* what the crowd runs for, while it does */
    void *arg;
};

static void join_plain(population_t *self, unsigned hit, bool groups)
{
    unsigned gateways = deployment_shape(self->deployment)->gateways;
    for (unsigned i = 0; i < self->plain_count; i++) {
        unsigned gateway = i % gateways;
        crowd_join(self->crowd, &(crowd_member_t){.endpoint = deployment_clients(self->deployment, gateway),
                                    .line_count = CROWD_ENDLESS,
                                    .text_size = PLAIN_TEXT,
                                    .write_rate = PLAIN_LINE * PLAIN_LINES_S / deadline_patience(),
                                    .group = hit >> gateway & 1 ? POPULATION_HIT : POPULATION_STEADY,
                                    .returns = true});
    }
    for (unsigned i = 0; i < self->plain_count; i++) {
        crowd_address(self->crowd, i, (i + gateways) % self->plain_count);
        crowd_address(self->crowd, i, (i + 1) % self->plain_count);
        crowd_address(self->crowd, i, (i + 2 * gateways + 1) % self->plain_count);
        if (groups && i % GROUP_EACH == 0)
            crowd_gather(self->crowd, i);
    }
}

static unsigned join_unruly(population_t *self, role_t role, unsigned gateway)
{
    bool sends = role != ROLE_SLOW && role != ROLE_STUCK;
    unsigned member =
        crowd_join(self->crowd, &(crowd_member_t){.endpoint = deployment_clients(self->deployment, gateway),
                                    .line_count = sends ? CROWD_ENDLESS : 0,
                                    .text_size = ODD_TEXT,
                                    .read_rate = role == ROLE_SLOW ? SLOW_RATE : PACE_FREE,
                                    .write_rate = ODD_RATE,
                                    .receive_buffer = ODD_BUFFER,
                                    .group = sends ? POPULATION_RESTLESS : POPULATION_LAZY,
                                    .returns = true});
    self->unruly[self->unruly_count++] = (unruly_t){.member = member, .role = role, .gateway = gateway};
    return member;
}

/* Joins who writes to the unruly ones `first` to `last`, on a gateway of the dice's choice. */
static void join_pen_pal(population_t *self, unsigned first, unsigned last, uint32_t rate)
{
    unsigned gateway = dice_roll(self->dice, deployment_shape(self->deployment)->gateways);
    unsigned member =
        crowd_join(self->crowd, &(crowd_member_t){.endpoint = deployment_clients(self->deployment, gateway),
                                    .line_count = CROWD_ENDLESS,
                                    .text_size = ODD_TEXT,
                                    .write_rate = rate / deadline_patience(),
                                    .group = POPULATION_LAZY,
                                    .returns = true});
    for (unsigned i = first; i <= last; i++)
        crowd_address(self->crowd, member, self->unruly[i].member);
}

static void join_all_unruly(population_t *self)
{
    unsigned gateways = deployment_shape(self->deployment)->gateways;
    for (unsigned i = 0; i < EACH_ROLE; i++)
        for (role_t role = 0; role < ROLE_COUNT; role++)
            join_unruly(self, role, (i + role) % gateways);
    for (unsigned i = 0; i < EACH_ROLE; i++) {
        unsigned first = i * ROLE_COUNT;
        join_pen_pal(self, first + ROLE_SLOW, first + ROLE_SLOW, ODD_RATE);
        join_pen_pal(self, first + ROLE_STUCK, first + ROLE_STUCK, STUCK_RATE);
        join_pen_pal(self, first + ROLE_LEAVER, first + ROLE_MOVER, LIVELY_RATE);
    }
    for (unsigned i = 0; i < self->unruly_count; i++) {
        const unruly_t *unruly = &self->unruly[i];
        if (unruly->role == ROLE_SLOW || unruly->role == ROLE_STUCK)
            continue;
        crowd_address(self->crowd, unruly->member, dice_roll(self->dice, self->plain_count));
        crowd_address(self->crowd, unruly->member, self->unruly[(i + ROLE_COUNT) % self->unruly_count].member);
    }
}

static void rest(population_t *self, unruly_t *unruly)
{
    unruly->next_ms =
        deadline_now_ms() + dice_between(self->dice, REST_LEAST_MS, REST_MOST_MS) * (int64_t)deadline_patience();
}

population_t *population_new(
    deployment_t *deployment, dice_t *dice, unsigned count, unsigned hit, bool unruly, bool groups)
{
    population_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->deployment = deployment;
    self->dice = dice;
    self->plain_count = count;
    self->crowd = crowd_new("c", count + (ROLE_COUNT + 3) * EACH_ROLE);
    join_plain(self, hit, groups);
    if (unruly)
        join_all_unruly(self);
    crowd_login(self->crowd, count, 30000);
    for (unsigned i = 0; i < self->unruly_count; i++)
        rest(self, &self->unruly[i]);
    crowd_start(self->crowd);
    return self;
}

void population_destroy(population_t **self_p)
{
    population_t *self = *self_p;
    if (!self)
        return;
    crowd_destroy(&self->crowd);
    free(self);
    *self_p = NULL;
}

crowd_t *population_crowd(population_t *self)
{
    return self->crowd;
}

/* Ends the input, or comes back where the member is to be next. */
static void leave_or_return(population_t *self, unruly_t *unruly)
{
    if (!unruly->away) {
        crowd_leave(self->crowd, unruly->member);
        unruly->away = true;
    } else if (crowd_is_gone(self->crowd, unruly->member)) {
        if (unruly->role == ROLE_MOVER) {
            unruly->gateway = (unruly->gateway + 1) % deployment_shape(self->deployment)->gateways;
            crowd_move(self->crowd, unruly->member, deployment_clients(self->deployment, unruly->gateway));
        }
        crowd_rejoin(self->crowd, unruly->member);
        unruly->away = false;
    }
}

static void act(population_t *self, unruly_t *unruly)
{
    switch (unruly->role) {
    case ROLE_STUCK:
        unruly->deaf = !unruly->deaf;
        crowd_set_read_rate(self->crowd, unruly->member, unruly->deaf ? PACE_NEVER : PACE_FREE);
        break;
    case ROLE_LEAVER:
    case ROLE_MOVER:
        leave_or_return(self, unruly);
        break;
    case ROLE_RESET:
    case ROLE_SILENT:
        crowd_vanish(self->crowd, unruly->member, unruly->role == ROLE_SILENT);
        break;
    default:
        break;
    }
}

static void stir(population_t *self)
{
    int64_t now_ms = deadline_now_ms();
    for (unsigned i = 0; i < self->unruly_count; i++) {
        unruly_t *unruly = &self->unruly[i];
        bool due = self->calm ? unruly->away : now_ms >= unruly->next_ms;
        if (!due)
            continue;
        act(self, unruly);
        rest(self, unruly);
    }
}

static bool stir_and_ask(crowd_t *crowd, void *arg)
{
    population_t *self = arg;
    stir(self);
    return self->until(crowd, self->arg);
}

void population_run(population_t *self, crowd_until_fn *until, void *arg, unsigned timeout_ms)
{
    self->until = until;
    self->arg = arg;
    crowd_run(self->crowd, stir_and_ask, self, timeout_ms);
}

void population_move(population_t *self)
{
    for (unsigned i = 0; i < self->unruly_count; i++)
        if (self->unruly[i].role == ROLE_MOVER && !self->unruly[i].away)
            act(self, &self->unruly[i]);
}

void population_calm(population_t *self)
{
    self->calm = true;
    for (unsigned i = 0; i < self->unruly_count; i++)
        crowd_set_read_rate(self->crowd, self->unruly[i].member, PACE_FREE);
    for (unsigned i = 0; i < self->unruly_count; i++)
        if (self->unruly[i].role == ROLE_SILENT)
            crowd_vanish(self->crowd, self->unruly[i].member, false);
}

bool population_is_complete(population_t *self)
{
    for (unsigned i = 0; i < self->unruly_count; i++)
        if (self->unruly[i].away)
            return false;
    return crowd_away(self->crowd, POPULATION_ALL) == 0;
}
