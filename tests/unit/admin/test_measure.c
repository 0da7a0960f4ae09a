/* SPDX-License-Identifier: MPL-2.0 */
/* measure: which numbers become of a report. */
#include "lib/test.h"

#include <stdlib.h>

#include "admin/measure.h"

static json_t *measure(const char *head, const char *actor)
{
    report_t *report = report_new(span_str(head));
    if (actor)
        report_add(report, span_str(actor));
    json_t *samples = measure_report(report);
    report_destroy(&report);
    return samples;
}

/* The compact text of `section` of sample `index`, with its keys in order. */
static void assert_section(const json_t *samples, size_t index, const char *section, const char *expected)
{
    json_t *json = json_object_get(json_array_get(samples, index), section);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void the_process_comes_first_and_has_no_actor(void **state)
{
    (void)state;
    json_t *samples = measure("{\"role\":\"all\",\"version\":\"1\",\"uptime_s\":5,\"ready\":true,"
                              "\"drain\":{\"state\":\"running\"},"
                              "\"memory\":{\"limit_bytes\":9,\"used_bytes\":7,\"level\":\"short\"}}",
        NULL);
    assert_int_equal(json_array_size(samples), 1);
    assert_null(json_object_get(json_array_get(samples, 0), "actor"));
    assert_section(samples, 0, "counters", "{}");
    assert_section(samples, 0, "gauges",
        "{\"drain_state\":{\"state\":{\"drained\":0,\"draining\":0,\"running\":1}},\"malformed_reports\":0,"
        "\"memory_limit_bytes\":9,\"memory_used_bytes\":7,\"ready\":1,"
        "\"role_info\":{\"role\":{\"all\":1}},\"uptime_seconds\":5,\"version_info\":{\"version\":{\"1\":1}}}");
    json_decref(samples);
}

static void what_an_actor_counts_is_passed_on(void **state)
{
    (void)state;
    json_t *samples = measure("{}", "{\"actor\":\"listener\",\"accepting\":false,\"counters\":{\"a\":1},"
                                    "\"gauges\":{\"b\":2},\"histograms\":{\"c\":{}}}");
    assert_section(samples, 1, "actor", "\"listener\"");
    assert_section(samples, 1, "counters", "{\"a\":1}");
    assert_section(samples, 1, "gauges", "{\"accepting\":0,\"b\":2}");
    assert_section(samples, 1, "histograms", "{\"c\":{}}");
    json_decref(samples);
}

static void an_empty_list_is_zeros_and_a_missing_one_is_nothing(void **state)
{
    (void)state;
    json_t *samples = measure("{}", "{\"actor\":\"worker-0\",\"session_writers\":[]}");
    assert_section(samples, 1, "gauges",
        "{\"session_writer_queued_bytes\":0,\"session_writer_queued_bytes_max\":0,\"session_writer_queued_copies\":0,"
        "\"session_writers_paused\":0}");
    json_decref(samples);
}

static void sums_out_of_range_do_not_overflow(void **state)
{
    (void)state;
    json_t *samples = measure("{}", "{\"actor\":\"w\",\"session_writers\":[{\"queued_bytes\":9223372036854775807},"
                                    "{\"queued_bytes\":9223372036854775807},{\"queued_bytes\":-9223372036854775808}]}");
    assert_section(samples, 1, "gauges",
        "{\"session_writer_queued_bytes\":9223372036854775806,\"session_writer_queued_bytes_max\":9223372036854775807,"
        "\"session_writer_queued_copies\":0,\"session_writers_paused\":0}");
    json_decref(samples);
}

static void an_actor_without_a_ledger_has_no_numbers_of_one(void **state)
{
    (void)state;
    json_t *samples = measure("{}", "{\"actor\":\"a\",\"ledger\":{\"accepted\":\"x\"}}");
    assert_section(samples, 1, "counters", "{}");
    assert_section(samples, 1, "gauges", "{}");
    json_decref(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_comes_first_and_has_no_actor),
        cmocka_unit_test(what_an_actor_counts_is_passed_on),
        cmocka_unit_test(an_empty_list_is_zeros_and_a_missing_one_is_nothing),
        cmocka_unit_test(sums_out_of_range_do_not_overflow),
        cmocka_unit_test(an_actor_without_a_ledger_has_no_numbers_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
