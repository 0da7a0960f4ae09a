/* SPDX-License-Identifier: MPL-2.0 */
/* config_address: which addresses and names may stand in which option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/config_address.h"

static void expect_reason(const char *why, const char *words)
{
    assert_non_null(why);
    if (!strstr(why, words))
        fail_msg("the reason is: %s", why);
}

static void a_gateway_listens_on_tcp_and_ipc(void **state)
{
    (void)state;
    assert_null(config_address_check_gateway("tcp://[::1]:0"));
    assert_null(config_address_check_gateway("ipc:///run/f.sock"));
    expect_reason(config_address_check_gateway("inproc://x"), "tcp:// or ipc://");
    expect_reason(config_address_check_gateway("http://127.0.0.1:1"), "tcp:// or ipc://");
    expect_reason(config_address_check_gateway("tcp://127.0.0.1"), "port");
    expect_reason(config_address_check_gateway(""), "begin with");
}

static void a_broker_listens_on_what_zeromq_has(void **state)
{
    (void)state;
    assert_null(config_address_check_broker("tcp://127.0.0.1:0"));
    assert_null(config_address_check_broker("ipc://x"));
    assert_null(config_address_check_broker("inproc://x"));
    expect_reason(config_address_check_broker("http://127.0.0.1:1"), "inproc://");
    expect_reason(config_address_check_broker("main=tcp://127.0.0.1:1"), "begin with");
}

static void a_broker_is_reached_by_an_address_with_or_without_its_name(void **state)
{
    (void)state;
    assert_null(config_address_check_node("tcp://127.0.0.1:7410"));
    assert_null(config_address_check_node("east=tcp://127.0.0.1:7410"));
    assert_null(config_address_check_node("east=ipc://a=b"));
    expect_reason(config_address_check_node("tcp://127.0.0.1:0"), "port 0");
    expect_reason(config_address_check_node("http://127.0.0.1:1"), "is reached by");
    expect_reason(config_address_check_node("a b=tcp://127.0.0.1:1"), "begin with");
    expect_reason(config_address_check_node("=tcp://127.0.0.1:1"), "begin with");
    expect_reason(config_address_check_node("east="), "begin with");
}

static void the_admin_endpoint_is_http_or_auto_or_off(void **state)
{
    (void)state;
    assert_null(config_address_check_admin("http://127.0.0.1:0"));
    assert_null(config_address_check_admin("auto"));
    assert_null(config_address_check_admin(""));
    expect_reason(config_address_check_admin("tcp://127.0.0.1:1"), "it is http://");
    expect_reason(config_address_check_admin("off"), "it is http://");
    expect_reason(config_address_check_admin("http://127.0.0.1"), "port");
}

static void a_broker_s_name_is_short_and_plain(void **state)
{
    (void)state;
    char name[66];
    memset(name, 'n', sizeof name);
    name[64] = '\0';
    assert_null(config_address_check_name(name));
    assert_null(config_address_check_name("eu-west_1.B"));
    name[64] = 'n';
    name[65] = '\0';
    expect_reason(config_address_check_name(name), "1 to 64");
    expect_reason(config_address_check_name(""), "1 to 64");
    expect_reason(config_address_check_name("a b"), "1 to 64");
    expect_reason(config_address_check_name("a=b"), "1 to 64");
}

static void expect_split(const char *text, const char *name, const char *address)
{
    char found[CONFIG_BROKER_NAME_SIZE];
    assert_string_equal(config_address_split(text, found), address);
    assert_string_equal(found, name);
}

static void the_name_ends_at_the_first_equals_sign(void **state)
{
    (void)state;
    expect_split("east=tcp://h:1", "east", "tcp://h:1");
    expect_split("east=ipc://a=b", "east", "ipc://a=b");
    expect_split("ipc://a=b", "", "ipc://a=b");
    expect_split("tcp://h:1", "", "tcp://h:1");
    expect_split("=x", "", "=x");
    expect_split("", "", "");
}

static void a_name_that_is_too_long_is_none(void **state)
{
    (void)state;
    char text[80];
    memset(text, 'n', sizeof text);
    memcpy(text + 64, "=x", sizeof "=x");
    char found[CONFIG_BROKER_NAME_SIZE];
    assert_string_equal(config_address_split(text, found), "x");
    assert_int_equal(strlen(found), 64);
    memcpy(text + 64, "n=x", sizeof "n=x");
    assert_ptr_equal(config_address_split(text, found), text);
    assert_string_equal(found, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway_listens_on_tcp_and_ipc),
        cmocka_unit_test(a_broker_listens_on_what_zeromq_has),
        cmocka_unit_test(a_broker_is_reached_by_an_address_with_or_without_its_name),
        cmocka_unit_test(the_admin_endpoint_is_http_or_auto_or_off),
        cmocka_unit_test(a_broker_s_name_is_short_and_plain),
        cmocka_unit_test(the_name_ends_at_the_first_equals_sign),
        cmocka_unit_test(a_name_that_is_too_long_is_none),
    };
    return cmocka_run_group_tests_name("config_address", tests, NULL, NULL);
}
