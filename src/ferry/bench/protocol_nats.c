/* SPDX-License-Identifier: MPL-2.0 */
/* protocol_nats: a NATS server. Nothing is confirmed (verbose is false, as programs usually have it), so a PING stands
 * behind what must be known to be done. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ferry/bench/protocol.h"

static size_t nats_login(char *out, const char *name)
{
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX,
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,\"tls_required\":false,\"lang\":\"c\","
        "\"version\":\"%s\",\"protocol\":0,\"name\":\"%s\"}\r\nPING\r\n",
        FERRY_VERSION, name);
}

static size_t nats_subscribe(char *out, destination_t destination)
{
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX, "SUB %s 1\r\nPING\r\n", destination.name);
}

static size_t nats_leave(char *out)
{
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX, "PING\r\n");
}

static frame_layout_t nats_end(char *out, size_t head_size, size_t name_at, size_t text_size)
{
    memcpy(out + head_size + text_size, "\r\n", 2);
    return (frame_layout_t){.size = head_size + text_size + 2, .text_at = head_size, .name_at = name_at};
}

static frame_layout_t nats_message(char *out, destination_t to, size_t text_size)
{
    size_t head = (size_t)snprintf(out, PROTOCOL_OVERHEAD_MAX, "PUB %s %zu\r\n", to.name, text_size);
    return nats_end(out, head, strlen("PUB ") + PROTOCOL_NAME_SIZE - PROTOCOL_DIGITS_SIZE, text_size);
}

static frame_layout_t nats_arrival(char *out, const char *from, destination_t to, size_t text_size)
{
    (void)from;
    size_t head = (size_t)snprintf(out, PROTOCOL_OVERHEAD_MAX, "MSG %s 1 %zu\r\n", to.name, text_size);
    return nats_end(out, head, PROTOCOL_NOWHERE, text_size);
}

/* The line says how long the text behind it is: its last word. */
static event_t nats_decode_message(span_t input, event_t line)
{
    const char *word = line.text.data + line.text.size;
    while (word > line.text.data && word[-1] != ' ')
        word--;
    size_t text_size = strtoul(word, NULL, 10);
    if (input.size < line.size + text_size + 2)
        return (event_t){0};
    return (event_t){
        .size = line.size + text_size + 2, .kind = EVENT_MESSAGE, .text = span_of(input.data + line.size, text_size)};
}

static event_t nats_decode(span_t input)
{
    event_t event = protocol_take_line(input);
    if (event.size == 0)
        return event;
    if (protocol_starts_with(event.text, "MSG "))
        return nats_decode_message(input, event);
    if (protocol_starts_with(event.text, "PONG")) {
        event.kind = EVENT_CONFIRMED;
    } else if (protocol_starts_with(event.text, "PING")) {
        event.kind = EVENT_PING;
        event.text = span_str("\r\n");
    } else if (!protocol_starts_with(event.text, "INFO") && !protocol_starts_with(event.text, "+OK")) {
        event.kind = EVENT_ERROR;
    }
    return event;
}

const protocol_t protocol_nats = {
    .name = "nats",
    .address = "tcp://127.0.0.1:4222",
    .text_max = 60000,
    .leave_is_confirmed = true,
    .closes_itself = true,
    .login = nats_login,
    .subscribe = nats_subscribe,
    .leave = nats_leave,
    .message = nats_message,
    .arrival = nats_arrival,
    .decode = nats_decode,
};
