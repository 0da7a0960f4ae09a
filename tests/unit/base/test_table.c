/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/table.h"

typedef struct {
    table_item_t item;
    unsigned number;
    char text[24];
} entry_t;

enum { MANY = 20000 };

static entry_t *entry_new(unsigned number)
{
    entry_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->number = number;
    snprintf(self->text, sizeof self->text, "name-%u", number);
    self->item.key = span_str(self->text);
    return self;
}

static void entry_destroy(table_item_t *item)
{
    free(item);
}

static entry_t *table_entry(const table_t *table, unsigned number)
{
    char text[24];
    snprintf(text, sizeof text, "name-%u", number);
    return (entry_t *)table_get(table, span_str(text));
}

static void a_key_is_found_until_it_is_taken(void **state)
{
    (void)state;
    table_t *table = table_new();
    entry_t *entry = entry_new(1);
    assert_null(table_entry(table, 1));
    table_put(table, &entry->item);
    assert_ptr_equal(table_entry(table, 1), entry);
    assert_int_equal(table_count(table), 1);
    table_take(table, &entry->item);
    assert_null(table_entry(table, 1));
    assert_int_equal(table_count(table), 0);
    free(entry);
    table_destroy(&table, NULL);
    assert_null(table);
}

static void keys_are_compared_by_all_their_bytes(void **state)
{
    (void)state;
    table_t *table = table_new();
    table_item_t empty = {.key = span_of(NULL, 0)}, zero = {.key = span_of("\0", 1)},
                 zeros = {.key = span_of("\0\0", 2)};
    table_put(table, &empty);
    table_put(table, &zero);
    table_put(table, &zeros);
    assert_ptr_equal(table_get(table, span_of("", 0)), &empty);
    assert_ptr_equal(table_get(table, span_of("\0", 1)), &zero);
    assert_ptr_equal(table_get(table, span_of("\0\0", 2)), &zeros);
    assert_null(table_get(table, span_of("\0\0\0", 3)));
    table_destroy(&table, NULL);
}

static void an_entry_whose_hash_is_the_same_is_told_by_its_key(void **state)
{
    (void)state;
    table_t *table = table_new();
    entry_t *entry = entry_new(1);
    table_put(table, &entry->item);
    assert_null(table_find(table, table_hash(table, entry->item.key), span_str("name-2")));
    assert_ptr_equal(table_find(table, table_hash(table, entry->item.key), span_str("name-1")), entry);
    table_destroy(&table, entry_destroy);
}

/* At each step of growing some buckets are moved and some are not: every key must be found at every step. */
static void every_key_is_found_while_the_table_grows(void **state)
{
    (void)state;
    table_t *table = table_new();
    for (unsigned i = 0; i < MANY; i++) {
        entry_t *entry = entry_new(i);
        table_put(table, &entry->item);
        assert_ptr_equal(table_entry(table, i), entry);
        assert_int_equal(table_entry(table, i / 2)->number, i / 2);
        assert_int_equal(table_entry(table, i * 7919u % (i + 1))->number, i * 7919u % (i + 1));
    }
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(table_entry(table, i)->number, i);
    assert_int_equal(table_count(table), MANY);
    table_destroy(&table, entry_destroy);
}

static void entries_are_taken_while_the_table_grows(void **state)
{
    (void)state;
    table_t *table = table_new();
    for (unsigned i = 0; i < MANY; i++) {
        table_put(table, &entry_new(i)->item);
        if (i % 3 == 2) {
            entry_t *entry = table_entry(table, i - 1);
            table_take(table, &entry->item);
            free(entry);
        }
    }
    for (unsigned i = 0; i + 2 < MANY; i++)
        assert_true(i % 3 == 1 ? !table_entry(table, i) : table_entry(table, i)->number == i);
    table_destroy(&table, entry_destroy);
}

static void on_visit(void *arg, table_item_t *item)
{
    unsigned *visits = arg;
    visits[((entry_t *)item)->number]++;
}

/* 17 entries: the first growth has just begun; 2^n + 5: a later one is half done. */
static void each_entry_is_visited_once_also_in_the_middle_of_growth(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 16, 17, 18, 1029, 1100, 5000};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        table_t *table = table_new();
        unsigned visits[5000] = {0};
        for (unsigned i = 0; i < counts[c]; i++)
            table_put(table, &entry_new(i)->item);
        table_each(table, on_visit, visits);
        for (unsigned i = 0; i < counts[c]; i++)
            assert_int_equal(visits[i], 1);
        table_destroy(&table, entry_destroy);
    }
}

static void two_tables_hash_differently(void **state)
{
    (void)state;
    table_t *one = table_new(), *other = table_new();
    assert_true(table_hash(one, span_str("alice")) != table_hash(other, span_str("alice")));
    assert_true(table_hash(one, span_str("alice")) == table_hash(one, span_str("alice")));
    table_destroy(&one, NULL);
    table_destroy(&other, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_until_it_is_taken),
        cmocka_unit_test(keys_are_compared_by_all_their_bytes),
        cmocka_unit_test(an_entry_whose_hash_is_the_same_is_told_by_its_key),
        cmocka_unit_test(every_key_is_found_while_the_table_grows),
        cmocka_unit_test(entries_are_taken_while_the_table_grows),
        cmocka_unit_test(each_entry_is_visited_once_also_in_the_middle_of_growth),
        cmocka_unit_test(two_tables_hash_differently),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
