/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_histogram_has_its_bounds_and_one_bucket_more),
        cmocka_unit_test(a_value_is_counted_up_to_and_with_its_bound),
        cmocka_unit_test(a_value_above_all_bounds_falls_into_the_last_bucket),
        cmocka_unit_test(init_empties_a_used_histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
