/* SPDX-License-Identifier: MPL-2.0 */
/* letter: who may be written to, and that what is written is what is read. */
#include "lib/test.h"

#include "client/letter.h"
#include "ferry.h"
#include "wire/body.h"

static span_t recipients[FERRY_RECIPIENTS_MAX];
static buffer_t buffer;
static line_t line = {.recipients = recipients};

static int address(const char *text)
{
    return letter_address(&line, &buffer, text);
}

static int free_buffer(void **state)
{
    (void)state;
    buffer_fini(&buffer);
    return 0;
}

static void recipients_are_those_of_the_line_protocol(void **state)
{
    (void)state;
    assert_int_equal(address("bob"), 0);
    assert_int_equal(line.recipient_count, 1);
    assert_int_equal(address(" bob ,, carol,bob, 日本"), 0);
    assert_int_equal(line.recipient_count, 3);
    assert_true(span_equal(line.recipients[1], span_str("carol")));
    assert_true(span_equal(line.recipients[2], span_str("日本")));
}

static void what_is_no_name_is_told(void **state)
{
    (void)state;
    static const char *const bad[] = {"bob smith", "bob:", ":", "/quit", " /quit", "bob\n", "bob, \x01", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(address(bad[i]), -FERRY_E_BAD_NAME);
    assert_int_equal(address(""), -FERRY_E_NO_RECIPIENT);
    assert_int_equal(address(" , "), -FERRY_E_NO_RECIPIENT);
    char name[FERRY_NAME_MAX + 2];
    memset(name, 'x', sizeof name);
    name[FERRY_NAME_MAX + 1] = '\0';
    assert_int_equal(address(name), -FERRY_E_BAD_NAME);
    assert_int_equal(address(name + 1), 0);
}

static void there_are_so_many_recipients_and_no_more(void **state)
{
    (void)state;
    static char text[8 * (FERRY_RECIPIENTS_MAX + 1)];
    for (unsigned i = 0, size = 0; i <= FERRY_RECIPIENTS_MAX; i++) {
        assert_int_equal(i ? address(text) : 0, 0);
        size += (unsigned)snprintf(text + size, sizeof text - size, "n%u,", i);
    }
    assert_int_equal(address(text), -FERRY_E_TOO_MANY_RECIPIENTS);
}

static letter_t write_and_read(zmq_msg_t *frame, span_t text)
{
    static span_t read[FERRY_RECIPIENTS_MAX];
    letter_t letter = {.line.recipients = read};
    line.text = text;
    letter_write(&(letter_t){.kind = COMMAND_REQUEST, .number = 17, .detail = 5000, .line = line}, frame);
    assert_int_equal(zmq_msg_size(frame), letter_size(&line));
    letter_read(&letter, frame);
    return letter;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    zmq_msg_t frame;
    assert_int_equal(address("bob, carol"), 0);
    letter_t letter = write_and_read(&frame, span_of("a\0b", 3));
    assert_int_equal(letter.kind, COMMAND_REQUEST);
    assert_int_equal(letter.number, 17);
    assert_int_equal(letter.detail, 5000);
    assert_int_equal(letter.size, letter_size(&line));
    assert_int_equal(letter.line.recipient_count, 2);
    assert_true(span_equal(letter.line.recipients[0], span_str("bob")));
    assert_true(span_equal(letter.line.recipients[1], span_str("carol")));
    assert_true(span_equal(letter.line.text, span_of("a\0b", 3)));
    zmq_msg_close(&frame);
}

static void the_end_of_a_job_has_neither_names_nor_text(void **state)
{
    (void)state;
    zmq_msg_t frame;
    letter_t letter = {.line.recipients = NULL};
    letter_write(&(letter_t){.kind = COMMAND_DONE, .detail = 7}, &frame);
    letter_read(&letter, &frame);
    assert_int_equal(letter.kind, COMMAND_DONE);
    assert_int_equal(letter.detail, 7);
    assert_int_equal(letter.line.recipient_count, 0);
    assert_int_equal(letter.line.text.size, 0);
    zmq_msg_close(&frame);
}

static unsigned flags_of(span_t text)
{
    zmq_msg_t frame;
    unsigned flags = write_and_read(&frame, text).flags;
    zmq_msg_close(&frame);
    return flags;
}

static void what_is_no_line_is_opaque(void **state)
{
    (void)state;
    static char text[LETTER_LINE_SIZE + 1];
    memset(text, 'x', sizeof text);
    assert_int_equal(address("bob"), 0);
    assert_int_equal(flags_of(span_of(NULL, 0)), 0);
    assert_int_equal(flags_of(span_str("a\tline, 日本")), 0);
    assert_int_equal(flags_of(span_of(text, LETTER_LINE_SIZE)), 0);
    assert_int_equal(flags_of(span_of(text, LETTER_LINE_SIZE + 1)), BODY_FLAG_OPAQUE);
    assert_int_equal(flags_of(span_str("two\nlines")), BODY_FLAG_OPAQUE);
    assert_int_equal(flags_of(span_str("\xc3(")), BODY_FLAG_OPAQUE);
    assert_int_equal(flags_of(span_of("", 1)), BODY_FLAG_OPAQUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(recipients_are_those_of_the_line_protocol, free_buffer),
        cmocka_unit_test_teardown(what_is_no_name_is_told, free_buffer),
        cmocka_unit_test_teardown(there_are_so_many_recipients_and_no_more, free_buffer),
        cmocka_unit_test_teardown(what_is_written_is_read, free_buffer),
        cmocka_unit_test_teardown(the_end_of_a_job_has_neither_names_nor_text, free_buffer),
        cmocka_unit_test_teardown(what_is_no_line_is_opaque, free_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
