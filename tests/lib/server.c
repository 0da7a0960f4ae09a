/* SPDX-License-Identifier: MPL-2.0 */
/* server: puts the arguments together, starts the process, and asks its log for everything else. */
#include "lib/server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/logfmt.h"
#include "lib/program.h"
#include "lib/test.h"

#define ARGUMENTS_MAX 64
#define START_MS      20000
#define STOP_MS       60000
#define ENDPOINT_SIZE 160

struct server {
    process_t *process;
    char gateway[ENDPOINT_SIZE]; /* "" until asked for, as the others */
    char broker[ENDPOINT_SIZE];
    char peers[ENDPOINT_SIZE];
    char admin[ENDPOINT_SIZE];
    server_t *next;
};

typedef struct {
    const char *values[ARGUMENTS_MAX + 1];
    unsigned count;
    char link_timeout[40];
    char settling_time[40];
} arguments_t;

static server_t *servers; /* all that are not destroyed */

static void add(arguments_t *self, const char *value)
{
    assert(self->count < ARGUMENTS_MAX);
    self->values[self->count++] = value;
}

/* Adds -s KEY=VALUE unless one of the arguments sets the key; `option` is "KEY=VALUE". */
static void add_default(arguments_t *self, const char *option)
{
    size_t key_size = strcspn(option, "=") + 1;
    for (unsigned i = 0; i < self->count; i++)
        if (strncmp(self->values[i], option, key_size) == 0)
            return;
    add(self, "-s");
    add(self, option);
}

/* Gives links the time that a slow build needs; the values are the defaults times the patience. */
static void add_patience(arguments_t *self)
{
    unsigned patience = deadline_patience();
    if (patience == 1)
        return;
    snprintf(self->link_timeout, sizeof(self->link_timeout), "link/timeout=%us", 5 * patience);
    snprintf(self->settling_time, sizeof(self->settling_time), "link/settling_time=%us", 10 * patience);
    add_default(self, self->link_timeout);
    add_default(self, self->settling_time);
}

static server_t *launch(const char *role, va_list further)
{
    arguments_t arguments = {.count = 0};
    add(&arguments, "ferryd");
    add(&arguments, role);
    for (const char *value; (value = va_arg(further, const char *)) != NULL;)
        add(&arguments, value);
    if (strcmp(role, "broker") != 0)
        add_default(&arguments, "gateway/listen=tcp://127.0.0.1:0");
    if (strcmp(role, "broker") != 0 && getenv("FERRY_TEST_LONG_WAY"))
        add_default(&arguments, "gateway/shortcuts=0");
    if (strcmp(role, "gateway") != 0) {
        add_default(&arguments, "broker/listen=tcp://127.0.0.1:0");
        add_default(&arguments, "broker/peer_listen=tcp://127.0.0.1:0");
    }
    add_default(&arguments, "admin/listen=http://127.0.0.1:0");
    add_patience(&arguments);

    server_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->next = servers;
    servers = self;
    self->process = process_start(arguments.values);
    return self;
}

server_t *server_launch(const char *role, ...)
{
    va_list further;
    va_start(further, role);
    server_t *self = launch(role, further);
    va_end(further);
    return self;
}

server_t *server_start(const char *role, ...)
{
    va_list further;
    va_start(further, role);
    server_t *self = launch(role, further);
    va_end(further);
    server_wait_ready(self);
    return self;
}

void server_wait_ready(server_t *self)
{
    process_wait_log(self->process, "event=ready", START_MS);
}

static void forget(server_t *self)
{
    server_t **at = &servers;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    free(self);
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    if (!self)
        return;
    process_destroy(&self->process);
    forget(self);
    *self_p = NULL;
}

void server_forget_all(void)
{
    while (servers)
        forget(servers);
}

void server_stop(server_t **self_p)
{
    server_t *self = *self_p;
    client_close_all();
    program_close_all();
    process_signal(self->process, SIGTERM);
    process_expect_exit(self->process, 0, STOP_MS);
    assert_int_equal(server_ledger(self, "balance"), 0);
    server_destroy(self_p);
}

process_t *server_process(server_t *self)
{
    return self->process;
}

/* The first endpoint that other processes can reach: a broker may listen on inproc too, and says that first. */
static const char *find_endpoint(server_t *self, char *endpoint, const char *fields)
{
    if (*endpoint)
        return endpoint;
    process_wait_log(self->process, fields, START_MS);
    const char *all = process_join_log(self->process, fields, "endpoint");
    while (strncmp(all, "inproc:", 7) == 0)
        all += strcspn(all, " ") + (all[strcspn(all, " ")] == ' ');
    snprintf(endpoint, ENDPOINT_SIZE, "%.*s", (int)strcspn(all, " "), all);
    if (!*endpoint)
        fail_msg("the server does not listen: %s", fields);
    return endpoint;
}

const char *server_gateway(server_t *self)
{
    return find_endpoint(self, self->gateway, "event=listening role=gateway");
}

const char *server_broker(server_t *self)
{
    return find_endpoint(self, self->broker, "event=listening role=broker");
}

const char *server_peers(server_t *self)
{
    return find_endpoint(self, self->peers, "event=listening role=peers");
}

const char *server_admin(server_t *self)
{
    return find_endpoint(self, self->admin, "event=listening role=admin");
}

int64_t server_ledger(server_t *self, const char *key)
{
    return logfmt_number(process_wait_log(self->process, "event=ledger", STOP_MS), key);
}
