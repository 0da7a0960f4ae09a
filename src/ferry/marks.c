/* SPDX-License-Identifier: MPL-2.0 */
/* marks: a short queue of those that are not answered; of the others their number is enough, since a gateway never
 * counts fewer lines than it has answered. Nothing fails; memory that runs out aborts. */
#include "ferry/marks.h"

#include <stdlib.h>
#include <string.h>

void marks_fini(marks_t *self)
{
    free(self->said);
}

uint64_t marks_add(marks_t *self, uint64_t said)
{
    if (self->count == self->capacity) {
        self->capacity = 2 * self->capacity + 16;
        self->said = realloc(self->said, self->capacity * sizeof *self->said);
        if (!self->said)
            abort();
    }
    self->said[self->count++] = said;
    return self->answered + self->count - 1;
}

bool marks_answer(marks_t *self, uint64_t number)
{
    if (self->count == 0 || number != self->answered)
        return false;
    self->answered++;
    self->answered_said = self->said[0];
    self->count--;
    memmove(self->said, self->said + 1, self->count * sizeof *self->said);
    return true;
}

uint64_t marks_said_among(const marks_t *self, uint64_t lines)
{
    uint64_t marks = self->answered;
    if (lines < self->answered_said + marks)
        return self->answered_said;
    for (size_t i = 0; i < self->count && self->said[i] + marks < lines; i++)
        marks++;
    return lines - marks;
}
