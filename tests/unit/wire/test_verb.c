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
    assert_int_equal(PARSE("SEND", "bob", "text", "label", "more"), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("LEAVE", ""), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("LEAVE"), 0);
}

static void a_send_may_have_a_label(void **state)
{
    (void)state;
    char label[LINE_LABEL_SIZE + 2] = {0};
    assert_int_equal(PARSE("SEND", "bob", "text", "l 1"), 0);
    assert_int_equal(verb.message.kind, LINE_SEND);
    assert_span(verb.message.label, "l 1");
    assert_int_equal(PARSE("SEND", "bob", "text", ""), -FERRY_ERROR_BAD_LINE);
    memset(label, 'x', LINE_LABEL_SIZE);
    assert_int_equal(PARSE("SEND", "bob", "text", label), 0);
    label[LINE_LABEL_SIZE] = 'x';
    assert_int_equal(PARSE("SEND", "bob", "text", label), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("SEND", "a b", "text", "l1"), -FERRY_ERROR_BAD_NAME);
    assert_span(verb.message.label, "l1"); /* which the error names too */
}

static void a_request_has_a_label_a_time_and_one_service(void **state)
{
    (void)state;
    assert_int_equal(PARSE("REQUEST", "r1", "5s", "@mill", "two\nlines"), 0);
    assert_int_equal(verb.message.kind, LINE_REQUEST);
    assert_int_equal(verb.message.number, 5000);
    assert_int_equal(verb.message.recipient_count, 1);
    assert_span(verb.message.recipients[0], "@mill");
    assert_span(verb.message.label, "r1");
    assert_true(verb.is_opaque);
    assert_int_equal(PARSE("REQUEST", "", "5s", "@mill", ""), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("REQUEST", "r1", "soon", "@mill", ""), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("REQUEST", "r1", "2h", "@mill", ""), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("REQUEST", "r1", "5s", "bob", ""), -FERRY_ERROR_BAD_NAME);
    assert_span(verb.culprit, "bob");
    assert_int_equal(PARSE("REQUEST", "r1", "5s", "@mill,@shop", ""), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(PARSE("REQUEST", "r1", "5s", ",", ""), -FERRY_ERROR_NO_RECIPIENT);
}

static void a_job_is_named_by_its_number(void **state)
{
    (void)state;
    assert_int_equal(PARSE("DONE", "17"), 0);
    assert_int_equal(verb.message.number, 17);
    assert_int_equal(PARSE("REPLY", "18", "\xff"), 0);
    assert_int_equal(verb.message.number, 18);
    assert_true(verb.is_opaque);
    static const char *const bad[] = {"", "0", "-1", "seven", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(PARSE("DONE", bad[i]), -FERRY_ERROR_BAD_LINE);
}

static void groups_and_services_have_their_sign_and_peers_have_none(void **state)
{
    (void)state;
    static const struct {
        const char *verb, *good, *bad;
    } rows[] = {{"JOIN", "#room", "room"}, {"LEAVE", "#room", "@room"}, {"SERVE", "@mill", "#mill"},
        {"UNSERVE", "@mill", "mill"}, {"WATCH", "bob", "#bob"}, {"UNWATCH", "bob", "@bob"}, {"WHO", "@m", "@@"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(PARSE(rows[i].verb, rows[i].good), 0);
        assert_span(verb.message.text, rows[i].good);
        assert_int_equal(PARSE(rows[i].verb, rows[i].bad), -FERRY_ERROR_BAD_NAME);
        assert_span(verb.culprit, rows[i].bad);
        assert_int_equal(PARSE(rows[i].verb, "#a b"), -FERRY_ERROR_BAD_NAME);
        assert_int_equal(PARSE(rows[i].verb, "#a\n"), -FERRY_ERROR_CONTROL_BYTE);
        assert_int_equal(verb.culprit.size, 0);
    }
    assert_int_equal(PARSE("SERVE", "@mill"), 0);
    assert_int_equal(verb.message.number, 1);
    assert_int_equal(PARSE("SERVE", "@mill", "10000"), 0);
    assert_int_equal(verb.message.number, LINE_CREDIT_MAX);
    assert_int_equal(PARSE("SERVE", "@mill", "10001"), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("SERVE", "@mill", "0"), -FERRY_ERROR_BAD_LINE);
    assert_int_equal(PARSE("WHO"), 0);
}

static void what_asks_for_something_is_numbered(void **state)
{
    (void)state;
    PARSE("SEND", "bob", "text");
    assert_true(verb_is_numbered(&verb));
    PARSE("LEAVE", "#room");
    assert_true(verb_is_numbered(&verb));
    PARSE("JOIN", "bad"); /* a mistake, too */
    assert_true(verb_is_numbered(&verb));
    static const char *const others[] = {"LEAVE", "HELLO"};
    for (size_t i = 0; i < 2; i++) {
        PARSE(others[i]);
        assert_false(verb_is_numbered(&verb));
    }
    PARSE("PING", "");
    assert_false(verb_is_numbered(&verb));
    PARSE("CREDIT", "1");
    assert_false(verb_is_numbered(&verb));
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
    char expected[4096] = "| verb | meaning |\n| --- | --- |\n";
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
        cmocka_unit_test(a_send_may_have_a_label),
        cmocka_unit_test(a_request_has_a_label_a_time_and_one_service),
        cmocka_unit_test(a_job_is_named_by_its_number),
        cmocka_unit_test(groups_and_services_have_their_sign_and_peers_have_none),
        cmocka_unit_test(what_asks_for_something_is_numbered),
        cmocka_unit_test(an_unknown_verb_is_named),
        cmocka_unit_test(the_specification_has_the_same_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
