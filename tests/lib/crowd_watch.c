/* SPDX-License-Identifier: MPL-2.0 */
/* crowd_watch: walks the members, or their flows, and adds up. Nothing can fail. */
#include "lib/crowd_watch.h"

#include "lib/crowd_member.h"
#include "lib/test.h"

account_sum_t crowd_sum(crowd_t *self, unsigned from, unsigned to)
{
    const crowd_ground_t *ground = crowd_ground(self);
    account_sum_t sum = {0};
    for (unsigned i = 0; i < ground->member_count; i++) {
        const member_t *member = &ground->members[i];
        if (!(member->description.group & from))
            continue;
        for (unsigned k = 0; k < member->recipient_count; k++)
            if (ground->members[member->recipients[k]].description.group & to)
                account_sum(ground->account, i, member->recipients[k], member_accepted(member), &sum);
    }
    return sum;
}

static bool tell_fault(const crowd_ground_t *ground, const member_t *from, unsigned to)
{
    account_sum_t sum = {0};
    char text[400];
    account_sum(ground->account, from->number, to, member_accepted(from), &sum);
    if (sum.lost + sum.doubled + sum.disordered == 0)
        return false;
    account_describe(ground->account, from->number, to, member_accepted(from), text, sizeof(text));
    print_message("%s\n", text);
    return true;
}

void crowd_tell_faults(crowd_t *self, unsigned count)
{
    const crowd_ground_t *ground = crowd_ground(self);
    for (unsigned i = 0; i < ground->member_count; i++)
        for (unsigned k = 0; k < ground->members[i].recipient_count; k++)
            if (count > 0)
                count -= tell_fault(ground, &ground->members[i], ground->members[i].recipients[k]);
}

unsigned crowd_cuts(crowd_t *self, unsigned groups)
{
    const crowd_ground_t *ground = crowd_ground(self);
    unsigned cuts = 0;
    for (unsigned i = 0; i < ground->member_count; i++)
        if (ground->members[i].description.group & groups)
            cuts += ground->members[i].cuts;
    return cuts;
}

unsigned crowd_away(crowd_t *self, unsigned groups)
{
    const crowd_ground_t *ground = crowd_ground(self);
    unsigned away = 0;
    for (unsigned i = 0; i < ground->member_count; i++)
        if (ground->members[i].description.group & groups)
            away += ground->members[i].state != MEMBER_IN;
    return away;
}

bool crowd_is_writing(crowd_t *self)
{
    const crowd_ground_t *ground = crowd_ground(self);
    for (unsigned i = 0; i < ground->member_count; i++)
        if (ground->members[i].recipient_count > 0 && !member_is_done(&ground->members[i]))
            return true;
    return false;
}

const char *crowd_complaint(crowd_t *self)
{
    return crowd_ground(self)->complaint;
}

void crowd_mark(crowd_t *self)
{
    crowd_ground_t *ground = crowd_ground(self);
    for (unsigned i = 0; i < ground->member_count; i++)
        ground->members[i].pause_ms = 0;
}

void crowd_listen(crowd_t *self)
{
    crowd_ground_t *ground = crowd_ground(self);
    for (unsigned i = 0; i < ground->member_count; i++) {
        member_t *member = &ground->members[i];
        member->heard = 0;
        member->is_heard = false;
        member->sent_before = member_sent(member);
    }
}

static bool hears_and_is_heard(const member_t *member)
{
    return member->heard >= CROWD_HEARD && (member->is_heard || member->recipient_count == 0);
}

bool crowd_has_heard(crowd_t *self, void *arg)
{
    const crowd_ground_t *ground = crowd_ground(self);
    unsigned groups = *(const unsigned *)arg;
    for (unsigned i = 0; i < ground->member_count; i++)
        if ((ground->members[i].description.group & groups) && !hears_and_is_heard(&ground->members[i]))
            return false;
    return true;
}

int64_t crowd_pause_ms(crowd_t *self, unsigned groups)
{
    const crowd_ground_t *ground = crowd_ground(self);
    int64_t longest_ms = 0;
    for (unsigned i = 0; i < ground->member_count; i++)
        if ((ground->members[i].description.group & groups) && ground->members[i].pause_ms > longest_ms)
            longest_ms = ground->members[i].pause_ms;
    return longest_ms;
}
