/* SPDX-License-Identifier: MPL-2.0 */
/* The conversations of proto/transcripts and of the README, each held with a ferryd of its own. The number of a line is
 * printed before its step is done, so that the last one printed is the one that failed. */
#include "lib/client.h"
#include "lib/document.h"
#include "lib/server.h"
#include "lib/test.h"
#include "lib/transcript.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRANSCRIPTS_MAX = 64, CLIENTS_MAX = 32, OPTIONS_MAX = 4, LOGIN_MS = 5000, STOP_MS = 15000 };

typedef struct {
    server_t *server;
    bool draining;
    struct {
        const char *name; /* the transcript's */
        client_t *client;
    } clients[CLIENTS_MAX]; /* those that have not left */
    size_t count;
} stage_t;

static server_t *start_server(const transcript_t *transcript)
{
    const char *options[2 * OPTIONS_MAX] = {NULL};
    const transcript_step_t *step;
    for (size_t i = 0; (step = transcript_step(transcript, i)) != NULL && step->kind == TRANSCRIPT_OPTION; i++) {
        assert_true(i < OPTIONS_MAX);
        options[2 * i] = "-s";
        options[2 * i + 1] = step->text;
    }
    return server_start(
        "all", options[0], options[1], options[2], options[3], options[4], options[5], options[6], options[7], NULL);
}

/* The place of a client, which is connected if it is not there. */
static size_t find_client(stage_t *self, const char *name)
{
    size_t at = 0;
    while (at < self->count && strcmp(self->clients[at].name, name) != 0)
        at++;
    if (at == self->count) {
        assert_true(at < CLIENTS_MAX);
        self->clients[at].name = name;
        self->clients[at].client = client_connect(server_gateway(self->server));
        self->count++;
    }
    return at;
}

static void remove_client(stage_t *self, size_t at)
{
    client_close(&self->clients[at].client);
    self->clients[at] = self->clients[--self->count];
}

static void wait_for_login(stage_t *self, const char *name)
{
    char fields[64];
    snprintf(fields, sizeof fields, "event=login name=%s", name);
    process_wait_log(server_process(self->server), fields, LOGIN_MS);
}

static void play_client(stage_t *self, const transcript_step_t *step)
{
    size_t at = find_client(self, step->client);
    client_t *client = self->clients[at].client;
    switch (step->kind) {
    case TRANSCRIPT_WRITE:
        client_send_bytes(client, step->text, step->size);
        break;
    case TRANSCRIPT_LOGIN:
        wait_for_login(self, step->client);
        break;
    case TRANSCRIPT_READ:
        client_expect(client, step->text);
        break;
    case TRANSCRIPT_END_INPUT:
        client_half_close(client);
        break;
    case TRANSCRIPT_END_OF_FILE:
        client_expect_eof(client);
        remove_client(self, at);
        break;
    default:
        remove_client(self, at);
        break;
    }
}

static void play(stage_t *self, const transcript_t *transcript)
{
    const transcript_step_t *step;
    for (size_t i = 0; (step = transcript_step(transcript, i)) != NULL; i++) {
        if (step->kind == TRANSCRIPT_OPTION)
            continue;
        print_message("line %u\n", step->line);
        if (step->kind == TRANSCRIPT_DRAIN) {
            process_signal(server_process(self->server), SIGTERM);
            self->draining = true;
        } else
            play_client(self, step);
    }
    print_message("the end\n");
}

/* Nothing may be left to read, and nothing may have been lost. */
static void end(stage_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        client_half_close(self->clients[i].client);
    while (self->count > 0) {
        client_expect_eof(self->clients[0].client);
        remove_client(self, 0);
    }
    if (!self->draining) {
        server_stop(&self->server);
        return;
    }
    assert_int_equal(process_wait_exit(server_process(self->server), STOP_MS), 0);
    assert_int_equal(server_ledger(self->server, "balance"), 0);
    server_destroy(&self->server);
}

static transcript_t *held; /* the conversation that is being held */

static void hold(const char *text)
{
    unsigned line;
    const char *why;
    held = transcript_parse(text, &line, &why);
    if (!held)
        fail_msg("line %u: %s", line, why);
    stage_t stage = {.server = start_server(held)};
    play(&stage, held);
    end(&stage);
}

/* *state is the path of the transcript. */
static void conversation(void **state)
{
    char *text = document_read(*state, NULL);
    hold(text);
    free(text);
}

/* What stands between the lines of a fence in the README. */
static void conversations_of_the_readme(void **state)
{
    static const char begin[] = "\n```transcript\n", end_mark[] = "\n```\n";
    (void)state;
    char *text = document_read("README.md", NULL), *at = text;
    unsigned count = 0;
    for (; (at = strstr(at, begin)) != NULL; count++) {
        at += strlen(begin);
        char *stop = strstr(at, end_mark);
        assert_non_null(stop);
        stop[1] = '\0';
        hold(at);
        transcript_destroy(&held);
        at = stop + 2;
    }
    free(text);
    assert_true(count > 0);
}

static int leave(void **state)
{
    transcript_destroy(&held);
    return test_clear(state);
}

int main(void)
{
    static struct CMUnitTest tests[TRANSCRIPTS_MAX];
    glob_t found;
    if (glob("proto/transcripts/*.txt", 0, NULL, &found) != 0 || found.gl_pathc >= TRANSCRIPTS_MAX)
        return EXIT_FAILURE;
    for (size_t i = 0; i < found.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){
            .name = found.gl_pathv[i],
            .test_func = conversation,
            .teardown_func = leave,
            .initial_state = found.gl_pathv[i],
        };
    tests[found.gl_pathc] =
        (struct CMUnitTest){.name = "README.md", .test_func = conversations_of_the_readme, .teardown_func = leave};
    int failed = _cmocka_run_group_tests("transcripts", tests, found.gl_pathc + 1, NULL, NULL);
    globfree(&found);
    return failed;
}
