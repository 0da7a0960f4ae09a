/* SPDX-License-Identifier: MPL-2.0 */
/* config_check: one function a rule, and each rule has its reason in the words that the user reads. One thread. */
#include "base/config_check.h"

#include <string.h>

#include "base/endpoint.h"

/* What a record adds to its text on a link: its fixed fields and those of the batch; and the name and the session of
 * each recipient. */
enum { RECORD_SIZE = 64, RECIPIENT_SIZE = 9 };

/* What a drain needs apart from its delay: two seconds to write out, and one to take leave of the brokers. */
enum { DRAIN_LEAST_MS = 3000 };

/* Where to look for a mistake that options make together: at the first that is not a default. */
static void tell(
    const config_t *config, config_errors_t *errors, const char *const *keys, size_t count, const char *message)
{
    size_t i = 0;
    while (i + 1 < count && strcmp(config_place(config, keys[i], 0), "default") == 0)
        i++;
    config_errors_add(errors, config_place(config, keys[i], 0), keys[i], "%s", message);
}

#define tell_of(config, errors, message, ...)                                                                          \
    tell(config, errors, (const char *const[]){__VA_ARGS__},                                                           \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), message)

static void check_marks(const config_t *config, config_errors_t *errors)
{
    if (config_number(config, "gateway/low_mark") >= config_number(config, "gateway/high_mark"))
        tell_of(config, errors, "gateway/low_mark must be below gateway/high_mark", "gateway/low_mark",
            "gateway/high_mark");
}

static void check_heartbeat(const config_t *config, config_errors_t *errors)
{
    if (config_number(config, "link/heartbeat") >= config_number(config, "link/timeout"))
        tell_of(config, errors, "link/heartbeat must be shorter than link/timeout", "link/heartbeat", "link/timeout");
}

static void check_backoff(const config_t *config, config_errors_t *errors)
{
    if (config_number(config, "link/backoff_min") > config_number(config, "link/backoff_max"))
        tell_of(config, errors, "link/backoff_min must not be longer than link/backoff_max", "link/backoff_min",
            "link/backoff_max");
}

static void check_settling(const config_t *config, config_errors_t *errors)
{
    int64_t away = config_number(config, "link/timeout") + config_number(config, "link/connect_timeout") +
                   config_number(config, "link/backoff_max");
    if (config_number(config, "link/settling_time") <= away)
        tell_of(config, errors,
            "link/settling_time must be longer than link/timeout, link/connect_timeout and link/backoff_max together, "
            "which a node may need to come back",
            "link/settling_time", "link/timeout", "link/connect_timeout", "link/backoff_max");
}

static void check_batch(const config_t *config, config_errors_t *errors)
{
    int64_t record = config_number(config, "gateway/max_line") + config_number(config, "gateway/max_name") +
                     config_number(config, "gateway/max_recipients") * RECIPIENT_SIZE + RECORD_SIZE;
    if (config_number(config, "link/batch") < record)
        tell_of(config, errors,
            "link/batch must have room for a line of gateway/max_line from one name to gateway/max_recipients others",
            "link/batch", "gateway/max_line", "gateway/max_recipients", "gateway/max_name");
}

static void check_drain(const config_t *config, config_errors_t *errors)
{
    if (config_number(config, "drain/delay") + DRAIN_LEAST_MS > config_number(config, "drain/timeout"))
        tell_of(config, errors, "drain/timeout must leave 3s after drain/delay, which is part of it", "drain/delay",
            "drain/timeout");
}

/* True if an earlier broker of the list has the name. */
static bool is_taken(const config_t *config, size_t index, const char *name)
{
    char other[CONFIG_BROKER_NAME_SIZE];
    for (size_t i = 0; i < index; i++)
        if (config_broker(config, i, other) && strcmp(name, other) == 0)
            return true;
    return false;
}

static void check_brokers(const config_t *config, config_errors_t *errors)
{
    const char *key = "gateway/broker";
    char name[CONFIG_BROKER_NAME_SIZE];
    bool alone = config_count(config, key) == 1;
    for (size_t i = 0; i < config_count(config, key); i++) {
        const char *address = config_broker(config, i, name);
        const char *place = config_place(config, key, i);
        if (!alone && address == config_item(config, key, i))
            config_errors_add(errors, place, key,
                "'%s': where there are several brokers, each needs its name: NAME=ADDRESS", address);
        else if (is_taken(config, i, name))
            config_errors_add(errors, place, key, "a broker before this one is named '%s' too", name);
    }
}

/* Refuses an address of that option that others than this machine can reach. */
static void check_local(
    const config_t *config, config_errors_t *errors, const char *key, const char *text, const char *place)
{
    const char *why;
    endpoint_t endpoint;
    if (endpoint_parse(&endpoint, text, &why) == 0 && !endpoint_is_local(&endpoint) &&
        !config_number(config, "security/allow_plaintext"))
        config_errors_add(errors, place, key,
            "%s is not of this machine alone, and what comes there is plain text; if that network is private, say "
            "security/allow_plaintext = 1",
            text);
}

static void check_plaintext(const config_t *config, config_errors_t *errors)
{
    const char *links = "broker/listen", *peers = "broker/peer_listen";
    for (size_t i = 0; i < config_count(config, links); i++)
        check_local(config, errors, links, config_item(config, links, i), config_place(config, links, i));
    check_local(config, errors, peers, config_string(config, peers), config_place(config, peers, 0));
}

void config_check(const config_t *config, config_errors_t *errors)
{
    check_brokers(config, errors);
    check_marks(config, errors);
    check_plaintext(config, errors);
    check_batch(config, errors);
    check_heartbeat(config, errors);
    check_backoff(config, errors);
    check_settling(config, errors);
    check_drain(config, errors);
}
