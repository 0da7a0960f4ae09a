/* SPDX-License-Identifier: MPL-2.0 */
/* balance: ledgers that add up, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ferry/balance.h"

#define PROCESS(ledger) "{\"role\":\"gateway\",\"version\":\"1.2\",\"pid\":7,\"ledger\":{" ledger "}}"

#define SENDER   PROCESS("\"accepted\":9,\"handed_over\":5,\"refused\":{\"no-such-peer\":3,\"undelivered\":1}")
#define RECEIVER PROCESS("\"taken_over\":5,\"delivered\":2,\"returned\":{\"gone\":1},\"unconfirmed\":{\"gone\":2}")

/* A balance of what these processes answer, ended by NULL. */
static balance_t *balance_of(const char *const *bodies)
{
    balance_t *self = balance_new();
    const char *why = NULL;
    char url[] = "http://a";
    for (; *bodies; bodies++, url[7]++)
        assert_int_equal(balance_add(self, url, *bodies, &why), 0);
    return self;
}

static const struct {
    const char *bodies[4];
    bool holds;
    int64_t between;
    uint64_t pending;
} cases[] = {
    {{NULL}, true, 0, 0},
    {{PROCESS("")}, true, 0, 0},
    {{SENDER, RECEIVER}, true, 0, 0},
    {{SENDER}, false, 5, 0},
    {{RECEIVER}, false, -5, 0},
    {{PROCESS("\"accepted\":3,\"pending\":3")}, true, 0, 3},
    {{PROCESS("\"accepted\":3,\"pending\":2")}, false, 0, 2},
    {{PROCESS("\"accepted\":2,\"delivered\":3")}, false, 0, 0},
    {{PROCESS("\"accepted\":1"), PROCESS("\"delivered\":1")}, false, 0, 0}, /* they do not make up for each other */
    {{PROCESS("\"accepted\":1,\"unconfirmed\":{\"a-code-of-tomorrow\":1}")}, true, 0, 0},
};

static void a_balance_holds_if_each_process_and_what_is_between_them_come_to_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        balance_t *balance = balance_of(cases[i].bodies);
        if (balance_holds(balance) != cases[i].holds)
            fail_msg("case %zu", i);
        assert_int_equal(balance_between(balance), cases[i].between);
        assert_int_equal(balance_pending(balance), cases[i].pending);
        balance_destroy(&balance);
    }
}

static void what_is_no_ledger_is_refused_and_not_counted(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "[]", "7", "{\"ledger\"", "{}", "{\"ledger\":[]}",
        PROCESS("\"accepted\":-1"), PROCESS("\"accepted\":1.5"), PROCESS("\"refused\":3"),
        PROCESS("\"returned\":{\"gone\":\"1\"}"), PROCESS("\"pending\":null")};
    balance_t *balance = balance_new();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const char *why = NULL;
        if (balance_add(balance, "http://a", bodies[i], &why) != -1)
            fail_msg("%s is taken", bodies[i]);
        assert_non_null(why);
    }
    json_t *json = balance_json(balance, true);
    assert_int_equal(json_array_size(json_object_get(json, "processes")), 0);
    json_decref(json);
    balance_destroy(&balance);
}

static void two_pictures_are_equal_if_nothing_was_counted_between_them(void **state)
{
    (void)state;
    balance_t *one = balance_of((const char *const[]){SENDER, RECEIVER, NULL});
    balance_t *same = balance_of((const char *const[]){SENDER, RECEIVER, NULL});
    balance_t *other = balance_of((const char *const[]){SENDER, PROCESS("\"taken_over\":5"), NULL});
    balance_t *fewer = balance_of((const char *const[]){SENDER, NULL});
    assert_true(balance_equal(one, same));
    assert_false(balance_equal(one, other));
    assert_false(balance_equal(one, fewer));
    balance_destroy(&one);
    balance_destroy(&same);
    balance_destroy(&other);
    balance_destroy(&fewer);
}

static void people_read_rows_a_sum_and_reasons(void **state)
{
    (void)state;
    balance_t *balance = balance_of((const char *const[]){SENDER, RECEIVER, NULL});
    char *text = NULL;
    size_t size = 0;
    display_t display = {.out = open_memstream(&text, &size)};
    balance_write(balance, &display);
    fclose(display.out);
    assert_string_equal(text,
        "  process   role     accepted  taken over  made  delivered  refused  returned  unconfirmed  handed over  "
        "shared  pending  balance\n"
        "  http://a  gateway         9           0     0          0        4         0            0            5  "
        "     0        0        0\n"
        "  http://b  gateway         0           5     0          2        0         1            2            0  "
        "     0        0        0\n"
        "  sum                       9           5     0          2        4         1            2            5  "
        "     0        0        0\n"
        "\n"
        "  by reason             copies\n"
        "  refused no-such-peer       3\n"
        "  refused undelivered        1\n"
        "  returned gone              1\n"
        "  unconfirmed gone           2\n"
        "\n"
        "  between processes         copies\n"
        "  handed over - taken over       0\n");
    free(text);
    balance_destroy(&balance);
}

static void programs_read_one_object(void **state)
{
    (void)state;
    balance_t *balance = balance_of((const char *const[]){SENDER, NULL});
    json_t *json = balance_json(balance, true);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text,
        "{\"at_rest\":true,\"balanced\":false,\"processes\":[{\"url\":\"http://a\",\"role\":\"gateway\",\"version\":"
        "\"1.2\",\"pid\":7,\"ledger\":{\"accepted\":9,\"taken_over\":0,\"made\":0,\"delivered\":0,\"handed_over\":5,"
        "\"shared\":0,\"refused\":{"
        "\"no-such-peer\":3,\"undelivered\":1},\"returned\":{},\"unconfirmed\":{},\"pending\":0,\"balance\":0}}],"
        "\"sum\":{\"accepted\":9,\"taken_over\":0,\"made\":0,\"delivered\":0,\"handed_over\":5,\"shared\":0,"
        "\"refused\":{\"no-such-peer\":3,"
        "\"undelivered\":1},\"returned\":{},\"unconfirmed\":{},\"pending\":0,\"balance\":0},\"between_processes\":5}");
    free(text);
    json_decref(json);
    balance_destroy(&balance);
}

static void what_is_not_at_rest_is_not_balanced(void **state)
{
    (void)state;
    balance_t *balance = balance_of((const char *const[]){SENDER, RECEIVER, NULL});
    json_t *json = balance_json(balance, false);
    assert_true(json_is_false(json_object_get(json, "balanced")));
    json_decref(json);
    balance_destroy(&balance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_balance_holds_if_each_process_and_what_is_between_them_come_to_nothing),
        cmocka_unit_test(what_is_no_ledger_is_refused_and_not_counted),
        cmocka_unit_test(two_pictures_are_equal_if_nothing_was_counted_between_them),
        cmocka_unit_test(people_read_rows_a_sum_and_reasons),
        cmocka_unit_test(programs_read_one_object),
        cmocka_unit_test(what_is_not_at_rest_is_not_balanced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
