/* SPDX-License-Identifier: MPL-2.0 */
/* The log is a double here, so that what ledger_log says can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/ledger.h"
#include "base/log.h"

static char logged[4096];

bool log_enabled(log_level_t level)
{
    return level >= LOG_LEVEL_INFO;
}

static size_t log_field(const log_field_t *field, size_t used)
{
    char *at = logged + used;
    size_t room = sizeof logged - used;
    if (field->kind == LOG_FIELD_SPAN)
        return (size_t)snprintf(at, room, " %s=%.*s", field->key, (int)field->value.span.size, field->value.span.data);
    if (field->kind == LOG_FIELD_UINT)
        return (size_t)snprintf(at, room, " %s=%llu", field->key, (unsigned long long)field->value.uint);
    return (size_t)snprintf(at, room, " %s=%lld", field->key, (long long)field->value.sint);
}

void log_write(log_level_t level, const char *event, const log_field_t *fields)
{
    assert_int_equal(level, LOG_LEVEL_INFO);
    size_t used = strlen(logged);
    used += (size_t)snprintf(logged + used, sizeof logged - used, "event=%s", event);
    for (; fields->kind != LOG_FIELD_END; fields++)
        used += log_field(fields, used);
    snprintf(logged + used, sizeof logged - used, "\n");
}

enum { ERROR_DRAINING = 7, ERROR_NO_SUCH_PEER = 14, REASON_GONE = 1, REASON_STALLED = 2, REASON_GATEWAY_LOST = 4 };

static ledger_t ledger_sample(void)
{
    ledger_t ledger = {.accepted = 100, .taken_over = 10, .made = 12, .delivered = 50, .handed_over = 20, .shared = 12};
    ledger.refused[ERROR_NO_SUCH_PEER] = 3;
    ledger.refused[ERROR_DRAINING] = 1;
    ledger.returned[REASON_STALLED] = 5;
    ledger.unconfirmed[REASON_GATEWAY_LOST] = 7;
    return ledger;
}

#define SAMPLE_PENDING 24 /* what balances the sample */

static void assert_json(json_t *json, const char *expected)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_refused(const char *text)
{
    ledger_t ledger = ledger_sample(), zeros = {0};
    uint64_t pending = 1;
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    assert_int_equal(ledger_from_json(&ledger, &pending, json), -1);
    assert_memory_equal(&ledger, &zeros, sizeof zeros);
    assert_int_equal(pending, 0);
    json_decref(json);
}

static void every_field_counts_in_the_balance(void **state)
{
    (void)state;
    ledger_t ledger = ledger_sample();
    assert_int_equal(ledger_balance(&ledger, SAMPLE_PENDING), 0);
    ledger.accepted++;
    assert_int_equal(ledger_balance(&ledger, SAMPLE_PENDING), 1);
    ledger.taken_over++;
    assert_int_equal(ledger_balance(&ledger, SAMPLE_PENDING), 2);
    ledger.delivered++;
    ledger.handed_over++;
    assert_int_equal(ledger_balance(&ledger, SAMPLE_PENDING), 0);
    ledger.made++;
    assert_int_equal(ledger_balance(&ledger, SAMPLE_PENDING), 1);
    ledger.shared++;
    ledger.refused[0]++;
    ledger.returned[LEDGER_REASONS - 1]++;
    ledger.unconfirmed[REASON_GONE]++;
    assert_int_equal(ledger_balance(&ledger, SAMPLE_PENDING), -3);
    assert_int_equal(ledger_balance(&ledger, 0), SAMPLE_PENDING - 3);
}

static void a_sum_of_ledgers_holds_every_counter_of_both(void **state)
{
    (void)state;
    ledger_t sum = ledger_sample(), other = ledger_sample();
    other.returned[REASON_GONE] = 2;
    ledger_add(&sum, &other);
    assert_int_equal(sum.accepted, 200);
    assert_int_equal(sum.taken_over, 20);
    assert_int_equal(sum.delivered, 100);
    assert_int_equal(sum.handed_over, 40);
    assert_int_equal(sum.made, 24);
    assert_int_equal(sum.shared, 24);
    assert_int_equal(sum.refused[ERROR_NO_SUCH_PEER], 6);
    assert_int_equal(sum.refused[ERROR_DRAINING], 2);
    assert_int_equal(sum.returned[REASON_STALLED], 10);
    assert_int_equal(sum.returned[REASON_GONE], 2);
    assert_int_equal(sum.unconfirmed[REASON_GATEWAY_LOST], 14);
}

static void json_names_only_the_reasons_that_were_counted(void **state)
{
    (void)state;
    ledger_t ledger = ledger_sample();
    assert_json(ledger_json(&ledger, SAMPLE_PENDING),
        "{\"accepted\":100,\"taken_over\":10,\"made\":12,\"delivered\":50,\"handed_over\":20,\"shared\":12,"
        "\"refused\":{\"draining\":1,\"no-such-peer\":3},\"returned\":{\"stalled\":5},"
        "\"unconfirmed\":{\"gateway-lost\":7},\"pending\":24}");
}

static void numbers_outside_the_tables_are_reported_as_one_unknown(void **state)
{
    (void)state;
    ledger_t ledger = {0};
    ledger.returned[0] = 2;
    ledger.returned[LEDGER_REASONS - 1] = 3;
    assert_json(ledger_json(&ledger, 0),
        "{\"accepted\":0,\"taken_over\":0,\"made\":0,\"delivered\":0,\"handed_over\":0,\"shared\":0,"
        "\"refused\":{},\"returned\":{\"unknown\":5},\"unconfirmed\":{},\"pending\":0}");
}

static void what_json_says_is_read_back(void **state)
{
    (void)state;
    ledger_t ledger = ledger_sample(), back;
    uint64_t pending;
    json_t *json = ledger_json(&ledger, SAMPLE_PENDING);
    assert_int_equal(ledger_from_json(&back, &pending, json), 0);
    json_decref(json);
    assert_memory_equal(&back, &ledger, sizeof ledger);
    assert_int_equal(pending, SAMPLE_PENDING);
}

static void missing_keys_are_zero_and_unknown_codes_are_kept_in_the_balance(void **state)
{
    (void)state;
    ledger_t ledger;
    uint64_t pending = 1;
    json_t *json = json_loads("{\"accepted\":9,\"extra\":[],\"refused\":{\"some-day\":4,\"other-day\":5}}", 0, NULL);
    assert_int_equal(ledger_from_json(&ledger, &pending, json), 0);
    json_decref(json);
    assert_int_equal(ledger.refused[0], 9);
    assert_int_equal(pending, 0);
    assert_int_equal(ledger_balance(&ledger, pending), 0);
}

static void json_that_is_no_ledger_is_refused(void **state)
{
    (void)state;
    assert_refused("[]");
    assert_refused("7");
    assert_refused("{\"accepted\":-1}");
    assert_refused("{\"accepted\":\"1\"}");
    assert_refused("{\"accepted\":1.5}");
    assert_refused("{\"accepted\":1,\"refused\":[]}");
    assert_refused("{\"accepted\":1,\"returned\":{\"stalled\":null}}");
    assert_refused("{\"accepted\":1,\"pending\":-2}");
    ledger_t ledger;
    uint64_t pending;
    assert_int_equal(ledger_from_json(&ledger, &pending, NULL), -1);
}

static void the_log_has_one_line_and_one_more_a_reason(void **state)
{
    (void)state;
    ledger_t ledger = ledger_sample();
    logged[0] = '\0';
    ledger_log(&ledger, SAMPLE_PENDING + 1);
    assert_string_equal(logged, "event=ledger accepted=100 taken_over=10 made=12 delivered=50 refused=4 returned=5"
                                " unconfirmed=7 handed_over=20 shared=12 pending=25 balance=-1\n"
                                "event=ledger-reason end=refused reason=draining count=1\n"
                                "event=ledger-reason end=refused reason=no-such-peer count=3\n"
                                "event=ledger-reason end=returned reason=stalled count=5\n"
                                "event=ledger-reason end=unconfirmed reason=gateway-lost count=7\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_counts_in_the_balance),
        cmocka_unit_test(a_sum_of_ledgers_holds_every_counter_of_both),
        cmocka_unit_test(json_names_only_the_reasons_that_were_counted),
        cmocka_unit_test(numbers_outside_the_tables_are_reported_as_one_unknown),
        cmocka_unit_test(what_json_says_is_read_back),
        cmocka_unit_test(missing_keys_are_zero_and_unknown_codes_are_kept_in_the_balance),
        cmocka_unit_test(json_that_is_no_ledger_is_refused),
        cmocka_unit_test(the_log_has_one_line_and_one_more_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
