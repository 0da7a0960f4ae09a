/* SPDX-License-Identifier: MPL-2.0 */
/* frame: the published header frames are read and written, then damaged. */
#include "lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/vectors.h"
#include "wire/control.h"
#include "wire/frame.h"

static vectors_t *vectors;

static int set_up(void **state)
{
    (void)state;
    vectors = vectors_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vectors_destroy(&vectors);
    return 0;
}

/* The next header among the vectors from *index, or NULL. */
static const vector_t *next_header(size_t *index)
{
    while (*index < vectors_count(vectors)) {
        const vector_t *vector = vectors_at(vectors, (*index)++);
        if (strcmp(vector->kind, "HEADER") == 0)
            return vector;
    }
    return NULL;
}

/* What becomes of a copy of the frame, which has no byte to spare. */
static int get_copy(span_t frame)
{
    char *copy = malloc(frame.size + 1);
    assert_non_null(copy);
    char *tight = copy + 1; /* not aligned */
    memcpy(tight, frame.data, frame.size);
    frame_header_t header;
    span_t controls = {0};
    int rc = frame_header_get(&header, span_of(tight, frame.size), &controls);
    if (rc == 0) {
        assert_ptr_equal(controls.data, tight + FRAME_HEADER_SIZE);
        assert_int_equal(controls.size, frame.size - FRAME_HEADER_SIZE);
    }
    free(copy);
    return rc;
}

/* What becomes of a good header with one byte set to another value. */
static int get_changed(size_t offset, uint8_t value)
{
    uint8_t bytes[FRAME_HEADER_SIZE];
    frame_header_put(bytes, &(frame_header_t){.epoch = 1});
    bytes[offset] = value;
    return get_copy(span_of((const char *)bytes, sizeof bytes));
}

static void every_vector_is_read_as_its_fields(void **state)
{
    (void)state;
    size_t index = 0, count = 0;
    for (const vector_t *vector; (vector = next_header(&index)) != NULL; count++) {
        frame_header_t header;
        span_t controls;
        assert_int_equal(frame_header_get(&header, vector->paragraph, &controls), 0);
        vector_check(vectors, vector, &header);
        control_t record;
        int rc;
        do
            rc = control_next(&record, &controls, vector->from_node ? CONTROL_FROM_NODE : CONTROL_FROM_BROKER);
        while (rc == 1);
        assert_int_equal(rc, 0);
    }
    assert_true(count > 0);
}

static void the_fields_of_every_vector_are_written_as_its_bytes(void **state)
{
    (void)state;
    size_t index = 0;
    for (const vector_t *vector; (vector = next_header(&index)) != NULL;) {
        frame_header_t header;
        uint8_t bytes[FRAME_HEADER_SIZE];
        vector_fill(vectors, vector, &header);
        frame_header_put(bytes, &header);
        assert_int_equal(vector->bytes.size, sizeof bytes);
        assert_memory_equal(bytes, vector->bytes.data, sizeof bytes);
    }
}

static void a_frame_smaller_than_a_header_is_refused(void **state)
{
    (void)state;
    size_t index = 0;
    const vector_t *vector = next_header(&index);
    for (size_t size = 0; size < FRAME_HEADER_SIZE; size++)
        assert_int_equal(get_copy(span_of(vector->bytes.data, size)), -CLOSE_BAD_FRAME);
    assert_int_equal(get_copy(vector->bytes), 0);
}

static void a_frame_larger_than_all_its_control_records_may_be_is_refused(void **state)
{
    (void)state;
    enum { SIZE_MAX_OF_FRAME = FRAME_HEADER_SIZE + FRAME_CONTROLS_SIZE };
    static uint8_t bytes[SIZE_MAX_OF_FRAME + 1];
    frame_header_put(bytes, &(frame_header_t){.epoch = 1});
    assert_int_equal(get_copy(span_of((const char *)bytes, SIZE_MAX_OF_FRAME)), 0);
    assert_int_equal(get_copy(span_of((const char *)bytes, SIZE_MAX_OF_FRAME + 1)), -CLOSE_BAD_FRAME);
}

static void a_frame_that_does_not_begin_with_the_magic_is_refused(void **state)
{
    (void)state;
    assert_int_equal(get_changed(0, 'G'), -CLOSE_BAD_FRAME);
    assert_int_equal(get_changed(1, 'm'), -CLOSE_BAD_FRAME);
    assert_int_equal(get_changed(2, 0), -CLOSE_BAD_FRAME);
}

static void another_version_of_the_layout_is_refused_as_such(void **state)
{
    (void)state;
    assert_int_equal(get_changed(3, 0), -CLOSE_BAD_VERSION);
    assert_int_equal(get_changed(3, 1), 0);
    assert_int_equal(get_changed(3, 2), -CLOSE_BAD_VERSION);
}

static void an_epoch_of_zero_and_unknown_bits_are_refused(void **state)
{
    (void)state;
    assert_int_equal(get_changed(4, 0), -CLOSE_BAD_FRAME);
    assert_int_equal(get_changed(32, FRAME_FLAG_AGAIN), 0);
    assert_int_equal(get_changed(32, 2), -CLOSE_BAD_FRAME);
    assert_int_equal(get_changed(35, 0x80), -CLOSE_BAD_FRAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_is_read_as_its_fields),
        cmocka_unit_test(the_fields_of_every_vector_are_written_as_its_bytes),
        cmocka_unit_test(a_frame_smaller_than_a_header_is_refused),
        cmocka_unit_test(a_frame_larger_than_all_its_control_records_may_be_is_refused),
        cmocka_unit_test(a_frame_that_does_not_begin_with_the_magic_is_refused),
        cmocka_unit_test(another_version_of_the_layout_is_refused_as_such),
        cmocka_unit_test(an_epoch_of_zero_and_unknown_bits_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
