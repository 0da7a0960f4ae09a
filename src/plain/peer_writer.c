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
    for (uint64_t i = self->first; i < self->next; i++) {
        mail_t *from = peer_writer_at(self, i), *to = &mails[i & (capacity - 1)];
        *to = *from;
        if (i >= self->handed) {
            message_move(&to->sender, &from->sender);
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

void peer_writer_put(peer_writer_t *self, const body_copy_t *copy, origin_t *origin, uint64_t now_ms)
{
    if (self->next - self->first == self->capacity)
        peer_writer_grow(self);
    if (self->handed == self->next)
        self->handed_ms = now_ms;
    mail_t *mail = peer_writer_at(self, self->next++);
    *mail = (mail_t){.origin = origin_take(origin),
        .number = copy->number,
        .session = copy->session,
        .size = copy->sender.size + copy->text.size + WRITER_MAIL_SIZE,
        .receipt = copy->flags & BODY_FLAG_RECEIPT};
    if (mail->receipt)
        self->receipts_end = self->next;
    message_copy(&mail->sender, copy->sender);
    message_copy(&mail->payload, copy->text);
    self->waiting_size += mail->size;
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
    return self->handed < self->next && peer_writer_open_size(self) < limits->window_size &&
           (!self->has_credit || self->credit > 0);
}

int peer_writer_hand(peer_writer_t *self, const door_t *door, span_t name, const peer_limits_t *limits, uint64_t now_ms)
{
    while (peer_writer_may_hand(self, limits)) {
        mail_t *mail = peer_writer_at(self, self->handed);
        if (door_deliver(door, &mail->sender, name, &mail->payload) != 0)
            return -1;
        self->handed++;
        self->waiting_size -= mail->size;
        self->bytes += mail->size;
        self->credit -= self->has_credit;
        self->handed_ms = self->spoke_ms = now_ms;
        if (peer_writer_unpinged(self) >= limits->window_size / WRITER_PING_PART &&
            peer_writer_ping(self, door, now_ms) != 0)
            return -1;
    }
    return 0;
}

int peer_writer_say(peer_writer_t *self, const door_t *door, const span_t *frames, size_t count, uint64_t now_ms)
{
    size_t size = WRITER_NOTE_SIZE;
    for (size_t i = 0; i < count; i++)
        size += frames[i].size;
    self->bytes += size;
    self->notes += size;
    self->spoke_ms = now_ms;
    return door_say(door, frames, count);
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

/* Lets the copies go that have ended and of which nothing is to be told. */
static void peer_writer_release(peer_writer_t *self, link_t *link)
{
    uint64_t end = self->told < self->acknowledged ? self->told : self->acknowledged;
    while (self->first < end)
        origins_release(link_origins(link), peer_writer_at(self, self->first++)->origin);
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
    peer_writer_release(self, link);
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
    uint64_t ended = peer_writer_ended(self), end = ended < self->stated ? ended : self->stated;
    if (end > self->told && link_can_end(link)) {
        link_end(link, session, (uint32_t)(end - self->told));
        self->told = end;
    }
    if (self->told == self->stated && ended > self->stated)
        self->told = self->stated = ended;
    peer_writer_release(self, link);
    if (link_state(link) < LINK_UP || link_state(link) >= LINK_PARTING)
        return;
    for (; self->stated < self->next; self->stated++)
        link_hold(link, session, peer_writer_at(self, self->stated)->origin, peer_writer_at(self, self->stated)->number,
            false);
}

void peer_writer_restate(peer_writer_t *self, link_t *link, uint64_t session)
{
    uint64_t ended = peer_writer_ended(self);
    if (self->told < ended)
        self->told = ended;
    for (uint64_t i = self->told; i < self->next; i++)
        link_hold(link, session, peer_writer_at(self, i)->origin, peer_writer_at(self, i)->number, true);
    self->stated = self->next;
}

void peer_writer_disown(peer_writer_t *self)
{
    self->disowned_first = self->told;
    self->disowned_end = self->told = self->stated = self->next;
}

static void peer_writer_report(peer_writer_t *self, uint64_t index, const peer_loss_t *loss, int error)
{
    const mail_t *mail = peer_writer_at(self, index);
    if (index >= self->disowned_first && index < self->disowned_end)
        return;
    link_report(loss->link, loss->session,
        &(body_report_t){.error = (uint16_t)error,
            .reason = (uint16_t)loss->reason,
            .settled = index < self->told,
            .origin = mail->origin->node,
            .session = mail->session,
            .number = mail->number,
            .name = loss->name});
}

/* Frees the messages of the copies that wait; they count as handed over from then on. */
static void peer_writer_drop(peer_writer_t *self)
{
    for (; self->handed < self->next; self->handed++) {
        handover_close(&peer_writer_at(self, self->handed)->sender);
        handover_close(&peer_writer_at(self, self->handed)->payload);
    }
    self->waiting_size = 0;
}

unsigned peer_writer_return(peer_writer_t *self, const peer_loss_t *loss)
{
    unsigned count = 0;
    for (uint64_t i = self->handed; i < self->next; i++, count++) {
        peer_writer_report(self, i, loss, FERRY_ERROR_UNDELIVERED);
        peer_writer_at(self, i)->returned = true;
    }
    self->returned += count;
    peer_writer_drop(self);
    return count;
}

unsigned peer_writer_doubt(peer_writer_t *self, const peer_loss_t *loss)
{
    unsigned count = 0;
    for (; self->acknowledged < self->handed; self->acknowledged++) {
        const mail_t *mail = peer_writer_at(self, self->acknowledged);
        self->returned -= mail->returned;
        if (mail->returned)
            continue;
        peer_writer_report(self, self->acknowledged, loss, FERRY_ERROR_UNCONFIRMED);
        count++;
    }
    peer_writer_release(self, loss->link);
    return count;
}

void peer_writer_forget(peer_writer_t *self, link_t *link)
{
    peer_writer_drop(self);
    self->told = self->acknowledged = self->stated = self->next;
    self->returned = 0;
    peer_writer_release(self, link);
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

bool peer_writer_is_stalled(const peer_writer_t *self, const peer_limits_t *limits, uint64_t now_ms)
{
    bool is_silent = self->ping_first < self->ping_next &&
                     now_ms - self->pings[self->ping_first % WRITER_PINGS_MAX].sent_ms >= limits->stall_time_ms;
    return is_silent || (self->handed < self->next && now_ms - self->handed_ms >= limits->stall_time_ms);
}
