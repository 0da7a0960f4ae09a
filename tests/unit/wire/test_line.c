/* SPDX-License-Identifier: MPL-2.0 */
/* line: every rule of proto/line.md that a parser can keep, and every error that it can find. */
#include "lib/document.h"
#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "wire/line.h"

static const line_limits_t limits = {.line_size = 65536, .name_size = 64, .recipient_count = 64};

static void assert_span(span_t span, const char *expected)
{
    if (!span_equal(span, span_str(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)span.size, span.data, expected);
}

static line_t parsed;

/* The line is given in a heap block of its size, so that the sanitizer sees a read outside of it. */
static int parse_within(span_t text, const line_limits_t *within)
{
    static span_t recipients[LINE_RECIPIENTS_MAX];
    static char *copy;
    free(copy);
    copy = malloc(text.size + 1);
    assert_non_null(copy);
    char *start = copy + 1;
    if (text.size > 0)
        memcpy(start, text.data, text.size);
    parsed.recipients = recipients;
    return line_parse(&parsed, span_of(start, text.size), within);
}

static int parse(const char *text)
{
    return parse_within(span_str(text), &limits);
}

static void assert_refused(const char *text, ferry_error_t error, const char *culprit)
{
    int found = parse(text);
    if (found != -(int)error)
        fail_msg("\"%s\" is %s, not %s", text, error_code(found), error_code((int)error));
    assert_span(parsed.culprit, culprit);
}

/* `recipients` is the list as it must be understood, with '|' between the names. */
static void assert_message(const char *text, const char *recipients, const char *body)
{
    int error = parse(text);
    if (error)
        fail_msg("\"%s\" is refused: %s", text, error_code(error));
    assert_int_equal(parsed.kind, parsed.label.size ? LINE_SEND : LINE_MESSAGE);
    assert_span(parsed.text, body);
    char joined[512] = "";
    size_t size = 0;
    for (unsigned i = 0; i < parsed.recipient_count; i++)
        size += (size_t)snprintf(joined + size, sizeof joined - size, "%s%.*s", i ? "|" : "",
            (int)parsed.recipients[i].size, parsed.recipients[i].data);
    assert_string_equal(joined, recipients);
}

static void a_message_is_a_list_of_names_a_colon_and_a_text(void **state)
{
    (void)state;
    assert_message("bob: hello", "bob", "hello");
    assert_message("bob:hello", "bob", "hello");
    assert_message("bob, alice: hi", "bob|alice", "hi");
    assert_message("b\xC3\xB6"
                   "b,\xE6\x97\xA5\xE6\x9C\xAC: \xC2\xA1hola!",
        "b\xC3\xB6"
        "b|\xE6\x97\xA5\xE6\x9C\xAC",
        "\xC2\xA1hola!");
}

static void a_label_stands_before_a_message_with_a_receipt(void **state)
{
    (void)state;
    assert_message("/send 42 bob, carol: hello", "bob|carol", "hello");
    assert_int_equal(parsed.kind, LINE_SEND);
    assert_true(span_equal(parsed.label, span_str("42")));
    assert_message("/send  \t a:b,c \t bob : x ", "bob", "x");
    assert_true(span_equal(parsed.label, span_str("a:b,c")));
    assert_message("bob: /send 1 carol: x", "bob", "/send 1 carol: x");
    assert_int_equal(parsed.label.size, 0);
}

static void a_label_is_told_with_the_mistake_behind_it(void **state)
{
    static const struct {
        const char *line, *label, *culprit;
        int error;
    } cases[] = {
        {"/send", "", "", FERRY_ERROR_BAD_LINE},
        {"/send 1", "1", "", FERRY_ERROR_BAD_LINE},
        {"/send 1 bob", "1", "", FERRY_ERROR_BAD_LINE},
        {"/send bob: x", "bob:", "", FERRY_ERROR_BAD_LINE},
        {"/send 1 : x", "1", "", FERRY_ERROR_NO_RECIPIENT},
        {"/send 1 a b: x", "1", "a b", FERRY_ERROR_BAD_NAME},
        {"/send 1234567890123456789012345678901234567890123456789012345678901234 bob x",
            "1234567890123456789012345678901234567890123456789012345678901234", "", FERRY_ERROR_BAD_LINE},
        {"/send 12345678901234567890123456789012345678901234567890123456789012345 bob: x", "", "",
            FERRY_ERROR_BAD_LINE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(cases[i].line, cases[i].error, cases[i].culprit);
        assert_true(span_equal(parsed.label, span_str(cases[i].label)));
    }
}

static void white_space_around_names_and_text_is_dropped(void **state)
{
    (void)state;
    assert_message(" bob\t,  alice :\t hello  world \t", "bob|alice", "hello  world");
    assert_message("\xC2\xA0"
                   "bob\xE3\x80\x80:\xE2\x80\x89hi\xC2\xA0",
        "bob", "hi");
}

static void the_first_colon_ends_the_names(void **state)
{
    (void)state;
    assert_message("bob: http://host:80/", "bob", "http://host:80/");
    assert_message("bob::", "bob", ":");
}

static void an_empty_text_is_a_message(void **state)
{
    (void)state;
    assert_message("bob:", "bob", "");
    assert_message("bob:  ", "bob", "");
}

static void empty_names_between_commas_are_ignored(void **state)
{
    (void)state;
    assert_message("bob,,carol: x", "bob|carol", "x");
    assert_message(", bob , : x", "bob", "x");
}

static void a_message_without_a_name_has_no_recipient(void **state)
{
    (void)state;
    assert_refused(": x", FERRY_ERROR_NO_RECIPIENT, "");
    assert_refused(" \t: x", FERRY_ERROR_NO_RECIPIENT, "");
    assert_refused(", : x", FERRY_ERROR_NO_RECIPIENT, "");
    assert_refused(",,,:", FERRY_ERROR_NO_RECIPIENT, "");
}

static void a_name_given_twice_is_one_recipient(void **state)
{
    (void)state;
    assert_message("bob, bob: x", "bob", "x");
    assert_message("bob, alice , bob,alice,bo: x", "bob|alice|bo", "x");
}

static void groups_and_services_are_destinations(void **state)
{
    (void)state;
    assert_message("#team, @clock, team: x", "#team|@clock|team", "x");
    assert_refused("#: x", FERRY_ERROR_BAD_NAME, "#");
    assert_refused("##team: x", FERRY_ERROR_BAD_NAME, "##team");
    assert_refused("@/x: x", FERRY_ERROR_BAD_NAME, "@/x");
}

/* Parses one line behind another, by the head of that. */
static bool parse_like(const char *before, const char *text, line_t *line)
{
    static span_t like_recipients[8];
    static line_head_t head;
    line_limits_t like_limits = {.line_size = 100, .name_size = 20, .recipient_count = 8};
    *line = (line_t){.recipients = like_recipients};
    if (line_parse(line, span_str(before), &like_limits) == 0)
        line_head_keep(&head, span_str(before), line);
    uint64_t kept = line->head;
    if (!line_parse_like(line, span_str(text), &like_limits, &head))
        return false;
    assert_true(kept == 0 || line->head == kept);
    return true;
}

static void a_line_like_the_one_before_is_parsed_by_its_head(void **state)
{
    (void)state;
    line_t line;
    assert_true(parse_like("bob: one", "bob:  two \r", &line));
    assert_int_equal(line.kind, LINE_MESSAGE);
    assert_int_equal(line.recipient_count, 1);
    assert_span(line.recipients[0], "bob");
    assert_span(line.text, "two");
    assert_true(parse_like(" bob , bob: one", " bob , bob:", &line));
    assert_span(line.recipients[0], "bob");
    assert_span(line.text, "");
    assert_true(parse_like("#room: one", "#room: a: b", &line));
    assert_span(line.text, "a: b");
    assert_false(parse_like("bob: one", "bo: two", &line));
    assert_false(parse_like("bob: one", "bob", &line));
    assert_false(parse_like("bob: one", "bobby: two", &line));
    assert_false(parse_like("bob: one", "bob: \xff", &line));
    assert_false(parse_like("bob: one", "bob: \a", &line));
    char wide[102];
    memset(wide, 'x', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    memcpy(wide, "bob:", 4);
    assert_false(parse_like("bob: one", wide, &line));
    wide[100] = '\0';
    assert_true(parse_like("bob: one", wide, &line));
}

static void a_head_is_kept_of_a_message_to_one_recipient_alone(void **state)
{
    (void)state;
    line_t line;
    assert_true(parse_like("bob: one", "bob: two", &line));
    assert_false(parse_like("ann, bob: one", "ann, bob: two", &line));
    assert_true(parse_like("/send r ann: one", "bob: two", &line)); /* the last that was kept */
    assert_span(line.recipients[0], "bob");
    assert_false(parse_like("/send r ann: one", "/send r ann: two", &line));
    assert_true(parse_like("no line", "bob: two", &line));
}

static void a_line_without_a_colon_is_a_bad_line(void **state)
{
    (void)state;
    assert_refused("", FERRY_ERROR_BAD_LINE, "");
    assert_refused("   ", FERRY_ERROR_BAD_LINE, "");
    assert_refused("hello", FERRY_ERROR_BAD_LINE, "");
    assert_refused(" /quit", FERRY_ERROR_BAD_LINE, "");
}

static void a_recipient_that_is_no_name_is_told(void **state)
{
    (void)state;
    assert_refused("bob smith: x", FERRY_ERROR_BAD_NAME, "bob smith");
    assert_refused("alice, bob\tsmith, c d: x", FERRY_ERROR_BAD_NAME, "bob\tsmith");
    assert_refused("bob\xC2\xA0smith: x", FERRY_ERROR_BAD_NAME, "bob\xC2\xA0smith");
    assert_refused("bob\xC2\x9Bsmith: x", FERRY_ERROR_BAD_NAME, "bob\xC2\x9Bsmith");
    assert_refused(" /bob: x", FERRY_ERROR_BAD_NAME, "/bob");
}

/* Parses a line to the name that is `start`, `count` times the letter n, and `end`. */
static int parse_name(const char *start, int count, const char *end)
{
    char letters[100];
    memset(letters, 'n', sizeof letters);
    char text[128];
    snprintf(text, sizeof text, "%s%.*s%s: x", start, count, letters, end);
    return parse(text);
}

static void a_long_culprit_is_cut_after_a_whole_character(void **state)
{
    (void)state;
    assert_int_equal(parse_name("", 66, ""), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(parsed.culprit.size, LINE_CULPRIT_SIZE);
    assert_int_equal(parse_name("", 63, "\xC3\xA9"), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(parsed.culprit.size, LINE_CULPRIT_SIZE - 1);
}

static void a_name_may_be_as_long_as_its_limit(void **state)
{
    (void)state;
    assert_int_equal(parse_name("", 64, ""), 0);
    assert_int_equal(parsed.recipients[0].size, 64);
    assert_int_equal(parse_name("#", 63, ""), 0);
    assert_int_equal(parse_name("#", 64, ""), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(parse_name("", 65, ""), -FERRY_ERROR_BAD_NAME);
}

static void only_one_carriage_return_is_dropped(void **state)
{
    (void)state;
    assert_message("bob: hello\r", "bob", "hello");
    assert_refused("bob: hello\r\r", FERRY_ERROR_CONTROL_BYTE, "");
    assert_refused("bob: hel\rlo", FERRY_ERROR_CONTROL_BYTE, "");
    assert_refused("\r", FERRY_ERROR_BAD_LINE, "");
}

static void a_line_may_be_as_long_as_its_limit(void **state)
{
    (void)state;
    const line_limits_t small = {.line_size = 10, .name_size = 64, .recipient_count = 64};
    assert_int_equal(parse_within(span_str("bob: hello"), &small), 0);
    assert_int_equal(parse_within(span_str("bob: hello\r"), &small), 0);
    assert_int_equal(parse_within(span_str("bob: hello!"), &small), -FERRY_ERROR_LINE_TOO_LONG);
    assert_int_equal(
        parse_within(span_str("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), &small), -FERRY_ERROR_LINE_TOO_LONG);
}

static void a_line_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    assert_refused("bob: \xFF", FERRY_ERROR_BAD_UTF8, "");
    assert_refused("bob: a long line of text, then a surrogate \xED\xA0\x80 and more of it", FERRY_ERROR_BAD_UTF8, "");
    assert_refused("b\xC0\xAF"
                   "b: x",
        FERRY_ERROR_BAD_UTF8, "");
    assert_refused("no colon \xE2\x82", FERRY_ERROR_BAD_UTF8, "");
    assert_refused("/frob \x80", FERRY_ERROR_BAD_UTF8, "");
}

static void a_line_with_a_control_byte_is_refused(void **state)
{
    (void)state;
    assert_message("bob: tab\tinside", "bob", "tab\tinside");
    for (char byte = 1; byte < 0x20; byte++) {
        char text[] = "bob: a_b";
        text[6] = byte;
        if (byte != '\t')
            assert_refused(text, FERRY_ERROR_CONTROL_BYTE, "");
    }
    assert_refused("bob: a\x7F"
                   "b",
        FERRY_ERROR_CONTROL_BYTE, "");
    assert_int_equal(parse_within(span_of("bob: a\0b", 8), &limits), -FERRY_ERROR_CONTROL_BYTE);
}

static void the_first_bad_byte_decides_the_error(void **state)
{
    (void)state;
    assert_refused("bob: \x01 \xFF", FERRY_ERROR_CONTROL_BYTE, "");
    assert_refused("bob: \xFF \x01", FERRY_ERROR_BAD_UTF8, "");
}

static span_t line_to(unsigned count, char *text, size_t size)
{
    size_t at = 0;
    for (unsigned i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, size - at, "%sn%u", i ? "," : "", i);
    at += (size_t)snprintf(text + at, size - at, ": x");
    return span_of(text, at);
}

static void as_many_recipients_as_the_limit_are_taken(void **state)
{
    (void)state;
    static char text[16384];
    line_limits_t wide = limits;
    for (unsigned count = 1; count <= LINE_RECIPIENTS_MAX; count *= 2) {
        wide.recipient_count = count;
        assert_int_equal(parse_within(line_to(count, text, sizeof text), &wide), 0);
        assert_int_equal(parsed.recipient_count, count);
        assert_int_equal(parse_within(line_to(count + 1, text, sizeof text), &wide), -FERRY_ERROR_TOO_MANY_RECIPIENTS);
    }
}

static void names_given_twice_do_not_count_towards_the_limit(void **state)
{
    (void)state;
    const line_limits_t two = {.line_size = 100, .name_size = 64, .recipient_count = 2};
    assert_int_equal(parse_within(span_str("a,b,a,b,,a: x"), &two), 0);
    assert_int_equal(parsed.recipient_count, 2);
    assert_int_equal(parse_within(span_str("a,b,a,c,b c: x"), &two), -FERRY_ERROR_TOO_MANY_RECIPIENTS);
    assert_int_equal(parse_within(span_str("a,b,a c,c: x"), &two), -FERRY_ERROR_BAD_NAME);
}

static void commands_are_known_by_their_first_word(void **state)
{
    (void)state;
    assert_int_equal(parse("/ping  12 ab \r"), 0);
    assert_int_equal(parsed.kind, LINE_PING);
    assert_span(parsed.text, "12 ab");
    assert_int_equal(parse("/ping"), 0);
    assert_span(parsed.text, "");
    assert_int_equal(parse("/ping\ta: b"), 0);
    assert_span(parsed.text, "a: b");
    assert_int_equal(parse("/help"), 0);
    assert_int_equal(parsed.kind, LINE_HELP);
    assert_int_equal(parse("/quit "), 0);
    assert_int_equal(parsed.kind, LINE_QUIT);
}

static void a_command_about_a_group_or_a_service_names_one(void **state)
{
    (void)state;
    assert_int_equal(parse("/join  #room "), 0);
    assert_int_equal(parsed.kind, LINE_JOIN);
    assert_span(parsed.text, "#room");
    assert_int_equal(parse("/leave #room"), 0);
    assert_int_equal(parsed.kind, LINE_LEAVE);
    assert_refused("/join", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/join room", FERRY_ERROR_BAD_NAME, "room");
    assert_refused("/join @room", FERRY_ERROR_BAD_NAME, "@room");
    assert_refused("/join #", FERRY_ERROR_BAD_NAME, "#");
    assert_refused("/leave #a b", FERRY_ERROR_BAD_NAME, "#a b");
    assert_int_equal(parse("/unserve @mill"), 0);
    assert_int_equal(parsed.kind, LINE_UNSERVE);
    assert_span(parsed.text, "@mill");
    assert_refused("/unserve #mill", FERRY_ERROR_BAD_NAME, "#mill");
    assert_refused("/watch #room", FERRY_ERROR_BAD_NAME, "#room");
}

static void a_service_is_served_with_a_credit(void **state)
{
    (void)state;
    assert_int_equal(parse("/serve @mill"), 0);
    assert_int_equal(parsed.kind, LINE_SERVE);
    assert_span(parsed.text, "@mill");
    assert_int_equal(parsed.number, 1);
    assert_int_equal(parse("/serve\t@mill  10000 "), 0);
    assert_span(parsed.text, "@mill");
    assert_int_equal(parsed.number, LINE_CREDIT_MAX);
    assert_refused("/serve", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/serve mill", FERRY_ERROR_BAD_NAME, "mill");
    assert_refused("/serve @mill 0", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/serve @mill 10001", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/serve @mill 99999999999999999999999", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/serve @mill -1", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/serve @mill 1 2", FERRY_ERROR_BAD_LINE, "");
}

static void a_job_is_done_by_its_number_with_an_answer_or_without(void **state)
{
    (void)state;
    assert_int_equal(parse("/done 17 "), 0);
    assert_int_equal(parsed.kind, LINE_DONE);
    assert_int_equal(parsed.number, 17);
    assert_int_equal(parse("/reply 17 : a: b "), 0);
    assert_int_equal(parsed.kind, LINE_REPLY);
    assert_int_equal(parsed.number, 17);
    assert_span(parsed.text, "a: b");
    assert_span(parsed.job, "17");
    assert_int_equal(parse("/reply 1:"), 0);
    assert_span(parsed.text, "");
    assert_refused("/done", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/done 1x", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/done 0", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/reply 1", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/reply : x", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/reply x: y", FERRY_ERROR_BAD_LINE, "");
}

static void a_request_has_a_label_a_time_and_one_service(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t time_ms;
    } times[] = {{"/request r1 250ms @mill: how?", 250}, {"/request r1 5s @mill: how?", 5000},
        {"/request\tr1  2m  @mill : how?", 120000}, {"/request r1 1h @mill:how?", LINE_TIME_MAX}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_int_equal(parse(times[i].text), 0);
        assert_int_equal(parsed.kind, LINE_REQUEST);
        assert_int_equal(parsed.number, times[i].time_ms);
        assert_span(parsed.label, "r1");
        assert_int_equal(parsed.recipient_count, 1);
        assert_span(parsed.recipients[0], "@mill");
        assert_span(parsed.text, "how?");
    }
    assert_refused("/request", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/request r1", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/request r1 5 @mill: x", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/request r1 s @mill: x", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/request r1 0s @mill: x", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/request r1 2h @mill: x", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/request r1 5s @mill", FERRY_ERROR_BAD_LINE, "");
    assert_refused("/request r1 5s : x", FERRY_ERROR_NO_RECIPIENT, "");
    assert_refused("/request r1 5s bob: x", FERRY_ERROR_BAD_NAME, "bob");
    assert_refused("/request r1 5s #room: x", FERRY_ERROR_BAD_NAME, "#room");
    assert_refused("/request r1 5s @a, @b: x", FERRY_ERROR_BAD_NAME, "@a");
    assert_span(parsed.label, "r1");
}

static void who_may_have_the_beginning_of_a_name(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"", "b", "#", "#room", "@", "@m"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char line[32];
        snprintf(line, sizeof line, "/who %s ", prefixes[i]);
        assert_int_equal(parse(line), 0);
        assert_int_equal(parsed.kind, LINE_WHO);
        assert_span(parsed.text, prefixes[i]);
    }
    assert_refused("/who a b", FERRY_ERROR_BAD_NAME, "a b");
    assert_refused("/who ##", FERRY_ERROR_BAD_NAME, "##");
    assert_refused("/who /x", FERRY_ERROR_BAD_NAME, "/x");
}

static void an_unknown_command_is_told(void **state)
{
    (void)state;
    assert_refused("/", FERRY_ERROR_UNKNOWN_COMMAND, "/");
    assert_refused("/pin g", FERRY_ERROR_UNKNOWN_COMMAND, "/pin");
    assert_refused("/pings", FERRY_ERROR_UNKNOWN_COMMAND, "/pings");
    assert_refused("/Quit", FERRY_ERROR_UNKNOWN_COMMAND, "/Quit");
    assert_refused("/bob: x", FERRY_ERROR_UNKNOWN_COMMAND, "/bob:");
}

static void help_lists_every_command(void **state)
{
    (void)state;
    span_t help = line_help();
    static const char *const words[] = {"info /ping TOKEN: ", "\ninfo /help: ", "\ninfo /quit: ", "\nok help\n"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_non_null(memmem(help.data, help.size, words[i], strlen(words[i])));
    assert_int_equal(help.data[help.size - 1], '\n');
}

static span_t login_name, login_secret, login_culprit;

static int parse_login(const char *text)
{
    static const line_limits_t within = {.line_size = 100, .name_size = 64, .recipient_count = 1};
    return line_parse_login(span_str(text), &within, &login_name, &login_secret, &login_culprit);
}

static void assert_login(const char *text, const char *name, const char *secret)
{
    assert_int_equal(parse_login(text), 0);
    assert_span(login_name, name);
    assert_span(login_secret, secret);
}

static void assert_login_refused(const char *text, ferry_error_t error, const char *culprit)
{
    assert_int_equal(parse_login(text), -(int)error);
    assert_span(login_culprit, culprit);
    assert_int_equal(login_name.size + login_secret.size, 0);
}

static void the_first_line_is_a_name(void **state)
{
    (void)state;
    assert_login("alice", "alice", "");
    assert_login("alice\r", "alice", "");
    assert_login(" \talice  ", "alice", "");
    assert_login("J\xC3\xB6rg", "J\xC3\xB6rg", "");
    assert_login("a#@/b", "a#@/b", "");
}

static void a_secret_is_what_follows_the_first_space(void **state)
{
    (void)state;
    assert_login("alice s3cret", "alice", "s3cret");
    assert_login("alice  two, words: here \r", "alice", "two, words: here");
    assert_login("alice\t s3cret", "alice", "s3cret");
}

static void a_first_line_without_a_name_is_refused(void **state)
{
    (void)state;
    assert_login_refused("", FERRY_ERROR_NO_NAME, "");
    assert_login_refused("\r", FERRY_ERROR_NO_NAME, "");
    assert_login_refused(" \t \xC2\xA0", FERRY_ERROR_NO_NAME, "");
}

static void a_first_line_that_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"a,b", "a:b", "/quit", "#team", "@clock", "a\tb",
        "a\xC2\xA0"
        "b",
        "a\xC2\x85"
        "b",
        "a\xE2\x80\xA8"
        "b",
        "a\xC2\x80"
        "b",
        "a\xC2\x9F"
        "b",
        ":", ","};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_login_refused(names[i], FERRY_ERROR_BAD_NAME, names[i]);
        assert_int_equal(line_check_name(span_str(names[i]), 64), -FERRY_ERROR_BAD_NAME);
    }
    assert_login_refused("bob: hello", FERRY_ERROR_BAD_NAME, "bob:");
}

static void a_first_line_with_bad_bytes_is_refused(void **state)
{
    (void)state;
    assert_login_refused("al\x01"
                         "ice",
        FERRY_ERROR_CONTROL_BYTE, "");
    assert_login_refused("alice s3\xFF", FERRY_ERROR_BAD_UTF8, "");
    char text[102];
    memset(text, 'a', 101);
    text[101] = '\0';
    assert_login_refused(text, FERRY_ERROR_LINE_TOO_LONG, "");
    text[65] = '\0';
    assert_int_equal(parse_login(text), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(login_culprit.size, LINE_CULPRIT_SIZE);
}

static void any_bytes_can_be_checked_as_a_name(void **state)
{
    (void)state;
    assert_int_equal(line_check_name(span_str("alice"), 64), 0);
    assert_int_equal(line_check_name(span_str("alice"), 4), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(line_check_name(span_of(NULL, 0), 64), -FERRY_ERROR_NO_NAME);
    assert_int_equal(line_check_name(span_of("a\0b", 3), 64), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(line_check_name(span_str("a\xFF"), 64), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(line_check_name(span_str("a\xE2\x82"), 64), -FERRY_ERROR_BAD_NAME);
    assert_int_equal(line_check_name(span_str("a\x7F"), 64), -FERRY_ERROR_BAD_NAME);
}

static void the_specification_has_the_same_commands(void **state)
{
    (void)state;
    static const char expected[] = "| command | meaning |\n| --- | --- |\n"
#define COMMAND(name, word, syntax, meaning) "| `" syntax "` | " meaning " |\n"
#include "commands.def"
#undef COMMAND
        ;
    char *found = document_table("proto/line.md", "## 6. Commands");
    assert_string_equal(found, expected);
    free(found);
}

/* Finds the row of a limit, if it is one, and counts it. */
typedef struct {
    const char *table;
    unsigned found;
} limit_rows_t;

static void find_limit_row(void *arg, const char *key, const char *kind, const char *value)
{
    (void)kind;
    limit_rows_t *rows = arg;
    char row[128];
    snprintf(row, sizeof row, "| `%s` | %s | ", key, value);
    if (strstr(rows->table, row))
        rows->found++;
}

static void the_specification_has_the_limits_of_the_options(void **state)
{
    (void)state;
    char *table = document_table("proto/line.md", "## 1. Lines");
    unsigned lines = 0;
    for (const char *at = table; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    limit_rows_t rows = {.table = table};
    config_schema(find_limit_row, &rows);
    assert_int_equal(rows.found, lines - 2);
    assert_true(rows.found >= 3);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_like_the_one_before_is_parsed_by_its_head),
        cmocka_unit_test(a_head_is_kept_of_a_message_to_one_recipient_alone),
        cmocka_unit_test(a_message_is_a_list_of_names_a_colon_and_a_text),
        cmocka_unit_test(a_label_stands_before_a_message_with_a_receipt),
        cmocka_unit_test(a_label_is_told_with_the_mistake_behind_it),
        cmocka_unit_test(white_space_around_names_and_text_is_dropped),
        cmocka_unit_test(the_first_colon_ends_the_names),
        cmocka_unit_test(an_empty_text_is_a_message),
        cmocka_unit_test(empty_names_between_commas_are_ignored),
        cmocka_unit_test(a_message_without_a_name_has_no_recipient),
        cmocka_unit_test(a_name_given_twice_is_one_recipient),
        cmocka_unit_test(groups_and_services_are_destinations),
        cmocka_unit_test(a_line_without_a_colon_is_a_bad_line),
        cmocka_unit_test(a_recipient_that_is_no_name_is_told),
        cmocka_unit_test(a_long_culprit_is_cut_after_a_whole_character),
        cmocka_unit_test(a_name_may_be_as_long_as_its_limit),
        cmocka_unit_test(only_one_carriage_return_is_dropped),
        cmocka_unit_test(a_line_may_be_as_long_as_its_limit),
        cmocka_unit_test(a_line_that_is_not_utf8_is_refused),
        cmocka_unit_test(a_line_with_a_control_byte_is_refused),
        cmocka_unit_test(the_first_bad_byte_decides_the_error),
        cmocka_unit_test(as_many_recipients_as_the_limit_are_taken),
        cmocka_unit_test(names_given_twice_do_not_count_towards_the_limit),
        cmocka_unit_test(commands_are_known_by_their_first_word),
        cmocka_unit_test(a_command_about_a_group_or_a_service_names_one),
        cmocka_unit_test(a_service_is_served_with_a_credit),
        cmocka_unit_test(a_job_is_done_by_its_number_with_an_answer_or_without),
        cmocka_unit_test(a_request_has_a_label_a_time_and_one_service),
        cmocka_unit_test(who_may_have_the_beginning_of_a_name),
        cmocka_unit_test(an_unknown_command_is_told),
        cmocka_unit_test(help_lists_every_command),
        cmocka_unit_test(the_first_line_is_a_name),
        cmocka_unit_test(a_secret_is_what_follows_the_first_space),
        cmocka_unit_test(a_first_line_without_a_name_is_refused),
        cmocka_unit_test(a_first_line_that_is_no_name_is_refused),
        cmocka_unit_test(a_first_line_with_bad_bytes_is_refused),
        cmocka_unit_test(any_bytes_can_be_checked_as_a_name),
        cmocka_unit_test(the_specification_has_the_same_commands),
        cmocka_unit_test(the_specification_has_the_limits_of_the_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
