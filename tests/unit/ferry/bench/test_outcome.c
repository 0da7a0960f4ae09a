/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/outcome.h"

#include "unit/ferry/bench/bench_rig.h"

static char *text;
static size_t text_size;

/* What is written, until the next call. */
static const char *written(const outcome_t *outcome, void (*write)(const outcome_t *, FILE *))
{
    free(text);
    FILE *out = open_memstream(&text, &text_size);
    assert_non_null(out);
    write(outcome, out);
    fclose(out);
    return text;
}

static void text_tells_rates_latency_and_cost(void **state)
{
    (void)state;
    plan_t plan;
    outcome_t outcome;
    RIG_PLAN(&plan, "pairs", "--pipeline", "8");
    outcome_init(&outcome, &plan);
    outcome.seconds = 2;
    outcome.messages = 9000000;
    outcome.generator_cpu_ns = 270000000;
    outcome.watched_count = 2;
    outcome.watched[0].name = "gateway";
    outcome.watched[0].cpu_ns = 936000000;
    outcome.watched[0].memory_after = 20 << 20;
    outcome.watched[1].name = "broker";
    outcome.watched[1].cpu_ns = 576000000;
    outcome.watched[1].memory_after = 5 << 10;
    for (unsigned i = 0; i < 100; i++)
        histogram_add(&outcome.latency, 1000 * (i + 1));
    assert_string_equal(written(&outcome, outcome_write),
        "pairs: 50 senders to 50 readers, 128 B, 8 under way each, 2.0 s, line\n"
        "messages   9,000,000 delivered, 4,500,000 a second, none lost, doubled or out of order\n"
        "latency    50 % 50.0 µs, 90 % 90.0 µs, 99 % 99.0 µs, 99.9 % 100 µs, max 100 µs\n"
        "cpu        gateway 104 ns, broker 64 ns, together 168 ns, generator 30 ns a message\n"
        "memory     gateway 20.0 MiB, broker 5120 B\n");
    outcome.lost = 1234;
    assert_non_null(strstr(written(&outcome, outcome_write), "; 1,234 lost, 0 doubled, 0 late\n"));
    assert_false(outcome_is_good(&outcome));
    outcome_fini(&outcome);
    plan_fini(&plan);
}

static void json_has_the_same_facts(void **state)
{
    (void)state;
    plan_t plan;
    outcome_t outcome;
    RIG_PLAN(&plan, "any", "--clients", "10", "--rate", "100");
    outcome_init(&outcome, &plan);
    outcome.seconds = 0.5;
    outcome.messages = 50;
    histogram_add(&outcome.latency, 1500);
    json_t *object = json_loads(written(&outcome, outcome_write_json), 0, NULL);
    assert_non_null(object);
    assert_int_equal(json_integer_value(json_object_get(object, "rate_per_s")), 100);
    assert_true(json_real_value(json_object_get(object, "throughput_per_s")) == 100);
    assert_true(json_real_value(json_object_get(json_object_get(object, "latency_us"), "p999")) == 1.5);
    assert_null(json_object_get(object, "cpu_ns"));
    assert_null(json_object_get(object, "pss_bytes"));
    json_decref(object);
    outcome_fini(&outcome);
    plan_fini(&plan);
}

static void idle_tells_the_memory_of_a_session(void **state)
{
    (void)state;
    plan_t plan;
    outcome_t outcome;
    RIG_PLAN(&plan, "idle", "--clients", "100");
    outcome_init(&outcome, &plan);
    outcome.watched_count = 1;
    outcome.watched[0].name = "ferryd";
    outcome.watched[0].memory_before = 1 << 20;
    outcome.watched[0].memory_full = outcome.watched[0].memory_after = (1 << 20) + 100 * 700;
    assert_string_equal(written(&outcome, outcome_write), "idle: 100 clients, 0.0 s, line\n"
                                                          "memory     ferryd 700 B a session, 1092.4 KiB at the end\n");
    json_t *object = json_loads(written(&outcome, outcome_write_json), 0, NULL);
    assert_true(json_real_value(json_object_get(json_object_get(object, "pss_bytes_per_session"), "ferryd")) == 700);
    json_decref(object);
    outcome_fini(&outcome);
    plan_fini(&plan);
    free(text);
    text = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_tells_rates_latency_and_cost),
        cmocka_unit_test(json_has_the_same_facts),
        cmocka_unit_test(idle_tells_the_memory_of_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
