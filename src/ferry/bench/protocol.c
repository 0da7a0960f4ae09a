/* SPDX-License-Identifier: MPL-2.0 */
/* protocol: the list of them, and what those that have lines share. */
#include "ferry/bench/protocol.h"

static const protocol_t *const protocols[] = {
    &protocol_line,
    &protocol_nats,
    &protocol_mqtt,
    &protocol_redis,
    &protocol_irc,
};

const protocol_t *protocol_find(const char *name)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (strcmp(protocols[i]->name, name) == 0)
            return protocols[i];
    return NULL;
}

event_t protocol_take_line(span_t input)
{
    const char *end = memchr(input.data, '\n', input.size);
    if (!end)
        return (event_t){0};
    size_t size = (size_t)(end - input.data);
    size_t text_size = size > 0 && end[-1] == '\r' ? size - 1 : size;
    return (event_t){.size = size + 1, .text = span_of(input.data, text_size)};
}

bool protocol_starts_with(span_t text, const char *start)
{
    size_t size = strlen(start);
    return text.size >= size && memcmp(text.data, start, size) == 0;
}
