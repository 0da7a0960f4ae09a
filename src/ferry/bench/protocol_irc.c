/* SPDX-License-Identifier: MPL-2.0 */
/* protocol_irc: an IRC server (RFC 2812). A line has 512 bytes at most, with its end and the prefix that the server
 * puts before it, which holds the client's host, so that nobody can foretell it. */
#include <stdint.h>
#include <stdio.h>

#include "ferry/bench/protocol.h"

static size_t irc_login(char *out, const char *name)
{
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX, "NICK %s\r\nUSER %s 0 * :%s\r\n", name, name, name);
}

static size_t irc_subscribe(char *out, destination_t destination)
{
    return destination.is_group ? (size_t)snprintf(out, PROTOCOL_SAY_MAX, "JOIN #%s\r\n", destination.name) : 0;
}

static size_t irc_leave(char *out)
{
    return (size_t)snprintf(out, PROTOCOL_SAY_MAX, "QUIT\r\n");
}

static frame_layout_t irc_message(char *out, destination_t to, size_t text_size)
{
    size_t head = (size_t)snprintf(out, PROTOCOL_OVERHEAD_MAX, "PRIVMSG %s%s :", to.is_group ? "#" : "", to.name);
    memcpy(out + head + text_size, "\r\n", 2);
    return (frame_layout_t){.size = head + text_size + 2, .text_at = head, .name_at = head - 2 - PROTOCOL_DIGITS_SIZE};
}

/* What stands behind the next space. */
static span_t next_word(span_t line)
{
    const char *space = memchr(line.data, ' ', line.size);
    const char *word = space ? space + 1 : line.data + line.size;
    return span_of(word, line.size - (size_t)(word - line.data));
}

static event_kind_t numeric_kind(span_t command)
{
    static const char welcome[] = "001 ", end_of_names[] = "366 ", no_motd[] = "422 ";
    if (protocol_starts_with(command, welcome) || protocol_starts_with(command, end_of_names))
        return EVENT_CONFIRMED;
    bool is_error = *command.data == '4' || *command.data == '5';
    return is_error && !protocol_starts_with(command, no_motd) ? EVENT_ERROR : EVENT_NOTHING;
}

static event_t irc_decode(span_t input)
{
    event_t event = protocol_take_line(input);
    if (event.size == 0)
        return event;
    span_t command = protocol_starts_with(event.text, ":") ? next_word(event.text) : event.text;
    if (protocol_starts_with(command, "PRIVMSG ")) {
        event.kind = EVENT_MESSAGE;
        event.text = next_word(next_word(command));
        if (protocol_starts_with(event.text, ":"))
            event.text = span_of(event.text.data + 1, event.text.size - 1);
    } else if (protocol_starts_with(command, "PING")) {
        event.kind = EVENT_PING;
        event.text = span_of(command.data + 4, (size_t)(input.data + event.size - command.data) - 4);
    } else if (protocol_starts_with(command, "ERROR")) {
        event.kind = EVENT_ERROR;
    } else if (command.size > 3) {
        event.kind = numeric_kind(command);
    }
    return event;
}

const protocol_t protocol_irc = {
    .name = "irc",
    .address = "tcp://127.0.0.1:6667",
    .text_max = 400,
    .writers_join = true,
    .login = irc_login,
    .subscribe = irc_subscribe,
    .leave = irc_leave,
    .message = irc_message,
    .decode = irc_decode,
};
