/* SPDX-License-Identifier: MPL-2.0 */
/* metrics: the text for Prometheus, read again by the parser of Prometheus' own Python client. */
#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/metrics.h"

static const char head[] = "{\"role\":\"gateway\",\"version\":\"0.1.0\",\"pid\":1,\"uptime_s\":12,\"ready\":true,"
                           "\"ready_reason\":\"\",\"drain\":{\"state\":\"draining\",\"step\":\"flush\"}}";

static const char worker[] =
    "{\"actor\":\"worker-0\",\"node\":\"aa\",\"sessions\":2,\"names\":2,"
    "\"session_writers\":[{\"name\":\"bob\",\"queued_bytes\":7,\"queued_copies\":1,\"paused\":true},"
    "{\"name\":\"al\",\"queued_bytes\":9,\"queued_copies\":3,\"paused\":false}],"
    "\"links\":[{\"broker\":\"main\",\"state\":\"up\",\"window_bytes\":262144,\"open_bytes\":5,\"open_messages\":2},"
    "{\"broker\":\"b\",\"state\":\"down\",\"window_bytes\":1,\"open_bytes\":6},{\"state\":\"up\",\"pauses\":3,"
    "\"batches_sent\":8,\"batches_received\":9,\"lost\":1}],"
    "\"ledger\":{\"accepted\":10,\"delivered\":5,\"refused\":{\"no-such-peer\":2},\"returned\":{\"odd\":1},\"pending\":"
    "4},"
    "\"counters\":{\"logins\":3,\"sessions_closed\":{\"reason\":{\"quit\":1,\"stalled\":2}},\"novelty\":4},"
    "\"gauges\":{\"memory_bytes\":1.5},"
    "\"histograms\":{\"uplink_batch_records\":{\"bounds\":[1,2,4],\"counts\":[5,0,2,1],\"sum\":23}}}";

static const char router[] =
    "{\"actor\":\"router\",\"broker\":\"main\",\"names\":5,\"counters\":{\"logins\":1},"
    "\"dealer_writers\":[{\"state\":\"up\",\"queued_bytes\":3,\"silent_ms\":40,\"open_batches\":1},"
    "{\"state\":\"up\",\"queued_bytes\":2,\"silent_ms\":1500,\"window_bytes\":7,\"open_bytes\":8}]}";

static char *text_of(const char *const *actors, size_t count)
{
    size_t size;
    report_t *report = report_new(span_str(head));
    for (size_t i = 0; i < count; i++)
        report_add(report, span_str(actors[i]));
    char *text = metrics_text(report, &size);
    report_destroy(&report);
    assert_int_equal(strlen(text), size);
    return text;
}

/* The samples that the parser found, one a line; fails the test if it refused the text. The caller frees it. */
static char *parse(const char *text)
{
    static char command[512];
    char path[] = "/tmp/ferry-metrics-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    snprintf(command, sizeof command, "'%s/tests/interop/parse_metrics.py' < %s", getenv("FERRY_SOURCE"), path);
    FILE *parser = popen(command, "r");
    char *samples = NULL;
    size_t size = 0;
    assert_true(getdelim(&samples, &size, '\0', parser) > 0);
    int status = pclose(parser);
    unlink(path);
    if (status != 0)
        fail_msg("the parser refused: %s\n%s", samples, text);
    return samples;
}

static void assert_line(const char *text, const char *line)
{
    size_t size = strlen(line);
    const char *at = strstr(text, line);
    while (at && ((at > text && at[-1] != '\n') || at[size] != '\n'))
        at = strstr(at + 1, line);
    if (!at)
        fail_msg("no line `%s` in:\n%s", line, text);
}

static void assert_no_part(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("`%s` is in:\n%s", part, text);
}

static void prometheus_reads_every_number(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "ferrymq_role_info{role=\"gateway\"} 1",
        "ferrymq_version_info{version=\"0.1.0\"} 1",
        "ferrymq_uptime_seconds 12",
        "ferrymq_ready 1",
        "ferrymq_drain_state{state=\"draining\"} 1",
        "ferrymq_drain_state{state=\"running\"} 0",
        "ferrymq_malformed_reports 0",
        "ferrymq_sessions{actor=\"worker-0\"} 2",
        "ferrymq_names{actor=\"worker-0\"} 2",
        "ferrymq_names{actor=\"router\"} 5",
        "ferrymq_session_writer_queued_bytes{actor=\"worker-0\"} 16",
        "ferrymq_session_writer_queued_bytes_max{actor=\"worker-0\"} 9",
        "ferrymq_session_writer_queued_copies{actor=\"worker-0\"} 4",
        "ferrymq_session_writers_paused{actor=\"worker-0\"} 1",
        "ferrymq_links{actor=\"worker-0\",state=\"up\"} 2",
        "ferrymq_links{actor=\"worker-0\",state=\"down\"} 1",
        "ferrymq_link_window_bytes{actor=\"worker-0\"} 262145",
        "ferrymq_link_open_bytes{actor=\"worker-0\"} 11",
        "ferrymq_link_open_messages{actor=\"worker-0\"} 2",
        "ferrymq_link_pauses{actor=\"worker-0\"} 3",
        "ferrymq_link_batches_sent_total{actor=\"worker-0\"} 8",
        "ferrymq_link_batches_received_total{actor=\"worker-0\"} 9",
        "ferrymq_links_lost_total{actor=\"worker-0\"} 1",
        "ferrymq_dealer_writers{actor=\"router\",state=\"up\"} 2",
        "ferrymq_dealer_writer_window_bytes{actor=\"router\"} 7",
        "ferrymq_dealer_writer_open_bytes{actor=\"router\"} 8",
        "ferrymq_dealer_writer_open_batches{actor=\"router\"} 1",
        "ferrymq_dealer_writer_queued_bytes{actor=\"router\"} 5",
        "ferrymq_dealer_writer_queued_bytes_max{actor=\"router\"} 3",
        "ferrymq_dealer_writer_silent_seconds_max{actor=\"router\"} 1.5",
        "ferrymq_ledger_accepted_copies_total{actor=\"worker-0\"} 10",
        "ferrymq_ledger_taken_over_copies_total{actor=\"worker-0\"} 0",
        "ferrymq_ledger_delivered_copies_total{actor=\"worker-0\"} 5",
        "ferrymq_ledger_shared_copies_total{actor=\"worker-0\"} 0",
        "ferrymq_ledger_made_copies_total{actor=\"worker-0\"} 0",
        "ferrymq_ledger_handed_over_copies_total{actor=\"worker-0\"} 0",
        "ferrymq_ledger_refused_copies_total{actor=\"worker-0\",reason=\"no-such-peer\"} 2",
        "ferrymq_ledger_refused_copies_total{actor=\"worker-0\",reason=\"draining\"} 0",
        "ferrymq_ledger_returned_copies_total{actor=\"worker-0\",reason=\"unknown\"} 1",
        "ferrymq_ledger_returned_copies_total{actor=\"worker-0\",reason=\"stalled\"} 0",
        "ferrymq_ledger_unconfirmed_copies_total{actor=\"worker-0\",reason=\"gateway-lost\"} 0",
        "ferrymq_ledger_pending_copies{actor=\"worker-0\"} 4",
        "ferrymq_ledger_balance_copies{actor=\"worker-0\"} -2",
        "ferrymq_logins_total{actor=\"worker-0\"} 3",
        "ferrymq_logins_total{actor=\"router\"} 1",
        "ferrymq_sessions_closed_total{actor=\"worker-0\",reason=\"stalled\"} 2",
        "ferrymq_memory_bytes{actor=\"worker-0\"} 1.5",
        "ferrymq_uplink_batch_records_bucket{actor=\"worker-0\",le=\"1\"} 5",
        "ferrymq_uplink_batch_records_bucket{actor=\"worker-0\",le=\"2\"} 5",
        "ferrymq_uplink_batch_records_bucket{actor=\"worker-0\",le=\"4\"} 7",
        "ferrymq_uplink_batch_records_bucket{actor=\"worker-0\",le=\"+Inf\"} 8",
        "ferrymq_uplink_batch_records_sum{actor=\"worker-0\"} 23",
        "ferrymq_uplink_batch_records_count{actor=\"worker-0\"} 8",
    };
    char *text = text_of((const char *const[]){worker, router}, 2);
    char *samples = parse(text);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_line(samples, expected[i]);
    free(samples);
    free(text);
}

static void every_family_of_the_table_says_its_help_and_type(void **state)
{
    (void)state;
    char *text = text_of(NULL, 0);
#define FAMILY(name, type, meaning)                                                                                    \
    assert_line(text, "# HELP ferrymq_" name " " meaning "\n# TYPE ferrymq_" name " " type);
#define COUNTER(key, meaning)   FAMILY(#key "_total", "counter", meaning)
#define GAUGE(key, meaning)     FAMILY(#key, "gauge", meaning)
#define HISTOGRAM(key, meaning) FAMILY(#key, "histogram", meaning)
#include "counters.def"
    free(text);
}

static void a_number_that_is_not_in_the_table_is_told_too(void **state)
{
    (void)state;
    char *text = text_of((const char *const[]){worker}, 1);
    assert_line(text, "# HELP ferrymq_novelty_total Not described in proto/counters.def.");
    assert_line(text, "# TYPE ferrymq_novelty_total counter\nferrymq_novelty_total{actor=\"worker-0\"} 4");
    free(text);
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    char *text = text_of((const char *const[]){"{\"actor\":\"a\\\"b\\\\c\\nd\\u00e9\",\"sessions\":1}"}, 1);
    assert_line(text, "ferrymq_sessions{actor=\"a\\\"b\\\\c\\nd\xc3\xa9\"} 1");
    free(parse(text));
    free(text);
}

static void an_actor_that_comes_twice_is_told_once(void **state)
{
    (void)state;
    char *text = text_of((const char *const[]){worker, worker}, 2);
    free(parse(text));
    free(text);
}

static void a_name_of_two_kinds_is_told_once(void **state)
{
    (void)state;
    char *text = text_of((const char *const[]){"{\"actor\":\"a\",\"gauges\":{\"logins_total\":9,\"fresh_total\":1},"
                                               "\"counters\":{\"fresh\":2}}"},
        1);
    assert_line(text, "ferrymq_fresh_total{actor=\"a\"} 2");
    assert_no_part(text, "ferrymq_logins_total{");
    free(parse(text));
    free(text);
}

static void what_is_malformed_is_left_out(void **state)
{
    (void)state;
    static const char *const actors[] = {
        "{\"sessions\":77}",
        "{\"actor\":7,\"sessions\":77}",
        "{\"actor\":\"a\",\"sessions\":{},\"links\":7,\"session_writers\":{\"x\":1},\"dealer_writers\":[7,[],null,\"\"]"
        ","
        "\"ledger\":{\"accepted\":\"77\"},\"gauges\":[77],\"histograms\":7,"
        "\"counters\":{\"logins\":\"77\",\"frames\":[77],\"UP\":77,\"a-b\":77,\"9a\":77,\"a\\nb 77\":77,\"\":77,"
        "\"pauses\":{\"bad-label\":{\"x\":77}},\"copies\":{\"reason\":{\"x\":\"77\"}},\"reports\":{\"reason\":77},"
        "\"x2345678901234567890123456789012345678901234567890123456789012345\":77}}",
        "{\"actor\":\"b\",\"counters\":77,\"histograms\":{\"uplink_batch_records\":77,"
        "\"h1\":{\"bounds\":[],\"counts\":[77],\"sum\":77},\"h2\":{\"bounds\":[2,1],\"counts\":[77,77,77],\"sum\":77},"
        "\"h3\":{\"bounds\":[1],\"counts\":[77],\"sum\":77},\"h4\":{\"bounds\":[1],\"counts\":[77,-1],\"sum\":77},"
        "\"h5\":{\"bounds\":[1],\"counts\":[77,77]},\"h6\":{\"bounds\":[1.5],\"counts\":[77,77],\"sum\":77}}}",
        "{\"actor\":\"c\",\"counters\":{\"logins\":{\"reason\":{\"x\":1},\"page\":{\"x\":77}}}}",
    };
    char *text = text_of(actors, sizeof actors / sizeof actors[0]);
    assert_no_part(text, "77");
    assert_line(text, "ferrymq_sessions{actor=\"a\"} 0");
    assert_line(text, "ferrymq_logins_total{actor=\"c\",reason=\"x\"} 1");
    free(parse(text));
    free(text);
}

static void a_malformed_head_still_gives_the_process_its_numbers(void **state)
{
    (void)state;
    size_t size;
    report_t *report = report_new(span_str("{\"role\":7,\"drain\":[],\"uptime_s\":\"x\"}"));
    char *text = metrics_text(report, &size);
    report_destroy(&report);
    assert_line(text, "ferrymq_role_info{role=\"unknown\"} 1");
    assert_line(text, "ferrymq_drain_state{state=\"unknown\"} 1");
    assert_line(text, "ferrymq_uptime_seconds 0");
    free(parse(text));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prometheus_reads_every_number),
        cmocka_unit_test(every_family_of_the_table_says_its_help_and_type),
        cmocka_unit_test(a_number_that_is_not_in_the_table_is_told_too),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(an_actor_that_comes_twice_is_told_once),
        cmocka_unit_test(a_name_of_two_kinds_is_told_once),
        cmocka_unit_test(what_is_malformed_is_left_out),
        cmocka_unit_test(a_malformed_head_still_gives_the_process_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
