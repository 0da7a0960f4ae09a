/* SPDX-License-Identifier: MPL-2.0 */
/* listing: columns of text of several widths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>

#include "ferry/listing.h"

static char *written(listing_t *listing)
{
    char *text = NULL;
    size_t size = 0;
    display_t display = {.out = open_memstream(&text, &size)};
    listing_write(listing, &display);
    fclose(display.out);
    listing_destroy(&listing);
    return text;
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    listing_t *listing = listing_new("name,>count,note");
    listing_add(listing, "a");
    listing_add(listing, "%d", 12345678);
    listing_add(listing, "x");
    listing_add(listing, "longer");
    listing_add(listing, "%d", 1);
    listing_add(listing, "y");
    char *text = written(listing);
    assert_string_equal(text, "  name       count  note\n"
                              "  a       12345678  x\n"
                              "  longer         1  y\n");
    free(text);
}

static void width_is_counted_in_cells_of_the_terminal(void **state)
{
    (void)state;
    listing_t *listing = listing_new("n,m");
    listing_add(listing, "日本");
    listing_add(listing, "x");
    listing_add(listing, "ab");
    listing_add(listing, "y");
    char *text = written(listing);
    assert_string_equal(text, "  n     m\n"
                              "  日本  x\n"
                              "  ab    y\n");
    free(text);
}

static void a_row_that_is_not_full_is_not_written(void **state)
{
    (void)state;
    listing_t *listing = listing_new("a,b");
    listing_add(listing, "1");
    char *text = written(listing);
    assert_string_equal(text, "  a  b\n");
    free(text);
}

static void there_may_be_many_rows(void **state)
{
    (void)state;
    listing_t *listing = listing_new("row");
    for (int i = 0; i < 1000; i++)
        listing_add(listing, "%03d", i);
    char *text = written(listing);
    assert_int_equal(strlen(text), 1001 * strlen("  row\n"));
    free(text);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(width_is_counted_in_cells_of_the_terminal),
        cmocka_unit_test(a_row_that_is_not_full_is_not_written),
        cmocka_unit_test(there_may_be_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
