/* SPDX-License-Identifier: MPL-2.0 */
/* paused_names [3]: a pause lives from PAUSE to RESUME. A lost link loses RESUMEs, and a new broker knows of no pause
 * that it has not told, so a doubtful one is probed by the next message: PAUSE comes no later than the TAKEN of it, and
 * renews the pause; else that TAKEN ends it. Owner: the worker's thread. */
#include "link/paused_names.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    table_item_t item;     /* the name */
    list_t waiting;        /* sessions */
    list_node_t doubtful;  /* in paused_names_t.doubtful while it is */
    uint64_t probe;        /* the number of the message that shows whether the pause lasts, or 0 */
    list_node_t collected; /* while all are looked at */
    char name[];
} pause_t;

void paused_names_init(paused_names_t *self)
{
    self->names = table_new();
    list_init(&self->doubtful);
}

static void on_free(table_item_t *item)
{
    free(item);
}

void paused_names_fini(paused_names_t *self)
{
    table_destroy(&self->names, on_free);
}

static pause_t *paused_names_find(const paused_names_t *self, span_t name)
{
    return table_count(self->names) ? (pause_t *)table_get(self->names, name) : NULL;
}

static bool pause_is_open(const pause_t *self)
{
    return list_has(&self->doubtful) && !self->probe;
}

bool paused_names_hold(const paused_names_t *self, span_t name, list_node_t *waiter)
{
    pause_t *pause = paused_names_find(self, name);
    if (!pause || pause_is_open(pause))
        return false;
    list_append(&pause->waiting, waiter);
    return true;
}

void paused_names_sent(const paused_names_t *self, span_t name, uint64_t number)
{
    pause_t *pause = list_is_empty(&self->doubtful) ? NULL : paused_names_find(self, name);
    if (pause && pause_is_open(pause))
        pause->probe = number;
}

/* The sessions that wait go on. */
static void pause_end(paused_names_t *pauses, pause_t *self, list_t *woken)
{
    table_take(pauses->names, &self->item);
    list_remove(&self->doubtful);
    for (list_node_t *node; (node = list_first(&self->waiting));) {
        list_remove(node);
        list_append(woken, node);
    }
    free(self);
}

static void paused_names_add(paused_names_t *self, span_t name)
{
    pause_t *pause = calloc(1, sizeof *pause + name.size);
    if (!pause)
        abort();
    memcpy(pause->name, name.data, name.size);
    pause->item.key = span_of(pause->name, name.size);
    list_init(&pause->waiting);
    table_put(self->names, &pause->item);
}

void paused_names_set(paused_names_t *self, span_t name, bool is_paused, list_t *woken)
{
    list_init(woken);
    pause_t *pause = paused_names_find(self, name);
    if (pause && !is_paused) {
        pause_end(self, pause, woken);
    } else if (pause) {
        list_remove(&pause->doubtful);
        pause->probe = 0;
    } else if (is_paused) {
        paused_names_add(self, name);
    }
}

static void on_collect(void *arg, table_item_t *item)
{
    list_append(arg, &((pause_t *)item)->collected);
}

/* Takes the next of what paused_names_collect has found, NULL for none. */
static pause_t *pause_next(list_t *collected)
{
    list_node_t *node = list_first(collected);
    if (!node)
        return NULL;
    list_remove(node);
    return list_member(node, pause_t, collected);
}

static void paused_names_collect(const paused_names_t *self, list_t *collected)
{
    list_init(collected);
    table_each(self->names, on_collect, collected);
}

void paused_names_doubt(paused_names_t *self)
{
    list_t all, woken;
    list_init(&woken);
    paused_names_collect(self, &all);
    for (pause_t *pause; (pause = pause_next(&all));) {
        bool is_idle = pause_is_open(pause) && list_is_empty(&pause->waiting);
        pause->probe = 0;
        if (is_idle)
            pause_end(self, pause, &woken); /* nobody has written to it since the link before */
        else if (!list_has(&pause->doubtful))
            list_append(&self->doubtful, &pause->doubtful);
    }
}

void paused_names_check(paused_names_t *self, const link_t *link, list_t *woken)
{
    list_init(woken);
    for (list_node_t *node = self->doubtful.head.next, *next; node != &self->doubtful.head; node = next) {
        pause_t *pause = list_member(node, pause_t, doubtful);
        list_node_t *first = list_first(&pause->waiting);
        next = node->next;
        if (pause->probe && link_is_taken(link, pause->probe)) {
            pause_end(self, pause, woken);
        } else if (!pause->probe && first && link_is_up(link)) {
            list_remove(first);
            list_append(woken, first);
        }
    }
}

void paused_names_forget(paused_names_t *self, list_t *woken)
{
    list_t all;
    list_init(woken);
    paused_names_collect(self, &all);
    for (pause_t *pause; (pause = pause_next(&all));)
        pause_end(self, pause, woken);
}
