/* SPDX-License-Identifier: MPL-2.0 */
/* protocol_redis: a Redis server, version 6 or later. RESP3, since there a client may publish while it is subscribed.
 * Each PUBLISH is answered with a number, which is read and passed over. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ferry/bench/protocol.h"

enum { DEPTH_MAX = 8 };

static size_t redis_login(char *out, const char *name)
{
    (void)name;
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
}

static size_t redis_subscribe(char *out, destination_t destination)
{
    return (size_t)snprintf(
        out, PROTOCOL_SAY_MAX, "*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n", strlen(destination.name), destination.name);
}

static size_t redis_leave(char *out)
{
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX, "*1\r\n$4\r\nQUIT\r\n");
}

/* A frame whose text is the last of three strings. */
static frame_layout_t redis_frame(char *out, const char *start, destination_t to, size_t text_size)
{
    size_t name = (size_t)snprintf(out, PROTOCOL_OVERHEAD_MAX, "%s$%zu\r\n%s", start, strlen(to.name), to.name);
    size_t head = name + (size_t)snprintf(out + name, PROTOCOL_OVERHEAD_MAX - name, "\r\n$%zu\r\n", text_size);
    memcpy(out + head + text_size, "\r\n", 2);
    return (frame_layout_t){.size = head + text_size + 2, .text_at = head, .name_at = name - PROTOCOL_DIGITS_SIZE};
}

static frame_layout_t redis_message(char *out, destination_t to, size_t text_size)
{
    return redis_frame(out, "*3\r\n$7\r\nPUBLISH\r\n", to, text_size);
}

static frame_layout_t redis_arrival(char *out, const char *from, destination_t to, size_t text_size)
{
    (void)from;
    frame_layout_t layout = redis_frame(out, ">3\r\n$7\r\nmessage\r\n", to, text_size);
    layout.name_at = PROTOCOL_NOWHERE;
    return layout;
}

/* The size of the value that the input begins with, 0 if it is not all there. Of what holds others, all of them. */
static size_t value_size(span_t input, unsigned depth)
{
    event_t line = input.size ? protocol_take_line(input) : (event_t){0};
    if (line.size == 0 || depth == 0)
        return 0;
    long count = strtol(input.data + 1, NULL, 10);
    switch (input.data[0]) {
    case '$':
    case '=':
        return count < 0 ? line.size : input.size >= line.size + (size_t)count + 2 ? line.size + (size_t)count + 2 : 0;
    case '%':
        count *= 2;
        break;
    case '*':
    case '~':
    case '>':
        break;
    default:
        return line.size;
    }
    size_t size = line.size;
    for (; count > 0; count--) {
        size_t more = value_size(span_of(input.data + size, input.size - size), depth - 1);
        if (more == 0)
            return 0;
        size += more;
    }
    return size;
}

/* Takes the string that `rest` begins with off it; empty if it is none. What it lies in is known to be whole. */
static span_t string_take(span_t *rest)
{
    size_t size = value_size(*rest, 1);
    size_t head_size = size ? protocol_take_line(*rest).size : 0;
    span_t string = {0};
    if (size > head_size && *rest->data == '$')
        string = span_of(rest->data + head_size, size - head_size - 2);
    *rest = span_of(rest->data + size, rest->size - size);
    return string;
}

static event_t push_decode(span_t input, size_t size)
{
    size_t head_size = protocol_take_line(input).size;
    span_t rest = span_of(input.data + head_size, size - head_size);
    span_t kind = string_take(&rest);
    if (span_equal(kind, span_str("subscribe")))
        return (event_t){.size = size, .kind = EVENT_CONFIRMED};
    if (!span_equal(kind, span_str("message")))
        return (event_t){.size = size};
    string_take(&rest);
    return (event_t){.size = size, .kind = EVENT_MESSAGE, .text = string_take(&rest)};
}

static event_t redis_decode(span_t input)
{
    size_t size = value_size(input, DEPTH_MAX);
    if (size == 0)
        return (event_t){0};
    switch (input.data[0]) {
    case ':':
        return (event_t){.size = size};
    case '>':
        return push_decode(input, size);
    case '+':
    case '%':
        return (event_t){.size = size, .kind = EVENT_CONFIRMED};
    default:
        return (event_t){.size = size, .kind = EVENT_ERROR, .text = protocol_take_line(input).text};
    }
}

const protocol_t protocol_redis = {
    .name = "redis",
    .address = "tcp://127.0.0.1:6379",
    .text_max = 60000,
    .leave_is_confirmed = true,
    .login = redis_login,
    .subscribe = redis_subscribe,
    .leave = redis_leave,
    .message = redis_message,
    .arrival = redis_arrival,
    .decode = redis_decode,
};
