/* SPDX-License-Identifier: MPL-2.0 */
/* What bash offers behind `ferry`, with the completion that is installed. */
#include <stdlib.h>

#include "lib/deadline.h"
#include "lib/process.h"
#include "lib/test.h"

/* Completes the last of the words behind `ferry`, which may be "", and compares what is offered. */
static void expect_offer(const char *first, const char *second, const char *third, const char *offer)
{
    static const char script[] = ". \"$FERRY_SOURCE/deploy/completion/ferry\"\n"
                                 "COMP_WORDS=(ferry \"$@\") COMP_CWORD=$#\n"
                                 "_ferry \"$FERRY_BIN/ferry\" \"${COMP_WORDS[$#]}\" \"${COMP_WORDS[$# - 1]}\"\n"
                                 "printf '%s' \"${COMPREPLY[*]}\"";
    process_t *process = process_run("bash", "-c", script, "bash", first, second, third, NULL);
    assert_int_equal(process_wait_exit(process, DEADLINE_USUAL_MS), 0);
    char *output = process_output(process);
    assert_string_equal(output, offer);
    free(output);
    process_destroy(&process);
}

static void commands_are_offered_first(void **state)
{
    (void)state;
    expect_offer("", NULL, NULL, "chat send listen status ledger drain bench");
    expect_offer("s", NULL, NULL, "send status");
}

static void each_command_offers_its_own_options(void **state)
{
    (void)state;
    expect_offer("send", "--", NULL, "--as --resend --reconnect --gateway --help");
    expect_offer("listen", "--", NULL, "--count --quiet --gateway --help");
    expect_offer("status", "--j", NULL, "--json");
    expect_offer("ledger", "--", NULL, "--json --wait --admin --help");
    expect_offer("bench", "--p", NULL, "--protocol --pipeline --processes --plot");
    expect_offer("bench", "--w", NULL, "--warm-up --watch --wait");
    expect_offer("--", NULL, NULL, "--gateway --admin --help --version");
}

static void bench_offers_its_works_and_protocols(void **state)
{
    (void)state;
    expect_offer("bench", "", NULL, "pairs any fanout pingpong idle logins");
    expect_offer("bench", "--protocol", "", "line nats mqtt redis irc");
    expect_offer("bench", "--size", "", "");
}

static void an_argument_is_no_command_and_is_not_guessed(void **state)
{
    (void)state;
    expect_offer("--gateway", "send", "s", "send status");
    expect_offer("send", "--as", "", "");
    expect_offer("listen", "", NULL, "");
    expect_offer("ledger", "--wait", "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_are_offered_first),
        TEST(each_command_offers_its_own_options),
        TEST(bench_offers_its_works_and_protocols),
        TEST(an_argument_is_no_command_and_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
