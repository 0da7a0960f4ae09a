/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include <stdio.h>

#include "link/resend.h"
#include "wire/body.h"

enum { FIRST = 70, RECIPIENTS = 3 };

/* Which of the records from FIRST on are taken, and which recipients of them have ended, as bits. */
typedef struct {
    unsigned taken;
    unsigned ended[4];
} fates_t;

static bool is_taken(const void *arg, uint64_t number)
{
    return ((const fates_t *)arg)->taken >> (number - FIRST) & 1;
}

static bool has_ended(const void *arg, uint64_t number, uint32_t recipient)
{
    return ((const fates_t *)arg)->ended[number - FIRST] >> recipient & 1;
}

/* A message to ann, bob and cat, a gap, a report about dan, another message to the same. */
static void make(buffer_t *body)
{
    const span_t recipients[RECIPIENTS] = {span_str("ann"), span_str("bob"), span_str("cat")};
    body_begin_up(body);
    body_put_message(body, 5, BODY_FLAG_RECEIPT, span_str("eve"), recipients, RECIPIENTS, span_str("one"));
    body_put_gap(body);
    body_put_report(body, &(body_report_t){.error = 7, .reason = 8, .session = 9, .number = 10, .name = {"dan", 3}});
    body_put_message(body, 6, 0, span_str("fay"), recipients, RECIPIENTS, span_str("two"));
    body_finish_up(body, FIRST, 4);
}

static void put_names(char *text, size_t size, const body_message_t *message)
{
    span_t rest = message->recipients;
    for (unsigned i = 0; i < message->recipient_count; i++) {
        span_t name = body_name_next(&rest);
        snprintf(text + strlen(text), size - strlen(text), "%.*s ", (int)name.size, name.data);
    }
}

/* "5:eve:one:ann bob cat | - | dan | …" */
static const char *read_text(span_t frame)
{
    static char text[256];
    body_t body;
    body_record_t record;
    text[0] = '\0';
    assert_int_equal(body_open_up(&body, frame), 0);
    for (uint64_t number = FIRST; body_next_up(&body, &record) == 1; number++) {
        assert_int_equal(body.number, number);
        char *end = text + strlen(text);
        size_t size = sizeof text - strlen(text);
        if (record.type == RECORD_GAP)
            snprintf(end, size, "- ");
        else if (record.type == RECORD_REPORT)
            snprintf(end, size, "%u.%u.%u.%u.%.*s ", record.report.error, record.report.reason,
                (unsigned)record.report.session, (unsigned)record.report.number, (int)record.report.name.size,
                record.report.name.data);
        else
            snprintf(end, size, "%u:%.*s:%.*s:", (unsigned)record.message.session, (int)record.message.sender.size,
                record.message.sender.data, (int)record.message.text.size, record.message.text.data);
        if (record.type == RECORD_MESSAGE)
            put_names(text, sizeof text, &record.message);
        strcat(text, "| ");
    }
    return text;
}

#define REPORT "7.8.9.10.dan | "

static const struct {
    fates_t fates;
    bool no_reports;
    const char *sent; /* NULL: as it was */
} cases[] = {
    {{0}, false, NULL},
    {{.taken = 2, .ended = {[1] = 7, [2] = 7}}, false, NULL}, /* of a gap nothing more can go, nor of a report */
    {{.taken = 1}, false, "- | - | " REPORT "6:fay:two:ann bob cat | "},
    {{.taken = 4}, false, "5:eve:one:ann bob cat | - | - | 6:fay:two:ann bob cat | "},
    {{0}, true, "5:eve:one:ann bob cat | - | - | 6:fay:two:ann bob cat | "},
    {{.taken = 15}, false, "- | - | - | - | "},
    {{.ended = {1, 0, 0, 2}}, false, "5:eve:one:bob cat | - | " REPORT "6:fay:two:ann cat | "},
    {{.ended = {3, 0, 0, 4}}, true, "5:eve:one:cat | - | - | 6:fay:two:ann bob | "},
    {{.ended = {7}}, false, "- | - | " REPORT "6:fay:two:ann bob cat | "},
    {{.taken = 1, .ended = {1}}, false, "- | - | " REPORT "6:fay:two:ann bob cat | "},
};

static void gaps_stand_for_a_body_that_is_not_kept(void **state)
{
    (void)state;
    buffer_t to = {0};
    body_t body;
    body_record_t record;
    resend_gaps(40, 3, &to);
    assert_int_equal(body_open_up(&body, buffer_span(&to)), 0);
    for (uint64_t number = 40; number < 43; number++) {
        assert_int_equal(body_next_up(&body, &record), 1);
        assert_int_equal(record.type, RECORD_GAP);
        assert_int_equal(body.number, number);
    }
    assert_int_equal(body_next_up(&body, &record), 0);
    buffer_fini(&to);
}

static void a_report_of_what_had_ended_is_not_left_out(void **state)
{
    (void)state;
    fates_t fates = {0};
    buffer_t body = {0}, to = {0};
    resend_t ask = {is_taken, has_ended, &fates, .no_reports = true};
    body_begin_up(&body);
    body_put_report(&body, &(body_report_t){.error = 17, .settled = true, .number = 9, .name = span_str("dan")});
    body_finish_up(&body, FIRST, 1);
    assert_false(resend_body(buffer_span(&body), &ask, &to));
    buffer_fini(&body);
}

static const struct {
    fates_t fates;
    const char *sent;
} more_cases[] = {
    {{.taken = 1}, "- | 5:eve:two:ann bob | 5:eve:three:ann bob | 5:eve:four:ann bob | "},
    {{.taken = 4}, "5:eve:one:ann bob | 5:eve:two:ann bob | - | 5:eve:four:ann bob | "},
    {{.ended = {[1] = 1}}, "5:eve:one:ann bob | 5:eve:two:bob | 5:eve:three:ann bob | 5:eve:four:ann bob | "},
    {{.taken = 1, .ended = {[2] = 3}}, "- | 5:eve:two:ann bob | - | 5:eve:four:ann bob | "},
};

static void more_behind_what_is_left_out_is_a_message(void **state)
{
    (void)state;
    const span_t recipients[] = {span_str("ann"), span_str("bob")};
    buffer_t body = {0};
    body_begin_up(&body);
    body_put_message(&body, 5, 0, span_str("eve"), recipients, 2, span_str("one"));
    body_put_more(&body, span_str("two"));
    body_put_more(&body, span_str("three"));
    body_put_more(&body, span_str("four"));
    body_finish_up(&body, FIRST, 4);
    for (size_t i = 0; i < sizeof more_cases / sizeof *more_cases; i++) {
        buffer_t to = {0};
        fates_t fates = more_cases[i].fates;
        assert_true(
            resend_body(buffer_span(&body), &(resend_t){is_taken, has_ended, &fates, .no_reports = false}, &to));
        assert_string_equal(read_text(buffer_span(&to)), more_cases[i].sent);
        buffer_fini(&to);
    }
    buffer_fini(&body);
}

static void what_is_taken_or_ended_is_left_out(void **state)
{
    (void)state;
    buffer_t body = {0};
    make(&body);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer_t to = {0};
        resend_t ask = {is_taken, has_ended, &cases[i].fates, cases[i].no_reports};
        bool changed = resend_body(buffer_span(&body), &ask, &to);
        if (changed != (cases[i].sent != NULL))
            fail_msg("case %u: %s", (unsigned)i, changed ? "changed" : "not changed");
        if (changed)
            assert_string_equal(read_text(buffer_span(&to)), cases[i].sent);
        else
            assert_int_equal(buffer_size(&to), 0);
        buffer_fini(&to);
    }
    buffer_fini(&body);
}

static void what_was_left_out_once_goes_as_it_is_then(void **state)
{
    (void)state;
    static const fates_t before = {.taken = 1, .ended = {[3] = 1}}, after = {.taken = 3};
    buffer_t body = {0}, to = {0}, none = {0};
    make(&body);
    assert_true(resend_body(buffer_span(&body), &(resend_t){is_taken, has_ended, &before, true}, &to));
    assert_false(resend_body(buffer_span(&to), &(resend_t){is_taken, has_ended, &after, true}, &none));
    assert_int_equal(buffer_size(&none), 0);
    buffer_fini(&body);
    buffer_fini(&to);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(more_behind_what_is_left_out_is_a_message),
        TEST(what_is_taken_or_ended_is_left_out),
        TEST(a_report_of_what_had_ended_is_not_left_out),
        TEST(gaps_stand_for_a_body_that_is_not_kept),
        TEST(what_was_left_out_once_goes_as_it_is_then),
    };
    return TEST_RUN(tests);
}
