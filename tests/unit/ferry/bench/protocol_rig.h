/* SPDX-License-Identifier: MPL-2.0 */
/* protocol_rig: what the tests of all protocols of `ferry bench` do: they compare what is said, and take input apart
 * that comes in any two pieces. */
#ifndef FERRY_TESTS_PROTOCOL_RIG_H
#define FERRY_TESTS_PROTOCOL_RIG_H

#include "ferry/bench/protocol.h"
#include "lib/test.h"

#define RIG_SAYS(call, expected)                                                                                       \
    do {                                                                                                               \
        char rig_text[PROTOCOL_SAY_MAX];                                                                               \
        size_t rig_size = (call);                                                                                      \
        assert_int_equal(rig_size, sizeof(expected) - 1);                                                              \
        assert_memory_equal(rig_text, expected, rig_size);                                                             \
    } while (0)

/* The input is this event, with this text, whole, with more behind it, and with anything less it is none yet. The bytes
 * that are there lie at the end of a block of their own, so that a sanitizer sees when more is read. */
static inline void rig_expect_event(
    const protocol_t *protocol, const char *input, size_t size, event_kind_t kind, const char *text)
{
    for (size_t part = 1; part < size; part++) {
        char *copy = malloc(part);
        assert_non_null(copy);
        memcpy(copy, input, part);
        assert_int_equal(protocol->decode(span_of(copy, part)).size, 0);
        free(copy);
    }
    char *copy = malloc(2 * size);
    assert_non_null(copy);
    memcpy(copy, input, size);
    memcpy(copy + size, input, size);
    for (size_t more = 0; more <= size; more += size) {
        event_t event = protocol->decode(span_of(copy, size + more));
        assert_int_equal(event.size, size);
        assert_int_equal(event.kind, kind);
        if (text) {
            assert_int_equal(event.text.size, strlen(text));
            assert_memory_equal(event.text.data, text, event.text.size);
        }
    }
    free(copy);
}

#define RIG_EVENT(protocol, input, kind, text) rig_expect_event((protocol), (input), sizeof(input) - 1, (kind), (text))

/* A message with the text "xxxxxxxx" is these bytes, and its variable parts are where these lie. */
static inline void rig_expect_frame(
    const char *frame, frame_layout_t layout, const char *expected, size_t size, const char *digits)
{
    assert_int_equal(layout.size, size);
    assert_memory_equal(frame, expected, layout.text_at);
    assert_memory_equal(frame + layout.text_at + 8, expected + layout.text_at + 8, size - layout.text_at - 8);
    assert_memory_equal(expected + layout.text_at, "xxxxxxxx", 8);
    if (digits)
        assert_memory_equal(frame + layout.name_at, digits, PROTOCOL_DIGITS_SIZE);
    else
        assert_true(layout.name_at == PROTOCOL_NOWHERE);
}

#define RIG_FRAME(frame, layout, expected, digits)                                                                     \
    rig_expect_frame((frame), (layout), (expected), sizeof(expected) - 1, (digits))

static const destination_t rig_name = {.name = "babc0001"};
static const destination_t rig_group = {.name = "babcwxyz", .is_group = true};

#endif
