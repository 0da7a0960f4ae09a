/* SPDX-License-Identifier: MPL-2.0 */
/* config: each option has a slot of values; the file fills them, -s replaces them, and what is empty then gets its
 * default. Every value is checked as it comes, what must hold between them at the end. Any text may come; each mistake
 * is told, and one is enough for there to be no configuration. Owner: the main thread until others start; then nobody
 * writes. */
#include "base/config.h"

#include <czmq.h>

#include "base/config_address.h"
#include "base/config_check.h"
#include "base/config_errors.h"
#include "base/config_lines.h"
#include "base/config_schema.h"

typedef struct {
    char *text;
    char *place;
    int64_t number;
} value_t;

typedef struct {
    value_t *values;
    size_t count;
    bool overridden; /* by -s */
} slot_t;

struct config {
    slot_t *slots; /* one an option, in the order of the schema */
};

static void slot_clear(slot_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->values[i].text);
        free(self->values[i].place);
    }
    self->count = 0;
}

static void slot_add(slot_t *self, const char *text, const char *place, int64_t number)
{
    self->values = realloc(self->values, (self->count + 1) * sizeof *self->values);
    value_t value = {strdup(text), strdup(place), number};
    if (!self->values || !value.text || !value.place)
        abort();
    self->values[self->count++] = value;
}

static const slot_t *slot_of(const config_t *self, const char *key)
{
    size_t index = config_option_find(key);
    assert(index < config_option_count);
    return &self->slots[index];
}

/* The option of a key, or config_option_count after telling that there is none. */
static size_t find_option(const char *key, const char *place, config_errors_t *errors)
{
    size_t index = config_option_find(key);
    if (index == config_option_count) {
        const char *nearest = config_option_nearest(key);
        const char *question = nearest ? "; did you mean " : "";
        config_errors_add(
            errors, place, key, "unknown key%s%s%s", question, nearest ? nearest : "", nearest ? "?" : "");
    }
    return index;
}

/* Reads a text into a slot. What is wrong is told and not stored. */
static void fill(config_t *self, size_t index, const char *text, const char *place, config_errors_t *errors)
{
    const config_option_t *option = &config_options[index];
    char why[CONFIG_WHY_SIZE];
    int64_t number;
    if (config_option_read(option, text, &number, why) == 0)
        slot_add(&self->slots[index], text, place, number);
    else
        config_errors_add(errors, place, option->key, "%s", why);
}

typedef struct {
    config_t *config; /* borrowed, like the others */
    const char *file;
    const config_lines_t *lines;
    config_errors_t *errors;
    const char *section; /* name in the tree */
    size_t index;        /* of the item in the tree and of its line */
} walk_t;

static void take_key(walk_t *self, const char *key, const char *text, const char *place)
{
    size_t index = find_option(key, place, self->errors);
    if (index == config_option_count)
        return;
    const slot_t *slot = &self->config->slots[index];
    if (slot->count > 0 && config_options[index].kind != CONFIG_KIND_LIST)
        config_errors_add(self->errors, place, key, "given before, at %s", slot->values[0].place);
    else
        fill(self->config, index, text, place, self->errors);
}

static void take_section(walk_t *self, const char *name, const char *value, const char *place)
{
    self->section = name;
    if (strchr(name, '/'))
        take_key(self, name, value, place);
    else if (!config_option_section(name))
        config_errors_add(self->errors, place, name, "unknown section");
    else if (*value)
        config_errors_add(self->errors, place, name, "this is a section; its keys follow, indented by four spaces");
}

static int on_item(zconfig_t *item, void *arg, int level)
{
    walk_t *self = arg;
    if (level == 0)
        return 0;
    char *place = zsys_sprintf("%s:%u", self->file, config_lines_number(self->lines, self->index++));
    if (level == 1) {
        take_section(self, zconfig_name(item), zconfig_value(item), place);
    } else {
        char *key = zsys_sprintf("%s/%s", self->section, zconfig_name(item));
        take_key(self, key, zconfig_value(item), place);
        zstr_free(&key);
    }
    zstr_free(&place);
    return 0;
}

static void read_file(config_t *self, const char *file, config_errors_t *errors)
{
    config_lines_t *lines = config_lines_new(file, errors);
    if (!lines)
        return;
    zconfig_t *root = zconfig_str_load(config_lines_text(lines));
    walk_t walk = {.config = self, .file = file, .lines = lines, .errors = errors};
    if (root)
        zconfig_execute(root, on_item, &walk);
    else
        config_errors_add(errors, file, NULL, "the file is not ZPL");
    zconfig_destroy(&root);
    config_lines_destroy(&lines);
}

static void override(config_t *self, const char *argument, config_errors_t *errors)
{
    const char *equals = strchr(argument, '=');
    if (!equals) {
        config_errors_add(errors, "-s", argument, "it is written as SECTION/KEY=VALUE");
        return;
    }
    char *key = strndup(argument, (size_t)(equals - argument));
    if (!key)
        abort();
    size_t index = find_option(key, "-s", errors);
    if (index < config_option_count) {
        slot_t *slot = &self->slots[index];
        if (!slot->overridden || config_options[index].kind != CONFIG_KIND_LIST)
            slot_clear(slot);
        slot->overridden = true;
        fill(self, index, equals + 1, "-s", errors);
    }
    free(key);
}

static void fill_defaults(config_t *self, config_errors_t *errors)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (self->slots[i].count == 0)
            fill(self, i, config_options[i].value, "default", errors);
}

config_t *config_new(const char *file, const char *const *overrides, size_t override_count, FILE *errors)
{
    config_errors_t told = {.stream = errors};
    config_t *self = zmalloc(sizeof *self);
    self->slots = zmalloc(config_option_count * sizeof *self->slots);
    if (file)
        read_file(self, file, &told);
    for (size_t i = 0; i < override_count; i++)
        override(self, overrides[i], &told);
    fill_defaults(self, &told);
    /* Behind a mistake stands a default, which may contradict what the user gave; that would be no news. */
    if (told.count == 0)
        config_check(self, &told);
    if (told.count > 0)
        config_destroy(&self);
    return self;
}

void config_destroy(config_t **self_p)
{
    config_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < config_option_count; i++) {
        slot_clear(&self->slots[i]);
        free(self->slots[i].values);
    }
    free(self->slots);
    free(self);
    *self_p = NULL;
}

int64_t config_number(const config_t *self, const char *key)
{
    return slot_of(self, key)->values[0].number;
}

const char *config_string(const config_t *self, const char *key)
{
    return slot_of(self, key)->values[0].text;
}

const char *config_item(const config_t *self, const char *key, size_t index)
{
    const slot_t *slot = slot_of(self, key);
    return index < slot->count ? slot->values[index].text : NULL;
}

size_t config_count(const config_t *self, const char *key)
{
    return slot_of(self, key)->count;
}

const char *config_place(const config_t *self, const char *key, size_t index)
{
    const slot_t *slot = slot_of(self, key);
    assert(index < slot->count);
    return slot->values[index].place;
}

const char *config_broker(const config_t *self, size_t index, char name[CONFIG_BROKER_NAME_SIZE])
{
    const char *text = config_item(self, "gateway/broker", index);
    if (!text)
        return NULL;
    const char *address = config_address_split(text, name);
    if (*name == '\0')
        snprintf(name, CONFIG_BROKER_NAME_SIZE, "%s", config_string(self, "broker/name"));
    return address;
}

const char *config_admin_listen(const config_t *self, bool broker_alone)
{
    const char *text = config_string(self, "admin/listen");
    if (!streq(text, "auto"))
        return text;
    return broker_alone ? "http://127.0.0.1:7481" : "http://127.0.0.1:7480";
}

static void print_value(const char *name, const char *text, FILE *stream)
{
    bool is_bare = *text && !strpbrk(text, " \t#'\"");
    const char *quote = is_bare ? "" : strchr(text, '"') ? "'" : "\"";
    fprintf(stream, "    %s = %s%s%s\n", name, quote, text, quote);
}

void config_print(const config_t *self, FILE *stream)
{
    size_t section_size = 0;
    const char *section = "";
    for (size_t i = 0; i < config_option_count; i++) {
        const char *key = config_options[i].key;
        if (strncmp(key, section, section_size + 1) != 0 || i == 0) {
            section = key;
            section_size = strcspn(key, "/");
            fprintf(stream, "%.*s\n", (int)section_size, section);
        }
        for (size_t j = 0; j < self->slots[i].count; j++)
            print_value(key + section_size + 1, self->slots[i].values[j].text, stream);
    }
}

void config_schema(void (*visit)(void *arg, const char *key, const char *kind, const char *value), void *arg)
{
    for (size_t i = 0; i < config_option_count; i++)
        visit(arg, config_options[i].key, config_option_kind(&config_options[i]), config_options[i].value);
}
