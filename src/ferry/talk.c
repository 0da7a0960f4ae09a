/* SPDX-License-Identifier: MPL-2.0 */
/* talk: every line is kept until it is known to have ended. A gateway that is stopped says how many lines it took, and
 * the next conversation goes on exactly there. One that is killed says nothing: it took what it has answered a ping
 * behind, and what was written after that may have arrived or not. What it took last may be lost with it, so a line is
 * only out of doubt when TALK_WINDOW bytes more were taken: a gateway does not take more than link/window and
 * link/batch (384 KiB unless configured) before the recipients' gateways have the first of it. What can fail is a
 * connection; another is looked for, with a back-off, until the time is up. Single-threaded. */
#include "ferry/talk.h"

#include <czmq.h>
#include <inttypes.h>
#include <poll.h>

#include "base/buffer.h"
#include "ferry/backoff.h"
#include "ferry/client.h"
#include "ferry/display.h"
#include "ferry/kept.h"

enum {
    TALK_WINDOW = 512 << 10, /* bytes of lines that are taken and may be lost with the gateway */
    OPEN_SIZE = 1 << 20,     /* bytes of lines that are not known to be taken, above which no input is asked for */
    WAITING_SIZE = 64 << 10, /* the same of lines that wait for a conversation */
    REFUSAL_SIZE = 128,
};

struct talk {
    talk_options_t options;
    char *gateways; /* the addresses, each with its NUL */
    char *gateway;  /* the one of the present or last conversation */
    size_t gateways_size;
    client_t *client; /* NULL between two conversations */
    kept_t *kept;
    uint64_t base; /* lines before the present conversation */
    uint64_t doubt_first;
    uint64_t doubt_end;
    uint64_t error_count;
    backoff_t backoff;
    int64_t deadline_ms; /* for finding another gateway */
    int64_t next_ms;     /* the next attempt */
    bool met;            /* a login was confirmed, ever */
    bool confirmed;      /* and in the present conversation */
    bool leaving;
    bool late;                  /* the deadline has passed */
    bool doubted;               /* lines were in doubt, ever */
    client_ending_t ending;     /* how the last conversation ended, but for those that were not confirmed */
    char refusal[REFUSAL_SIZE]; /* why the last attempt failed, in the gateway's words */
};

static char *gateways_split(const char *list, size_t *size)
{
    *size = strlen(list) + 1;
    char *gateways = memcpy(zmalloc(*size), list, *size);
    for (char *at = gateways; (at = strchr(at, ','));)
        *at++ = '\0';
    return gateways;
}

static void gateway_next(talk_t *self)
{
    self->gateway += strlen(self->gateway) + 1;
    if (self->gateway >= self->gateways + self->gateways_size)
        self->gateway = self->gateways;
}

talk_t *talk_new(const talk_options_t *options)
{
    talk_t *self = zmalloc(sizeof *self);
    self->options = *options;
    self->kept = kept_new();
    self->gateways = gateways_split(options->gateways, &self->gateways_size);
    self->gateway = self->gateways;
    do {
        self->client = client_new(self->gateway, options->name, false);
        if (!self->client)
            gateway_next(self);
    } while (!self->client && self->gateway != self->gateways);
    if (!self->client)
        talk_destroy(&self);
    return self;
}

void talk_destroy(talk_t **self_p)
{
    talk_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    client_destroy(&self->client);
    kept_destroy(&self->kept);
    free(self->gateways);
    free(self);
}

void talk_say(talk_t *self, span_t head, span_t rest)
{
    if (!self->leaving)
        kept_add(self->kept, head, rest);
}

void talk_leave(talk_t *self)
{
    self->leaving = true;
}

/* Gives the conversation what it has room for. */
static void talk_feed(talk_t *self)
{
    span_t line;
    while (client_has_room(self->client) && kept_next(self->kept, &line))
        client_say(self->client, line, span_str(""));
    if (self->leaving && self->confirmed && kept_cursor(self->kept) == kept_end(self->kept))
        client_leave(self->client);
}

/* Lets go of what needs not be kept any more. */
static void talk_note(talk_t *self)
{
    size_t size = self->options.doubt == TALK_DOUBT_PASSES ? 0 : TALK_WINDOW;
    kept_taken(self->kept, self->base + client_taken(self->client), size);
}

static bool talk_wants_input(const talk_t *self)
{
    return self->met && !self->leaving && kept_open_size(self->kept) < OPEN_SIZE &&
           kept_waiting_size(self->kept) < WAITING_SIZE;
}

/* True if nothing is left to say and nothing will be. */
static bool talk_is_done(const talk_t *self)
{
    return self->leaving && kept_cursor(self->kept) == kept_end(self->kept);
}

/* True if a login that was put off is tried again. Only a gateway that drains is known not to mean the first one. */
static bool talk_insists(const talk_t *self)
{
    return client_ending(self->client) == CLIENT_PUT_OFF && self->options.reconnect_s > 0 &&
           (self->met || span_equal(client_line(self->client), span_str("error draining")));
}

/* True if the end of the conversation leads to another one. */
static bool talk_goes_on(const talk_t *self)
{
    if (self->options.reconnect_s == 0 || talk_is_done(self))
        return false;
    switch (client_ending(self->client)) {
    case CLIENT_COUNTED:
        return true;
    case CLIENT_PUT_OFF:
        return self->refusal[0] != '\0';
    case CLIENT_LOST:
        return self->deadline_ms != 0 || (self->met && !(self->options.doubt == TALK_DOUBT_ENDS && self->doubted));
    default:
        return false;
    }
}

/* Puts the cursor where the next conversation begins. */
static void talk_rewind(talk_t *self)
{
    client_ending_t ending = client_ending(self->client);
    uint64_t sent = self->base + client_sent(self->client);
    bool counted = ending == CLIENT_COUNTED || ending == CLIENT_QUIT;
    if (counted)
        kept_taken(self->kept, self->base + client_taken(self->client), 0);
    bool doubt = !counted && sent > kept_first(self->kept) && self->options.doubt != TALK_DOUBT_REPEATS;
    self->doubt_first = kept_first(self->kept);
    self->doubt_end = doubt ? sent : self->doubt_first;
    self->doubted |= doubt;
    kept_seek(self->kept, self->doubt_end);
}

/* The conversation has ended. True if the caller is to know. */
static bool talk_on_end(talk_t *self, talk_event_t *event)
{
    bool confirmed = self->confirmed;
    bool counted = client_ending(self->client) == CLIENT_COUNTED;
    if (confirmed || !self->met)
        self->ending = client_ending(self->client);
    talk_rewind(self);
    *event = counted ? TALK_STOPPED : TALK_LOST;
    if (!talk_goes_on(self)) {
        *event = TALK_END;
        return true;
    }
    client_destroy(&self->client);
    gateway_next(self);
    int64_t now_ms = zclock_mono();
    if (self->deadline_ms == 0)
        self->deadline_ms = now_ms + (int64_t)self->options.reconnect_s * 1000;
    self->next_ms = now_ms + backoff_next(&self->backoff);
    return confirmed;
}

static talk_event_t talk_on_confirmed(talk_t *self)
{
    talk_event_t event = self->met ? TALK_BACK : TALK_CONFIRMED;
    self->met = true;
    self->confirmed = true;
    self->deadline_ms = 0;
    self->backoff = (backoff_t){0};
    return event;
}

/* An error line has come. True if the caller is to know. */
static bool talk_on_error(talk_t *self)
{
    span_t line = client_line(self->client);
    if (!talk_insists(self)) {
        self->error_count++;
        return true;
    }
    snprintf(self->refusal, sizeof self->refusal, "%.*s", (int)line.size, line.data);
    return false;
}

/* Waits for the next event of the conversation. True if the caller is to know. */
static bool talk_converse(talk_t *self, int input, int signals, talk_event_t *event)
{
    static const talk_event_t events[] = {
        [CLIENT_MESSAGE] = TALK_MESSAGE,
        [CLIENT_ERROR] = TALK_ERROR,
        [CLIENT_ANSWER] = TALK_ANSWER,
        [CLIENT_INPUT] = TALK_INPUT,
        [CLIENT_SIGNAL] = TALK_SIGNAL,
    };
    talk_feed(self);
    client_event_t came = client_wait(self->client, talk_wants_input(self) ? input : -1, signals);
    talk_note(self);
    if (came == CLIENT_PROGRESS)
        return false;
    if (came == CLIENT_END)
        return talk_on_end(self, event);
    *event = came == CLIENT_CONFIRMED ? talk_on_confirmed(self) : events[came];
    return came != CLIENT_ERROR || talk_on_error(self);
}

/* Lines that passed in doubt are not said again. */
static void talk_begin(talk_t *self)
{
    kept_taken(self->kept, kept_cursor(self->kept), 0);
    self->base = kept_cursor(self->kept);
    self->confirmed = false;
    self->refusal[0] = '\0';
    client_set_deadline(self->client, self->deadline_ms);
}

static void talk_dial(talk_t *self)
{
    self->client = client_new(self->gateway, self->options.name, true);
    if (self->client) {
        talk_begin(self);
        return;
    }
    gateway_next(self);
    self->next_ms = zclock_mono() + backoff_next(&self->backoff);
}

/* Waits for the next attempt, or makes it. True if the caller is to know of something. */
static bool talk_look(talk_t *self, int input, int signals, talk_event_t *event)
{
    int64_t now_ms = zclock_mono();
    self->late = now_ms >= self->deadline_ms;
    *event = TALK_END;
    if (self->late || talk_is_done(self))
        return true;
    if (now_ms >= self->next_ms) {
        talk_dial(self);
        return false;
    }
    struct pollfd waits[] = {
        {.fd = talk_wants_input(self) ? input : -1, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    if (poll(waits, 2, (int)(self->next_ms - now_ms)) <= 0)
        return false;
    *event = waits[1].revents ? TALK_SIGNAL : TALK_INPUT;
    return true;
}

talk_event_t talk_wait(talk_t *self, int input, int signals)
{
    talk_event_t event;
    while (!(self->client ? talk_converse : talk_look)(self, input, signals, &event))
        continue;
    return event;
}

span_t talk_line(const talk_t *self)
{
    return client_line(self->client);
}

uint64_t talk_said(const talk_t *self)
{
    return kept_end(self->kept);
}

bool talk_doubt(const talk_t *self, uint64_t *first, uint64_t *end)
{
    *first = self->doubt_first;
    *end = self->doubt_end;
    return *end > *first;
}

uint64_t talk_rest(const talk_t *self)
{
    return kept_cursor(self->kept);
}

bool talk_said_line(const talk_t *self, uint64_t number, span_t *line)
{
    return kept_line(self->kept, number, line);
}

uint64_t talk_error_count(const talk_t *self)
{
    return self->error_count;
}

bool talk_stopped(const talk_t *self)
{
    return self->ending == CLIENT_COUNTED;
}

talk_result_t talk_result(const talk_t *self)
{
    bool ended = self->ending == CLIENT_COUNTED || self->ending == CLIENT_QUIT;
    if (self->options.doubt == TALK_DOUBT_ENDS && self->doubted)
        return TALK_DOUBTED;
    return ended && !self->late && !self->doubted && talk_rest(self) == talk_said(self) ? TALK_SETTLED : TALK_FAILED;
}

/* Numbers for the user begin with 1. */
static void complain_of_lines(const talk_t *self)
{
    char doubt[80] = "";
    const char *unit = self->options.unit;
    if (self->doubt_end > self->doubt_first)
        snprintf(doubt, sizeof doubt, ", in doubt: %" PRIu64 " to %" PRIu64, self->doubt_first + 1, self->doubt_end);
    display_complain("ferry: %ss taken: %" PRIu64 "%s, first %s not taken: %" PRIu64, unit, self->doubt_first, doubt,
        unit, talk_rest(self) + 1);
}

void talk_complain(const talk_t *self)
{
    if (self->ending == CLIENT_QUIT) {
        display_complain("ferry: %ss were in doubt when a connection was lost", self->options.unit);
        return;
    }
    if (self->client)
        client_complain(self->client);
    else
        display_complain("ferry: no gateway took over within %" PRIu64 " s%s%s", self->options.reconnect_s,
            self->refusal[0] ? ": " : "", self->refusal);
    if (self->met)
        complain_of_lines(self);
}
