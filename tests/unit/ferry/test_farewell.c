/* SPDX-License-Identifier: MPL-2.0 */
/* farewell: what is found in what a drain printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ferry/farewell.h"

/* Reads a file of this text; the caller frees the result. */
static char *read_text(const char *text)
{
    char path[64];
    int fd = memfd_create("farewell", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char *found = farewell_read(path);
    close(fd);
    return found;
}

static void expect_found(const char *text, const char *expected)
{
    char *found = read_text(text);
    assert_non_null(found);
    assert_string_equal(found, expected);
    free(found);
}

static void the_ledger_of_a_drain_is_found(void **state)
{
    (void)state;
    expect_found(
        "settle\nleave\nledger {\"accepted\":9}\nresult 0\n", "{\"role\":\"ended\",\"ledger\":{\"accepted\":9}}");
    expect_found("ledger {}", "{\"role\":\"ended\",\"ledger\":{}}");
}

static void of_several_the_last_counts(void **state)
{
    (void)state;
    expect_found("ledger {\"a\":1}\nresult 0\nledger {\"a\":2}\n", "{\"role\":\"ended\",\"ledger\":{\"a\":2}}");
}

static void other_files_hold_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "ledger", "ledger \n", "the ledger {}\n", "result 0\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_null(read_text(texts[i]));
    assert_null(farewell_read("/"));
    assert_null(farewell_read("/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledger_of_a_drain_is_found),
        cmocka_unit_test(of_several_the_last_counts),
        cmocka_unit_test(other_files_hold_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
