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

static void assert_destinations(const verb_t *verb, span_t frame)
{
    assert(verb->message.recipient_count >= 1 && verb->message.recipient_count <= RECIPIENTS);
    for (unsigned i = 0; i < verb->message.recipient_count; i++)
        assert_inside(verb->message.recipients[i], frame);
}

static void assert_payload(const verb_t *verb, span_t frame)
{
    assert(span_equal(verb->message.text, frame) && verb->message.text.size <= limits.payload_size);
    assert(verb->is_opaque || (line_check_text(frame) == 0 && frame.size <= limits.line.line_size));
}

/* What the verb is about: a name with its sign, or what one begins with. */
static void assert_name(const verb_t *verb, char sign)
{
    span_t name = verb->message.text;
    assert(sign == '\0' || (name.size > 1 && name.data[0] == sign));
    span_t rest = sign ? span_of(name.data + 1, name.size - 1) : name;
    assert(name.size <= limits.line.name_size && line_check_name(rest, limits.line.name_size) == 0);
}

static void assert_verb(const verb_t *verb, const span_t *frames, size_t count)
{
    if (verb->kind == VERB_LOGIN)
        assert(line_check_name(verb->name, limits.line.name_size) == 0);
    if (verb->kind == VERB_SEND) {
        assert_destinations(verb, frames[1]);
        assert_payload(verb, frames[2]);
        assert((count == 4) == (verb->message.label.size > 0) && verb->message.label.size <= LINE_LABEL_SIZE);
    }
    if (verb->kind == VERB_REQUEST) {
        assert_destinations(verb, frames[3]);
        assert_payload(verb, frames[4]);
        assert(verb->message.label.size > 0 && verb->message.recipients[0].data[0] == '@');
        assert(verb->message.number >= 1 && verb->message.number <= LINE_TIME_MAX);
    }
    if (verb->kind == VERB_REPLY)
        assert_payload(verb, frames[2]);
    if (verb->kind == VERB_REPLY || verb->kind == VERB_DONE)
        assert(verb->message.number >= 1);
    if (verb->kind == VERB_JOIN || (verb->kind == VERB_LEAVE && count > 1))
        assert_name(verb, '#');
    if (verb->kind == VERB_SERVE || verb->kind == VERB_UNSERVE)
        assert_name(verb, '@');
    if (verb->kind == VERB_WATCH || verb->kind == VERB_UNWATCH)
        assert_name(verb, '\0');
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
    assert_verb(&verb, frames, count);
    assert(verb.credit <= VERB_CREDIT_MAX && verb.token.size <= VERB_TOKEN_SIZE);
    return 0;
}
