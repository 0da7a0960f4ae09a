/* SPDX-License-Identifier: MPL-2.0 */
/* held_list: HELD and ENDED records in the making. Nothing fails but by abort. Owner: the router's thread. */
#include "broker/held_list.h"

#include "wire/bytes.h"

#define LIST_OFFSETS_MAX 1024 /* in one record */

void held_list_flush(held_list_t *self)
{
    if (!self->to)
        return;
    if (!node_is_restating(self->to))
        node_tell(self->to, &(control_t){.type = self->type,
                                .held = {.handle = self->handle,
                                    .again = self->again,
                                    .lent = self->lent_name.size > 0,
                                    .name = self->lent_name,
                                    .numbers = {.first = self->first, .offsets = buffer_span(&self->offsets)}}});
    self->to = NULL;
    buffer_clear(&self->offsets);
}

void held_list_add(held_list_t *self, node_t *to, uint64_t number)
{
    bool fits = self->to == to && number > self->last && number - self->first <= UINT32_MAX &&
                buffer_size(&self->offsets) < LIST_OFFSETS_MAX * sizeof(uint32_t);
    if (fits) {
        bytes_put32(buffer_reserve(&self->offsets, 4), (uint32_t)(number - self->first));
        buffer_commit(&self->offsets, 4);
    } else {
        held_list_flush(self);
        self->to = to;
        self->first = number;
    }
    self->last = number;
}

void held_list_fini(held_list_t *self)
{
    held_list_flush(self);
    buffer_fini(&self->offsets);
}
