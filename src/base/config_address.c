/* SPDX-License-Identifier: MPL-2.0 */
/* config_address: an endpoint is parsed, then asked whether its kind fits its use. Any text may come. Any thread. */
#include "base/config_address.h"

#include <stdbool.h>
#include <string.h>

#include "base/endpoint.h"

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

const char *config_address_check_gateway(const char *text)
{
    endpoint_t endpoint;
    const char *why = NULL;
    if (endpoint_parse(&endpoint, text, &why) != 0)
        return why;
    bool fits = endpoint.kind == ENDPOINT_TCP || endpoint.kind == ENDPOINT_IPC;
    return fits ? NULL : "a gateway listens on tcp:// or ipc://";
}

const char *config_address_check_broker(const char *text)
{
    endpoint_t endpoint;
    const char *why = NULL;
    if (endpoint_parse(&endpoint, text, &why) != 0)
        return why;
    return endpoint.kind == ENDPOINT_HTTP ? "a broker listens on tcp://, ipc:// or inproc://" : NULL;
}

const char *config_address_check_peers(const char *text)
{
    return *text == '\0' ? NULL : config_address_check_broker(text);
}

const char *config_address_check_node(const char *text)
{
    char name[CONFIG_BROKER_NAME_SIZE];
    endpoint_t endpoint;
    const char *why = NULL;
    if (endpoint_parse(&endpoint, config_address_split(text, name), &why) != 0)
        return why;
    if (endpoint.kind == ENDPOINT_HTTP)
        return "a broker is reached by tcp://, ipc:// or inproc://";
    return endpoint.kind == ENDPOINT_TCP && endpoint_port(&endpoint) == 0 ? "port 0 cannot be connected to" : NULL;
}

const char *config_address_check_admin(const char *text)
{
    endpoint_t endpoint;
    const char *why = NULL;
    if (*text == '\0' || strcmp(text, "auto") == 0)
        return NULL;
    bool fits = endpoint_parse(&endpoint, text, &why) == 0 && endpoint.kind == ENDPOINT_HTTP;
    return fits || (why && strncmp(text, "http://", 7) == 0) ? why : "it is http://ADDRESS:PORT, auto, or nothing";
}

const char *config_address_check_name(const char *text)
{
    size_t size = strlen(text);
    bool fits = size > 0 && size < CONFIG_BROKER_NAME_SIZE && strspn(text, name_bytes) == size;
    return fits ? NULL : "a broker's name is 1 to 64 letters, digits, '.', '_' and '-'";
}

const char *config_address_split(const char *text, char name[CONFIG_BROKER_NAME_SIZE])
{
    size_t size = strspn(text, name_bytes);
    bool is_named = size > 0 && size < CONFIG_BROKER_NAME_SIZE && text[size] == '=';
    if (!is_named)
        size = 0;
    memcpy(name, text, size);
    name[size] = '\0';
    return text + size + (is_named ? 1 : 0);
}
