/* SPDX-License-Identifier: MPL-2.0 */
/* custody: a ring of entries, one a number, from the lowest that is not taken to the newest; the bodies beside it, and
 * short lists of what needs more than an entry. TAKEN is cumulative with exceptions, and only what has changed since
 * the last one is walked: the numbers between the two `below`s, and the exceptions that are none any more. Nothing can
 * fail. Owner: the link's thread. */
#include "link/custody.h"

#include <assert.h>
#include <stdlib.h>

#include "link/bodies.h"
#include "link/refusals.h"
#include "link/unsettled.h"
#include "wire/error.h"
#include "wire/reason.h"

typedef struct {
    uint64_t session;
    uint32_t size;   /* bytes of the record, 0 for a report */
    uint16_t copies; /* not refused; handed over when taken */
    uint16_t held;   /* copies that their node holds for slow clients */
    bool taken;
    bool report;
} entry_t;

typedef struct {
    uint64_t first, count;
} range_t;

struct custody {
    ledger_t *ledger;
    custody_settled_fn *on_settled;
    void *arg;
    entry_t *entries; /* ring: number n is at n & (entry_capacity - 1) */
    size_t entry_capacity;
    uint64_t floor, next; /* entries exist for [floor, next) */
    uint64_t kept_end;    /* numbers below it are in a kept body */
    size_t open_size;
    bodies_t bodies;
    uint64_t below;      /* of the last TAKEN */
    range_t *exceptions; /* of the last TAKEN */
    size_t exception_count, exception_capacity;
    unsettled_t unsettled;
    refusals_t refusals; /* of messages that are not taken */
};

custody_t *custody_new(ledger_t *ledger, custody_settled_fn *on_settled, void *arg)
{
    custody_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->ledger = ledger;
    self->on_settled = on_settled;
    self->arg = arg;
    self->floor = self->next = self->below = self->kept_end = 1;
    return self;
}

void custody_destroy(custody_t **self_p)
{
    custody_t *self = *self_p;
    if (!self)
        return;
    bodies_fini(&self->bodies);
    unsettled_fini(&self->unsettled);
    refusals_fini(&self->refusals);
    free(self->entries);
    free(self->exceptions);
    free(self);
    *self_p = NULL;
}

static entry_t *custody_entry(custody_t *self, uint64_t number)
{
    return &self->entries[number & (self->entry_capacity - 1)];
}

static void custody_grow_entries(custody_t *self)
{
    size_t capacity = self->entry_capacity ? 2 * self->entry_capacity : 256;
    entry_t *entries = calloc(capacity, sizeof *entries);
    if (!entries)
        abort();
    for (uint64_t n = self->floor; n < self->next; n++)
        entries[n & (capacity - 1)] = *custody_entry(self, n);
    free(self->entries);
    self->entries = entries;
    self->entry_capacity = capacity;
}

static entry_t *custody_number(custody_t *self)
{
    if (self->next - self->floor == self->entry_capacity)
        custody_grow_entries(self);
    return custody_entry(self, self->next++);
}

void custody_accept(custody_t *self, uint64_t session, uint32_t size, unsigned copies)
{
    *custody_number(self) = (entry_t){.session = session, .size = size, .copies = (uint16_t)copies};
    self->open_size += size;
    self->ledger->accepted += copies;
}

void custody_accept_report(custody_t *self)
{
    *custody_number(self) = (entry_t){.report = true};
}

void custody_keep(custody_t *self, uint32_t count, zmq_msg_t *body)
{
    assert(count <= self->next - self->kept_end);
    bodies_keep(&self->bodies, self->kept_end, count, body);
    self->kept_end += count;
}

size_t custody_unsent_count(const custody_t *self)
{
    return (size_t)(self->bodies.next - self->bodies.unsent);
}

void custody_send_next(custody_t *self, zmq_msg_t *body)
{
    bodies_send_next(&self->bodies, body);
}

/* Notes that the copy to `name` of that message is refused; false if it has no such copy, or it was noted before. */
static bool custody_note_refusal(custody_t *self, uint64_t number, span_t name)
{
    body_record_t record;
    bodies_read(&self->bodies, number, &record);
    span_t rest = record.message.recipients;
    uint32_t recipient = 0;
    while (recipient < record.message.recipient_count && !span_equal(body_name_next(&rest), name))
        recipient++;
    return recipient < record.message.recipient_count && refusals_add(&self->refusals, number, recipient);
}

bool custody_refuse(custody_t *self, const body_notice_t *notice)
{
    if (notice->number < self->floor || notice->number >= self->kept_end)
        return false;
    entry_t *entry = custody_entry(self, notice->number);
    if (entry->taken || entry->report || entry->copies == 0)
        return false;
    if (!custody_note_refusal(self, notice->number, notice->name))
        return false;
    entry->copies--;
    if (notice->error == FERRY_ERROR_UNCONFIRMED)
        self->ledger->unconfirmed[notice->reason < LEDGER_REASONS ? notice->reason : 0]++;
    else
        self->ledger->refused[notice->error < LEDGER_ERRORS ? notice->error : 0]++;
    return true;
}

static void custody_take(custody_t *self, uint64_t number)
{
    entry_t *entry = custody_entry(self, number);
    if (entry->taken)
        return;
    entry->taken = true;
    self->open_size -= entry->size;
    self->ledger->handed_over += entry->copies;
    entry->copies = 0;
    bodies_take(&self->bodies, number);
    if (entry->report)
        return;
    if (entry->held)
        unsettled_add(&self->unsettled, number, entry->session, entry->held);
    else
        self->on_settled(self->arg, entry->session);
}

static void custody_take_range(custody_t *self, uint64_t first, uint64_t end)
{
    if (first < self->floor)
        first = self->floor;
    for (uint64_t number = first; number < end; number++)
        custody_take(self, number);
}

/* Takes [first, end) but for the new record's exceptions; *at is the first exception that may matter. */
static void custody_take_but(custody_t *self, const control_t *record, size_t *at, uint64_t first, uint64_t end)
{
    size_t count = control_exception_count(record);
    while (first < end) {
        uint64_t exception_first = end, exception_count = 0;
        if (*at < count)
            control_exception_at(record, *at, &exception_first, &exception_count);
        if (exception_first + exception_count <= first && exception_count) {
            (*at)++;
            continue;
        }
        if (exception_first > first)
            custody_take_range(self, first, exception_first < end ? exception_first : end);
        first = exception_first + exception_count;
    }
}

static void custody_keep_exceptions(custody_t *self, const control_t *record)
{
    size_t count = control_exception_count(record);
    if (count > self->exception_capacity) {
        self->exception_capacity = count;
        self->exceptions = realloc(self->exceptions, count * sizeof *self->exceptions);
        if (!self->exceptions)
            abort();
    }
    for (size_t i = 0; i < count; i++)
        control_exception_at(record, i, &self->exceptions[i].first, &self->exceptions[i].count);
    self->exception_count = count;
}

static bool custody_is_taken(const void *arg, uint64_t number)
{
    const custody_t *self = arg;
    return number < self->floor || self->entries[number & (self->entry_capacity - 1)].taken;
}

/* Lets go of what is taken at the front of both rings. */
static void custody_advance(custody_t *self)
{
    bodies_drop_taken(&self->bodies);
    while (self->floor < self->kept_end && custody_entry(self, self->floor)->taken)
        self->floor++;
    refusals_tidy(&self->refusals, custody_is_taken, self);
}

void custody_taken(custody_t *self, const control_t *record)
{
    uint64_t sent_end = custody_sent_end(self);
    uint64_t below = record->taken.below < sent_end ? record->taken.below : sent_end;
    size_t at = 0;
    for (size_t i = 0; i < self->exception_count; i++) {
        uint64_t end = self->exceptions[i].first + self->exceptions[i].count;
        custody_take_but(self, record, &at, self->exceptions[i].first, end < below ? end : below);
    }
    custody_take_but(self, record, &at, self->below, below);
    /* It may be lower than before, when there are more exceptions than a record holds; those above it are walked once
     * more then. */
    self->below = below;
    custody_keep_exceptions(self, record);
    custody_advance(self);
}

void custody_held(custody_t *self, const control_numbers_t *numbers)
{
    for (size_t i = 0; i < control_numbers_count(numbers); i++) {
        uint64_t number = control_numbers_at(numbers, i);
        if (number >= self->floor && number < self->kept_end && !custody_entry(self, number)->taken)
            custody_entry(self, number)->held++;
    }
}

void custody_ended(custody_t *self, const control_numbers_t *numbers)
{
    for (size_t i = 0; i < control_numbers_count(numbers); i++) {
        uint64_t number = control_numbers_at(numbers, i);
        entry_t *entry = number >= self->floor && number < self->kept_end ? custody_entry(self, number) : NULL;
        if (entry && !entry->taken) {
            if (entry->held)
                entry->held--;
            continue;
        }
        unsettled_message_t *message = unsettled_find(&self->unsettled, number);
        if (message && unsettled_end(&self->unsettled, message))
            self->on_settled(self->arg, message->session);
    }
    unsettled_tidy(&self->unsettled);
}

/* Ends the open copies of one message that was sent on a lost link. */
static void custody_lose(custody_t *self, uint64_t number, const body_message_t *message, const custody_lost_t *lost)
{
    uint64_t session = custody_entry(self, number)->session;
    custody_entry(self, number)->copies = 0;
    custody_entry(self, number)->held = 0;
    span_t rest = message->recipients;
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        span_t recipient = body_name_next(&rest);
        if (refusals_has(&self->refusals, number, i))
            continue;
        self->ledger->unconfirmed[FERRY_REASON_BROKER_LOST]++;
        lost->on_copy(lost->arg, session, recipient);
    }
}

void custody_lost(custody_t *self, const custody_lost_t *lost)
{
    uint64_t end = self->bodies.unsent;
    for (uint64_t i = self->bodies.first; i < end; i++) {
        body_t body;
        body_record_t record;
        bodies_open(&self->bodies, i, &body);
        while (body_next_up(&body, &record) == 1) {
            if (custody_is_taken(self, body.number))
                continue;
            if (record.type == RECORD_REPORT)
                lost->on_report(lost->arg, record.bytes);
            else
                custody_lose(self, body.number, &record.message, lost);
            custody_take(self, body.number);
        }
    }
    for (size_t i = 0; i < self->unsettled.count; i++)
        if (self->unsettled.items[i].held)
            self->on_settled(self->arg, self->unsettled.items[i].session);
    self->unsettled.count = self->unsettled.settled = 0;
    self->exception_count = 0;
    self->below = custody_sent_end(self);
    custody_advance(self);
}

bool custody_session(const custody_t *self, uint64_t number, uint64_t *session)
{
    const unsettled_message_t *message = unsettled_find(&self->unsettled, number);
    if (message)
        *session = message->session;
    else if (number < self->next && !custody_is_taken(self, number))
        *session = self->entries[number & (self->entry_capacity - 1)].session;
    else
        return false;
    return true;
}

uint64_t custody_next_number(const custody_t *self)
{
    return self->next;
}

uint64_t custody_sent_end(const custody_t *self)
{
    return bodies_sent_end(&self->bodies, self->kept_end);
}

uint64_t custody_floor(const custody_t *self)
{
    return self->floor;
}

size_t custody_open_size(const custody_t *self)
{
    return self->open_size;
}

size_t custody_memory(const custody_t *self)
{
    return bodies_memory(&self->bodies) + self->entry_capacity * sizeof *self->entries +
           self->exception_capacity * sizeof *self->exceptions +
           self->unsettled.capacity * sizeof *self->unsettled.items +
           self->refusals.capacity * sizeof *self->refusals.items;
}

bool custody_is_crowded(const custody_t *self)
{
    return self->next - self->floor >= CUSTODY_NUMBERS_MAX;
}

bool custody_is_clear(const custody_t *self)
{
    return self->bodies.first == self->bodies.unsent;
}

bool custody_is_settled(const custody_t *self)
{
    return self->floor == self->next && unsettled_is_empty(&self->unsettled);
}

uint64_t custody_open_copies(const custody_t *self)
{
    uint64_t copies = 0;
    for (uint64_t n = self->floor; n < self->next; n++)
        copies += self->entries[n & (self->entry_capacity - 1)].copies;
    return copies;
}
