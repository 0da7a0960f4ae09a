/* SPDX-License-Identifier: MPL-2.0 */
/* custody: a ring of entries, one a number, from the lowest that is not taken to the newest; the bodies beside it, and
 * short lists of what needs more than an entry. TAKEN is cumulative with exceptions, and only what has changed since
 * the last one is walked: the numbers between the two `below`s, and the exceptions that are none any more. Nothing can
 * fail. Owner: the link's thread. */
#include "link/custody.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "link/custody_internal.h"
#include "wire/error.h"

#define ENTRIES_KEPT (1u << 16) /* that are not given back when nothing is open */

custody_t *custody_new(ledger_t *ledger, custody_settled_fn *on_settled, void *arg)
{
    custody_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->ledger = ledger;
    self->on_settled = on_settled;
    self->arg = arg;
    self->floor = self->next = self->below = self->kept_end = 1;
    randombytes_buf(self->key, sizeof self->key);
    return self;
}

void custody_destroy(custody_t **self_p)
{
    custody_t *self = *self_p;
    if (!self)
        return;
    bodies_fini(&self->bodies);
    unsettled_fini(&self->unsettled);
    endings_fini(&self->endings);
    loans_fini(&self->loans);
    free(self->entries);
    free(self->exceptions);
    free(self);
    *self_p = NULL;
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

void custody_accept(custody_t *self, uint64_t session, uint32_t size, unsigned copies, unsigned groups)
{
    *custody_number(self) =
        (entry_t){.session = session, .size = size, .copies = (uint16_t)copies, .groups = (uint16_t)groups};
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

size_t custody_sent_count(const custody_t *self)
{
    return (size_t)(self->bodies.unsent - self->bodies.first);
}

size_t custody_unsent_count(const custody_t *self)
{
    return (size_t)(self->bodies.next - self->bodies.unsent);
}

void custody_send_next(custody_t *self, zmq_msg_t *body)
{
    bodies_send_next(&self->bodies, body);
}

/* Whether that number is a message that is not taken. */
static bool custody_is_open(const custody_t *self, uint64_t number)
{
    if (number < self->floor || number >= self->kept_end)
        return false;
    const entry_t *entry = &self->entries[number & (self->entry_capacity - 1)];
    return !entry->taken && !entry->report;
}

/* Which recipient of an open message that notice is of, one of ENDING_MEMBER for a member of a group, or for a group
 * that is told of by a node: the others with members may still get it. ENDING_NOBODY if it is of none. */
static uint64_t custody_recipient(custody_t *self, const body_notice_t *notice)
{
    body_record_t record;
    bodies_read(&self->bodies, notice->number, &record);
    if (record.type != RECORD_MESSAGE)
        return ENDING_NOBODY;
    span_t rest = record.message.recipients;
    bool has_group = false;
    for (uint32_t recipient = 0; recipient < record.message.recipient_count; recipient++) {
        span_t name = body_name_next(&rest);
        bool is_group = name_is_group(name);
        if (span_equal(name, notice->name) && !(is_group && notice->taken))
            return recipient;
        has_group = has_group || is_group;
    }
    uint64_t hash;
    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)notice->name.data, notice->name.size, self->key);
    return has_group ? ENDING_MEMBER | hash : ENDING_NOBODY;
}

/* Notes an ending of an open message; false if it has no such copy, or it was noted before. */
static bool custody_note_ending(custody_t *self, const body_notice_t *notice, ending_place_t place)
{
    uint64_t recipient = custody_recipient(self, notice);
    if (recipient >= ENDING_MEMBER)
        place = ENDING_NODE;
    return recipient != ENDING_NOBODY && endings_add(&self->endings, &(ending_t){notice->number, recipient, place});
}

static void custody_refuse(custody_t *self, const body_notice_t *notice)
{
    entry_t *entry = custody_entry(self, notice->number);
    entry->copies--;
    entry->groups -= name_is_group(notice->name);
    if (notice->error == FERRY_ERROR_UNCONFIRMED)
        self->ledger->unconfirmed[notice->reason < LEDGER_REASONS ? notice->reason : 0]++;
    else
        self->ledger->refused[notice->error < LEDGER_ERRORS ? notice->error : 0]++;
}

bool custody_note(custody_t *self, const body_notice_t *notice)
{
    if (!custody_is_open(self, notice->number))
        return notice->taken;
    ending_place_t place = ENDING_HERE;
    if (notice->taken)
        place = notice->report ? ENDING_NODE : ENDING_BROKER;
    if (!custody_note_ending(self, notice, place))
        return false;
    if (place == ENDING_HERE)
        custody_refuse(self, notice);
    return true;
}

/* Messages of one session that were taken one after the other, and are settled with that. */
typedef struct {
    uint64_t session, first;
    uint32_t count;
} settled_run_t;

static void custody_settle_run(custody_t *self, settled_run_t *run)
{
    if (run->count == 0)
        return;
    bodies_take(&self->bodies, run->first, run->count);
    self->on_settled(self->arg, run->session, run->first, run->count);
    run->count = 0;
}

static void custody_extend_run(custody_t *self, settled_run_t *run, uint64_t session, uint64_t number)
{
    if (run->session != session || run->first + run->count != number)
        custody_settle_run(self, run);
    if (run->count == 0)
        *run = (settled_run_t){.session = session, .first = number};
    run->count++;
}

/* Takes a number that is not taken. */
static void custody_take_number(custody_t *self, uint64_t number, settled_run_t *run)
{
    entry_t *entry = custody_entry(self, number);
    entry->taken = true;
    self->open_size -= entry->waits ? 0 : entry->size;
    self->ledger->handed_over += (unsigned)entry->copies - entry->groups;
    self->ledger->shared += entry->groups;
    entry->copies = entry->groups = 0;
    if (!entry->report && !entry->held && !self->is_unsettled) {
        custody_extend_run(self, run, entry->session, number);
        return;
    }
    bodies_take(&self->bodies, number, 1);
    if (!entry->report)
        unsettled_add(&self->unsettled,
            &(unsettled_message_t){
                .number = number, .session = entry->session, .held = entry->held, .stated = entry->stated});
}

void custody_take(custody_t *self, uint64_t first, uint64_t end)
{
    settled_run_t run = {0};
    if (first < self->floor)
        first = self->floor;
    for (uint64_t number = first; number < end; number++)
        if (!custody_entry(self, number)->taken)
            custody_take_number(self, number, &run);
    custody_settle_run(self, &run);
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
            custody_take(self, first, exception_first < end ? exception_first : end);
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

bool custody_is_taken(const void *arg, uint64_t number)
{
    const custody_t *self = arg;
    return number < self->floor || self->entries[number & (self->entry_capacity - 1)].taken;
}

/* Gives back what a message that waited for long has made the ring need. */
static void custody_shrink(custody_t *self)
{
    if (self->floor < self->next || self->entry_capacity <= ENTRIES_KEPT)
        return;
    free(self->entries);
    self->entries = NULL;
    self->entry_capacity = 0;
}

void custody_advance(custody_t *self)
{
    bodies_drop_taken(&self->bodies);
    while (self->floor < self->kept_end && custody_entry(self, self->floor)->taken)
        self->floor++;
    custody_shrink(self);
    endings_tidy(&self->endings, custody_is_taken, self);
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

void custody_waits(custody_t *self, uint64_t number)
{
    if (!custody_is_open(self, number) || custody_entry(self, number)->waits)
        return;
    custody_entry(self, number)->waits = true;
    self->open_size -= custody_entry(self, number)->size;
}

static void custody_hold(custody_t *self, uint64_t number, bool again)
{
    if (custody_is_open(self, number)) {
        entry_t *entry = custody_entry(self, number);
        ++*(again ? &entry->stated : &entry->held);
        return;
    }
    unsettled_message_t *message = unsettled_find(&self->unsettled, number);
    if (message)
        ++*(again ? &message->stated : &message->held);
}

void custody_held(custody_t *self, const control_numbers_t *numbers, bool again)
{
    for (size_t i = 0; i < control_numbers_count(numbers); i++)
        custody_hold(self, control_numbers_at(numbers, i), again);
}

void custody_settle(custody_t *self, unsettled_message_t *message)
{
    if (message->held || self->is_unsettled)
        return;
    unsettled_settle(&self->unsettled, message);
    self->on_settled(self->arg, message->session, message->number, 1);
}

static void custody_end(custody_t *self, uint64_t number)
{
    if (custody_is_open(self, number)) {
        entry_t *entry = custody_entry(self, number);
        entry->held -= entry->held > 0;
        return;
    }
    unsettled_message_t *message = unsettled_find(&self->unsettled, number);
    if (!message)
        return;
    message->held -= message->held > 0;
    custody_settle(self, message);
}

void custody_ended(custody_t *self, const control_numbers_t *numbers)
{
    for (size_t i = 0; i < control_numbers_count(numbers); i++)
        custody_end(self, control_numbers_at(numbers, i));
    unsettled_tidy(&self->unsettled);
}

void custody_lent(custody_t *self, const control_numbers_t *numbers, span_t name)
{
    for (size_t i = 0; i < control_numbers_count(numbers); i++)
        loans_add(&self->loans, control_numbers_at(numbers, i), name);
}

void custody_repaid(custody_t *self, const control_numbers_t *numbers, span_t name)
{
    for (size_t i = 0; i < control_numbers_count(numbers); i++)
        loans_end(&self->loans, control_numbers_at(numbers, i), name);
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

uint64_t custody_kept_first(const custody_t *self)
{
    return bodies_first_number(&self->bodies, self->kept_end);
}

uint64_t custody_floor(const custody_t *self)
{
    return self->floor;
}

size_t custody_open_size(const custody_t *self)
{
    return self->open_size;
}

size_t custody_kept_size(const custody_t *self)
{
    return self->bodies.size;
}

size_t custody_memory(const custody_t *self)
{
    return bodies_memory(&self->bodies) + self->entry_capacity * sizeof *self->entries +
           self->exception_capacity * sizeof *self->exceptions +
           self->unsettled.capacity * sizeof *self->unsettled.items +
           self->endings.capacity * sizeof *self->endings.items + self->loans.capacity * sizeof *self->loans.items;
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
    return custody_is_settled_below(self, self->next);
}

bool custody_is_settled_below(const custody_t *self, uint64_t number)
{
    return self->floor >= number && unsettled_is_empty(&self->unsettled);
}

uint64_t custody_open_copies(const custody_t *self)
{
    uint64_t copies = 0;
    for (uint64_t n = self->floor; n < self->next; n++)
        copies += self->entries[n & (self->entry_capacity - 1)].copies;
    return copies;
}
