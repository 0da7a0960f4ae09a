/* SPDX-License-Identifier: MPL-2.0 */
/* plan: pairs and ping-pong have their senders first and then the readers in the same order; a fan-out has one sender
 * and then its readers; in the others all are alike. The clients of a pair belong to one process, so that what one of
 * them reads lets the other write without a third to tell it. */
#include "ferry/bench/plan.h"

#include <czmq.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "ferry/bench/stamp.h"
#include "ferry/display.h"

enum {
    DEFAULT_CLIENTS = 100,
    DEFAULT_SIZE = 128,
    DEFAULT_FANOUT_PIPELINE = 64,
    DEFAULT_DURATION_MS = 10000,
    DEFAULT_WARM_UP_MS = 1000,
    DEFAULT_WAIT_MS = 30000,
    PIPELINE_MAX = 1 << 20,
    RATE_MAX = 100000000,
    PROCESSES_MAX = 64,
    SPARE_DESCRIPTORS = 64, /* of a process, beside its clients */
};

static const char who[] = "ferry bench";

static const struct {
    const char *name;
    work_t work;
} works[] = {
    {"pairs", WORK_PAIRS},
    {"any", WORK_ANY},
    {"fanout", WORK_FANOUT},
    {"pingpong", WORK_PINGPONG},
    {"idle", WORK_IDLE},
    {"logins", WORK_LOGINS},
};

static int work_set(plan_t *self, const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
        if (strcmp(works[i].name, name) == 0) {
            self->work = works[i].work;
            self->work_name = works[i].name;
            return 0;
        }
    display_complain("%s: there is no work \"%s\"; there are pairs, any, fanout, pingpong, idle and logins", who, name);
    return -1;
}

static int protocol_set(plan_t *self, const char *name)
{
    self->protocol = protocol_find(name ? name : "line");
    if (self->protocol)
        return 0;
    display_complain("%s: there is no protocol \"%s\"; there are " PROTOCOL_NAMES, who, name);
    return -1;
}

/* How many connect, and how many of them are senders. */
static int clients_set(plan_t *self, uint64_t given)
{
    unsigned wanted = given ? (unsigned)given : DEFAULT_CLIENTS;
    bool paired = self->work == WORK_PAIRS || self->work == WORK_PINGPONG;
    unsigned least = self->work == WORK_LOGINS || self->work == WORK_FANOUT ? 1 : 2;
    if (given > STAMP_SENDER_MAX - 1 || wanted < least || (paired && wanted % 2)) {
        display_complain("%s: --clients is a number from %u to %u%s for %s, not %" PRIu64, who, least,
            STAMP_SENDER_MAX - 1, paired ? ", and even," : "", self->work_name, given);
        return -1;
    }
    self->client_count = self->work == WORK_FANOUT ? wanted + 1 : wanted;
    self->sender_count = paired ? wanted / 2 : self->work == WORK_FANOUT ? 1 : wanted;
    if (plan_is_any(self))
        order_init(&self->order, self->client_count);
    return 0;
}

static int rate_set(plan_t *self, const options_t *options)
{
    bool may_rate = self->work != WORK_PINGPONG && self->work != WORK_LOGINS;
    bool may_pipeline = self->work == WORK_PAIRS || self->work == WORK_ANY || self->work == WORK_FANOUT;
    self->rate = options->rate;
    self->pipeline = (unsigned)options->pipeline;
    if (options->rate && !may_rate)
        display_complain("%s: --rate has no meaning for %s, which goes as fast as it can", who, self->work_name);
    else if (options->rate > RATE_MAX)
        display_complain("%s: --rate is at most %d messages a second", who, RATE_MAX);
    else if (options->pipeline_given && !may_pipeline)
        display_complain("%s: --pipeline has no meaning for %s", who, self->work_name);
    else if (options->pipeline > PIPELINE_MAX)
        display_complain("%s: --pipeline is at most %d messages", who, PIPELINE_MAX);
    else if (options->rate && options->pipeline)
        display_complain(
            "%s: --rate writes when a message is due, and --pipeline when another has arrived; give one", who);
    else
        return 0;
    return -1;
}

static void pace_set(plan_t *self, const options_t *options)
{
    if (self->work == WORK_PINGPONG)
        self->pipeline = 1;
    if (self->work == WORK_FANOUT && !options->pipeline_given && !self->rate)
        self->pipeline = DEFAULT_FANOUT_PIPELINE;
    self->is_timed = self->rate || self->pipeline;
}

static int size_set(plan_t *self, const options_t *options)
{
    size_t least = self->is_timed ? 2 * STAMP_SIZE : STAMP_SIZE;
    self->text_size = options->size_given ? options->size : DEFAULT_SIZE;
    if (self->text_size >= least && self->text_size <= self->protocol->text_max)
        return 0;
    display_complain("%s: --size is a number from %zu to %zu bytes for %s here, not %" PRIu64, who, least,
        self->protocol->text_max, self->protocol->name, options->size);
    return -1;
}

static uint64_t value_or(bool given, uint64_t value, uint64_t fallback)
{
    return given ? value : fallback;
}

static int times_set(plan_t *self, const options_t *options)
{
    self->duration_ms = value_or(options->duration_ms > 0, options->duration_ms, DEFAULT_DURATION_MS);
    self->warm_up_ms = value_or(options->warm_up_given, options->warm_up_ms, DEFAULT_WARM_UP_MS);
    self->wait_ms = value_or(options->wait_given, options->wait_s * 1000, DEFAULT_WAIT_MS);
    return 0;
}

/* As many descriptors as this user may have; so many clients fit into a process. */
static unsigned descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        abort();
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t most = limit.rlim_cur < STAMP_SENDER_MAX ? limit.rlim_cur : STAMP_SENDER_MAX;
    return most > SPARE_DESCRIPTORS + 2 ? (unsigned)most - SPARE_DESCRIPTORS : 2;
}

static int processes_set(plan_t *self, uint64_t given)
{
    /* A process may get one pair more than another. */
    unsigned room = descriptors_raise() - 2;
    unsigned needed = self->client_count / room + (self->client_count % room > 0);
    self->process_count = given ? (unsigned)given : needed;
    if (given > PROCESSES_MAX || (given && given > self->client_count))
        display_complain("%s: --processes is at most %d, and no more than there are clients", who, PROCESSES_MAX);
    else if (self->process_count < needed || needed > PROCESSES_MAX)
        display_complain(
            "%s: %u clients are too many for --processes %u, which may have %u descriptors each; raise the "
            "limit (ulimit -n), or give more processes, up to %d",
            who, self->client_count, self->process_count > PROCESSES_MAX ? PROCESSES_MAX : self->process_count,
            room + 2 + SPARE_DESCRIPTORS, PROCESSES_MAX);
    else
        return 0;
    return -1;
}

/* Digits that any protocol allows in a name, and that stay different when case does not matter. */
static void digits_write(char *to, unsigned count, unsigned number)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    while (count-- > 0) {
        to[count] = digits[number % 32];
        number /= 32;
    }
}

static void names_set(plan_t *self)
{
    unsigned run;
    if (getrandom(&run, sizeof run, 0) != sizeof run)
        abort();
    digits_write(self->run, PLAN_RUN_SIZE, run);
    self->digits = zmalloc(self->client_count * sizeof *self->digits);
    for (unsigned i = 0; i < self->client_count; i++)
        digits_write(self->digits[i], PROTOCOL_DIGITS_SIZE, i);
}

int plan_init(plan_t *self, const options_t *options)
{
    *self = (plan_t){.wants_json = options->json, .plot = options->plot};
    if (work_set(self, options->operands[0]) || protocol_set(self, options->protocol) ||
        clients_set(self, options->clients) || rate_set(self, options))
        return -1;
    pace_set(self, options);
    if (size_set(self, options) || times_set(self, options) || processes_set(self, options->processes))
        return -1;
    names_set(self);
    return 0;
}

void plan_fini(plan_t *self)
{
    free(self->digits);
    self->digits = NULL;
}

void plan_client_name(const plan_t *self, unsigned client, char *name)
{
    snprintf(name, PLAN_NAME_SIZE, "b%s%.*s", self->run, PROTOCOL_DIGITS_SIZE, self->digits[client]);
}

/* No client has such digits. */
void plan_group_name(const plan_t *self, char *name)
{
    snprintf(name, PLAN_NAME_SIZE, "b%swxyz", self->run);
}

unsigned plan_process_of(const plan_t *self, unsigned client)
{
    bool paired = self->work == WORK_PAIRS || self->work == WORK_PINGPONG;
    return (paired ? client % self->sender_count : client) % self->process_count;
}

bool plan_has_messages(const plan_t *self)
{
    return self->work != WORK_LOGINS && (self->work != WORK_IDLE || self->rate);
}

bool plan_writes(const plan_t *self, unsigned client)
{
    return plan_has_messages(self) && (self->work == WORK_PINGPONG || client < self->sender_count);
}

bool plan_reads(const plan_t *self, unsigned client)
{
    return self->work == WORK_PINGPONG || plan_is_any(self) || client >= self->sender_count;
}

unsigned plan_partner(const plan_t *self, unsigned client)
{
    return client < self->sender_count ? client + self->sender_count : client - self->sender_count;
}

destination_t plan_destination(const plan_t *self, unsigned client, char *name)
{
    if (self->work == WORK_FANOUT)
        plan_group_name(self, name);
    else
        plan_client_name(
            self, plan_is_any(self) ? order_recipient(&self->order, client, 0) : plan_partner(self, client), name);
    return (destination_t){.name = name, .is_group = self->work == WORK_FANOUT};
}

unsigned plan_only_sender(const plan_t *self, unsigned client)
{
    if (plan_is_any(self) || self->work == WORK_LOGINS)
        return PLAN_NO_CLIENT;
    return self->work == WORK_FANOUT ? 0 : plan_partner(self, client);
}

unsigned plan_copies(const plan_t *self)
{
    return self->work == WORK_FANOUT ? self->client_count - 1 : 1;
}
