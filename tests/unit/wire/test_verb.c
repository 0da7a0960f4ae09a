/* SPDX-License-Identifier: MPL-2.0 */
/* verb: what each verb may hold behind it, and what it is refused for. */
#include "lib/document.h"
#include "lib/test.h"

#include <stdio.h>
#include <string.h>

#include "wire/verb.h"

enum { RECIPIENTS = 3 };

static const verb_limits_t limits = {
    .line = {.line_size = 100, .name_size = 16, .recipient_count = RECIPIENTS}, .payload_size = 1000};

static span_t recipients[RECIPIENTS];
static verb_t verb = {.message.recipients = recipients};

/* Parses frames of text, up to 6, which NULL ends. */
static int parse(const char *const *texts)
{
    span_t frames[6];
    size_t count = 0;
    for (; texts[count]; count++)
        frames[count] = span_str(texts[count]);
    return verb_parse(&verb, frames, count, &limits);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void assert_span(span_t found, const char *expected)
{
    assert_true(span_equal(found, span_str(expected)));
}

static void a_login_has_a_name_and_may_have_a_secret_and_credit(void **state)
{
    (void)state;
    assert_int_equal(PARSE("LOGIN", "alice"), 0);
    assert_int_equal(verb.kind, VERB_LOGIN);
    assert_span(verb.name, "alice");
    assert_int_equal(verb.secret.size, 0);
    assert_false(verb.has_credit);
    assert_int_equal(PARSE("LOGIN", "alice", "s3cret"), 0);
    assert_span(verb.secret, "s3cret");
    assert_int_equal(PARSE("LOGIN", "alice", "", "0"), 0);
    assert_true(verb.has_credit);
    assert_int_equal(verb.credit, 0);
}

static void a_name_follows_the_rules_of_lines(void **state)
{
    (void)state;
    assert_int_equal(PARSE("LOGIN", "a b"), -FERRY_ERROR_BAD_NAME);
    assert_span(verb.culprit, "a b");
    assert_int_equal(PARSE("LOGIN", ""), -FERRY_ERROR_NO_NAME);
    assert_int_equal(PARSE("LOGIN", "#room"), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(PARSE("LOGIN", "\xff"), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(verb.culprit.size, 0);
}

static void a_message_goes_to_each_destination_once(void **state)
{
    (void)state;
    assert_int_equal(PARSE("SEND", " bob, carol,,bob", " text "), 0);
    assert_int_equal(verb.message.recipient_count, 2);
    assert_span(verb.message.recipients[1], "carol");
    assert_span(verb.message.text, " text ");
    assert_false(verb.is_opaque);
    assert_int_equal(PARSE("SEND", ",", "text"), -FERRY_ERROR_NO_RECIPIENT);
    assert_int_equal(PARSE("SEND", "a,b,c,d", "text"), -FERRY_ERROR_TOO_MANY_RECIPIENTS);
    assert_int_equal(PARSE("SEND", "a,b c", "text"), -FERRY_ERROR_BAD_NAME);
    assert_span(verb.culprit, "b c");
    assert_int_equal(PARSE("SEND", "a\xff", "text"), -FERRY_ERROR_BAD_UTF8);
    assert_int_equal(PARSE("SEND", "a\n", "text"), -FERRY_ERROR_CONTROL_BYTE);
}

static void a_payload_that_is_no_line_is_opaque(void **state)
{
    (void)state;
    char text[1002] = {0};
    assert_int_equal(PARSE("SEND", "bob", "two\nlines"), 0);
    assert_true(verb.is_opaque);
    assert_int_equal(PARSE("SEND", "bob", "\xff"), 0);
    assert_true(verb.is_opaque);
    assert_int_equal(PARSE("SEND", "bob", ""), 0);
    assert_false(verb.is_opaque);
    memset(text, 'x', 100);
    assert_int_equal(PARSE("SEND", "bob", text), 0);
    assert_false(verb.is_opaque);
    memset(text, 'x', 1000);
    assert_int_equal(PARSE("SEND", "bob", text), 0);
    assert_true(verb.is_opaque);
    text[1000] = 'x';
    assert_int_equal(PARSE("SEND", "bob", text), -FERRY_ERROR_LINE_TOO_LONG);
}

static void credit_is_a_number_of_messages(void **state)
{
    (void)state;
    assert_int_equal(PARSE("CREDIT", "1000000"), 0);
    assert_int_equal(verb.credit, VERB_CREDIT_MAX);
    static const char *const bad[] = {"", "-1", "+1", "1000001", "00000001", "1 ", "ten"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(PARSE("CREDIT", bad[i]), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("LOGIN", "alice", "", "many"), -FERRY_ERROR_BAD_LINE);
}

static void a_token_is_short_and_any_bytes(void **state)
{
    (void)state;
    char token[257] = {0};
    assert_int_equal(PARSE("PING", "\xff\n"), 0);
    assert_span(verb.token, "\xff\n");
    memset(token, 'x', VERB_TOKEN_SIZE);
    assert_int_equal(PARSE("PONG", token), 0);
    token[VERB_TOKEN_SIZE] = 'x';
    assert_int_equal(PARSE("PING", token), -FERRY_ERROR_LINE_TOO_LONG);
}

static void a_verb_with_other_frames_than_it_has_is_refused(void **state)
{
    (void)state;
    assert_int_equal(verb_parse(&verb, NULL, 0, &limits), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("LOGIN"), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("LOGIN", "a", "b", "1", "2"), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("SEND", "bob"), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("SEND", "bob", "text", "more"), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("LEAVE", ""), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("LEAVE"), 0);
}

static void an_unknown_verb_is_named(void **state)
{
    (void)state;
    assert_int_equal(PARSE("HELLO"), -FERRY_ERROR_UNKNOWN_COMMAND);
    assert_int_equal(verb.kind, VERB_COUNT);
    assert_span(verb.culprit, "HELLO");
    assert_int_equal(PARSE("login", "alice"), -FERRY_ERROR_UNKNOWN_COMMAND);
    assert_int_equal(PARSE("\x01"), -FERRY_ERROR_UNKNOWN_COMMAND);
    assert_int_equal(verb.culprit.size, 0);
    assert_int_equal(PARSE(""), -FERRY_ERROR_UNKNOWN_COMMAND);
}

static void the_specification_has_the_same_table(void **state)
{
    (void)state;
    static const struct {
        const char *syntax, *meaning;
    } table[] = {
#define VERB(name, least, most, syntax, meaning) {syntax, meaning},
#include "verbs.def"
#undef VERB
    };
    char expected[2048] = "| verb | meaning |\n| --- | --- |\n";
    size_t size = strlen(expected);
    for (size_t i = 0; i < VERB_COUNT; i++)
        size += (size_t)snprintf(
            expected + size, sizeof expected - size, "| `%s` | %s |\n", table[i].syntax, table[i].meaning);
    char *found = document_table("proto/plain.md", "## 2. What a program says");
    assert_string_equal(found, expected);
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_has_a_name_and_may_have_a_secret_and_credit),
        cmocka_unit_test(a_name_follows_the_rules_of_lines),
        cmocka_unit_test(a_message_goes_to_each_destination_once),
        cmocka_unit_test(a_payload_that_is_no_line_is_opaque),
        cmocka_unit_test(credit_is_a_number_of_messages),
        cmocka_unit_test(a_token_is_short_and_any_bytes),
        cmocka_unit_test(a_verb_with_other_frames_than_it_has_is_refused),
        cmocka_unit_test(an_unknown_verb_is_named),
        cmocka_unit_test(the_specification_has_the_same_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
