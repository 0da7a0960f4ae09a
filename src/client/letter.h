/* SPDX-License-Identifier: MPL-2.0 */
/* letter: a message on its way from the program to its carrier, in one frame: a command, the names, the text. The end
 * of a job is one, too, without either, since it may not overtake what was sent before. Made by the program's thread,
 * read by the carrier's. */
#ifndef FERRY_CLIENT_LETTER_H
#define FERRY_CLIENT_LETTER_H

#include <zmq.h>

#include "base/buffer.h"
#include "client/channel.h"
#include "wire/line.h"

#define LETTER_LINE_SIZE 65536 /* bytes; what is longer is no line that a gateway's client could have written */

#define LETTER_LABEL_SIZE 32                    /* bytes that a request's label needs, at most */
#define LETTER_REPLY_SIZE (2 * (1 + UINT8_MAX)) /* that an answer needs for who has asked and the label */

/* A letter that was read; its spans are borrowed from the frame. */
typedef struct {
    command_kind_t kind;
    uint64_t number; /* of the message */
    uint64_t detail; /* as the command has it */
    size_t size;     /* bytes of the frame: what the program counts as waiting */
    unsigned flags;  /* BODY_FLAG_… */
    line_t line;     /* recipients and text; line.recipients is the reader's array */
} letter_t;

/* Reads "bob, carol" into line->recipients, an array of FERRY_RECIPIENTS_MAX that the caller has set; spans are
 * borrowed from `to`, which gets a copy of the text. Returns 0, or -FERRY_E_BAD_NAME, -FERRY_E_NO_RECIPIENT or
 * -FERRY_E_TOO_MANY_RECIPIENTS. */
int letter_address(line_t *line, buffer_t *to, const char *recipients);

/* Makes the frame for self->line, a message to its recipients that says its text, with self->flags; BODY_FLAG_OPAQUE is
 * added if that is no line. self->size need not be set. */
void letter_write(const letter_t *self, zmq_msg_t *frame);

/* The bytes of the frame that letter_write makes. */
size_t letter_size(const line_t *line);

/* Reads such a frame; self->line.recipients must be set to an array of FERRY_RECIPIENTS_MAX. */
void letter_read(letter_t *self, zmq_msg_t *frame);

#endif
