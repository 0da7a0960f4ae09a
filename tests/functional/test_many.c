/* SPDX-License-Identifier: MPL-2.0 */
/* Many clients: logins all at once, and thousands that are there and say little. */
#include <sys/resource.h>

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/server.h"
#include "lib/test.h"

#define IDLE_SESSIONS   10000
#define LOGINS_AT_ONCE  1000
#define BYTES_OF_A_PAIR 64 /* text of the one message that each sends in the end */

static int raise_descriptor_limit(void **state)
{
    (void)state;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return -1;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

static crowd_t *join_crowd(server_t *server, unsigned count, uint64_t line_count)
{
    crowd_t *crowd = crowd_new("m", count);
    for (unsigned i = 0; i < count; i++)
        crowd_join(
            crowd, &(crowd_member_t){
                       .endpoint = server_gateway(server), .line_count = line_count, .text_size = BYTES_OF_A_PAIR});
    return crowd;
}

static void a_thousand_log_in_at_once(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    crowd_t *crowd = join_crowd(server, LOGINS_AT_ONCE, 0);
    crowd_login(crowd, LOGINS_AT_ONCE, DEADLINE_USUAL_MS);
    assert_int_equal(http_number(server_admin(server), "/status", "sessions"), LOGINS_AT_ONCE);
    assert_int_equal(http_number(server_admin(server), "/status", "names"), LOGINS_AT_ONCE);
    crowd_half_close(crowd);
    crowd_run(crowd, crowd_is_over, NULL, DEADLINE_USUAL_MS);
    crowd_check(crowd);
    server_stop(&server);
}

/* They come, are quiet while others chat, say one thing each, and go when the server stops. */
static void ten_thousand_idle_sessions_harm_nobody(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    crowd_t *crowd = join_crowd(server, IDLE_SESSIONS, 1);
    for (unsigned i = 0; i < IDLE_SESSIONS; i++)
        crowd_address(crowd, i, (i + IDLE_SESSIONS / 2) % IDLE_SESSIONS);
    crowd_login(crowd, 500, 60000);
    assert_int_equal(http_number(server_admin(server), "/status", "sessions"), IDLE_SESSIONS);
    client_t *alice = client_login(server_gateway(server), "alice");
    client_t *bob = client_login(server_gateway(server), "bob");
    for (int i = 0; i < 100; i++) {
        client_sendf(alice, "bob: %d", i);
        client_expectf(bob, "from alice: %d", i);
    }
    client_close(&alice);
    client_close(&bob);
    crowd_start(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, 60000);
    process_signal(server_process(server), SIGTERM);
    crowd_run(crowd, crowd_is_over, NULL, 60000);
    crowd_check(crowd);
    assert_int_equal(crowd_totals(crowd).received, IDLE_SESSIONS);
    assert_int_equal(crowd_totals(crowd).told, IDLE_SESSIONS);
    process_expect_exit(server_process(server), 0, DEADLINE_USUAL_MS);
    assert_int_equal(server_ledger(server, "delivered"), IDLE_SESSIONS + 100);
    assert_int_equal(server_ledger(server, "balance"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_thousand_log_in_at_once),
        TEST(ten_thousand_idle_sessions_harm_nobody),
    };
    cmocka_set_test_filter(getenv("FERRY_TEST"));
    return cmocka_run_group_tests(tests, raise_descriptor_limit, NULL);
}
