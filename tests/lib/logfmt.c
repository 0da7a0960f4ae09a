/* SPDX-License-Identifier: MPL-2.0 */
/* logfmt: walks a line from field to field; whatever is malformed ends the walk and counts as not there. */
#include "lib/logfmt.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 4096 /* a log line is never longer */

/* Past the value that starts at `value`, quoted or not. */
static const char *skip_value(const char *value)
{
    if (*value != '"')
        return value + strcspn(value, " ");
    for (value++; *value && *value != '"'; value++)
        if (*value == '\\' && value[1])
            value++;
    return *value ? value + 1 : value;
}

/* Where the value of a key of `key_size` bytes starts, or NULL. */
static const char *find_value(const char *line, const char *key, size_t key_size)
{
    while (*line) {
        size_t size = strcspn(line, "= ");
        const char *rest = line + size;
        if (*rest == '=') {
            if (size == key_size && memcmp(line, key, size) == 0)
                return rest + 1;
            rest = skip_value(rest + 1);
        }
        line = rest + strspn(rest, " ");
    }
    return NULL;
}

static void copy_value(const char *from, char *value, size_t size)
{
    const char *end = skip_value(from);
    bool quoted = *from == '"';
    if (quoted) {
        from++;
        end--;
    }
    size_t length = 0;
    for (; from < end && length + 1 < size; from++) {
        if (quoted && *from == '\\' && from + 1 < end)
            from++;
        value[length++] = *from;
    }
    value[length] = '\0';
}

bool logfmt_value(const char *line, const char *key, char *value, size_t size)
{
    const char *from = find_value(line, key, strlen(key));
    value[0] = '\0';
    if (from)
        copy_value(from, value, size);
    return from != NULL;
}

int64_t logfmt_number(const char *line, const char *key)
{
    char text[32];
    char *end = text;
    if (!logfmt_value(line, key, text, sizeof(text)) || text[0] == '\0')
        return -1;
    int64_t number = strtoll(text, &end, 10);
    return *end == '\0' ? number : -1;
}

static bool match_field(const char *line, const char *field, size_t size)
{
    const char *equals = memchr(field, '=', size);
    size_t key_size = equals ? (size_t)(equals - field) : size;
    const char *from = find_value(line, field, key_size);
    if (!from)
        return false;
    size_t wanted = equals ? size - key_size - 1 : 0;
    char value[VALUE_MAX];
    copy_value(from, value, sizeof(value));
    return wanted == 0 || (strlen(value) == wanted && memcmp(value, equals + 1, wanted) == 0);
}

bool logfmt_match(const char *line, const char *fields)
{
    while (*fields) {
        size_t size = strcspn(fields, " ");
        if (size > 0 && !match_field(line, fields, size))
            return false;
        fields += size + strspn(fields + size, " ");
    }
    return true;
}
