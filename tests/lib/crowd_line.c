/* SPDX-License-Identifier: MPL-2.0 */
/* crowd_line: takes each line for what it is: a message that goes into the account, an error line that ends one, news
 * of the gateway, or the end of a login. What it cannot explain is counted as corrupt. The test's thread. */
#include "lib/crowd_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number of the member that is called `name`, which ends at *end then; -1 if none is. */
static int find_member(const crowd_ground_t *ground, const char *name, char **end)
{
    size_t size = strlen(ground->prefix);
    if (strncmp(name, ground->prefix, size) != 0 || name[size] != '-')
        return -1;
    unsigned long number = strtoul(name + size + 1, end, 10);
    return number < ground->member_count ? (int)number : -1;
}

/* Passes over the group's name behind the sender's if this is what a member writes to. */
static void pass_group(const crowd_ground_t *ground, int from, char **text)
{
    char group[64];
    int size = snprintf(group, sizeof(group), " #%s-%d", ground->prefix, from);
    if (from >= 0 && ground->members[from].gathers && strncmp(*text, group, (size_t)size) == 0)
        *text += size;
}

/* `line` is "from NAME: NUMBER…", and the text must be what that member writes. */
static void on_message(member_t *self, const char *line, int64_t now_ms)
{
    const crowd_ground_t *ground = self->ground;
    char *text = NULL;
    int from = find_member(ground, line + strlen("from "), &text);
    pass_group(ground, from, &text);
    if (from < 0 || strncmp(text, ": ", 2) != 0 || !ground->members[from].line) {
        member_complain(self, "nobody sends", line);
        return;
    }
    member_t *sender = &ground->members[from];
    size_t size = sender->description.text_size;
    text += 2;
    if (strlen(text) != size || memcmp(text + MEMBER_NUMBER_SIZE, sender->line + sender->number_at + MEMBER_NUMBER_SIZE,
                                    size - MEMBER_NUMBER_SIZE) != 0) {
        member_complain(self, "a changed text:", line);
        return;
    }
    char digits[MEMBER_NUMBER_SIZE + 1];
    snprintf(digits, sizeof(digits), "%s", text);
    uint64_t number = strtoull(digits, NULL, 10);
    if (number > sender->sent_before)
        sender->is_heard = true;
    if (account_receive(ground->account, (unsigned)from, self->number, number))
        member_hear(self, now_ms);
    else
        member_complain(self, "somebody else's:", line);
}

/* Whether the line says why the connection is closed now, which a member that returns puts up with. */
static bool is_dismissal(const member_t *self, const char *line)
{
    return self->description.returns &&
           (strcmp(line, "error stalled") == 0 || strncmp(line, "error name-taken ", 17) == 0);
}

static void on_error(member_t *self, const char *line, int64_t now_ms)
{
    static const struct {
        const char *prefix;
        account_end_t how;
    } ends[] = {{"error no-such-peer ", ACCOUNT_REFUSED}, {"error undelivered ", ACCOUNT_RETURNED},
        {"error unconfirmed ", ACCOUNT_UNCONFIRMED}};
    if (self->state == MEMBER_GREETING) {
        member_fail_login(self, line, now_ms);
        return;
    }
    if (is_dismissal(self, line))
        return;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t size = strlen(ends[i].prefix);
        char *end = NULL;
        int to = strncmp(line, ends[i].prefix, size) == 0 ? find_member(self->ground, line + size, &end) : -1;
        if (to >= 0 && account_end(self->ground->account, self->number, (unsigned)to, ends[i].how))
            return;
    }
    member_complain(self, "an unexpected", line);
}

static void on_info(member_t *self, const char *line)
{
    static const char accepted[] = "info accepted ";
    if (strncmp(line, accepted, sizeof(accepted) - 1) == 0) {
        self->told = true;
        self->told_lines = strtoull(line + sizeof(accepted) - 1, NULL, 10);
        self->ground->totals.told++;
        if (self->told_lines < self->greeting_lines)
            member_complain(self, "less than the greeting:", line);
    } else if (strcmp(line, "info draining") == 0) {
        self->ground->totals.draining++;
    }
}

void member_on_line(member_t *self, const char *line, int64_t now_ms)
{
    if (self->told)
        member_complain(self, "after the last line:", line);
    if (strncmp(line, "from ", 5) == 0)
        on_message(self, line, now_ms);
    else if (strncmp(line, "error ", 6) == 0)
        on_error(self, line, now_ms);
    else if (strncmp(line, "info ", 5) == 0)
        on_info(self, line);
    else if (self->state == MEMBER_GREETING && (strcmp(line, "ok ping in") == 0 || strncmp(line, "ok join #", 9) == 0))
        member_on_greeting(self, now_ms);
    else
        member_complain(self, "an unknown line", line);
}
