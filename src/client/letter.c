/* SPDX-License-Identifier: MPL-2.0 */
/* letter: recipients are parsed by the rules of the line protocol before anything is kept, so that what a program gets
 * wrong is an error of its call. Threads: see the header. */
#include "client/letter.h"

#include <stdlib.h>

#include "ferry.h"
#include "wire/body.h"

/* The code of the API for what the line's parser found: what cannot stand in a line cannot stand in a name. */
static int letter_error(int error)
{
    bool is_own = error == 0 || error == -FERRY_E_NO_RECIPIENT || error == -FERRY_E_TOO_MANY_RECIPIENTS;
    return is_own ? error : -FERRY_E_BAD_NAME;
}

int letter_address(line_t *line, buffer_t *to, const char *recipients)
{
    static const line_limits_t limits = {
        .line_size = SIZE_MAX, .name_size = FERRY_NAME_MAX, .recipient_count = FERRY_RECIPIENTS_MAX};
    if (*recipients == '/' || strchr(recipients, ':'))
        return -FERRY_E_BAD_NAME;
    buffer_clear(to);
    buffer_append(to, recipients, strlen(recipients));
    buffer_append(to, ":", 1);
    return letter_error(line_parse(line, buffer_span(to), &limits));
}

/* A text that a client of the line protocol could have sent is one that such a client may get. */
static unsigned letter_flags(span_t text)
{
    bool is_line = text.size == 0 || (text.size <= LETTER_LINE_SIZE && line_check_text(text) == 0);
    return is_line ? 0 : BODY_FLAG_OPAQUE;
}

size_t letter_size(const line_t *line)
{
    size_t size = sizeof(command_t) + line->text.size;
    for (unsigned i = 0; i < line->recipient_count; i++)
        size += 1 + line->recipients[i].size;
    return size;
}

void letter_write(const letter_t *self, zmq_msg_t *frame)
{
    const line_t *line = &self->line;
    if (zmq_msg_init_size(frame, letter_size(line)) != 0)
        abort();
    uint8_t *at = zmq_msg_data(frame);
    command_t command = {.kind = self->kind,
        .count = line->recipient_count,
        .number = self->number,
        .size = self->flags | letter_flags(line->text),
        .detail = self->detail};
    memcpy(at, &command, sizeof command);
    at += sizeof command;
    for (unsigned i = 0; i < line->recipient_count; i++) {
        *at++ = (uint8_t)line->recipients[i].size;
        memcpy(at, line->recipients[i].data, line->recipients[i].size);
        at += line->recipients[i].size;
    }
    if (line->text.size)
        memcpy(at, line->text.data, line->text.size);
}

void letter_read(letter_t *self, zmq_msg_t *frame)
{
    command_t command;
    const char *at = zmq_msg_data(frame), *end = at + zmq_msg_size(frame);
    memcpy(&command, at, sizeof command);
    at += sizeof command;
    self->kind = (command_kind_t)command.kind;
    self->number = command.number;
    self->detail = command.detail;
    self->size = zmq_msg_size(frame);
    self->flags = (unsigned)command.size;
    self->line.recipient_count = command.count;
    for (unsigned i = 0; i < command.count; i++) {
        size_t size = (uint8_t)*at++;
        self->line.recipients[i] = span_of(at, size);
        at += size;
    }
    self->line.text = span_of(at, (size_t)(end - at));
}
