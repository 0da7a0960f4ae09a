/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

static json_t *status;

static const char *text(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static json_int_t number(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void a_fresh_broker_tells_who_it_is(void **state)
{
    (void)state;
    status = broker_status();
    assert_string_equal(text(status, "actor"), "router");
    assert_string_equal(text(status, "broker"), "main");
    assert_int_equal(strlen(text(status, "instance")), 2 * LINK_ID_SIZE);
    assert_int_equal(json_array_size(json_object_get(status, "listening")), 2);
    assert_int_equal(number(status, "names"), 0);
    assert_int_equal(json_array_size(json_object_get(status, "dealer_writers")), 0);
    json_decref(status);
}

static void each_dealer_writer_is_listed_with_what_it_has_open(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "hello");
    broker_wait_number("counters.messages", 1);
    status = broker_status();
    const json_t *writers = json_object_get(status, "dealer_writers");
    assert_int_equal(json_array_size(writers), 2);
    const json_t *writer = json_array_get(writers, 1);
    assert_string_equal(text(writer, "node"), "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
    assert_int_equal(number(writer, "epoch"), 1);
    assert_int_equal(number(writer, "names"), 1);
    assert_int_equal(number(writer, "window_bytes"), config_number(config, "link/window"));
    assert_true(number(writer, "open_bytes") > 5);
    assert_int_equal(number(writer, "queued_bytes"), 0);
    assert_int_equal(number(writer, "open_batches"), 1);
    assert_true(number(writer, "silent_ms") >= 0);
    assert_string_equal(text(writer, "state"), "up");
    json_decref(status);
}

static void what_passed_is_counted(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob,alice,nobody", "hello");
    broker_wait_number("counters.messages", 1);
    status = broker_status();
    const json_t *counters = json_object_get(status, "counters");
    assert_int_equal(number(counters, "batches"), 1);
    assert_int_equal(number(counters, "copies"), 2);
    assert_int_equal(number(counters, "copies_refused"), 1);
    assert_int_equal(number(counters, "names_confirmed"), 2);
    assert_int_equal(number(json_object_get(status, "gauges"), "nodes"), 2);
    assert_int_equal(number(json_object_get(status, "ledger"), "taken_over"), 2);
    assert_int_equal(number(json_object_get(status, "ledger"), "pending"), 2);
    const json_t *histograms = json_object_get(status, "histograms");
    assert_int_equal(number(json_object_get(histograms, "batch_records"), "sum"), 1);
    assert_true(number(json_object_get(histograms, "batch_bytes"), "sum") > 0);
    json_decref(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_fresh_broker_tells_who_it_is),
        BROKER_TEST(each_dealer_writer_is_listed_with_what_it_has_open),
        BROKER_TEST(what_passed_is_counted),
    };
    return BROKER_RUN(tests);
}
