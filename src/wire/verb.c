/* SPDX-License-Identifier: MPL-2.0 */
/* verb: the first frame is looked up, the number of the others checked, and then each by its verb's own rule. The first
 * rule that is broken decides the error. Any thread. */
#include "wire/verb.h"

#include "base/utf8.h"

static const struct {
    span_t word;
    size_t least, most; /* frames behind it */
} verbs[] = {
#define VERB(name, least, most, syntax, meaning) {{#name, sizeof #name - 1}, least, most},
#include "verbs.def"
#undef VERB
};

static verb_kind_t verb_find(span_t word)
{
    int kind = 0;
    while (kind < VERB_COUNT && !span_equal(word, verbs[kind].word))
        kind++;
    return (verb_kind_t)kind;
}

/* What an error may name: the frame, if it is text. */
static span_t verb_culprit(span_t frame)
{
    bool is_text = frame.size > 0 && frame.size <= 4 * LINE_CULPRIT_SIZE && line_check_text(frame) == 0;
    return is_text ? utf8_cut(frame, LINE_CULPRIT_SIZE) : span_of(NULL, 0);
}

/* Digits without a sign, up to VERB_CREDIT_MAX. */
static int verb_count(span_t frame, uint32_t *count)
{
    *count = 0;
    if (frame.size == 0 || frame.size > 7)
        return -FERRY_ERROR_BAD_LINE;
    for (size_t i = 0; i < frame.size; i++) {
        if (frame.data[i] < '0' || frame.data[i] > '9')
            return -FERRY_ERROR_BAD_LINE;
        *count = *count * 10 + (uint32_t)(frame.data[i] - '0');
    }
    return *count <= VERB_CREDIT_MAX ? 0 : -FERRY_ERROR_BAD_LINE;
}

static int verb_parse_login(verb_t *self, const span_t *frames, size_t count, const verb_limits_t *limits)
{
    int error = line_check_name(frames[1], limits->line.name_size);
    if (error) {
        self->culprit = verb_culprit(frames[1]);
        return error;
    }
    self->name = frames[1];
    self->secret = count > 2 ? frames[2] : span_of(NULL, 0);
    self->has_credit = count > 3;
    return self->has_credit ? verb_count(frames[3], &self->credit) : 0;
}

static int verb_parse_send(verb_t *self, const span_t *frames, const verb_limits_t *limits)
{
    if (frames[2].size > limits->payload_size || frames[1].size > limits->line.line_size)
        return -FERRY_ERROR_LINE_TOO_LONG;
    int error = line_parse_destinations(&self->message, frames[1], &limits->line);
    self->culprit = self->message.culprit;
    self->message.kind = LINE_MESSAGE;
    self->message.text = frames[2];
    self->is_opaque = frames[2].size > limits->line.line_size || line_check_text(frames[2]) != 0;
    return error;
}

static int verb_parse_token(verb_t *self, span_t frame)
{
    self->token = frame;
    return frame.size <= VERB_TOKEN_SIZE ? 0 : -FERRY_ERROR_LINE_TOO_LONG;
}

int verb_parse(verb_t *self, const span_t *frames, size_t count, const verb_limits_t *limits)
{
    *self = (verb_t){.kind = VERB_COUNT, .message.recipients = self->message.recipients};
    if (count == 0)
        return -FERRY_ERROR_BAD_LINE;
    self->kind = verb_find(frames[0]);
    if (self->kind == VERB_COUNT) {
        self->culprit = verb_culprit(frames[0]);
        return -FERRY_ERROR_UNKNOWN_COMMAND;
    }
    if (count - 1 < verbs[self->kind].least || count - 1 > verbs[self->kind].most)
        return -FERRY_ERROR_BAD_LINE;
    switch (self->kind) {
    case VERB_LOGIN:
        return verb_parse_login(self, frames, count, limits);
    case VERB_SEND:
        return verb_parse_send(self, frames, limits);
    case VERB_PING:
    case VERB_PONG:
        return verb_parse_token(self, frames[1]);
    case VERB_CREDIT:
        return verb_count(frames[1], &self->credit);
    default:
        return 0;
    }
}
