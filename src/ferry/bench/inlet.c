/* SPDX-License-Identifier: MPL-2.0 */
/* inlet: a message is a head with the names, a stamp, and a rest that is always the same. */
#include "ferry/bench/inlet.h"

#include <czmq.h>

#include "ferry/bench/stamp.h"

/* Writes a frame as client `to` reads it from client `from`. */
static frame_layout_t foretell(const plan_t *plan, unsigned from, unsigned to, char *frame)
{
    char from_name[PLAN_NAME_SIZE], to_name[PLAN_NAME_SIZE];
    bool is_group = plan->work == WORK_FANOUT;
    plan_client_name(plan, from, from_name);
    if (is_group)
        plan_group_name(plan, to_name);
    else
        plan_client_name(plan, to, to_name);
    return plan->protocol->arrival(
        frame, from_name, (destination_t){.name = to_name, .is_group = is_group}, plan->text_size);
}

void inlet_shape_init(inlet_shape_t *self, const plan_t *plan)
{
    *self = (inlet_shape_t){.plan = plan, .foretold = plan->protocol->arrival != NULL};
    self->stamp_size = plan->is_timed ? 2 * STAMP_SIZE : STAMP_SIZE;
    self->rest_size = plan->text_size - self->stamp_size;
    char *frame = zmalloc(plan->text_size + PROTOCOL_OVERHEAD_MAX);
    size_t rest_at = 0;
    if (self->foretold) {
        self->layout = foretell(plan, 0, 1 % plan->client_count, frame);
        rest_at = self->layout.text_at + self->stamp_size;
    }
    memset(frame + rest_at, 'x', self->rest_size);
    if (self->foretold)
        self->rest_size = self->layout.size - rest_at;
    self->rest = zmalloc(self->rest_size + 1);
    memcpy(self->rest, frame + rest_at, self->rest_size);
    free(frame);
}

void inlet_shape_fini(inlet_shape_t *self)
{
    free(self->rest);
    self->rest = NULL;
}

void inlet_init(inlet_t *self, const inlet_shape_t *shape, unsigned client)
{
    *self = (inlet_t){0};
    if (!shape->foretold)
        return;
    unsigned sender = plan_only_sender(shape->plan, client);
    self->head_sender = sender == PLAN_NO_CLIENT ? 0 : sender;
    char *frame = zmalloc(shape->plan->text_size + PROTOCOL_OVERHEAD_MAX);
    foretell(shape->plan, self->head_sender, client, frame);
    self->head = zmalloc(shape->layout.text_at + 1);
    memcpy(self->head, frame, shape->layout.text_at);
    free(frame);
}

void inlet_fini(inlet_t *self)
{
    free(self->head);
    free(self->held);
    *self = (inlet_t){0};
}

/* Reads what is not the same in all messages. */
static bool read_stamp(const inlet_shape_t *shape, const char *text, arrival_t *arrival)
{
    if (!stamp_read(text, &arrival->stamp))
        return false;
    arrival->sender = stamp_sender(arrival->stamp);
    if (arrival->sender >= shape->plan->client_count)
        return false;
    return !shape->plan->is_timed || stamp_read(text + STAMP_SIZE, &arrival->due_ns);
}

/* N.B. comparing right behind a write of four bytes stalls the processor; so they are written only when they change. */
static void name_sender(inlet_t *self, const inlet_shape_t *shape, unsigned sender)
{
    if (sender == self->head_sender || shape->layout.name_at == PROTOCOL_NOWHERE)
        return;
    self->head_sender = sender;
    memcpy(self->head + shape->layout.name_at, shape->plan->digits[sender], PROTOCOL_DIGITS_SIZE);
}

bool inlet_match(inlet_t *self, const inlet_shape_t *shape, const char *input, size_t size, arrival_t *arrival)
{
    const frame_layout_t *layout = &shape->layout;
    if (!self->head || size < layout->size || !read_stamp(shape, input + layout->text_at, arrival))
        return false;
    name_sender(self, shape, arrival->sender);
    return memcmp(input, self->head, layout->text_at) == 0 &&
           memcmp(input + layout->text_at + shape->stamp_size, shape->rest, shape->rest_size) == 0;
}

bool inlet_match_text(const inlet_shape_t *shape, span_t text, arrival_t *arrival)
{
    return text.size == shape->plan->text_size && read_stamp(shape, text.data, arrival) &&
           memcmp(text.data + shape->stamp_size, shape->rest, text.size - shape->stamp_size) == 0;
}

void inlet_hold(inlet_t *self, const char *rest, size_t size)
{
    free(self->held);
    self->held = NULL;
    self->held_size = size;
    if (size > 0) {
        self->held = zmalloc(size);
        memcpy(self->held, rest, size);
    }
}
