/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "admin/report.h"

static const char head[] = "{\"role\":\"gateway\",\"version\":\"0.1.0\",\"pid\":1,\"uptime_s\":12,\"ready\":true,"
                           "\"ready_reason\":\"\",\"drain\":{\"state\":\"running\",\"step\":\"\"}}";

static const char worker_0[] =
    "{\"actor\":\"worker-0\",\"node\":\"aa\",\"sessions\":2,\"names\":2,"
    "\"session_writers\":[{\"name\":\"bob\",\"queued_bytes\":7,\"queued_copies\":1,\"paused\":true},"
    "{\"name\":\"al\",\"queued_bytes\":0,\"queued_copies\":0,\"paused\":false}],"
    "\"links\":[{\"broker\":\"main\",\"state\":\"up\",\"window_bytes\":262144,\"open_bytes\":5}],"
    "\"ledger\":{\"accepted\":10,\"delivered\":6,\"refused\":{\"no-such-peer\":1},\"pending\":2},"
    "\"counters\":{\"logins\":3},\"histograms\":{\"batch_bytes\":{}}}";

static const char worker_1[] = "{\"actor\":\"worker-1\",\"node\":\"bb\",\"sessions\":1,\"names\":1,"
                               "\"links\":[{\"broker\":\"main\",\"state\":\"down\"}],"
                               "\"ledger\":{\"accepted\":1,\"returned\":{\"stalled\":1}}}";

static const char listener[] = "{\"actor\":\"listener\",\"listening\":[\"tcp://127.0.0.1:7400\"],\"accepting\":true}";

static const char router[] = "{\"actor\":\"router\",\"broker\":\"main\",\"listening\":[\"tcp://127.0.0.1:7410\"],"
                             "\"names\":5,\"dealer_writers\":[{\"node\":\"aa\",\"queued_bytes\":3}]}";

/* The compact text of the status's value under `key`; the caller frees it. */
static char *status_text(const report_t *report, const char *key)
{
    json_t *status = report_status(report);
    char *text = json_dumps(json_object_get(status, key), JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(status);
    assert_non_null(text);
    return text;
}

static void assert_status(const report_t *report, const char *key, const char *expected)
{
    char *text = status_text(report, key);
    assert_string_equal(text, expected);
    free(text);
}

static report_t *report_of(const char *const *actors, size_t count)
{
    report_t *report = report_new(span_str(head));
    for (size_t i = 0; i < count; i++)
        report_add(report, span_str(actors[i]));
    return report;
}

static void the_head_stands_in_the_status_as_it_is(void **state)
{
    (void)state;
    report_t *report = report_of(NULL, 0);
    assert_status(report, "role", "\"gateway\"");
    assert_status(report, "pid", "1");
    assert_status(report, "ready", "true");
    assert_status(report, "drain", "{\"state\":\"running\",\"step\":\"\"}");
    assert_int_equal(report_malformed(report), 0);
    json_t *status = report_status(report);
    assert_null(json_object_get(status, "malformed_reports"));
    json_decref(status);
    report_destroy(&report);
    assert_null(report);
}

static void sessions_names_and_addresses_are_put_together(void **state)
{
    (void)state;
    report_t *report = report_of((const char *const[]){listener, worker_0, worker_1}, 3);
    assert_status(report, "sessions", "3");
    assert_status(report, "names", "3");
    assert_status(report, "listening", "[\"tcp://127.0.0.1:7400\"]");
    report_destroy(&report);
}

static void a_brokers_names_are_not_added_to_those_of_its_own_sessions(void **state)
{
    (void)state;
    report_t *report = report_of((const char *const[]){listener, worker_0, worker_1, router}, 4);
    assert_status(report, "names", "5");
    assert_status(report, "sessions", "3");
    assert_status(report, "listening", "[\"tcp://127.0.0.1:7400\",\"tcp://127.0.0.1:7410\"]");
    report_destroy(&report);
}

static void the_ledger_is_the_sum_and_says_its_balance(void **state)
{
    (void)state;
    report_t *report = report_of((const char *const[]){worker_0, listener, worker_1}, 3);
    assert_status(report, "ledger",
        "{\"accepted\":11,\"taken_over\":0,\"made\":0,\"delivered\":6,\"handed_over\":0,\"shared\":0,\"refused\":{\"no-"
        "such-peer\":1},"
        "\"returned\":{\"stalled\":1},\"unconfirmed\":{},\"pending\":2,\"balance\":1}");
    report_destroy(&report);
}

static void writers_and_links_say_whose_they_are(void **state)
{
    (void)state;
    report_t *report = report_of((const char *const[]){worker_0, worker_1, router}, 3);
    assert_status(report, "session_writers",
        "[{\"actor\":\"worker-0\",\"name\":\"bob\",\"queued_bytes\":7,\"queued_copies\":1,\"paused\":true},"
        "{\"actor\":\"worker-0\",\"name\":\"al\",\"queued_bytes\":0,\"queued_copies\":0,\"paused\":false}]");
    assert_status(report, "links",
        "[{\"actor\":\"worker-0\",\"node\":\"aa\",\"broker\":\"main\",\"state\":\"up\",\"window_bytes\":262144,"
        "\"open_bytes\":5},{\"actor\":\"worker-1\",\"node\":\"bb\",\"broker\":\"main\",\"state\":\"down\"}]");
    assert_status(
        report, "dealer_writers", "[{\"actor\":\"router\",\"broker\":\"main\",\"node\":\"aa\",\"queued_bytes\":3}]");
    report_destroy(&report);
}

static void the_rest_of_each_actor_follows_without_its_lists_and_histograms(void **state)
{
    (void)state;
    report_t *report = report_of((const char *const[]){worker_0}, 1);
    assert_status(report, "actors",
        "[{\"actor\":\"worker-0\",\"node\":\"aa\",\"sessions\":2,\"names\":2,\"ledger\":{\"accepted\":10,"
        "\"delivered\":6,\"refused\":{\"no-such-peer\":1},\"pending\":2},\"counters\":{\"logins\":3}}]");
    report_destroy(&report);
}

static void a_malformed_report_is_left_out_and_counted(void **state)
{
    (void)state;
    report_t *report =
        report_of((const char *const[]){"", "{", "[]", "{\"actor\":\"\xff\"}", "{\"a\":1} x", worker_1}, 6);
    assert_int_equal(report_malformed(report), 5);
    assert_int_equal(json_array_size(report_actors(report)), 1);
    assert_status(report, "malformed_reports", "5");
    assert_status(report, "sessions", "1");
    report_destroy(&report);

    report = report_new(span_of(NULL, 0));
    assert_int_equal(report_malformed(report), 1);
    assert_int_equal(json_object_size(report_head(report)), 0);
    assert_status(report, "sessions", "0");
    report_destroy(&report);
}

static void values_of_a_wrong_type_count_as_absent(void **state)
{
    (void)state;
    report_t *report = report_of(
        (const char *const[]){
            "{\"sessions\":\"9\",\"names\":[],\"listening\":\"x\",\"ledger\":7,\"links\":{\"a\":{}},"
            "\"session_writers\":[1,null,[]],\"dealer_writers\":true}",
            "{\"actor\":{},\"ledger\":{\"accepted\":-1},\"links\":[{}],\"sessions\":9223372036854775807}",
            "{\"ledger\":{\"refused\":{\"x\":9223372036854775807,\"y\":9223372036854775807}},\"sessions\":"
            "9223372036854775807}",
        },
        3);
    assert_status(report, "sessions", "-2");
    assert_status(report, "names", "0");
    assert_status(report, "listening", "[]");
    assert_status(report, "links", "[{\"actor\":{}}]");
    assert_status(report, "session_writers", "[]");
    assert_status(report, "dealer_writers", "[]");
    assert_int_equal(report_malformed(report), 0);
    report_destroy(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_stands_in_the_status_as_it_is),
        cmocka_unit_test(sessions_names_and_addresses_are_put_together),
        cmocka_unit_test(a_brokers_names_are_not_added_to_those_of_its_own_sessions),
        cmocka_unit_test(the_ledger_is_the_sum_and_says_its_balance),
        cmocka_unit_test(writers_and_links_say_whose_they_are),
        cmocka_unit_test(the_rest_of_each_actor_follows_without_its_lists_and_histograms),
        cmocka_unit_test(a_malformed_report_is_left_out_and_counted),
        cmocka_unit_test(values_of_a_wrong_type_count_as_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
