/* SPDX-License-Identifier: MPL-2.0 */
/* custody_rig: a custody with what a link does for it: bodies are made of what is accepted, and what custody says is
 * written down. Recipient i of a message is named "r" and i. The test's thread. */
#ifndef FERRY_TESTS_CUSTODY_RIG_H
#define FERRY_TESTS_CUSTODY_RIG_H

#include "lib/test.h"

#include <stdio.h>

#include "link/custody.h"
#include "wire/bytes.h"
#include "wire/error.h"
#include "wire/reason.h"

enum { RIG_RECIPIENTS_MAX = 8, RIG_SESSIONS_MAX = 64, RIG_SENT_SIZE = 8192 };

typedef struct {
    ledger_t ledger;
    custody_t *custody;
    buffer_t body; /* of what was accepted and is not kept */
    uint32_t body_count;
    unsigned settled[RIG_SESSIONS_MAX]; /* messages, by session */
    unsigned settled_count;
} custody_rig_t;

static inline void on_rig_settled(void *arg, uint64_t session, uint64_t number, uint32_t count)
{
    (void)number;
    custody_rig_t *rig = arg;
    assert_true(session < RIG_SESSIONS_MAX);
    rig->settled[session] += count;
    rig->settled_count += count;
}

static inline void rig_open(custody_rig_t *rig)
{
    *rig = (custody_rig_t){0};
    rig->custody = custody_new(&rig->ledger, on_rig_settled, rig);
}

static inline void rig_close(custody_rig_t *rig)
{
    custody_destroy(&rig->custody);
    assert_null(rig->custody);
    buffer_fini(&rig->body);
}

static inline void rig_begin(custody_rig_t *rig)
{
    if (rig->body_count++ == 0)
        body_begin_up(&rig->body);
}

/* Accepts a message with so many recipients and that many bytes of text. Returns its size. */
static inline uint32_t rig_accept(custody_rig_t *rig, uint64_t session, unsigned recipient_count, size_t text_size)
{
    static const char text[4096];
    char names[RIG_RECIPIENTS_MAX][4];
    span_t recipients[RIG_RECIPIENTS_MAX];
    assert_true(recipient_count <= RIG_RECIPIENTS_MAX && text_size <= sizeof text);
    for (unsigned i = 0; i < recipient_count; i++) {
        snprintf(names[i], sizeof names[i], "r%u", i % 100);
        recipients[i] = span_str(names[i]);
    }
    rig_begin(rig);
    span_t sender = span_str("s");
    body_put_message(&rig->body, session, 0, sender, recipients, recipient_count, span_of(text, text_size));
    size_t size = body_message_size(sender, recipients, recipient_count, span_of(text, text_size));
    custody_accept(rig->custody, session, (uint32_t)size, recipient_count, 0);
    return (uint32_t)size;
}

/* Accepts a message of session 1 to recipients that are separated by commas. */
static inline void rig_accept_to(custody_rig_t *rig, const char *recipients)
{
    span_t names[RIG_RECIPIENTS_MAX];
    unsigned count = 0, groups = 0;
    for (const char *at = recipients; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        assert_true(count < RIG_RECIPIENTS_MAX);
        groups += *at == '#';
        names[count++] = span_of(at, strcspn(at, ","));
    }
    rig_begin(rig);
    span_t sender = span_str("s"), text = span_str("text");
    body_put_message(&rig->body, 1, 0, sender, names, count, text);
    custody_accept(rig->custody, 1, (uint32_t)body_message_size(sender, names, count, text), count, groups);
}

static inline void rig_accept_report(custody_rig_t *rig, const char *name)
{
    rig_begin(rig);
    body_put_report(&rig->body, &(body_report_t){.error = FERRY_ERROR_UNDELIVERED, .name = span_str(name)});
    custody_accept_report(rig->custody);
}

/* Gives custody a body of all that was accepted. */
static inline void rig_keep(custody_rig_t *rig)
{
    zmq_msg_t body;
    body_finish_up(&rig->body, custody_next_number(rig->custody) - rig->body_count, rig->body_count);
    assert_int_equal(zmq_msg_init_size(&body, buffer_size(&rig->body)), 0);
    memcpy(zmq_msg_data(&body), rig->body.data, buffer_size(&rig->body));
    custody_keep(rig->custody, rig->body_count, &body);
    buffer_clear(&rig->body);
    rig->body_count = 0;
}

/* Sends the next kept body. Returns the number of its first record. */
static inline uint64_t rig_send(custody_rig_t *rig)
{
    zmq_msg_t body;
    assert_true(custody_unsent_count(rig->custody) > 0);
    custody_send_next(rig->custody, &body);
    uint64_t first = bytes_get64(zmq_msg_data(&body));
    zmq_msg_close(&body);
    return first;
}

static inline void rig_keep_and_send(custody_rig_t *rig)
{
    rig_keep(rig);
    rig_send(rig);
}

static inline void rig_put_text(char text[RIG_SENT_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void rig_put_text(char text[RIG_SENT_SIZE], const char *format, ...)
{
    size_t size = strlen(text);
    va_list args;
    va_start(args, format);
    int rc = vsnprintf(text + size, RIG_SENT_SIZE - size, format, args);
    va_end(args);
    assert_in_range(rc, 1, RIG_SENT_SIZE - size - 1);
}

/* "5:r0,r2 " is a message, "5:!bob " a report, "5:- " a gap. */
static inline void rig_put_record(char text[RIG_SENT_SIZE], uint64_t number, const body_record_t *record)
{
    rig_put_text(text, "%u:", (unsigned)number);
    span_t rest = record->message.recipients;
    if (record->type == RECORD_GAP)
        rig_put_text(text, "-");
    else if (record->type == RECORD_REPORT)
        rig_put_text(text, "!%.*s", (int)record->report.name.size, record->report.name.data);
    else
        for (unsigned i = 0; i < record->message.recipient_count; i++) {
            span_t name = body_name_next(&rest);
            rig_put_text(text, "%s%.*s", i ? "," : "", (int)name.size, name.data);
        }
    rig_put_text(text, " ");
}

/* Sends the next kept body and writes down what it says, behind "again " if it is flagged so. */
static inline void rig_send_text(custody_rig_t *rig, char text[RIG_SENT_SIZE])
{
    zmq_msg_t message;
    body_t body;
    body_record_t record;
    text[0] = '\0';
    assert_true(custody_unsent_count(rig->custody) > 0);
    if (custody_next_is_again(rig->custody))
        rig_put_text(text, "again ");
    custody_send_next(rig->custody, &message);
    assert_int_equal(body_open_up(&body, span_of(zmq_msg_data(&message), zmq_msg_size(&message))), 0);
    while (body_next_up(&body, &record) == 1)
        rig_put_record(text, body.number, &record);
    zmq_msg_close(&message);
}

static inline void rig_expect_sent(custody_rig_t *rig, const char *expected)
{
    char text[RIG_SENT_SIZE];
    rig_send_text(rig, text);
    assert_string_equal(text, expected);
}

/* A broker's notice of that error on one copy. */
static inline bool rig_refuse(custody_rig_t *rig, uint64_t number, const char *recipient, int error)
{
    return custody_note(
        rig->custody, &(body_notice_t){.error = (uint16_t)error, .number = number, .name = span_str(recipient)});
}

/* A notice that a copy which had been taken has ended: as its node reports, or because that node is lost. */
static inline bool rig_end(custody_rig_t *rig, uint64_t number, const char *recipient, bool reported)
{
    return custody_note(rig->custody,
        &(body_notice_t){.error = (uint16_t)(reported ? FERRY_ERROR_UNDELIVERED : FERRY_ERROR_UNCONFIRMED),
            .reason = (uint16_t)(reported ? FERRY_REASON_GONE : FERRY_REASON_GATEWAY_LOST),
            .taken = true,
            .number = number,
            .report = reported,
            .name = span_str(recipient)});
}

/* TAKEN of all below `below`, but for `count` ranges of first number and size. */
static inline void rig_taken_but(custody_rig_t *rig, uint64_t below, const uint64_t (*ranges)[2], size_t count)
{
    uint8_t *bytes = malloc(count * 16 + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        bytes_put64(bytes + 16 * i, ranges[i][0]);
        bytes_put64(bytes + 16 * i + 8, ranges[i][1]);
    }
    custody_taken(rig->custody, &(control_t){.type = RECORD_TAKEN,
                                    .taken = {.below = below, .exceptions = span_of((const char *)bytes, count * 16)}});
    free(bytes);
}

static inline void rig_taken(custody_rig_t *rig, uint64_t below)
{
    rig_taken_but(rig, below, NULL, 0);
}

static inline void rig_held(custody_rig_t *rig, uint64_t number)
{
    custody_held(rig->custody, &(control_numbers_t){.first = number}, false);
}

static inline void rig_held_again(custody_rig_t *rig, uint64_t number)
{
    custody_held(rig->custody, &(control_numbers_t){.first = number}, true);
}

static inline void rig_ended(custody_rig_t *rig, uint64_t number)
{
    custody_ended(rig->custody, &(control_numbers_t){.first = number});
}

/* A new link is up: it is resumed behind the last `count` bodies that were sent, or fresh. */
static inline void rig_resume(custody_rig_t *rig, uint64_t count)
{
    custody_unsettle(rig->custody);
    custody_resume(rig->custody, count);
}

static inline void rig_begin_anew(custody_rig_t *rig, custody_anew_t why)
{
    if (rig->body_count)
        rig_keep(rig);
    custody_unsettle(rig->custody);
    custody_begin_anew(rig->custody, why);
}

/* Every copy that was accepted is counted in exactly one place. */
static inline void rig_check_ledger(const custody_rig_t *rig)
{
    assert_int_equal(ledger_balance(&rig->ledger, custody_open_copies(rig->custody)), 0);
}

#endif
