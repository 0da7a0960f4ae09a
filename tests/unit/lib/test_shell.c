/* SPDX-License-Identifier: MPL-2.0 */
/* shell: a command line's output comes back, and its first failure ends it. */
#include <stdlib.h>

#include "lib/deadline.h"
#include "lib/shell.h"
#include "lib/test.h"

static void what_a_command_line_writes_comes_back(void **state)
{
    (void)state;
    char *output = shell_read("printf '%%s and ' %s\necho %d | tr 1 2", "one", 1);
    assert_string_equal(output, "one and 2\n");
    free(output);
}

static void a_command_line_ends_at_its_first_failure(void **state)
{
    (void)state;
    process_t *process = shell_start("(exit 7)\necho never");
    assert_int_equal(process_wait_exit(process, DEADLINE_USUAL_MS), 7);
    char *output = process_output(process);
    assert_string_equal(output, "");
    free(output);
}

static void a_variable_that_is_not_set_is_a_failure(void **state)
{
    (void)state;
    process_t *process = shell_start("echo \"$FERRY_NOBODY_SETS_THIS\"");
    assert_int_not_equal(process_wait_exit(process, DEADLINE_USUAL_MS), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_a_command_line_writes_comes_back),
        TEST(a_command_line_ends_at_its_first_failure),
        TEST(a_variable_that_is_not_set_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
