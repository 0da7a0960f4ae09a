/* SPDX-License-Identifier: MPL-2.0 */
/* crowd: the loop: connect who is away, let the clock fill the paces, wait, serve who is ready, ask the condition. A
 * deadline that passes fails the test with the totals. */
#include "lib/crowd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/crowd_member.h"
#include "lib/deadline.h"
#include "lib/process.h"
#include "lib/test.h"

#define TURN_MS     10  /* the longest that a turn waits */
#define EVENTS_MAX  256 /* served in one turn */
#define ABSENT_TOLD 10  /* members that are not logged in, when a test fails */

struct crowd {
    crowd_ground_t ground;
    char *prefix;
    unsigned member_max;
    unsigned at_once; /* logins that may be under way */
    bool restless;    /* somebody has a pace, or is to connect: members are visited at each turn */
    crowd_t *next;
};

static crowd_t *crowds; /* all that are not destroyed */

crowd_ground_t *crowd_ground(crowd_t *self)
{
    return &self->ground;
}

crowd_t *crowd_new(const char *prefix, unsigned member_max)
{
    crowd_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->prefix = strdup(prefix);
    self->member_max = member_max;
    crowd_ground_t *ground = &self->ground;
    ground->prefix = self->prefix;
    ground->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    ground->account = account_new(member_max);
    ground->members = calloc(member_max, sizeof(*ground->members));
    ground->scratch = malloc(MEMBER_READ_SIZE);
    assert(ground->epoll_fd >= 0 && ground->members && ground->scratch);
    self->next = crowds;
    crowds = self;
    return self;
}

void crowd_destroy(crowd_t **self_p)
{
    crowd_t *self = *self_p;
    if (!self)
        return;
    crowd_t **at = &crowds;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    crowd_ground_t *ground = &self->ground;
    for (unsigned i = 0; i < ground->member_count; i++)
        member_fini(&ground->members[i]);
    free(ground->members);
    free(ground->scratch);
    account_destroy(&ground->account);
    close(ground->epoll_fd);
    free(self->prefix);
    free(self);
    *self_p = NULL;
}

void crowd_destroy_all(void)
{
    while (crowds) {
        crowd_t *first = crowds;
        crowd_destroy(&first);
    }
}

unsigned crowd_join(crowd_t *self, const crowd_member_t *member)
{
    crowd_ground_t *ground = &self->ground;
    unsigned number = ground->member_count;
    assert(number < self->member_max);
    member_init(&ground->members[number], ground, number, member);
    ground->member_count++;
    self->restless = true;
    return number;
}

void crowd_address(crowd_t *self, unsigned from, unsigned to)
{
    member_t *member = &self->ground.members[from];
    assert(!member->line && member->recipient_count < MEMBER_RECIPIENTS_MAX);
    member->recipients[member->recipient_count++] = to;
    account_open(self->ground.account, from, to);
}

void crowd_gather(crowd_t *self, unsigned from)
{
    self->ground.members[from].gathers = true;
}

void crowd_login(crowd_t *self, unsigned at_once, unsigned timeout_ms)
{
    self->at_once = at_once;
    crowd_run(self, crowd_is_in, NULL, timeout_ms);
}

static void update_all(crowd_t *self)
{
    int64_t now_ms = deadline_now_ms();
    for (unsigned i = 0; i < self->ground.member_count; i++)
        member_update(&self->ground.members[i], now_ms);
}

void crowd_start(crowd_t *self)
{
    self->ground.sending = true;
    update_all(self);
}

void crowd_beware(crowd_t *self)
{
    self->ground.wary = true;
}

void crowd_stop(crowd_t *self)
{
    for (unsigned i = 0; i < self->ground.member_count; i++)
        member_stop(&self->ground.members[i]);
}

void crowd_half_close(crowd_t *self)
{
    int64_t now_ms = deadline_now_ms();
    for (unsigned i = 0; i < self->ground.member_count; i++)
        member_half_close(&self->ground.members[i], now_ms);
}

void crowd_leave(crowd_t *self, unsigned member)
{
    member_half_close(&self->ground.members[member], deadline_now_ms());
}

void crowd_rejoin(crowd_t *self, unsigned member)
{
    member_return(&self->ground.members[member]);
    self->restless = true;
}

void crowd_vanish(crowd_t *self, unsigned member, bool silently)
{
    member_vanish(&self->ground.members[member], silently, deadline_now_ms());
    self->restless = true;
}

bool crowd_is_gone(const crowd_t *self, unsigned member)
{
    return self->ground.members[member].state == MEMBER_GONE;
}

void crowd_move(crowd_t *self, unsigned member, const char *endpoint)
{
    self->ground.members[member].description.endpoint = endpoint;
}

void crowd_set_read_rate(crowd_t *self, unsigned member, uint32_t read_rate)
{
    member_t *changed = &self->ground.members[member];
    int64_t now_ms = deadline_now_ms();
    changed->description.read_rate = read_rate;
    changed->lags |= read_rate != PACE_FREE;
    pace_init(&changed->read_pace, read_rate, now_ms);
    self->restless = true;
    member_update(changed, now_ms);
}

void crowd_set_write_rate(crowd_t *self, unsigned member, uint32_t write_rate)
{
    member_t *changed = &self->ground.members[member];
    int64_t now_ms = deadline_now_ms();
    changed->description.write_rate = write_rate;
    pace_init(&changed->write_pace, write_rate, now_ms);
    self->restless = true;
    member_update(changed, now_ms);
}

static unsigned count_state(const crowd_t *self, member_state_t least, member_state_t most)
{
    unsigned count = 0;
    for (unsigned i = 0; i < self->ground.member_count; i++)
        count += self->ground.members[i].state >= least && self->ground.members[i].state <= most;
    return count;
}

static bool is_paced(const member_t *member)
{
    return member->description.read_rate != PACE_FREE || member->description.write_rate != PACE_FREE;
}

/* Connects who is away and lets the clock work for who has a pace. */
static void visit_members(crowd_t *self, int64_t now_ms)
{
    crowd_ground_t *ground = &self->ground;
    unsigned under_way = count_state(self, MEMBER_CONNECTING, MEMBER_GREETING);
    self->restless = false;
    for (unsigned i = 0; i < ground->member_count; i++) {
        member_t *member = &ground->members[i];
        if (member->state == MEMBER_AWAY && under_way < self->at_once && now_ms >= member->away_until_ms) {
            member_connect(member, now_ms);
            under_way++;
        }
        if (is_paced(member))
            member_update(member, now_ms);
        self->restless |= is_paced(member) || member->description.returns || member->state == MEMBER_AWAY;
    }
}

static void turn(crowd_t *self)
{
    struct epoll_event events[EVENTS_MAX];
    if (self->restless)
        visit_members(self, deadline_now_ms());
    int count = epoll_wait(self->ground.epoll_fd, events, EVENTS_MAX, TURN_MS);
    int64_t now_ms = deadline_now_ms();
    for (int i = 0; i < count; i++)
        member_on_ready(events[i].data.ptr, events[i].events, now_ms);
}

/* Says of a few members that are not logged in what they are at. */
static void tell_absent(const crowd_t *self)
{
    static const char *const words[] = {"away", "connecting", "greeting", "in", "gone"};
    unsigned told = 0;
    for (unsigned i = 0; i < self->ground.member_count && told < ABSENT_TOLD; i++) {
        const member_t *member = &self->ground.members[i];
        if (member->state == MEMBER_IN && !member->shut)
            continue;
        print_message("%s-%u is %s%s\n", self->prefix, i, words[member->state], member->shut ? ", its end said" : "");
        told++;
    }
}

static void fail_late(const crowd_t *self)
{
    crowd_totals_t totals = crowd_totals(self);
    tell_absent(self);
    fail_msg(
        "crowd %s: not in time. Of %u members %u are connected; %ju messages sent, %ju copies received, %ju ended; "
        "%u told, %u draining, %u eofs, %u untold, %u resets, %u refusals, %ju corrupt (%s)",
        self->prefix, totals.members, totals.connected, (uintmax_t)totals.sent, (uintmax_t)totals.received,
        (uintmax_t)totals.ended, totals.told, totals.draining, totals.eofs, totals.untold, totals.resets,
        totals.refusals, (uintmax_t)totals.corrupt, self->ground.complaint);
}

void crowd_run(crowd_t *self, crowd_until_fn *until, void *arg, unsigned timeout_ms)
{
    deadline_t deadline = deadline_in(timeout_ms);
    while (!until(self, arg)) {
        if (deadline_passed(deadline))
            fail_late(self);
        turn(self);
    }
}

bool crowd_is_over(crowd_t *self, void *arg)
{
    (void)arg;
    return count_state(self, MEMBER_GONE, MEMBER_GONE) == self->ground.member_count;
}

bool crowd_is_in(crowd_t *self, void *arg)
{
    (void)arg;
    return count_state(self, MEMBER_IN, MEMBER_GONE) == self->ground.member_count;
}

bool crowd_is_settled(crowd_t *self, void *arg)
{
    (void)arg;
    uint64_t copies = 0;
    for (unsigned i = 0; i < self->ground.member_count; i++) {
        const member_t *member = &self->ground.members[i];
        if (member->recipient_count > 0 && !member_is_done(member))
            return false;
        copies += member_accepted(member) * member->recipient_count;
    }
    return account_ended(self->ground.account) >= copies;
}

bool crowd_has_received(crowd_t *self, void *arg)
{
    return account_received(self->ground.account) >= *(const uint64_t *)arg;
}

bool crowd_process_ended(crowd_t *self, void *arg)
{
    (void)self;
    return process_ended(arg);
}

uint64_t crowd_received_by(const crowd_t *self, unsigned member)
{
    return account_received_by(self->ground.account, member);
}

bool crowd_has_sent(const crowd_t *self, unsigned member)
{
    return member_is_done(&self->ground.members[member]);
}

crowd_totals_t crowd_totals(const crowd_t *self)
{
    crowd_totals_t totals = self->ground.totals;
    totals.members = self->ground.member_count;
    totals.connected = count_state(self, MEMBER_IN, MEMBER_IN);
    totals.received = account_received(self->ground.account);
    totals.ended = account_ended(self->ground.account);
    for (unsigned i = 0; i < self->ground.member_count; i++) {
        totals.sent += member_sent(&self->ground.members[i]);
        totals.accepted += member_accepted(&self->ground.members[i]);
    }
    return totals;
}

void crowd_check(const crowd_t *self)
{
    crowd_totals_t totals = crowd_totals(self);
    if (totals.resets > 0 || totals.untold > 0)
        fail_msg("crowd %s: %u resets, %u ends without `info accepted N`", self->prefix, totals.resets, totals.untold);
    if (totals.corrupt > 0)
        fail_msg("crowd %s: %ju corrupt lines; the first: %s", self->prefix, (uintmax_t)totals.corrupt,
            self->ground.complaint);
    char why[300];
    for (unsigned i = 0; i < self->ground.member_count; i++)
        if (account_fault(self->ground.account, i, member_accepted(&self->ground.members[i]), why, sizeof(why)))
            fail_msg("crowd %s: %s", self->prefix, why);
}
