/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "broker/claims.h"

static void a_claim_is_found_by_origin_and_number_and_the_last_counts(void **state)
{
    (void)state;
    claims_t claims;
    link_id_t one = {{1}}, other = {{2}};
    uint32_t handle = 0;
    uint64_t session = 0;
    claims_init(&claims);
    assert_false(claims_find(&claims, &one, 5, &handle, &session));
    claims_add(&claims, &one, 5, 7, 70);
    claims_add(&claims, &one, 6, 8, 80);
    assert_true(claims_find(&claims, &one, 5, &handle, &session));
    assert_int_equal(handle, 7);
    assert_int_equal(session, 70);
    claims_add(&claims, &one, 5, 9, 90);
    assert_true(claims_find(&claims, &one, 5, &handle, &session));
    assert_int_equal(handle, 9);
    assert_int_equal(session, 90);
    assert_false(claims_find(&claims, &other, 5, &handle, &session));
    assert_false(claims_find(&claims, &one, 7, &handle, &session));
    claims_fini(&claims);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_claim_is_found_by_origin_and_number_and_the_last_counts),
    };
    return TEST_RUN(tests);
}
