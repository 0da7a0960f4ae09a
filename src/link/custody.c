/* SPDX-License-Identifier: MPL-2.0 */
/* custody: a ring of entries, one a number, from the lowest that is not taken to the newest; a ring of bodies beside
 * it; a short sorted list of messages that are taken and whose copies are held. TAKEN is cumulative with exceptions,
 * and only what has changed since the last one is walked: the numbers between the two `below`s, and the exceptions that
 * are none any more. Nothing can fail. Owner: the link's thread. */
#include "link/custody.h"

#include <assert.h>
#include <stdlib.h>

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
    zmq_msg_t message;
    uint64_t first;
    uint32_t count;
    uint32_t open; /* numbers not taken */
} kept_t;

typedef struct {
    uint64_t number, session;
    uint32_t held; /* 0: settled, waits for the list to be tidied */
} waiting_t;

typedef struct {
    uint64_t first, count;
} range_t;

typedef struct {
    uint64_t number;
    uint32_t recipient; /* position in the record */
} refusal_t;

struct custody {
    ledger_t *ledger;
    custody_settled_fn *on_settled;
    void *arg;
    entry_t *entries; /* ring: number n is at n & (entry_capacity - 1) */
    size_t entry_capacity;
    uint64_t floor, next; /* entries exist for [floor, next) */
    uint64_t kept_end;    /* numbers below it are in a kept body */
    size_t open_size;
    kept_t *kept; /* ring of bodies */
    size_t kept_capacity;
    uint64_t kept_first, kept_next;
    uint64_t kept_unsent; /* bodies from here on were not sent */
    uint64_t hint;        /* the body that was looked for last */
    uint64_t below;       /* of the last TAKEN */
    range_t *exceptions;
    size_t exception_count, exception_capacity;
    waiting_t *waiting; /* sorted by number */
    size_t waiting_count, waiting_capacity, waiting_settled;
    refusal_t *refusals; /* of open messages, so that their loss does not name a refused copy again */
    size_t refusal_count, refusal_capacity;
};

/* Makes room for one more item of an array that doubles. */
static void *array_reserve(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? 2 * *capacity : 64;
    items = realloc(items, *capacity * item_size);
    if (!items)
        abort();
    return items;
}

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
    for (uint64_t i = self->kept_first; i < self->kept_next; i++)
        zmq_msg_close(&self->kept[i & (self->kept_capacity - 1)].message);
    free(self->entries);
    free(self->kept);
    free(self->exceptions);
    free(self->waiting);
    free(self->refusals);
    free(self);
    *self_p = NULL;
}

static entry_t *custody_entry(custody_t *self, uint64_t number)
{
    return &self->entries[number & (self->entry_capacity - 1)];
}

static kept_t *custody_kept(custody_t *self, uint64_t index)
{
    return &self->kept[index & (self->kept_capacity - 1)];
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
    if (self->kept_next - self->kept_first == self->kept_capacity) {
        size_t capacity = self->kept_capacity ? 2 * self->kept_capacity : 64;
        kept_t *kept = malloc(capacity * sizeof *kept);
        if (!kept)
            abort();
        for (uint64_t i = self->kept_first; i < self->kept_next; i++)
            memcpy(&kept[i & (capacity - 1)], custody_kept(self, i), sizeof *kept);
        free(self->kept);
        self->kept = kept;
        self->kept_capacity = capacity;
    }
    kept_t *kept = custody_kept(self, self->kept_next++);
    kept->first = self->kept_end;
    kept->count = kept->open = count;
    zmq_msg_init(&kept->message);
    zmq_msg_move(&kept->message, body);
    self->kept_end += count;
}

bool custody_has_unsent(const custody_t *self)
{
    return self->kept_unsent < self->kept_next;
}

void custody_send_next(custody_t *self, zmq_msg_t *body)
{
    zmq_msg_init(body);
    zmq_msg_copy(body, &custody_kept(self, self->kept_unsent++)->message);
}

/* The number behind the last one that was sent. */
static uint64_t custody_sent_end(custody_t *self)
{
    return custody_has_unsent(self) ? custody_kept(self, self->kept_unsent)->first : self->kept_end;
}

/* The kept body that holds that number; it must be kept. */
static kept_t *custody_body_of(custody_t *self, uint64_t number)
{
    if (self->hint >= self->kept_first && self->hint < self->kept_next) {
        kept_t *kept = custody_kept(self, self->hint);
        if (number - kept->first < kept->count)
            return kept;
    }
    uint64_t low = self->kept_first, high = self->kept_next;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (custody_kept(self, middle)->first <= number)
            low = middle;
        else
            high = middle;
    }
    self->hint = low;
    return custody_kept(self, low);
}

/* Reads record `number` of the body that holds it. */
static void custody_read(custody_t *self, uint64_t number, body_record_t *record)
{
    kept_t *kept = custody_body_of(self, number);
    body_t body;
    int rc = body_open_up(&body, span_of(zmq_msg_data(&kept->message), zmq_msg_size(&kept->message)));
    assert(rc == 0);
    do
        rc = body_next_up(&body, record);
    while (rc == 1 && body.number != number);
    assert(rc == 1);
}

static bool custody_is_refused(const custody_t *self, uint64_t number, uint32_t recipient)
{
    for (size_t i = 0; i < self->refusal_count; i++)
        if (self->refusals[i].number == number && self->refusals[i].recipient == recipient)
            return true;
    return false;
}

/* Notes that the copy to `name` of that message is refused; false if it has no such copy, or it was noted before. */
static bool custody_note_refusal(custody_t *self, uint64_t number, span_t name)
{
    body_record_t record;
    custody_read(self, number, &record);
    span_t rest = record.message.recipients;
    uint32_t recipient = 0;
    while (recipient < record.message.recipient_count && !span_equal(body_name_next(&rest), name))
        recipient++;
    if (recipient == record.message.recipient_count || custody_is_refused(self, number, recipient))
        return false;
    self->refusals =
        array_reserve(self->refusals, self->refusal_count, &self->refusal_capacity, sizeof *self->refusals);
    self->refusals[self->refusal_count++] = (refusal_t){number, recipient};
    return true;
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

static void custody_drop_refusals(custody_t *self)
{
    size_t left = 0;
    for (size_t i = 0; i < self->refusal_count; i++)
        if (self->refusals[i].number >= self->floor)
            self->refusals[left++] = self->refusals[i];
    self->refusal_count = left;
}

/* Puts a message that is taken, but held, into the sorted list. */
static void custody_wait(custody_t *self, uint64_t number, const entry_t *entry)
{
    self->waiting = array_reserve(self->waiting, self->waiting_count, &self->waiting_capacity, sizeof *self->waiting);
    size_t at = self->waiting_count++;
    for (; at > 0 && self->waiting[at - 1].number > number; at--)
        self->waiting[at] = self->waiting[at - 1];
    self->waiting[at] = (waiting_t){number, entry->session, entry->held};
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
    custody_body_of(self, number)->open--;
    if (entry->report)
        return;
    if (entry->held)
        custody_wait(self, number, entry);
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
    self->exception_count = 0;
    for (size_t i = 0; i < control_exception_count(record); i++) {
        self->exceptions = array_reserve(self->exceptions, i, &self->exception_capacity, sizeof *self->exceptions);
        control_exception_at(record, i, &self->exceptions[i].first, &self->exceptions[i].count);
        self->exception_count++;
    }
}

/* Lets go of what is taken at the front of both rings. */
static void custody_advance(custody_t *self)
{
    while (self->kept_first < self->kept_next && custody_kept(self, self->kept_first)->open == 0)
        zmq_msg_close(&custody_kept(self, self->kept_first++)->message);
    uint64_t before = self->floor;
    while (self->floor < self->kept_end && custody_entry(self, self->floor)->taken)
        self->floor++;
    if (self->floor != before && self->refusal_count)
        custody_drop_refusals(self);
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
    if (below > self->below) {
        custody_take_but(self, record, &at, self->below, below);
        self->below = below;
    }
    custody_keep_exceptions(self, record);
    custody_advance(self);
}

static waiting_t *custody_find_waiting(custody_t *self, uint64_t number)
{
    size_t low = 0, high = self->waiting_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->waiting[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->waiting_count && self->waiting[low].number == number ? &self->waiting[low] : NULL;
}

/* Removes settled messages from the list once they are its larger part. */
static void custody_tidy_waiting(custody_t *self)
{
    if (self->waiting_settled * 2 <= self->waiting_count)
        return;
    size_t left = 0;
    for (size_t i = 0; i < self->waiting_count; i++)
        if (self->waiting[i].held)
            self->waiting[left++] = self->waiting[i];
    self->waiting_count = left;
    self->waiting_settled = 0;
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
        waiting_t *waiting = custody_find_waiting(self, number);
        if (waiting && waiting->held && --waiting->held == 0) {
            self->waiting_settled++;
            self->on_settled(self->arg, waiting->session);
        }
    }
    custody_tidy_waiting(self);
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
        if (custody_is_refused(self, number, i))
            continue;
        self->ledger->unconfirmed[FERRY_REASON_BROKER_LOST]++;
        lost->on_copy(lost->arg, session, recipient);
    }
}

void custody_lost(custody_t *self, const custody_lost_t *lost)
{
    for (uint64_t i = self->kept_first; i < self->kept_unsent; i++) {
        kept_t *kept = custody_kept(self, i);
        body_t body;
        body_record_t record;
        int rc = body_open_up(&body, span_of(zmq_msg_data(&kept->message), zmq_msg_size(&kept->message)));
        assert(rc == 0);
        while ((rc = body_next_up(&body, &record)) == 1) {
            if (body.number < self->floor || custody_entry(self, body.number)->taken)
                continue;
            if (record.type == RECORD_REPORT)
                lost->on_report(lost->arg, record.bytes);
            else
                custody_lose(self, body.number, &record.message, lost);
            custody_take(self, body.number);
        }
        assert(rc == 0);
    }
    for (size_t i = 0; i < self->waiting_count; i++)
        if (self->waiting[i].held)
            self->on_settled(self->arg, self->waiting[i].session);
    self->waiting_count = self->waiting_settled = 0;
    self->exception_count = 0;
    self->below = custody_sent_end(self);
    custody_advance(self);
}

uint64_t custody_next_number(const custody_t *self)
{
    return self->next;
}

uint64_t custody_floor(const custody_t *self)
{
    return self->floor;
}

size_t custody_open_size(const custody_t *self)
{
    return self->open_size;
}

bool custody_is_crowded(const custody_t *self)
{
    return self->next - self->floor >= CUSTODY_NUMBERS_MAX;
}

bool custody_is_clear(const custody_t *self)
{
    return self->kept_first == self->kept_unsent;
}

bool custody_is_settled(const custody_t *self)
{
    return self->floor == self->next && self->waiting_count == self->waiting_settled;
}

uint64_t custody_open_copies(const custody_t *self)
{
    uint64_t copies = 0;
    for (uint64_t n = self->floor; n < self->next; n++)
        copies += self->entries[n & (self->entry_capacity - 1)].copies;
    return copies;
}
