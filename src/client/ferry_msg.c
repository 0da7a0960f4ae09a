/* SPDX-License-Identifier: MPL-2.0 */
/* ferry_msg: the frame as it came from the carrier; what is asked for lies in it, with its NUL. Nothing fails but by
 * abort. Owner: whoever has it. */
#include "client/ferry_msg.h"

#include <stdlib.h>

#include "base/handover.h"
#include "client/channel.h"
#include "wire/error.h"
#include "wire/reason.h"

struct ferry_msg {
    zmq_msg_t frame;
    event_t event;
    const char *name; /* within the frame, as is the data behind it */
};

ferry_msg_t *ferry_msg_new(zmq_msg_t *frame)
{
    ferry_msg_t *self = malloc(sizeof *self);
    if (!self)
        abort();
    zmq_msg_init(&self->frame);
    zmq_msg_move(&self->frame, frame);
    memcpy(&self->event, zmq_msg_data(&self->frame), sizeof self->event);
    self->name = (const char *)zmq_msg_data(&self->frame) + sizeof self->event;
    return self;
}

void ferry_msg_destroy(ferry_msg_t **self_p)
{
    ferry_msg_t *self = *self_p;
    if (!self)
        return;
    handover_close(&self->frame);
    free(self);
    *self_p = NULL;
}

int ferry_msg_kind(const ferry_msg_t *self)
{
    return self->event.kind;
}

const char *ferry_msg_sender(const ferry_msg_t *self)
{
    return self->event.kind == FERRY_MESSAGE || self->event.kind == FERRY_JOB ? self->name : "";
}

/* The group or the service. */
static const char *ferry_msg_place(const ferry_msg_t *self)
{
    return self->name + self->event.name_size + 1;
}

const void *ferry_msg_data(const ferry_msg_t *self)
{
    return ferry_msg_place(self) + self->event.place_size + 1;
}

size_t ferry_msg_size(const ferry_msg_t *self)
{
    return zmq_msg_size(&self->frame) - sizeof self->event - self->event.name_size - self->event.place_size - 3;
}

const char *ferry_msg_group(const ferry_msg_t *self)
{
    return self->event.kind == FERRY_MESSAGE ? ferry_msg_place(self) : "";
}

const char *ferry_msg_service(const ferry_msg_t *self)
{
    return self->event.kind == FERRY_JOB ? ferry_msg_place(self) : "";
}

int64_t ferry_msg_job(const ferry_msg_t *self)
{
    return self->event.kind == FERRY_JOB ? (int64_t)self->event.number : 0;
}

int64_t ferry_msg_number(const ferry_msg_t *self)
{
    return self->event.kind == FERRY_JOB ? 0 : (int64_t)self->event.number;
}

const char *ferry_msg_recipient(const ferry_msg_t *self)
{
    return self->event.kind == FERRY_FAILURE ? self->name : "";
}

int ferry_msg_error(const ferry_msg_t *self)
{
    return self->event.error == FERRY_ERROR_TIMEOUT ? FERRY_E_TIMEOUT : self->event.error;
}

const char *ferry_msg_reason(const ferry_msg_t *self)
{
    return self->event.reason ? reason_code(self->event.reason) : "";
}
