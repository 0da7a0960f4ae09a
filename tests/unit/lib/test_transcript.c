/* SPDX-License-Identifier: MPL-2.0 */
/* transcript: every kind of step and escape, every mistake with its line, and that the shipped ones show every error.
 */
#include "lib/document.h"
#include "lib/test.h"
#include "lib/transcript.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/span.h"

static transcript_t *parse(const char *text)
{
    unsigned line;
    const char *why;
    transcript_t *self = transcript_parse(text, &line, &why);
    if (!self)
        fail_msg("line %u: %s", line, why);
    return self;
}

static void assert_step(const transcript_t *self, size_t index, transcript_kind_t kind, const char *client, span_t text)
{
    const transcript_step_t *step = transcript_step(self, index);
    assert_non_null(step);
    assert_int_equal(step->kind, kind);
    assert_string_equal(step->client, client);
    assert_int_equal(step->size, text.size);
    if (text.size > 0)
        assert_memory_equal(step->text, text.data, text.size);
}

static void every_kind_of_step_is_read(void **state)
{
    (void)state;
    transcript_t *self = parse("# a comment\n\nwith a/b=c d\nalice> alice\nalice+\nbob< from alice: x\nalice|\nalice#\n"
                               "bob!\ndrain\nalice2>\nalice2<");
    const span_t none = {0};
    assert_step(self, 0, TRANSCRIPT_OPTION, "", span_str("a/b=c d"));
    assert_step(self, 1, TRANSCRIPT_WRITE, "alice", span_str("alice\n"));
    assert_step(self, 2, TRANSCRIPT_LOGIN, "alice", none);
    assert_step(self, 3, TRANSCRIPT_READ, "bob", span_str("from alice: x"));
    assert_step(self, 4, TRANSCRIPT_END_INPUT, "alice", none);
    assert_step(self, 5, TRANSCRIPT_END_OF_FILE, "alice", none);
    assert_step(self, 6, TRANSCRIPT_CLOSE, "bob", none);
    assert_step(self, 7, TRANSCRIPT_DRAIN, "", none);
    assert_step(self, 8, TRANSCRIPT_WRITE, "alice2", span_str("\n"));
    assert_step(self, 9, TRANSCRIPT_READ, "alice2", none);
    assert_null(transcript_step(self, 10));
    assert_int_equal(transcript_step(self, 1)->line, 4);
    transcript_destroy(&self);
    assert_null(self);
}

static void escapes_become_bytes(void **state)
{
    (void)state;
    transcript_t *self = parse("a> \\\\ \\n\\r\\t \\x00\\xC3\\xA9)\n"
                               "a> x\\\n"
                               "a> \\\n"
                               "a> \\*3(ab)\\*0(z)\\*2(c\\*2(d\\n))\\\n"
                               "a<  \\x20\n");
    assert_step(self, 0, TRANSCRIPT_WRITE, "a", span_of("\\ \n\r\t \0\xC3\xA9)\n", 11));
    assert_step(self, 1, TRANSCRIPT_WRITE, "a", span_str("x"));
    assert_step(self, 2, TRANSCRIPT_WRITE, "a", span_str(""));
    assert_step(self, 3, TRANSCRIPT_WRITE, "a", span_str("abababcd\nd\ncd\nd\n"));
    assert_step(self, 4, TRANSCRIPT_READ, "a", span_str("  "));
    transcript_destroy(&self);
}

static void a_line_that_is_no_step_is_told(void **state)
{
    (void)state;
    static const char *const mistakes[] = {"alice", "alice>hi", "Alice> hi", "> hi", "alice? hi", "alice+ hi",
        "drain now", "with nothing", "a> \\q", "a> \\x4", "a> \\xfg", "a> \\*(x)", "a> \\*3x", "a> \\*3(x",
        "a> \\*99999999(x)", "a> \\*9999999(xx)", "a< x\\", "with a/b=c", "a2345678901234567890123456789012> x"};
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "# first\nb> x\n%s\nb> y\n", mistakes[i]);
        unsigned line;
        const char *why;
        if (transcript_parse(text, &line, &why))
            fail_msg("\"%s\" is taken for a step", mistakes[i]);
        assert_int_equal(line, 3);
        assert_non_null(why);
    }
}

/* Calls `visit` for each transcript that is shipped. */
static void visit_shipped(void (*visit)(const transcript_t *self, void *arg), void *arg)
{
    char pattern[4096];
    const char *source = getenv("FERRY_SOURCE");
    if (!source)
        source = ".";
    snprintf(pattern, sizeof pattern, "%s/proto/transcripts/*.txt", source);
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = document_read(found.gl_pathv[i] + strlen(source) + 1, NULL);
        transcript_t *self = parse(text);
        visit(self, arg);
        transcript_destroy(&self);
        free(text);
    }
    globfree(&found);
}

static const char *const codes[] = {
#define ERROR(name, number, code, arguments, meaning) code,
#include "errors.def"
#undef ERROR
};

enum { CODES = sizeof codes / sizeof codes[0] };

static void mark_shown(const transcript_t *self, void *arg)
{
    bool *shown = arg;
    const transcript_step_t *step;
    for (size_t at = 0; (step = transcript_step(self, at)) != NULL; at++)
        for (size_t i = 0; i < CODES && step->kind == TRANSCRIPT_READ; i++) {
            char text[64];
            size_t size = (size_t)snprintf(text, sizeof text, "error %s", codes[i]);
            if (strncmp(step->text, text, size) == 0 && (step->text[size] == ' ' || step->text[size] == '\0'))
                shown[i] = true;
        }
}

/* What no transcript can bring about, and what is said to ZeroMQ programs only. */
static bool is_elsewhere(const char *code)
{
    static const char *const elsewhere[] = {"unconfirmed", "stalled", "window", "unknown-peer"};
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (strcmp(code, elsewhere[i]) == 0)
            return true;
    return false;
}

static void the_shipped_transcripts_show_every_error(void **state)
{
    (void)state;
    bool shown[CODES] = {false};
    visit_shipped(mark_shown, shown);
    for (size_t i = 0; i < CODES; i++)
        if (shown[i] == is_elsewhere(codes[i]))
            fail_msg("%s is %sshown", codes[i], shown[i] ? "" : "not ");
}

static void configure(const transcript_t *self, void *arg)
{
    unsigned *count = arg;
    const char *options[8];
    size_t size = 0;
    const transcript_step_t *step;
    for (size_t i = 0; (step = transcript_step(self, i)) != NULL && step->kind == TRANSCRIPT_OPTION; i++) {
        assert_true(size < sizeof options / sizeof options[0]);
        options[size++] = step->text;
    }
    config_t *config = config_new(NULL, options, size, stderr);
    assert_non_null(config);
    config_destroy(&config);
    *count += (unsigned)size;
}

static void the_shipped_transcripts_set_options_that_exist(void **state)
{
    (void)state;
    unsigned count = 0;
    visit_shipped(configure, &count);
    assert_true(count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_step_is_read),
        cmocka_unit_test(escapes_become_bytes),
        cmocka_unit_test(a_line_that_is_no_step_is_told),
        cmocka_unit_test(the_shipped_transcripts_show_every_error),
        cmocka_unit_test(the_shipped_transcripts_set_options_that_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
