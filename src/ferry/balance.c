/* SPDX-License-Identifier: MPL-2.0 */
/* balance: every ledger is read with the code that wrote it, so that a counter which is missing, negative or no number
 * is told from one that is 0; the balance is added up here and not believed. What fails is an answer that holds no
 * ledger. */
#include "ferry/balance.h"

#include <czmq.h>
#include <inttypes.h>

#include "base/ledger.h"
#include "ferry/listing.h"

struct balance {
    json_t *processes; /* array of {"url", "role", "version", "pid", "ledger"} */
    ledger_t sum;
    uint64_t pending;
    bool uneven; /* the balance of a process is not 0 */
};

static const char *const ends[] = {"refused", "returned", "unconfirmed"};
enum { END_COUNT = sizeof ends / sizeof ends[0] };

balance_t *balance_new(void)
{
    balance_t *self = zmalloc(sizeof *self);
    self->processes = json_array();
    return self;
}

void balance_destroy(balance_t **self_p)
{
    balance_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    json_decref(self->processes);
    free(self);
}

static json_t *ledger_with_balance(const ledger_t *ledger, uint64_t pending)
{
    json_t *json = ledger_json(ledger, pending);
    json_object_set_new(json, "balance", json_integer(ledger_balance(ledger, pending)));
    return json;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

static void add_process(
    balance_t *self, const char *url, const json_t *status, const ledger_t *ledger, uint64_t pending)
{
    json_t *process = json_pack("{s:s, s:s, s:s, s:I, s:o}", "url", url, "role", text_of(status, "role"), "version",
        text_of(status, "version"), "pid", json_integer_value(json_object_get(status, "pid")), "ledger",
        ledger_with_balance(ledger, pending));
    json_array_append_new(self->processes, process);
    ledger_add(&self->sum, ledger);
    self->pending += pending;
    self->uneven |= ledger_balance(ledger, pending) != 0;
}

int balance_add(balance_t *self, const char *url, const char *body, const char **why)
{
    ledger_t ledger;
    uint64_t pending;
    json_t *status = json_loads(body, 0, NULL);
    int result = -1;
    if (!json_is_object(status))
        *why = "its answer is no JSON object";
    else if (!json_object_get(status, "ledger"))
        *why = "its answer holds no ledger";
    else if (ledger_from_json(&ledger, &pending, json_object_get(status, "ledger")))
        *why = "its ledger holds what is no count";
    else
        result = 0;
    if (result == 0)
        add_process(self, url, status, &ledger, pending);
    json_decref(status);
    return result;
}

bool balance_equal(const balance_t *self, const balance_t *other)
{
    return json_equal(self->processes, other->processes);
}

uint64_t balance_pending(const balance_t *self)
{
    return self->pending;
}

int64_t balance_between(const balance_t *self)
{
    return (int64_t)(self->sum.handed_over - self->sum.taken_over);
}

bool balance_holds(const balance_t *self)
{
    return !self->uneven && balance_between(self) == 0;
}

/* A counter, or the sum over its reasons. */
static int64_t count_of(const json_t *ledger, const char *key)
{
    const json_t *value = json_object_get(ledger, key);
    uint64_t sum = (uint64_t)json_integer_value(value);
    const char *reason;
    json_t *count;
    json_object_foreach((json_t *)value, reason, count)
    {
        sum += (uint64_t)json_integer_value(count);
    }
    return (int64_t)sum;
}

static void add_row(listing_t *listing, const char *name, const char *role, const json_t *ledger)
{
    static const char *const keys[] = {"accepted", "taken_over", "made", "delivered", "refused", "returned",
        "unconfirmed", "handed_over", "shared", "pending", "balance"};
    listing_add(listing, "%s", name);
    listing_add(listing, "%s", role);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        listing_add(listing, "%" PRId64, count_of(ledger, keys[i]));
}

static void write_rows(const balance_t *self, const json_t *sum, display_t *display)
{
    listing_t *listing = listing_new("process,role,>accepted,>taken over,>made,>delivered,>refused,>returned,"
                                     ">unconfirmed,>handed over,>shared,>pending,>balance");
    size_t i;
    json_t *process;
    json_array_foreach(self->processes, i, process)
    {
        add_row(listing, text_of(process, "url"), text_of(process, "role"), json_object_get(process, "ledger"));
    }
    add_row(listing, "sum", "", sum);
    listing_write(listing, display);
    listing_destroy(&listing);
}

static void write_reasons(const json_t *sum, display_t *display)
{
    listing_t *listing = listing_new("by reason,>copies");
    size_t rows = 0;
    for (size_t i = 0; i < END_COUNT; i++) {
        const char *reason;
        json_t *count;
        json_object_foreach(json_object_get(sum, ends[i]), reason, count)
        {
            listing_add(listing, "%s %s", ends[i], reason);
            listing_add(listing, "%" PRId64, (int64_t)json_integer_value(count));
            rows++;
        }
    }
    if (rows > 0) {
        display_text(display, span_str(""));
        listing_write(listing, display);
    }
    listing_destroy(&listing);
}

static void write_between(const balance_t *self, display_t *display)
{
    listing_t *listing = listing_new("between processes,>copies");
    listing_add(listing, "handed over - taken over");
    listing_add(listing, "%" PRId64, balance_between(self));
    display_text(display, span_str(""));
    listing_write(listing, display);
    listing_destroy(&listing);
}

void balance_write(const balance_t *self, display_t *display)
{
    json_t *sum = ledger_with_balance(&self->sum, self->pending);
    write_rows(self, sum, display);
    write_reasons(sum, display);
    write_between(self, display);
    json_decref(sum);
}

json_t *balance_json(const balance_t *self, bool at_rest)
{
    return json_pack("{s:b, s:b, s:O, s:o, s:I}", "at_rest", at_rest, "balanced", at_rest && balance_holds(self),
        "processes", self->processes, "sum", ledger_with_balance(&self->sum, self->pending), "between_processes",
        (json_int_t)balance_between(self));
}
