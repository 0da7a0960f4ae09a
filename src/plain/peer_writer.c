/* SPDX-License-Identifier: MPL-2.0 */
/* [8] peer_writer: in the common case a copy comes in and is handed over in the same turn, so that the acknowledgement
 * of its batch says it all, and leaves the queue when the program has answered the next PING. Only what had to wait is
 * told as held, and told again when it went. Nothing can fail but the connection. Owner: the peers actor's thread. */
#include "plain/peer_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/handover.h"
#include "wire/error.h"

#define WRITER_KEEP_COPIES 16 /* that have room in a queue which is empty */
#define WRITER_PING_PART   4  /* a PING behind each such part of the window */

static mail_t *peer_writer_at(peer_writer_t *self, uint64_t index)
{
    return &self->mails[index & (self->capacity - 1)];
}

void peer_writer_fini(peer_writer_t *self)
{
    holdings_fini(&self->holdings);
    free(self->mails);
    self->mails = NULL;
}

static void message_move(zmq_msg_t *to, zmq_msg_t *from)
{
    zmq_msg_init(to);
    zmq_msg_move(to, from);
}

static void peer_writer_grow(peer_writer_t *self)
{
    uint32_t capacity = self->capacity ? 2 * self->capacity : WRITER_KEEP_COPIES;
    mail_t *mails = malloc(capacity * sizeof *mails);
    if (!mails)
        abort();
    for (uint64_t i = self->holdings.first; i < self->holdings.next; i++) {
        mail_t *from = peer_writer_at(self, i), *to = &mails[i & (capacity - 1)];
        *to = *from;
        if (i >= self->handed) {
            message_move(&to->head, &from->head);
            message_move(&to->payload, &from->payload);
        }
    }
    free(self->mails);
    self->mails = mails;
    self->capacity = capacity;
}

static void message_copy(zmq_msg_t *message, span_t bytes)
{
    if (zmq_msg_init_size(message, bytes.size) != 0)
        abort();
    if (bytes.size)
        memcpy(zmq_msg_data(message), bytes.data, bytes.size);
}

/* The place of the copy whose mail is put next. */
static mail_t *peer_writer_place(peer_writer_t *self, const body_copy_t *copy, uint64_t now_ms)
{
    const holdings_t *holdings = &self->holdings;
    if (holdings->next - holdings->first == self->capacity)
        peer_writer_grow(self);
    if (self->handed == holdings->next)
        self->handed_ms = now_ms;
    mail_t *mail = peer_writer_at(self, holdings->next);
    *mail = (mail_t){.receipt = copy->flags & BODY_FLAG_RECEIPT};
    if (mail->receipt)
        self->receipts_end = holdings->next + 1;
    return mail;
}

static void peer_writer_fill(peer_writer_t *self, mail_t *mail, span_t head, span_t payload)
{
    mail->size = head.size + payload.size + WRITER_MAIL_SIZE;
    message_copy(&mail->head, head);
    message_copy(&mail->payload, payload);
    self->waiting_size += mail->size;
}

void peer_writer_put(peer_writer_t *self, const body_copy_t *copy, origin_t *origin, uint64_t now_ms)
{
    peer_writer_fill(self, peer_writer_place(self, copy, now_ms), copy->sender, copy->text);
    holdings_add(&self->holdings, copy, origin);
}

void peer_writer_put_share(peer_writer_t *self, const body_copy_t *copy, share_t *share, uint64_t now_ms)
{
    peer_writer_fill(self, peer_writer_place(self, copy, now_ms), copy->sender, copy->text);
    holdings_add_share(&self->holdings, copy, share);
}

void peer_writer_put_answer(
    peer_writer_t *self, const body_copy_t *copy, origin_t *origin, span_t label, span_t text, uint64_t now_ms)
{
    mail_t *mail = peer_writer_place(self, copy, now_ms);
    mail->is_answer = true;
    peer_writer_fill(self, mail, label, text);
    holdings_add(&self->holdings, copy, origin);
}

static int peer_writer_send_ping(peer_writer_t *self, const door_t *door, uint64_t number, uint64_t now_ms)
{
    char token[24];
    span_t frames[] = {span_str("PING"), span_of(token, 0)};
    frames[1].size = (size_t)snprintf(token, sizeof token, "%" PRIu64, number);
    self->spoke_ms = now_ms;
    return door_say(door, frames, 2);
}

/* Says PING behind what was handed over, unless too many are unanswered. */
static int peer_writer_ping(peer_writer_t *self, const door_t *door, uint64_t now_ms)
{
    if (self->ping_next - self->ping_first == WRITER_PINGS_MAX)
        return 0;
    uint64_t number = self->ping_next++;
    self->bytes += WRITER_NOTE_SIZE;
    self->pings[number % WRITER_PINGS_MAX] =
        (ping_t){.copies = self->handed, .notes = self->notes, .bytes = self->bytes, .sent_ms = now_ms};
    return peer_writer_send_ping(self, door, number, now_ms);
}

/* Bytes behind the last PING, or the last that was answered. */
static uint64_t peer_writer_unpinged(const peer_writer_t *self)
{
    uint64_t last = self->ping_first == self->ping_next ? self->bytes_acknowledged
                                                        : self->pings[(self->ping_next - 1) % WRITER_PINGS_MAX].bytes;
    return self->bytes - last;
}

static bool peer_writer_may_hand(const peer_writer_t *self, const peer_limits_t *limits)
{
    return self->handed < self->holdings.next && peer_writer_open_size(self) < limits->window_size &&
           (!self->has_credit || self->credit > 0);
}

/* Hands over the next copy's mail. */
static int peer_writer_deliver(peer_writer_t *self, const door_t *door, span_t name)
{
    mail_t *mail = peer_writer_at(self, self->handed);
    if (mail->is_answer)
        return door_answer(door, &mail->head, &mail->payload);
    span_t group = holdings_group(&self->holdings, self->handed);
    return door_deliver(door, &mail->head, group.size ? group : name, &mail->payload);
}

/* That many bytes went, behind which a PING may be due. */
static int peer_writer_went(
    peer_writer_t *self, const door_t *door, size_t size, const peer_limits_t *limits, uint64_t now_ms)
{
    self->bytes += size;
    self->spoke_ms = now_ms;
    bool is_due = peer_writer_unpinged(self) >= limits->window_size / WRITER_PING_PART;
    return is_due ? peer_writer_ping(self, door, now_ms) : 0;
}

/* A receipt waits for the answer to a PING that was not said yet. */
static bool peer_writer_owes_receipt(const peer_writer_t *self)
{
    uint64_t pinged = self->ping_next ? self->pings[(self->ping_next - 1) % WRITER_PINGS_MAX].copies : 0;
    return self->receipts_end > pinged && self->handed > pinged;
}

int peer_writer_hand(peer_writer_t *self, const door_t *door, span_t name, const peer_limits_t *limits, uint64_t now_ms)
{
    while (peer_writer_may_hand(self, limits)) {
        size_t size = peer_writer_at(self, self->handed)->size;
        if (peer_writer_deliver(self, door, name) != 0)
            return -1;
        self->handed++;
        self->waiting_size -= size;
        self->credit -= self->has_credit;
        self->handed_ms = now_ms;
        if (peer_writer_went(self, door, size, limits, now_ms) != 0)
            return -1;
    }
    return peer_writer_owes_receipt(self) ? peer_writer_ping(self, door, now_ms) : 0;
}

static size_t frames_size(const span_t *frames, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += frames[i].size;
    return size;
}

int peer_writer_say(peer_writer_t *self, const door_t *door, const span_t *frames, size_t count, uint64_t now_ms)
{
    size_t size = frames_size(frames, count) + WRITER_NOTE_SIZE;
    self->bytes += size;
    self->notes += size;
    self->spoke_ms = now_ms;
    return door_say(door, frames, count);
}

int peer_writer_give(peer_writer_t *self, const door_t *door, const span_t *frames, size_t count,
    const peer_limits_t *limits, uint64_t now_ms)
{
    if (door_say(door, frames, count) != 0)
        return -1;
    return peer_writer_went(self, door, frames_size(frames, count) + WRITER_MAIL_SIZE, limits, now_ms);
}

int peer_writer_probe(peer_writer_t *self, const door_t *door, uint64_t now_ms)
{
    if (self->ping_first == self->ping_next)
        return peer_writer_ping(self, door, now_ms);
    return peer_writer_send_ping(self, door, self->ping_next - 1, now_ms);
}

int peer_writer_tick(peer_writer_t *self, const door_t *door, const peer_limits_t *limits, uint64_t now_ms)
{
    bool is_due = self->ping_first == self->ping_next && peer_writer_open_size(self) > 0;
    return is_due || now_ms - self->spoke_ms >= limits->probe_time_ms ? peer_writer_probe(self, door, now_ms) : 0;
}

/* The number of the unanswered PING that has that token, or that of the next PING if none has. */
static uint64_t peer_writer_find_ping(const peer_writer_t *self, span_t token)
{
    char text[24];
    uint64_t number = self->ping_first;
    for (; number < self->ping_next; number++) {
        size_t size = (size_t)snprintf(text, sizeof text, "%" PRIu64, number);
        if (span_equal(token, span_of(text, size)))
            break;
    }
    return number;
}

uint64_t peer_writer_pong(peer_writer_t *self, link_t *link, span_t token)
{
    uint64_t number = peer_writer_find_ping(self, token), before = peer_writer_pending(self);
    if (number == self->ping_next)
        return 0;
    const ping_t *ping = &self->pings[number % WRITER_PINGS_MAX];
    self->ping_first = number + 1;
    self->bytes_acknowledged = ping->bytes;
    self->notes_acknowledged = ping->notes;
    for (; self->acknowledged < ping->copies; self->acknowledged++)
        self->returned -= peer_writer_at(self, self->acknowledged)->returned;
    uint64_t delivered = before - peer_writer_pending(self);
    holdings_release(&self->holdings, link, self->acknowledged);
    return delivered;
}

void peer_writer_credit(peer_writer_t *self, uint32_t count)
{
    self->has_credit = true;
    self->credit += count;
}

/* The end of the copies of which nothing is held: those that were handed over, up to one with a receipt. */
static uint64_t peer_writer_ended(peer_writer_t *self)
{
    for (uint64_t i = self->acknowledged; i < self->handed && i < self->receipts_end; i++)
        if (peer_writer_at(self, i)->receipt && !peer_writer_at(self, i)->returned)
            return i;
    return self->handed;
}

void peer_writer_tell(peer_writer_t *self, link_t *link, uint64_t session)
{
    holdings_tell(&self->holdings, link, session, peer_writer_ended(self), self->acknowledged);
}

void peer_writer_restate(peer_writer_t *self, link_t *link, uint64_t session)
{
    holdings_restate(&self->holdings, link, session, peer_writer_ended(self));
}

void peer_writer_disown(peer_writer_t *self)
{
    holdings_disown(&self->holdings);
}

/* Frees the messages of the copies that wait; they count as handed over from then on. */
static void peer_writer_drop(peer_writer_t *self)
{
    for (; self->handed < self->holdings.next; self->handed++) {
        handover_close(&peer_writer_at(self, self->handed)->head);
        handover_close(&peer_writer_at(self, self->handed)->payload);
    }
    self->waiting_size = 0;
}

unsigned peer_writer_return(peer_writer_t *self, const holdings_loss_t *loss)
{
    unsigned count = 0;
    for (uint64_t i = self->handed; i < self->holdings.next; i++, count++) {
        holdings_report(&self->holdings, i, loss, FERRY_ERROR_UNDELIVERED);
        peer_writer_at(self, i)->returned = true;
    }
    self->returned += count;
    peer_writer_drop(self);
    return count;
}

unsigned peer_writer_doubt(peer_writer_t *self, const holdings_loss_t *loss)
{
    unsigned count = 0;
    for (; self->acknowledged < self->handed; self->acknowledged++) {
        const mail_t *mail = peer_writer_at(self, self->acknowledged);
        self->returned -= mail->returned;
        if (mail->returned)
            continue;
        holdings_report(&self->holdings, self->acknowledged, loss, FERRY_ERROR_UNCONFIRMED);
        count++;
    }
    holdings_release(&self->holdings, loss->link, self->acknowledged);
    return count;
}

void peer_writer_forget(peer_writer_t *self, link_t *link)
{
    peer_writer_drop(self);
    self->acknowledged = self->holdings.next;
    self->returned = 0;
    holdings_forget(&self->holdings, link);
}

bool peer_writer_became_paused(peer_writer_t *self, const peer_limits_t *limits)
{
    if (self->paused || self->waiting_size < limits->high_mark)
        return false;
    return self->paused = true;
}

bool peer_writer_became_resumed(peer_writer_t *self, const peer_limits_t *limits)
{
    if (!self->paused || self->waiting_size > limits->high_mark / 4)
        return false;
    self->paused = false;
    return true;
}

bool peer_writer_is_full(peer_writer_t *self, const peer_limits_t *limits)
{
    size_t open = peer_writer_open_size(self);
    self->full = open >= limits->window_size || (self->full && open > limits->window_size / 2);
    return self->full;
}

bool peer_writer_is_stalled(const peer_writer_t *self, const peer_limits_t *limits, uint64_t now_ms)
{
    bool is_silent = self->ping_first < self->ping_next &&
                     now_ms - self->pings[self->ping_first % WRITER_PINGS_MAX].sent_ms >= limits->stall_time_ms;
    return is_silent || (self->handed < self->holdings.next && now_ms - self->handed_ms >= limits->stall_time_ms);
}
