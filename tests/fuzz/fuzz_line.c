/* SPDX-License-Identifier: MPL-2.0 */
/* fuzz_line: any bytes as a first and as a later line. Whatever passes must keep the rules, lie within the input, and
 * be understood in the same way again when it is written as plainly as it can be. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "wire/line.h"

enum { RECIPIENTS = 8, LINE_SIZE = 400 };

static const line_limits_t limits = {.line_size = LINE_SIZE, .name_size = 16, .recipient_count = RECIPIENTS};

static void assert_inside(span_t part, span_t whole)
{
    if (part.size > 0) {
        assert(part.data >= whole.data);
        assert(part.data + part.size <= whole.data + whole.size);
    }
}

static void assert_trimmed(span_t text)
{
    assert(utf8_trim(text).size == text.size);
}

/* The rule for text, byte by byte. */
static int check_plainly(span_t text)
{
    while (text.size > 0) {
        uint32_t rune;
        size_t size = utf8_decode(text, &rune);
        if (size == 0)
            return -FERRY_ERROR_BAD_UTF8;
        if ((rune < 0x20 && rune != '\t') || rune == 0x7F)
            return -FERRY_ERROR_CONTROL_BYTE;
        text = span_of(text.data + size, text.size - size);
    }
    return 0;
}

static void assert_culprit(span_t culprit, span_t line)
{
    assert_inside(culprit, line);
    assert(culprit.size <= LINE_CULPRIT_SIZE);
    assert(check_plainly(culprit) == 0);
}

static size_t append(char *to, size_t size, span_t part)
{
    if (part.size > 0)
        memcpy(to + size, part.data, part.size);
    return size + part.size;
}

static void assert_recipients(const line_t *line, span_t input)
{
    assert(line->recipient_count >= 1 && line->recipient_count <= limits.recipient_count);
    for (unsigned i = 0; i < line->recipient_count; i++) {
        span_t name = line->recipients[i];
        assert_inside(name, input);
        size_t sign = name.data[0] == '#' || name.data[0] == '@';
        assert(line_check_name(span_of(name.data + sign, name.size - sign), limits.name_size - sign) == 0);
        for (unsigned j = 0; j < i; j++)
            assert(!span_equal(name, line->recipients[j]));
    }
}

static void assert_understood_again(const line_t *line)
{
    char plain[LINE_SIZE + RECIPIENTS];
    size_t size = 0;
    for (unsigned i = 0; i < line->recipient_count; i++) {
        size = i > 0 ? append(plain, size, span_str(",")) : 0;
        size = append(plain, size, line->recipients[i]);
    }
    size = append(plain, append(plain, size, span_str(":")), line->text);
    span_t recipients[RECIPIENTS];
    line_t again = {.recipients = recipients};
    assert(line_parse(&again, span_of(plain, size), &limits) == 0);
    assert(again.kind == LINE_MESSAGE && span_equal(again.text, line->text));
    assert(again.recipient_count == line->recipient_count);
    for (unsigned i = 0; i < line->recipient_count; i++)
        assert(span_equal(again.recipients[i], line->recipients[i]));
}

static void try_line(span_t input)
{
    span_t recipients[RECIPIENTS];
    line_t line = {.recipients = recipients};
    int error = line_parse(&line, input, &limits);
    assert_culprit(line.culprit, input);
    if (error == 0) {
        assert(line.culprit.size == 0);
        assert_inside(line.text, input);
        assert_trimmed(line.text);
        assert(check_plainly(line.text) == 0);
    }
    bool may_have_label = line.kind == LINE_SEND || line.kind == LINE_REQUEST;
    assert((line.label.size > 0) <= may_have_label && line.label.size <= LINE_LABEL_SIZE);
    assert_inside(line.label, input);
    assert_inside(line.job, input);
    if (error == 0 && line_is_message(&line)) {
        assert_recipients(&line, input);
        assert_understood_again(&line);
    }
}

/* A line that is parsed by the head of the one before it, both of which are in the input, is parsed as without. */
static void try_head(span_t input)
{
    const char *end = input.size ? memchr(input.data, '\n', input.size) : NULL;
    if (!end)
        return;
    span_t recipients[RECIPIENTS], again[RECIPIENTS];
    span_t first = span_of(input.data, (size_t)(end - input.data));
    span_t second = span_of(end + 1, input.size - first.size - 1);
    line_head_t head = {0};
    line_t line = {.recipients = recipients}, like = {.recipients = again};
    if (line_parse(&line, first, &limits) == 0)
        line_head_keep(&head, first, &line);
    if (!line_parse_like(&like, second, &limits, &head))
        return;
    assert(line_parse(&line, second, &limits) == 0);
    assert(line.kind == like.kind && line.recipient_count == like.recipient_count);
    assert(span_equal(line.text, like.text) && span_equal(line.recipients[0], like.recipients[0]));
}

static void try_login(span_t input)
{
    span_t name, secret, culprit;
    int error = line_parse_login(input, &limits, &name, &secret, &culprit);
    assert_culprit(culprit, input);
    assert((error == 0) == (name.size > 0));
    if (error)
        return;
    assert_inside(name, input);
    assert_inside(secret, input);
    assert_trimmed(secret);
    assert(line_check_name(name, limits.name_size) == 0);
    char plain[LINE_SIZE];
    size_t size = append(plain, 0, name);
    if (secret.size > 0)
        size = append(plain, append(plain, size, span_str(" ")), secret);
    span_t name_again, secret_again;
    assert(line_parse_login(span_of(plain, size), &limits, &name_again, &secret_again, &culprit) == 0);
    assert(span_equal(name, name_again) && span_equal(secret, secret_again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span_t input = span_of((const char *)data, size);
    assert(line_check_text(input) == check_plainly(input));
    try_line(input);
    try_head(input);
    try_login(input);
    return 0;
}
