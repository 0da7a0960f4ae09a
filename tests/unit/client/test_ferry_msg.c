/* SPDX-License-Identifier: MPL-2.0 */
/* ferry_msg: what is read from a message and from events. */
#include "lib/test.h"

#include <string.h>

#include "client/channel.h"
#include "client/ferry_msg.h"
#include "wire/error.h"
#include "wire/reason.h"

static ferry_msg_t *make(const event_t *event, const char *name, const char *place, const char *data)
{
    zmq_msg_t frame;
    event_t head = *event;
    head.name_size = (uint16_t)strlen(name);
    head.place_size = (uint16_t)strlen(place);
    assert_int_equal(zmq_msg_init_size(&frame, sizeof head + strlen(name) + strlen(place) + strlen(data) + 3), 0);
    char *at = zmq_msg_data(&frame);
    memcpy(at, &head, sizeof head);
    at = strcpy(at + sizeof head, name) + strlen(name) + 1;
    at = strcpy(at, place) + strlen(place) + 1;
    strcpy(at, data);
    return ferry_msg_new(&frame);
}

static void a_message_has_a_sender_and_data(void **state)
{
    (void)state;
    ferry_msg_t *msg = make(&(event_t){.kind = FERRY_MESSAGE}, "alice", "#room", "hello");
    assert_int_equal(ferry_msg_kind(msg), FERRY_MESSAGE);
    assert_string_equal(ferry_msg_sender(msg), "alice");
    assert_string_equal(ferry_msg_data(msg), "hello");
    assert_int_equal(ferry_msg_size(msg), 5);
    assert_string_equal(ferry_msg_group(msg), "#room");
    assert_string_equal(ferry_msg_service(msg), "");
    assert_int_equal(ferry_msg_job(msg), 0);
    assert_string_equal(ferry_msg_recipient(msg), "");
    assert_int_equal(ferry_msg_number(msg), 0);
    assert_int_equal(ferry_msg_error(msg), 0);
    assert_string_equal(ferry_msg_reason(msg), "");
    ferry_msg_destroy(&msg);
    assert_null(msg);
    ferry_msg_destroy(&msg);
}

static void a_failure_has_a_recipient_an_error_and_a_reason(void **state)
{
    (void)state;
    event_t event = {.kind = FERRY_FAILURE, .error = FERRY_E_UNDELIVERED, .reason = FERRY_REASON_STALLED, .number = 7};
    ferry_msg_t *msg = make(&event, "bob", "", "");
    assert_int_equal(ferry_msg_kind(msg), FERRY_FAILURE);
    assert_string_equal(ferry_msg_recipient(msg), "bob");
    assert_string_equal(ferry_msg_sender(msg), "");
    assert_int_equal(ferry_msg_number(msg), 7);
    assert_int_equal(ferry_msg_error(msg), FERRY_E_UNDELIVERED);
    assert_string_equal(ferry_msg_reason(msg), "stalled");
    assert_int_equal(ferry_msg_size(msg), 0);
    assert_string_equal(ferry_msg_data(msg), "");
    ferry_msg_destroy(&msg);
}

static void a_job_has_a_number_a_service_and_a_sender(void **state)
{
    (void)state;
    ferry_msg_t *msg = make(&(event_t){.kind = FERRY_JOB, .number = 7}, "alice", "@mill", "rye");
    assert_string_equal(ferry_msg_sender(msg), "alice");
    assert_string_equal(ferry_msg_service(msg), "@mill");
    assert_string_equal(ferry_msg_group(msg), "");
    assert_int_equal(ferry_msg_job(msg), 7);
    assert_int_equal(ferry_msg_number(msg), 0);
    assert_string_equal(ferry_msg_data(msg), "rye");
    assert_int_equal(ferry_msg_size(msg), 3);
    ferry_msg_destroy(&msg);
}

static void a_request_without_an_answer_has_the_code_of_a_timeout(void **state)
{
    (void)state;
    ferry_msg_t *msg =
        make(&(event_t){.kind = FERRY_FAILURE, .error = FERRY_ERROR_TIMEOUT, .number = 3}, "@mill", "", "");
    assert_int_equal(ferry_msg_error(msg), FERRY_E_TIMEOUT);
    assert_string_equal(ferry_msg_recipient(msg), "@mill");
    ferry_msg_destroy(&msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_a_sender_and_data),
        cmocka_unit_test(a_job_has_a_number_a_service_and_a_sender),
        cmocka_unit_test(a_request_without_an_answer_has_the_code_of_a_timeout),
        cmocka_unit_test(a_failure_has_a_recipient_an_error_and_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
