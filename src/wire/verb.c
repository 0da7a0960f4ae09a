/* SPDX-License-Identifier: MPL-2.0 */
/* verb: the first frame is looked up, the number of the others checked, and then each by its verb's own rule. The first
 * rule that is broken decides the error. Any thread. */
#include "wire/verb.h"

#include "base/utf8.h"
#include "wire/control.h"

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

static int verb_parse_payload(verb_t *self, span_t frame, const verb_limits_t *limits)
{
    if (frame.size > limits->payload_size)
        return -FERRY_ERROR_LINE_TOO_LONG;
    self->message.text = frame;
    self->is_opaque = frame.size > limits->line.line_size || line_check_text(frame) != 0;
    return 0;
}

static int verb_parse_label(verb_t *self, span_t frame)
{
    if (frame.size == 0 || frame.size > LINE_LABEL_SIZE)
        return -FERRY_ERROR_BAD_LINE;
    self->message.label = frame;
    return 0;
}

static int verb_parse_destinations(verb_t *self, span_t frame, const verb_limits_t *limits)
{
    if (frame.size > limits->line.line_size)
        return -FERRY_ERROR_LINE_TOO_LONG;
    int error = line_parse_destinations(&self->message, frame, &limits->line);
    self->culprit = self->message.culprit;
    return error;
}

static int verb_parse_send(verb_t *self, const span_t *frames, size_t count, const verb_limits_t *limits)
{
    self->message.kind = count > 3 ? LINE_SEND : LINE_MESSAGE;
    int error = count > 3 ? verb_parse_label(self, frames[3]) : 0;
    if (error == 0)
        error = verb_parse_payload(self, frames[2], limits);
    return error ? error : verb_parse_destinations(self, frames[1], limits);
}

static int verb_parse_request(verb_t *self, const span_t *frames, const verb_limits_t *limits)
{
    self->message.kind = LINE_REQUEST;
    int error = verb_parse_label(self, frames[1]);
    if (error == 0)
        error = line_parse_time(frames[2], &self->message.number);
    if (error == 0)
        error = verb_parse_payload(self, frames[4], limits);
    if (error == 0)
        error = verb_parse_destinations(self, frames[3], limits);
    if (error == 0 && (self->message.recipient_count != 1 || !name_is_service(self->message.recipients[0]))) {
        self->culprit = verb_culprit(frames[3]);
        error = -FERRY_ERROR_BAD_NAME;
    }
    return error;
}

static int verb_parse_job(verb_t *self, span_t frame)
{
    self->message.job = verb_culprit(frame);
    return line_parse_number(frame, LINE_JOB_MAX, &self->message.number);
}

static int verb_parse_reply(verb_t *self, const span_t *frames, const verb_limits_t *limits)
{
    int error = verb_parse_job(self, frames[1]);
    return error ? error : verb_parse_payload(self, frames[2], limits);
}

/* What has a name behind it is what that command of a line is. */
static int verb_parse_name(verb_t *self, line_kind_t kind, span_t frame, const verb_limits_t *limits)
{
    self->message.kind = kind;
    self->message.text = frame;
    int error = line_check_text(frame);
    if (error == 0)
        error = line_check_argument(&self->message, &limits->line);
    self->culprit = error ? verb_culprit(frame) : span_of(NULL, 0);
    return error;
}

static int verb_parse_serve(verb_t *self, const span_t *frames, size_t count, const verb_limits_t *limits)
{
    int error = verb_parse_name(self, LINE_SERVE, frames[1], limits);
    self->message.number = 1;
    return error || count < 3 ? error : line_parse_number(frames[2], LINE_CREDIT_MAX, &self->message.number);
}

static int verb_parse_token(verb_t *self, span_t frame)
{
    self->token = frame;
    return frame.size <= VERB_TOKEN_SIZE ? 0 : -FERRY_ERROR_LINE_TOO_LONG;
}

/* What stands behind the verb. */
static int verb_parse_rest(verb_t *self, const span_t *frames, size_t count, const verb_limits_t *limits)
{
    span_t first = count > 1 ? frames[1] : span_str("");
    switch (self->kind) {
    case VERB_LOGIN:
        return verb_parse_login(self, frames, count, limits);
    case VERB_SEND:
        return verb_parse_send(self, frames, count, limits);
    case VERB_REQUEST:
        return verb_parse_request(self, frames, limits);
    case VERB_REPLY:
        return verb_parse_reply(self, frames, limits);
    case VERB_DONE:
        return verb_parse_job(self, first);
    case VERB_SERVE:
        return verb_parse_serve(self, frames, count, limits);
    case VERB_UNSERVE:
        return verb_parse_name(self, LINE_UNSERVE, first, limits);
    case VERB_JOIN:
        return verb_parse_name(self, LINE_JOIN, first, limits);
    case VERB_LEAVE:
        return count > 1 ? verb_parse_name(self, LINE_LEAVE, first, limits) : 0;
    case VERB_WATCH:
        return verb_parse_name(self, LINE_WATCH, first, limits);
    case VERB_UNWATCH:
        return verb_parse_name(self, LINE_UNWATCH, first, limits);
    case VERB_WHO:
        return verb_parse_name(self, LINE_WHO, first, limits);
    case VERB_PING:
    case VERB_PONG:
        return verb_parse_token(self, first);
    case VERB_CREDIT:
        return verb_count(first, &self->credit);
    default:
        return 0;
    }
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
    return verb_parse_rest(self, frames, count, limits);
}
