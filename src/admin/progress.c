/* SPDX-License-Identifier: MPL-2.0 */
/* progress: what a drain has told so far. The text only grows, so a reader needs no more than its position. Nothing
 * fails. Owner: the admin actor's thread. */
#include "admin/progress.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_SIZE_MAX = 64 * 1024 };

struct progress {
    char *text;
    size_t size;
    bool finished;
};

progress_t *progress_new(void)
{
    progress_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    return self;
}

void progress_destroy(progress_t **self_p)
{
    progress_t *self = *self_p;
    if (!self)
        return;
    free(self->text);
    free(self);
    *self_p = NULL;
}

/* Room for `size` bytes more. */
static char *progress_grow(progress_t *self, size_t size)
{
    self->text = realloc(self->text, self->size + size);
    if (!self->text)
        abort();
    self->size += size;
    return self->text + self->size - size;
}

static void progress_append(progress_t *self, const char *text)
{
    char *at = progress_grow(self, strlen(text));
    for (; *text; text++)
        *at++ = (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text;
}

static void progress_end_line(progress_t *self)
{
    *progress_grow(self, 1) = '\n';
}

void progress_add(progress_t *self, const char *line)
{
    if (self->finished || self->size + strlen(line) >= PROGRESS_SIZE_MAX)
        return;
    progress_append(self, line);
    progress_end_line(self);
}

void progress_finish(progress_t *self, const char *ledger, const char *result)
{
    if (self->finished)
        return;
    progress_append(self, "ledger ");
    progress_append(self, ledger);
    progress_end_line(self);
    progress_append(self, "result ");
    progress_append(self, result);
    progress_end_line(self);
    self->finished = true;
}

bool progress_is_finished(const progress_t *self)
{
    return self->finished;
}

ssize_t progress_read(const progress_t *self, uint64_t position, char *data, size_t size)
{
    if (position >= self->size)
        return self->finished ? -1 : 0;
    size_t rest = self->size - (size_t)position;
    size_t count = rest < size ? rest : size;
    memcpy(data, self->text + position, count);
    return (ssize_t)count;
}
