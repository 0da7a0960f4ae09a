/* SPDX-License-Identifier: MPL-2.0 */
/* broker_list: how a program names its brokers. */
#include "lib/test.h"

#include "base/log.h"
#include "client/broker_list.h"

static void expect_brokers(const char *text, const char *const *expected)
{
    config_t *config = broker_list_read(text);
    char name[CONFIG_BROKER_NAME_SIZE];
    size_t i = 0;
    assert_non_null(config);
    for (; expected[i]; i += 2) {
        assert_string_equal(config_broker(config, i / 2, name), expected[i + 1]);
        assert_string_equal(name, expected[i]);
    }
    assert_null(config_broker(config, i / 2, name));
    config_destroy(&config);
}

static void one_broker_needs_no_name_and_several_do(void **state)
{
    (void)state;
    expect_brokers("tcp://127.0.0.1:7410", (const char *const[]){"main", "tcp://127.0.0.1:7410", NULL});
    expect_brokers("ipc:///run/b", (const char *const[]){"main", "ipc:///run/b", NULL});
    expect_brokers(" east=tcp://10.0.0.1:7410 , west=tcp://10.0.0.2:7410",
        (const char *const[]){"east", "tcp://10.0.0.1:7410", "west", "tcp://10.0.0.2:7410", NULL});
}

static void what_is_no_list_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", " ", ",", "tcp://127.0.0.1:7410,", "127.0.0.1:7410", "tcp://127.0.0.1:0",
        "http://127.0.0.1:7410", "tcp://10.0.0.1:7410,tcp://10.0.0.2:7410",
        "a=tcp://10.0.0.1:7410,a=tcp://10.0.0.2:7410", "=tcp://10.0.0.1:7410", "a b=tcp://10.0.0.1:7410"};
    log_setup(LOG_LEVEL_NONE, LOG_FORMAT_LOGFMT);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_null(broker_list_read(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_broker_needs_no_name_and_several_do),
        cmocka_unit_test(what_is_no_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
