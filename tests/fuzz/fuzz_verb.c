/* SPDX-License-Identifier: MPL-2.0 */
/* fuzz_verb: any frames as a message of a ZeroMQ program. The input is frames, each behind its size in two bytes,
 * little-endian. Whatever passes must keep the rules and lie within its frame. */
#include <assert.h>
#include <stdint.h>

#include "base/utf8.h"
#include "wire/verb.h"

enum { FRAMES = 8, RECIPIENTS = 8 };

static const verb_limits_t limits = {
    .line = {.line_size = 400, .name_size = 16, .recipient_count = RECIPIENTS}, .payload_size = 600};

static size_t cut_frames(span_t input, span_t *frames)
{
    size_t count = 0;
    for (; count < FRAMES && input.size >= 2; count++) {
        size_t size = (uint8_t)input.data[0] | (size_t)(uint8_t)input.data[1] << 8;
        size = size < input.size - 2 ? size : input.size - 2;
        frames[count] = span_of(input.data + 2, size);
        input = span_of(input.data + 2 + size, input.size - 2 - size);
    }
    return count;
}

static void assert_inside(span_t part, span_t whole)
{
    assert(part.size == 0 || (part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

static void assert_send(const verb_t *verb, const span_t *frames)
{
    assert(verb->message.recipient_count >= 1 && verb->message.recipient_count <= RECIPIENTS);
    assert(span_equal(verb->message.text, frames[2]) && verb->message.text.size <= limits.payload_size);
    assert(verb->is_opaque || (line_check_text(frames[2]) == 0 && frames[2].size <= limits.line.line_size));
    for (unsigned i = 0; i < verb->message.recipient_count; i++)
        assert_inside(verb->message.recipients[i], frames[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span_t frames[FRAMES], recipients[RECIPIENTS];
    verb_t verb = {.message.recipients = recipients};
    size_t count = cut_frames(span_of((const char *)data, size), frames);
    int error = verb_parse(&verb, frames, count, &limits);
    assert(verb.culprit.size <= LINE_CULPRIT_SIZE);
    assert(verb.culprit.size == 0 || line_check_text(verb.culprit) == 0);
    if (error)
        return 0;
    assert(verb.kind < VERB_COUNT && verb.culprit.size == 0);
    if (verb.kind == VERB_LOGIN)
        assert(line_check_name(verb.name, limits.line.name_size) == 0);
    if (verb.kind == VERB_SEND)
        assert_send(&verb, frames);
    assert(verb.credit <= VERB_CREDIT_MAX && verb.token.size <= VERB_TOKEN_SIZE);
    return 0;
}
