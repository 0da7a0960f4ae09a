/* SPDX-License-Identifier: MPL-2.0 */
/* broker_list: each item becomes one value of gateway/broker, which the configuration checks. Any text may come. Owner:
 * the program's thread. */
#include "client/broker_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define BROKER_OPTION "gateway/broker="

/* Batches are as large as the brokers say. */
static const char batch_option[] = "link/batch=16MiB";

typedef struct {
    char **items;
    size_t count;
} options_t;

static void options_add(options_t *self, const char *text, size_t size)
{
    self->items = realloc(self->items, (self->count + 1) * sizeof *self->items);
    char *item = malloc(sizeof BROKER_OPTION + size);
    if (!self->items || !item)
        abort();
    memcpy(item, BROKER_OPTION, sizeof BROKER_OPTION - 1);
    memcpy(item + sizeof BROKER_OPTION - 1, text, size);
    item[sizeof BROKER_OPTION - 1 + size] = '\0';
    self->items[self->count++] = item;
}

static void options_split(options_t *self, const char *brokers)
{
    for (const char *at = brokers;; at++) {
        at += strspn(at, " ");
        size_t size = strcspn(at, ",");
        const char *end = at + size;
        while (size && at[size - 1] == ' ')
            size--;
        options_add(self, at, size);
        at = end;
        if (!*at)
            return;
    }
}

static config_t *options_read(const options_t *self)
{
    char *mistakes = NULL;
    size_t size = 0;
    const char **overrides = calloc(self->count + 1, sizeof *overrides);
    FILE *errors = open_memstream(&mistakes, &size);
    if (!overrides || !errors)
        abort();
    memcpy(overrides, self->items, self->count * sizeof *overrides);
    overrides[self->count] = batch_option;
    config_t *config = config_new(NULL, overrides, self->count + 1, errors);
    fclose(errors);
    if (!config)
        log_error("bad-brokers", log_str("reason", mistakes));
    free(mistakes);
    free(overrides);
    return config;
}

config_t *broker_list_read(const char *brokers)
{
    options_t options = {0};
    options_split(&options, brokers);
    config_t *config = options_read(&options);
    for (size_t i = 0; i < options.count; i++)
        free(options.items[i]);
    free(options.items);
    return config;
}
