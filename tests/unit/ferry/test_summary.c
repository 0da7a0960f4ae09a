/* SPDX-License-Identifier: MPL-2.0 */
/* summary: what people read of a /status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ferry/summary.h"

static char *summary_of(const char *json)
{
    json_error_t error;
    json_t *status = json_loads(json, 0, &error);
    if (!status)
        fail_msg("%s", error.text);
    char *text = NULL;
    size_t size = 0;
    display_t display = {.out = open_memstream(&text, &size)};
    summary_write(status, &display);
    fclose(display.out);
    json_decref(status);
    return text;
}

static void expect_within(const char *json, const char *const *parts)
{
    char *text = summary_of(json);
    for (; *parts; parts++)
        if (!strstr(text, *parts))
            fail_msg("\"%s\" is not in:\n%s", *parts, text);
    free(text);
}

static void the_head_says_what_it_is_and_whether_it_is_ready(void **state)
{
    (void)state;
    expect_within(
        "{\"role\":\"all\",\"version\":\"1.2\",\"pid\":7,\"uptime_s\":3672,\"ready\":true,\"sessions\":2,"
        "\"names\":3,\"drain\":{\"state\":\"running\",\"step\":\"\"},\"listening\":[\"tcp://a:1\",\"ipc:///b\"]}",
        (const char *const[]){"ferryd 1.2, role all, process 7, up 1 h 1 min\n", "state      running\n",
            "ready      yes\n", "sessions   2\n", "names      3\n", "listening  tcp://a:1\n             ipc:///b\n",
            NULL});
}

static void a_process_that_is_not_ready_says_why(void **state)
{
    (void)state;
    expect_within(
        "{\"ready\":false,\"ready_reason\":\"no broker\",\"drain\":{\"state\":\"draining\",\"step\":\"flush\"}}",
        (const char *const[]){"ready      no: no broker\n", "state      draining: flush\n", NULL});
}

static void links_and_writers_are_listed(void **state)
{
    (void)state;
    expect_within(
        "{\"links\":[{\"actor\":\"worker-0\",\"broker\":\"main\",\"endpoint\":\"tcp://b:1\",\"state\":\"up\","
        "\"epoch\":3,\"window_bytes\":262144,\"open_bytes\":1536,\"open_messages\":4,\"pauses\":1}],"
        "\"dealer_writers\":[{\"node\":\"00ff\",\"state\":\"up\",\"epoch\":9,\"names\":5,\"window_bytes\":262144,"
        "\"open_bytes\":0,\"open_batches\":2,\"queued_bytes\":7,\"silent_ms\":12}]}",
        (const char *const[]){"main    tcp://b:1  worker-0  up         3  256 KiB  1.5 KiB         4       1\n",
            "00ff  up         9      5  256 KiB   0 B        2     7 B   12 ms\n", NULL});
}

static void only_session_writers_that_hold_something_are_listed(void **state)
{
    (void)state;
    char *text =
        summary_of("{\"session_writers\":[{\"name\":\"idle\",\"queued_bytes\":0,\"queued_copies\":0,"
                   "\"paused\":false},{\"name\":\"busy\",\"queued_bytes\":5,\"queued_copies\":2,\"paused\":true}]}");
    assert_null(strstr(text, "idle"));
    assert_non_null(strstr(text, "busy     5 B       2  yes\n"));
    free(text);
}

static void of_many_session_writers_the_first_ten_are_shown(void **state)
{
    (void)state;
    json_t *writers = json_array();
    for (int i = 0; i < 25; i++)
        json_array_append_new(writers, json_pack("{s:s, s:i}", "name", "writer-name", "queued_bytes", 1));
    json_t *status = json_pack("{s:o}", "session_writers", writers);
    char *json = json_dumps(status, 0);
    char *text = summary_of(json);
    int shown = 0;
    for (const char *at = text; (at = strstr(at, "writer-name")); at++)
        shown++;
    assert_int_equal(shown, 10);
    assert_non_null(strstr(text, "and 15 more"));
    free(text);
    free(json);
    json_decref(status);
}

static void the_ledger_has_a_row_for_each_reason(void **state)
{
    (void)state;
    expect_within(
        "{\"ledger\":{\"accepted\":10,\"taken_over\":1,\"delivered\":7,\"refused\":{\"no-such-peer\":2},"
        "\"returned\":{\"stalled\":1,\"gone\":1},\"unconfirmed\":{},\"handed_over\":0,\"pending\":0,\"balance\":0}}",
        (const char *const[]){"accepted                  10\n", "taken over                 1\n",
            "refused, no-such-peer      2\n", "returned, stalled          1\n", "returned, gone             1\n",
            "balance                    0\n", NULL});
}

static void what_is_missing_or_of_another_type_does_no_harm(void **state)
{
    (void)state;
    free(summary_of("{}"));
    free(summary_of(
        "{\"version\":7,\"drain\":[],\"links\":{\"a\":1},\"dealer_writers\":[3,null],\"session_writers\":\"x\","
        "\"ledger\":[],\"listening\":[1]}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_says_what_it_is_and_whether_it_is_ready),
        cmocka_unit_test(a_process_that_is_not_ready_says_why),
        cmocka_unit_test(links_and_writers_are_listed),
        cmocka_unit_test(only_session_writers_that_hold_something_are_listed),
        cmocka_unit_test(of_many_session_writers_the_first_ten_are_shown),
        cmocka_unit_test(the_ledger_has_a_row_for_each_reason),
        cmocka_unit_test(what_is_missing_or_of_another_type_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
