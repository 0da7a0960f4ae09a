/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "link/slots.h"
#include "wire/control.h"

static void a_number_is_nobody_elses_though_its_slot_is_used_again(void **state)
{
    (void)state;
    slots_t slots = {0};
    int one, two;
    uint64_t first = slots_add(&slots, &one, 0);
    assert_ptr_equal(slots_get(&slots, first), &one);
    slots_remove(&slots, first);
    assert_null(slots_get(&slots, first));
    uint64_t second = slots_add(&slots, &two, 0);
    assert_int_equal((uint32_t)second, (uint32_t)first);
    assert_int_not_equal(second, first);
    assert_null(slots_get(&slots, first));
    assert_ptr_equal(slots_get(&slots, second), &two);
    assert_null(slots_get(&slots, second + 1));
    assert_null(slots_get(&slots, second | 0xfffff));
    slots_fini(&slots);
}

static void a_number_has_the_bit_of_its_kind_and_of_no_other(void **state)
{
    (void)state;
    slots_t slots = {0};
    int item;
    const uint64_t kinds[] = {LINK_SESSION_GROUP, 0, LINK_SESSION_SERVICE, LINK_SESSION_GROUP};
    uint64_t last = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t id = slots_add(&slots, &item, kinds[i]);
        assert_int_equal(id & LINK_SESSION_KINDS, kinds[i]);
        assert_int_equal(id >> 32 & 0xffff, i + 1); /* the generation goes on */
        assert_ptr_equal(slots_get(&slots, id), &item);
        assert_null(slots_get(&slots, last));
        slots_remove(&slots, id);
        last = id;
    }
    slots_fini(&slots);
}

static void sessions_are_walked_without_groups_and_services_and_slots_are_low(void **state)
{
    (void)state;
    enum { MANY = 200 };
    slots_t slots = {0};
    static int items[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t kind = i % 3 == 0 ? 0 : i % 3 == 1 ? LINK_SESSION_GROUP : LINK_SESSION_SERVICE;
        assert_int_equal((uint32_t)slots_add(&slots, &items[i], kind), i);
    }
    unsigned count = 0;
    uint32_t at = 0;
    for (const int *item; (item = slots_next_session(&slots, &at)); count++)
        assert_ptr_equal(item, &items[3 * count]);
    assert_int_equal(count, (MANY + 2) / 3);
    assert_int_equal(at, slots.count);
    slots_fini(&slots);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_number_is_nobody_elses_though_its_slot_is_used_again),
        TEST(a_number_has_the_bit_of_its_kind_and_of_no_other),
        TEST(sessions_are_walked_without_groups_and_services_and_slots_are_low),
    };
    return TEST_RUN(tests);
}
