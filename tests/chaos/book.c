/* SPDX-License-Identifier: MPL-2.0 */
/* book: asks the admin endpoint, or takes the last line of a log apart; adds and compares. A server that does not
 * answer fails the test. */
#include "chaos/book.h"

#include <jansson.h>
#include <stdio.h>

#include "lib/http.h"

/* Of an object of counts by reason. */
static int64_t sum(json_t *counts)
{
    int64_t total = 0;
    const char *reason;
    json_t *count;
    json_object_foreach(counts, reason, count) total += json_integer_value(count);
    return total;
}

static int64_t number(json_t *ledger, const char *key)
{
    return json_integer_value(json_object_get(ledger, key));
}

book_t book_read(server_t *server)
{
    json_t *status = http_json(server_admin(server), "/status");
    json_t *ledger = json_at(status, "ledger");
    book_t self = {
        .accepted = number(ledger, "accepted"),
        .taken_over = number(ledger, "taken_over"),
        .made = number(ledger, "made"),
        .delivered = number(ledger, "delivered"),
        .handed_over = number(ledger, "handed_over"),
        .shared = number(ledger, "shared"),
        .refused = sum(json_object_get(ledger, "refused")),
        .returned = sum(json_object_get(ledger, "returned")),
        .unconfirmed = sum(json_object_get(ledger, "unconfirmed")),
        .pending = number(ledger, "pending"),
        .faulty = number(ledger, "balance") != 0,
    };
    json_decref(status);
    return self;
}

book_t book_read_log(server_t *server)
{
    return (book_t){
        .accepted = server_ledger(server, "accepted"),
        .taken_over = server_ledger(server, "taken_over"),
        .made = server_ledger(server, "made"),
        .delivered = server_ledger(server, "delivered"),
        .handed_over = server_ledger(server, "handed_over"),
        .shared = server_ledger(server, "shared"),
        .refused = server_ledger(server, "refused"),
        .returned = server_ledger(server, "returned"),
        .unconfirmed = server_ledger(server, "unconfirmed"),
        .pending = server_ledger(server, "pending"),
        .faulty = server_ledger(server, "balance") != 0,
    };
}

void book_add(book_t *self, const book_t *other)
{
    self->accepted += other->accepted;
    self->taken_over += other->taken_over;
    self->made += other->made;
    self->delivered += other->delivered;
    self->handed_over += other->handed_over;
    self->shared += other->shared;
    self->refused += other->refused;
    self->returned += other->returned;
    self->unconfirmed += other->unconfirmed;
    self->pending += other->pending;
    self->faulty += other->faulty;
}

bool book_is_closed(const book_t *self)
{
    return self->handed_over == self->taken_over && self->pending == 0 &&
           self->accepted + self->made ==
               self->delivered + self->refused + self->returned + self->unconfirmed + self->shared;
}

void book_describe(const book_t *self, char *text, size_t size)
{
    snprintf(text, size,
        "accepted %jd, taken over %jd, made %jd, delivered %jd, handed over %jd, shared %jd, refused %jd, returned "
        "%jd, "
        "unconfirmed %jd, pending %jd; %u processes out of balance",
        (intmax_t)self->accepted, (intmax_t)self->taken_over, (intmax_t)self->made, (intmax_t)self->delivered,
        (intmax_t)self->handed_over, (intmax_t)self->shared, (intmax_t)self->refused, (intmax_t)self->returned,
        (intmax_t)self->unconfirmed, (intmax_t)self->pending, self->faulty);
}
