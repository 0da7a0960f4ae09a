/* SPDX-License-Identifier: MPL-2.0 */
/* protocol_line: a FerryMQ gateway (proto/line.md). A login that succeeds is silent, so a /ping stands behind it. */
#include <stdint.h>
#include <stdio.h>

#include "ferry/bench/protocol.h"

static size_t line_login(char *out, const char *name)
{
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX, "%s\n/ping in\n", name);
}

static size_t line_subscribe(char *out, destination_t destination)
{
    return destination.is_group ? (size_t)snprintf(out, PROTOCOL_SAY_MAX, "/join #%s\n", destination.name) : 0;
}

static size_t line_leave(char *out)
{
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX, "/quit\n");
}

static frame_layout_t line_end(char *out, size_t head_size, size_t name_end, size_t text_size)
{
    out[head_size + text_size] = '\n';
    return (frame_layout_t){
        .size = head_size + text_size + 1, .text_at = head_size, .name_at = name_end - PROTOCOL_DIGITS_SIZE};
}

static frame_layout_t line_message(char *out, destination_t to, size_t text_size)
{
    size_t head = (size_t)snprintf(out, PROTOCOL_OVERHEAD_MAX, "%s%s: ", to.is_group ? "#" : "", to.name);
    return line_end(out, head, head - 2, text_size);
}

static frame_layout_t line_arrival(char *out, const char *from, destination_t to, size_t text_size)
{
    size_t head = to.is_group ? (size_t)snprintf(out, PROTOCOL_OVERHEAD_MAX, "from %s #%s: ", from, to.name)
                              : (size_t)snprintf(out, PROTOCOL_OVERHEAD_MAX, "from %s: ", from);
    return line_end(out, head, strlen("from ") + PROTOCOL_NAME_SIZE, text_size);
}

/* The text behind "from NAME: ", or "from NAME #GROUP: "; a text that is empty leaves the space. */
static event_t line_decode_message(event_t line)
{
    const char *colon = memchr(line.text.data, ':', line.text.size);
    size_t head = colon ? (size_t)(colon - line.text.data) + 2 : SIZE_MAX;
    if (head > line.text.size)
        return (event_t){.size = line.size, .kind = EVENT_ERROR, .text = line.text};
    return (event_t){
        .size = line.size, .kind = EVENT_MESSAGE, .text = span_of(line.text.data + head, line.text.size - head)};
}

/* News are passed over, but for those that say that no more is taken. */
static event_t line_decode(span_t input)
{
    event_t event = protocol_take_line(input);
    if (event.size == 0)
        return event;
    if (protocol_starts_with(event.text, "from "))
        return line_decode_message(event);
    if (protocol_starts_with(event.text, "ok "))
        event.kind = EVENT_CONFIRMED;
    else if (!protocol_starts_with(event.text, "info ") || protocol_starts_with(event.text, "info draining"))
        event.kind = EVENT_ERROR;
    return event;
}

const protocol_t protocol_line = {
    .name = "line",
    .address = "tcp://127.0.0.1:7400",
    .text_max = 60000,
    .leave_is_confirmed = true,
    .closes_itself = true,
    .login = line_login,
    .subscribe = line_subscribe,
    .leave = line_leave,
    .message = line_message,
    .arrival = line_arrival,
    .decode = line_decode,
};
