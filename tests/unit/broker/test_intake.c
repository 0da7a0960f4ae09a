/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "broker/intake.h"
#include "wire/bytes.h"

static intake_t intake;
static unsigned changes, prompt_changes;

static void on_change(void *arg, bool is_prompt)
{
    prompt_changes += is_prompt;
    assert_ptr_equal(arg, &intake);
    changes++;
}

static int setup(void **state)
{
    (void)state;
    changes = prompt_changes = 0;
    intake_init(&intake, 1, on_change, &intake);
    return 0;
}

/* What is not taken belongs to whoever was to take it. */
static int teardown(void **state)
{
    (void)state;
    for (inbatch_t *batch = intake.first; batch; batch = batch->next)
        for (uint32_t i = 0; i < batch->count; i++)
            inbatch_take(batch, i, batch->outstanding[i] > 0, batch->outstanding[i]);
    intake_fini(&intake);
    return 0;
}

/* A batch of `count` records with one copy each. */
static inbatch_t *batch_of(uint32_t count, uint64_t now_ms)
{
    inbatch_t *batch = intake_open(&intake, count, now_ms);
    for (uint32_t i = 0; i < count; i++)
        inbatch_expect(batch, i, 1);
    return batch;
}

static bool taken(uint64_t now_ms)
{
    uint64_t due_ms;
    return intake_taken(&intake, now_ms, &due_ms);
}

static void assert_ranges(const uint64_t *expected, size_t count)
{
    assert_int_equal(buffer_size(&intake.ranges), 8 * count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bytes_get64(intake.ranges.data + 8 * i), expected[i]);
}

static void little_that_is_taken_may_wait_and_much_may_not(void **state)
{
    (void)state;
    inbatch_t *batches[4];
    intake.prompt_size = 1000;
    for (unsigned i = 0; i < 4; i++) {
        batches[i] = batch_of(1, 0);
        batches[i]->size = 600;
    }
    batches[3]->is_awaited = true;
    assert_false(taken(0));
    changes = 0;
    inbatch_take(batches[0], 0, 1, 1);
    assert_int_equal(changes, 1);
    assert_int_equal(prompt_changes, 0);
    inbatch_take(batches[1], 0, 1, 1);
    assert_int_equal(changes, 2);
    assert_int_equal(prompt_changes, 1);
    assert_true(taken(0));
    inbatch_take(batches[2], 0, 1, 1);
    assert_int_equal(prompt_changes, 1);
    inbatch_take(batches[3], 0, 1, 1);
    assert_int_equal(prompt_changes, 2);
    assert_true(taken(0));
}

static void numbers_are_taken_up_to_the_first_that_is_not(void **state)
{
    (void)state;
    inbatch_t *batch = batch_of(3, 0);
    assert_false(taken(0));
    inbatch_take(batch, 0, 1, 1);
    assert_true(taken(0));
    assert_int_equal(intake.told, 2);
    inbatch_take(batch, 2, 1, 1);
    assert_false(taken(0));
    assert_false(intake_is_settled(&intake));
    inbatch_take(batch, 1, 1, 1);
    assert_true(taken(0));
    assert_int_equal(intake.told, 4);
    assert_true(intake_is_settled(&intake));
    assert_false(taken(100));
}

static void a_record_that_nothing_is_expected_of_is_taken_at_once(void **state)
{
    (void)state;
    inbatch_t *batch = intake_open(&intake, 2, 0);
    inbatch_expect(batch, 0, 0);
    inbatch_expect(batch, 1, 0);
    assert_true(taken(0));
    assert_int_equal(intake.told, 3);
}

static void every_copy_of_a_message_must_be_taken(void **state)
{
    (void)state;
    inbatch_t *batch = intake_open(&intake, 1, 0);
    inbatch_expect(batch, 0, 3);
    inbatch_take(batch, 0, 1, 2);
    assert_false(taken(0));
    inbatch_take(batch, 0, 1, 1);
    assert_true(taken(0));
    assert_int_equal(intake.told, 2);
}

static void the_owner_hears_of_a_change_once_until_it_asks(void **state)
{
    (void)state;
    inbatch_t *batch = batch_of(4, 0);
    assert_int_equal(changes, 1);
    taken(0);
    inbatch_take(batch, 0, 2, 1);
    inbatch_take(batch, 2, 1, 1);
    assert_int_equal(changes, 2);
    taken(0);
    inbatch_take(batch, 3, 1, 1);
    assert_int_equal(changes, 3);
}

static void what_has_waited_becomes_an_exception_and_is_told_once(void **state)
{
    (void)state;
    inbatch_t *first = batch_of(4, 0), *second = batch_of(1, 15);
    uint64_t due_ms;
    inbatch_take(first, 0, 1, 1);
    inbatch_take(first, 3, 1, 1);
    assert_true(intake_taken(&intake, INTAKE_GRACE_MS - 1, &due_ms));
    assert_int_equal(intake.told, 2);
    assert_ranges(NULL, 0);
    assert_int_equal(due_ms, INTAKE_GRACE_MS);
    assert_true(intake_taken(&intake, INTAKE_GRACE_MS, &due_ms));
    assert_int_equal(intake.told, 5);
    assert_ranges((const uint64_t[]){2, 2}, 2);
    assert_int_equal(due_ms, 15 + INTAKE_GRACE_MS);
    assert_false(taken(INTAKE_GRACE_MS));
    inbatch_take(second, 0, 1, 1);
    assert_true(taken(INTAKE_GRACE_MS));
    assert_int_equal(intake.told, 6);
    inbatch_take(first, 1, 1, 1);
    assert_true(taken(INTAKE_GRACE_MS));
    assert_ranges((const uint64_t[]){3, 1}, 2);
    assert_false(intake_is_settled(&intake));
    inbatch_take(first, 2, 1, 1);
    assert_true(taken(INTAKE_GRACE_MS));
    assert_ranges(NULL, 0);
    assert_true(intake_is_settled(&intake));
}

/* Ranges go on from batch to batch. */
static void neighbours_share_a_range(void **state)
{
    (void)state;
    batch_of(2, 0);
    batch_of(2, 0);
    inbatch_t *last = batch_of(1, 0);
    inbatch_take(last, 0, 1, 1);
    assert_true(taken(1000));
    assert_int_equal(intake.told, 6);
    assert_ranges((const uint64_t[]){1, 4}, 2);
}

static void exceptions_at_the_end_only_lower_the_limit(void **state)
{
    (void)state;
    batch_of(5, 0);
    assert_false(taken(1000));
    assert_int_equal(intake.told, 1);
    assert_ranges(NULL, 0);
}

static void there_are_no_more_ranges_than_a_record_may_have(void **state)
{
    (void)state;
    enum { COUNT = 2 * INTAKE_RANGES_MAX + 100 };
    inbatch_t *batch = batch_of(COUNT, 0);
    for (uint32_t i = 1; i < COUNT; i += 2)
        inbatch_take(batch, i, 1, 1);
    assert_true(taken(1000));
    assert_int_equal(buffer_size(&intake.ranges), 16 * INTAKE_RANGES_MAX);
    assert_int_equal(intake.told, 1 + 2 * INTAKE_RANGES_MAX);
}

/* The sanitizer says if a batch is freed twice or not at all. */
static void batches_outlive_the_node_that_sent_them(void **state)
{
    (void)state;
    inbatch_t *open = batch_of(2, 0), *other = batch_of(1, 0);
    inbatch_take(other, 0, 1, 1);
    inbatch_take(open, 0, 1, 1);
    unsigned before = changes;
    intake_fini(&intake);
    inbatch_take(open, 1, 1, 1);
    assert_int_equal(changes, before);
    intake_init(&intake, 7, on_change, &intake);
    assert_true(intake_is_settled(&intake));
    assert_int_equal(batch_of(1, 0)->first_number, 7);
}

#define INTAKE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INTAKE_TEST(little_that_is_taken_may_wait_and_much_may_not),
        INTAKE_TEST(numbers_are_taken_up_to_the_first_that_is_not),
        INTAKE_TEST(a_record_that_nothing_is_expected_of_is_taken_at_once),
        INTAKE_TEST(every_copy_of_a_message_must_be_taken),
        INTAKE_TEST(the_owner_hears_of_a_change_once_until_it_asks),
        INTAKE_TEST(what_has_waited_becomes_an_exception_and_is_told_once),
        INTAKE_TEST(neighbours_share_a_range),
        INTAKE_TEST(exceptions_at_the_end_only_lower_the_limit),
        INTAKE_TEST(there_are_no_more_ranges_than_a_record_may_have),
        INTAKE_TEST(batches_outlive_the_node_that_sent_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
