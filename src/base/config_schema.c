/* SPDX-License-Identifier: MPL-2.0 */
/* config_schema: the table, and how a value is read by the kind of its option. A text can be wrong for its option.
 * Read-only; any thread. */
#include "base/config_schema.h"

#include <stdio.h>
#include <string.h>

#include "base/config_address.h"

#define KIB            1024LL
#define MIB            (1024 * KIB)
#define GIB            (1024 * MIB)
#define SECOND         1000LL
#define MINUTE         (60 * SECOND)
#define HOUR           (60 * MINUTE)
#define SESSIONS_MAX   10000000
#define PEERS_MAX      100000
#define RECIPIENTS_MAX 1024 /* LINE_RECIPIENTS_MAX of wire, which base cannot include */

#define COUNT(key, value, least, most)                                                                                 \
    {                                                                                                                  \
        key, CONFIG_KIND_COUNT, value, least, most, NULL, NULL                                                         \
    }
#define SIZE(key, value, least, most)                                                                                  \
    {                                                                                                                  \
        key, CONFIG_KIND_SIZE, value, least, most, NULL, NULL                                                          \
    }
#define DURATION(key, value, least, most)                                                                              \
    {                                                                                                                  \
        key, CONFIG_KIND_DURATION, value, least, most, NULL, NULL                                                      \
    }
#define BOOLEAN(key, value)                                                                                            \
    {                                                                                                                  \
        key, CONFIG_KIND_BOOLEAN, value, 0, 1, NULL, NULL                                                              \
    }
#define CHOICE(key, value, words)                                                                                      \
    {                                                                                                                  \
        key, CONFIG_KIND_CHOICE, value, 0, 0, words, NULL                                                              \
    }
#define STRING(key, value, check)                                                                                      \
    {                                                                                                                  \
        key, CONFIG_KIND_STRING, value, 0, 0, NULL, check                                                              \
    }
#define LIST(key, value, check)                                                                                        \
    {                                                                                                                  \
        key, CONFIG_KIND_LIST, value, 0, 0, NULL, check                                                                \
    }

const config_option_t config_options[] = {
    LIST("gateway/listen", "tcp://127.0.0.1:7400", config_address_check_gateway),
    LIST("gateway/broker", "tcp://127.0.0.1:7410", config_address_check_node),
    COUNT("gateway/workers", "0", 0, 1024),
    BOOLEAN("gateway/shortcuts", "1"),
    SIZE("gateway/send_buffer", "256KiB", 4 * KIB, GIB),
    SIZE("gateway/receive_buffer", "256KiB", 4 * KIB, GIB),
    SIZE("gateway/memory", "512MiB", MIB, 1024 * GIB),
    COUNT("gateway/max_sessions", "0", 0, SESSIONS_MAX),
    COUNT("gateway/max_sessions_per_address", "0", 0, SESSIONS_MAX),
    COUNT("gateway/login_rate", "0", 0, SESSIONS_MAX),
    DURATION("gateway/login_timeout", "10s", 100, HOUR),
    SIZE("gateway/high_mark", "256KiB", KIB, GIB),
    SIZE("gateway/low_mark", "64KiB", 0, GIB),
    DURATION("gateway/stall_time", "10s", 100, 24 * HOUR),
    SIZE("gateway/stall_rate", "256B", 1, GIB),
    SIZE("gateway/max_line", "64KiB", 256, MIB),
    SIZE("gateway/max_name", "64B", 1, 255),
    COUNT("gateway/max_recipients", "64", 1, RECIPIENTS_MAX),
    DURATION("gateway/resume_time", "60s", 0, 24 * HOUR),
    COUNT("gateway/max_errors", "100", 0, SESSIONS_MAX),
    COUNT("gateway/max_watches", "64", 0, RECIPIENTS_MAX),
    COUNT("gateway/max_groups", "64", 0, RECIPIENTS_MAX),
    COUNT("gateway/max_services", "16", 0, RECIPIENTS_MAX),
    STRING("broker/name", "main", config_address_check_name),
    CHOICE("broker/name_policy", "refuse", "refuse take-over "),
    LIST("broker/listen", "tcp://127.0.0.1:7410", config_address_check_broker),
    STRING("broker/peer_listen", "tcp://127.0.0.1:7411", config_address_check_peers),
    COUNT("broker/max_peers", "1000", 1, PEERS_MAX),
    DURATION("broker/peer_login_timeout", "10s", 100, HOUR),
    SIZE("broker/peer_max_message", "1MiB", KIB, 16 * MIB),
    SIZE("broker/peer_window", "256KiB", 4 * KIB, GIB),
    DURATION("broker/peer_stall_time", "30s", 100, 24 * HOUR),
    DURATION("broker/peer_probe_time", "2s", 100, HOUR),
    SIZE("link/window", "1MiB", 4 * KIB, GIB),
    SIZE("link/batch", "256KiB", 4 * KIB, 16 * MIB),
    DURATION("link/heartbeat", "1s", 10, MINUTE),
    DURATION("link/timeout", "5s", 50, HOUR),
    DURATION("link/connect_timeout", "3s", 50, MINUTE),
    DURATION("link/backoff_min", "10ms", 1, MINUTE),
    DURATION("link/backoff_max", "1s", 1, HOUR),
    DURATION("link/settling_time", "10s", 100, HOUR),
    DURATION("link/linger", "1s", 0, MINUTE),
    STRING("admin/listen", "auto", config_address_check_admin),
    DURATION("admin/unready_after", "30s", 0, 24 * HOUR),
    DURATION("drain/timeout", "30s", 3 * SECOND, 24 * HOUR),
    DURATION("drain/delay", "0", 0, 24 * HOUR),
    BOOLEAN("security/allow_plaintext", "0"),
    CHOICE("log/level", "info", "debug info warning error "),
    CHOICE("log/format", "logfmt", "logfmt json "),
};

const size_t config_option_count = sizeof config_options / sizeof config_options[0];

size_t config_option_find(const char *key)
{
    size_t index = 0;
    while (index < config_option_count && strcmp(config_options[index].key, key) != 0)
        index++;
    return index;
}

bool config_option_section(const char *section)
{
    size_t size = strlen(section);
    for (size_t i = 0; i < config_option_count; i++)
        if (strncmp(config_options[i].key, section, size) == 0 && config_options[i].key[size] == '/')
            return true;
    return false;
}

enum { KEY_SIZE_MAX = 48 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many bytes must be inserted, removed, replaced or swapped with their neighbour to make the one the other. Both
 * are shorter than KEY_SIZE_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t steps[KEY_SIZE_MAX][KEY_SIZE_MAX];
    size_t rows = strlen(a), columns = strlen(b);
    for (size_t j = 0; j <= columns; j++)
        steps[0][j] = j;
    for (size_t i = 1; i <= rows; i++) {
        steps[i][0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t replaced = steps[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            steps[i][j] = least(replaced, least(steps[i][j - 1], steps[i - 1][j]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                steps[i][j] = least(steps[i][j], steps[i - 2][j - 2] + 1);
        }
    }
    return steps[rows][columns];
}

static const char *name_of(const char *key)
{
    const char *slash = strrchr(key, '/');
    return slash ? slash + 1 : key;
}

const char *config_option_nearest(const char *key)
{
    if (strlen(key) >= KEY_SIZE_MAX)
        return NULL;
    const char *nearest = NULL;
    size_t shortest = 1 + strlen(key) / 4;
    for (size_t i = 0; i < config_option_count; i++) {
        const char *other = config_options[i].key;
        size_t found = distance(key, other);
        /* The right name in the wrong section is nearly right. */
        if (found > 1 && strcmp(name_of(key), name_of(other)) == 0)
            found = 1;
        if (found <= shortest && (!nearest || found < shortest)) {
            nearest = other;
            shortest = found;
        }
    }
    return nearest;
}

const char *config_option_kind(const config_option_t *self)
{
    static const char *const kinds[] = {
        [CONFIG_KIND_COUNT] = "count",
        [CONFIG_KIND_SIZE] = "size",
        [CONFIG_KIND_DURATION] = "duration",
        [CONFIG_KIND_BOOLEAN] = "boolean",
        [CONFIG_KIND_CHOICE] = "choice",
        [CONFIG_KIND_STRING] = "string",
        [CONFIG_KIND_LIST] = "list",
    };
    return kinds[self->kind];
}

static int read_number(
    const config_option_t *self, config_unit_t unit, const char *text, int64_t *number, char why[CONFIG_WHY_SIZE])
{
    if (config_units_parse(unit, text, number, why) != 0)
        return -1;
    if (*number >= self->least && *number <= self->most)
        return 0;
    char lower[CONFIG_NUMBER_SIZE], upper[CONFIG_NUMBER_SIZE];
    config_units_text(unit, self->least, lower);
    config_units_text(unit, self->most, upper);
    snprintf(why, CONFIG_WHY_SIZE, "%.64s is out of bounds; %s to %s may stand here", text, lower, upper);
    return -1;
}

static int read_boolean(const char *text, int64_t *number, char why[CONFIG_WHY_SIZE])
{
    if (strcmp(text, "0") == 0 || strcmp(text, "1") == 0) {
        *number = text[0] - '0';
        return 0;
    }
    snprintf(why, CONFIG_WHY_SIZE, "'%.64s' is neither 0 nor 1", text);
    return -1;
}

static int read_choice(const config_option_t *self, const char *text, int64_t *number, char why[CONFIG_WHY_SIZE])
{
    *number = 0;
    for (const char *word = self->choices; *word; word = strchr(word, ' ') + 1) {
        size_t size = strcspn(word, " ");
        if (strlen(text) == size && memcmp(word, text, size) == 0)
            return 0;
        ++*number;
    }
    snprintf(why, CONFIG_WHY_SIZE, "'%.64s' is none of: %s", text, self->choices);
    why[strlen(why) - 1] = '\0';
    return -1;
}

static int read_text(const config_option_t *self, const char *text, char why[CONFIG_WHY_SIZE])
{
    const char *reason = self->check(text);
    if (!reason && strchr(text, '"') && strchr(text, '\''))
        reason = "it holds both kinds of quotation marks, which ZPL cannot express";
    for (const char *at = text; !reason && *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            reason = "it holds a control byte";
    if (!reason)
        return 0;
    snprintf(why, CONFIG_WHY_SIZE, "'%.64s': %s", text, reason);
    return -1;
}

int config_option_read(const config_option_t *self, const char *text, int64_t *number, char why[CONFIG_WHY_SIZE])
{
    *number = 0;
    switch (self->kind) {
    case CONFIG_KIND_COUNT:
        return read_number(self, CONFIG_UNIT_NONE, text, number, why);
    case CONFIG_KIND_SIZE:
        return read_number(self, CONFIG_UNIT_SIZE, text, number, why);
    case CONFIG_KIND_DURATION:
        return read_number(self, CONFIG_UNIT_TIME, text, number, why);
    case CONFIG_KIND_BOOLEAN:
        return read_boolean(text, number, why);
    case CONFIG_KIND_CHOICE:
        return read_choice(self, text, number, why);
    case CONFIG_KIND_STRING:
    case CONFIG_KIND_LIST:
        break;
    }
    return read_text(self, text, why);
}
