/* SPDX-License-Identifier: MPL-2.0 */
/* config_errors: the form of a line, and the count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/config_errors.h"

static void each_mistake_is_one_counted_line(void **state)
{
    (void)state;
    char text[256] = "";
    config_errors_t errors = {.stream = fmemopen(text, sizeof text, "w")};
    config_errors_add(&errors, "ferryd.cfg:12", "gateway/workers", "'%s' is not a number", "many");
    config_errors_add(&errors, "ferryd.cfg", NULL, "it has %d mistakes", 2);
    assert_int_equal(errors.count, 2);
    fclose(errors.stream);
    assert_string_equal(text, "ferryd.cfg:12: gateway/workers: 'many' is not a number\n"
                              "ferryd.cfg: it has 2 mistakes\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_one_counted_line),
    };
    return cmocka_run_group_tests_name("config_errors", tests, NULL, NULL);
}
