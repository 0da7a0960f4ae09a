/* SPDX-License-Identifier: MPL-2.0 */
/* ledger: the counters that must balance. The arrays of a ledger are walked through one table of its three kinds of
 * ends, so that sum, JSON and log cannot differ in what they hold. Only reading JSON can fail. Owner: the thread that
 * owns the ledger. */
#include "base/ledger.h"

#include <stddef.h>
#include <string.h>

#include "base/log.h"

#define ERROR(name, number, code, argument, meaning)                                                                   \
    _Static_assert((number) > 0 && (number) < LEDGER_ERRORS, "LEDGER_ERRORS is above every error's number");
#include "errors.def"
#undef ERROR
#define REASON(name, number, code, meaning)                                                                            \
    _Static_assert((number) > 0 && (number) < LEDGER_REASONS, "LEDGER_REASONS is above every reason's number");
#include "reasons.def"
#undef REASON

static const char *const error_codes[LEDGER_ERRORS] = {
#define ERROR(name, number, code, argument, meaning) [number] = (code),
#include "errors.def"
#undef ERROR
};

static const char *const reason_codes[LEDGER_REASONS] = {
#define REASON(name, number, code, meaning) [number] = (code),
#include "reasons.def"
#undef REASON
};

#define UNKNOWN "unknown"

typedef struct {
    const char *name;
    const char *const *codes;
    size_t offset; /* of its array in ledger_t */
    unsigned limit;
} end_t;

static const end_t ends[] = {
    {"refused", error_codes, offsetof(ledger_t, refused), LEDGER_ERRORS},
    {"returned", reason_codes, offsetof(ledger_t, returned), LEDGER_REASONS},
    {"unconfirmed", reason_codes, offsetof(ledger_t, unconfirmed), LEDGER_REASONS},
};
enum { END_COUNT = sizeof ends / sizeof ends[0] };

typedef struct {
    const char *name;
    size_t offset;
} counter_t;

static const counter_t counters[] = {
    {"accepted", offsetof(ledger_t, accepted)},
    {"taken_over", offsetof(ledger_t, taken_over)},
    {"made", offsetof(ledger_t, made)},
    {"delivered", offsetof(ledger_t, delivered)},
    {"handed_over", offsetof(ledger_t, handed_over)},
    {"shared", offsetof(ledger_t, shared)},
};
enum { COUNTER_COUNT = sizeof counters / sizeof counters[0] };

static uint64_t *ledger_at(ledger_t *self, size_t offset)
{
    return (uint64_t *)(void *)((char *)self + offset);
}

static const uint64_t *ledger_read(const ledger_t *self, size_t offset)
{
    return (const uint64_t *)(const void *)((const char *)self + offset);
}

static const char *end_code(const end_t *end, unsigned number)
{
    return end->codes[number] ? end->codes[number] : UNKNOWN;
}

static unsigned end_number(const end_t *end, const char *code)
{
    for (unsigned number = 1; number < end->limit; number++)
        if (end->codes[number] && strcmp(end->codes[number], code) == 0)
            return number;
    return 0;
}

static uint64_t end_sum(const end_t *end, const ledger_t *ledger)
{
    const uint64_t *counts = ledger_read(ledger, end->offset);
    uint64_t sum = 0;
    for (unsigned number = 0; number < end->limit; number++)
        sum += counts[number];
    return sum;
}

int64_t ledger_balance(const ledger_t *self, uint64_t pending)
{
    uint64_t balance = self->accepted + self->taken_over + self->made;
    balance -= self->delivered + self->handed_over + self->shared + pending;
    for (size_t i = 0; i < END_COUNT; i++)
        balance -= end_sum(&ends[i], self);
    return (int64_t)balance;
}

void ledger_add(ledger_t *self, const ledger_t *other)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        *ledger_at(self, counters[i].offset) += *ledger_read(other, counters[i].offset);
    for (size_t i = 0; i < END_COUNT; i++)
        for (unsigned number = 0; number < ends[i].limit; number++)
            ledger_at(self, ends[i].offset)[number] += ledger_read(other, ends[i].offset)[number];
}

static json_t *end_json(const end_t *end, const ledger_t *ledger)
{
    const uint64_t *counts = ledger_read(ledger, end->offset);
    json_t *json = json_object();
    for (unsigned number = 0; number < end->limit; number++) {
        if (counts[number] == 0)
            continue;
        const char *code = end_code(end, number);
        uint64_t count = counts[number] + (uint64_t)json_integer_value(json_object_get(json, code));
        json_object_set_new(json, code, json_integer((json_int_t)count));
    }
    return json;
}

json_t *ledger_json(const ledger_t *self, uint64_t pending)
{
    json_t *json = json_object();
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        json_object_set_new(json, counters[i].name, json_integer((json_int_t)*ledger_read(self, counters[i].offset)));
    for (size_t i = 0; i < END_COUNT; i++)
        json_object_set_new(json, ends[i].name, end_json(&ends[i], self));
    json_object_set_new(json, "pending", json_integer((json_int_t)pending));
    return json;
}

/* A counter that is missing is 0. */
static int count_from_json(uint64_t *count, const json_t *value)
{
    if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
        return -1;
    *count += (uint64_t)json_integer_value(value);
    return 0;
}

static int end_from_json(const end_t *end, ledger_t *ledger, json_t *json)
{
    if (json && !json_is_object(json))
        return -1;
    uint64_t *counts = ledger_at(ledger, end->offset);
    const char *code;
    json_t *value;
    json_object_foreach(json, code, value)
    {
        if (count_from_json(&counts[end_number(end, code)], value) != 0)
            return -1;
    }
    return 0;
}

int ledger_from_json(ledger_t *self, uint64_t *pending, const json_t *json)
{
    ledger_t read = {0};
    uint64_t read_pending = 0;
    *self = read;
    *pending = 0;
    int rc = json_is_object(json) ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < COUNTER_COUNT; i++)
        rc = count_from_json(ledger_at(&read, counters[i].offset), json_object_get(json, counters[i].name));
    for (size_t i = 0; rc == 0 && i < END_COUNT; i++)
        rc = end_from_json(&ends[i], &read, json_object_get(json, ends[i].name));
    if (rc == 0)
        rc = count_from_json(&read_pending, json_object_get(json, "pending"));
    if (rc == 0) {
        *self = read;
        *pending = read_pending;
    }
    return rc;
}

void ledger_log(const ledger_t *self, uint64_t pending)
{
    log_info("ledger", log_uint("accepted", self->accepted), log_uint("taken_over", self->taken_over),
        log_uint("made", self->made), log_uint("delivered", self->delivered),
        log_uint("refused", end_sum(&ends[0], self)), log_uint("returned", end_sum(&ends[1], self)),
        log_uint("unconfirmed", end_sum(&ends[2], self)), log_uint("handed_over", self->handed_over),
        log_uint("shared", self->shared), log_uint("pending", pending),
        log_int("balance", ledger_balance(self, pending)));
    for (size_t i = 0; i < END_COUNT; i++)
        for (unsigned number = 0; number < ends[i].limit; number++)
            if (ledger_read(self, ends[i].offset)[number])
                log_info("ledger-reason", log_str("end", ends[i].name), log_str("reason", end_code(&ends[i], number)),
                    log_uint("count", ledger_read(self, ends[i].offset)[number]));
}
