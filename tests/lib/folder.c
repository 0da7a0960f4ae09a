/* SPDX-License-Identifier: MPL-2.0 */
/* folder: made with mkdtemp, removed from the leaves up without following links. */
#include "lib/folder.h"

#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"

#define DESCRIPTORS_MAX 16 /* open at once while a folder is walked */

typedef struct folder folder_t;

struct folder {
    char *path;
    folder_t *next;
};

static folder_t *folders; /* all that are not removed */

const char *folder_new(void)
{
    const char *parent = getenv("TMPDIR");
    folder_t *self = calloc(1, sizeof(*self));
    assert(self);
    if (asprintf(&self->path, "%s/ferry-test-XXXXXX", parent ? parent : "/tmp") < 0 || !mkdtemp(self->path))
        fail_msg("no temporary folder: %s", strerror(errno));
    self->next = folders;
    folders = self;
    return self->path;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)status;
    (void)kind;
    (void)position;
    return remove(path);
}

void folder_remove_all(void)
{
    while (folders) {
        folder_t *first = folders;
        folders = first->next;
        nftw(first->path, remove_entry, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS);
        free(first->path);
        free(first);
    }
}
