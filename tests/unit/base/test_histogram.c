/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/histogram.h"

static void assert_json(json_t *json, const char *expected)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    assert_string_equal(text, expected);
    free(text);
}

static void an_empty_histogram_has_its_bounds_and_one_bucket_more(void **state)
{
    (void)state;
    histogram_t histogram;
    histogram_init(&histogram, 3);
    assert_json(histogram_json(&histogram), "{\"bounds\":[1,2,4],\"counts\":[0,0,0,0],\"sum\":0}");
}

static void a_value_is_counted_up_to_and_with_its_bound(void **state)
{
    (void)state;
    histogram_t histogram;
    histogram_init(&histogram, 4);
    for (uint64_t value = 0; value <= 9; value++)
        histogram_add(&histogram, value);
    /* 0 1 | 2 | 3 4 | 5 6 7 8 | 9 */
    assert_json(histogram_json(&histogram), "{\"bounds\":[1,2,4,8],\"counts\":[2,1,2,4,1],\"sum\":45}");
}

static void a_value_above_all_bounds_falls_into_the_last_bucket(void **state)
{
    (void)state;
    histogram_t histogram;
    histogram_init(&histogram, HISTOGRAM_BOUNDS_MAX);
    histogram_add(&histogram, UINT64_MAX);
    histogram_add(&histogram, (UINT64_C(1) << 31) + 1);
    histogram_add(&histogram, UINT64_C(1) << 31);
    assert_int_equal(histogram.counts[HISTOGRAM_BOUNDS_MAX], 2);
    assert_int_equal(histogram.counts[HISTOGRAM_BOUNDS_MAX - 1], 1);
}

static void init_empties_a_used_histogram(void **state)
{
    (void)state;
    histogram_t histogram;
    histogram_init(&histogram, 2);
    histogram_add(&histogram, 1);
    histogram_init(&histogram, 1);
    assert_json(histogram_json(&histogram), "{\"bounds\":[1],\"counts\":[0,0],\"sum\":0}");
}

static void a_precise_histogram_knows_three_digits_of_any_value(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < UINT64_C(1) << HISTOGRAM_PRECISE_POWERS; value = value * 5 / 4 + 1) {
        histogram_t histogram;
        histogram_init_precise(&histogram);
        histogram_add(&histogram, value);
        unsigned bucket = histogram_bucket(histogram.bits, value);
        uint64_t bound = histogram_bound(&histogram, bucket);
        assert_int_equal(histogram_count_at(&histogram, bucket), 1);
        assert_true(bound >= value && (bound - value) * 1000 <= (value > 1 ? value : 1000));
        assert_true(value < 2 || histogram_bound(&histogram, bucket - 1) < value);
        histogram_fini(&histogram);
    }
}

static void a_precise_histogram_counts_what_is_above_all_bounds(void **state)
{
    (void)state;
    histogram_t histogram;
    histogram_init_precise(&histogram);
    histogram_add(&histogram, UINT64_C(1) << HISTOGRAM_PRECISE_POWERS);
    histogram_add(&histogram, (UINT64_C(1) << HISTOGRAM_PRECISE_POWERS) + 1);
    histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(histogram_count_at(&histogram, histogram.bound_count), 2);
    assert_int_equal(histogram_count_at(&histogram, histogram.bound_count - 1), 1);
    assert_int_equal(histogram_bound(&histogram, histogram.bound_count - 1), UINT64_C(1) << HISTOGRAM_PRECISE_POWERS);
    assert_true(histogram_percentile(&histogram, 100) == UINT64_MAX);
    histogram_fini(&histogram);
}

static void a_percentile_is_the_value_that_so_many_do_not_exceed(void **state)
{
    (void)state;
    histogram_t histogram;
    histogram_init_precise(&histogram);
    assert_int_equal(histogram_percentile(&histogram, 50), 0);
    for (uint64_t value = 1000; value >= 1; value--)
        histogram_add(&histogram, value);
    assert_int_equal(histogram_percentile(&histogram, 0), 1);
    assert_int_equal(histogram_percentile(&histogram, 50), 500);
    assert_int_equal(histogram_percentile(&histogram, 50.05), 501);
    assert_int_equal(histogram_percentile(&histogram, 99.9), 999);
    assert_int_equal(histogram_percentile(&histogram, 100), 1000);
    histogram_fini(&histogram);
}

static void a_percentile_is_never_above_the_largest_value(void **state)
{
    (void)state;
    histogram_t histogram;
    histogram_init(&histogram, 20);
    histogram_add(&histogram, 5);
    histogram_add(&histogram, 1000);
    assert_int_equal(histogram.max, 1000);
    assert_int_equal(histogram_percentile(&histogram, 50), 8);
    assert_int_equal(histogram_percentile(&histogram, 100), 1000);
}

static void merging_adds_what_another_process_has_counted(void **state)
{
    (void)state;
    histogram_t *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    histogram_init_precise(shared);
    pid_t child = fork();
    if (child == 0) {
        histogram_add(shared, 7);
        histogram_add(shared, 9000);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    histogram_t all;
    histogram_init_precise(&all);
    histogram_add(&all, 8);
    histogram_merge(&all, shared);
    assert_int_equal(histogram_count(&all), 3);
    assert_int_equal(all.sum, 9015);
    assert_int_equal(all.max, 9000);
    assert_int_equal(histogram_percentile(&all, 50), 8);
    histogram_fini(&all);
    histogram_fini(shared);
    munmap(shared, sizeof *shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_histogram_has_its_bounds_and_one_bucket_more),
        cmocka_unit_test(a_value_is_counted_up_to_and_with_its_bound),
        cmocka_unit_test(a_value_above_all_bounds_falls_into_the_last_bucket),
        cmocka_unit_test(init_empties_a_used_histogram),
        cmocka_unit_test(a_precise_histogram_knows_three_digits_of_any_value),
        cmocka_unit_test(a_precise_histogram_counts_what_is_above_all_bounds),
        cmocka_unit_test(a_percentile_is_the_value_that_so_many_do_not_exceed),
        cmocka_unit_test(a_percentile_is_never_above_the_largest_value),
        cmocka_unit_test(merging_adds_what_another_process_has_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
