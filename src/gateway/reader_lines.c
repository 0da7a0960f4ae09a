/* SPDX-License-Identifier: MPL-2.0 */
/* [1] reader_lines: a line is parsed, done as a whole or not at all, and then counted; its first mistake is its answer.
 * Owner: the worker's thread. */
#include "gateway/reader_lines.h"

#include "gateway/session_acks.h"
#include "gateway/worker.h"
#include "wire/line.h"

static void reader_refuse(session_t *session, int error, span_t culprit, span_t label)
{
    session->reader.lines++;
    session->worker->counters.bad_lines++;
    session_error_of(session, -error, (span_t[]){culprit, label}, 2);
    if (++session->reader.bad_lines >= session->worker->limits.bad_lines)
        session_fail(session, FERRY_ERROR_TOO_MANY_ERRORS, span_of(NULL, 0), CLOSE_CLIENT_ERRORS);
}

static void reader_answer_ping(session_t *session, span_t token)
{
    span_t parts[] = {span_str("ok ping"), span_str(token.size ? " " : ""), token};
    writer_line(&session->writer, parts, 3);
    worker_dirty(session);
}

static void reader_answer_help(session_t *session)
{
    span_t help = line_help();
    writer_line(&session->writer, &(span_t){help.data, help.size - 1}, 1);
    worker_dirty(session);
}

static void reader_quit(session_t *session)
{
    session->said_quit = true;
    session_quit(session, CLOSE_QUIT);
}

static void reader_take_login(session_t *session, span_t text)
{
    span_t name, secret, culprit;
    int error = line_parse_login(text, &session->worker->limits.line, &name, &secret, &culprit);
    if (error == 0 && secret.size) {
        error = -FERRY_ERROR_SECRETS_NOT_ENABLED;
        culprit = span_of(NULL, 0);
    }
    if (error)
        session_fail(session, -error, culprit, CLOSE_LOGIN);
    else
        session_login(session, name);
}

/* Its line waits for a name or for room, and not for memory. */
static bool reader_must_wait(session_t *session)
{
    session->reader.starved = false;
    return false;
}

/* One more message of that size is under way while memory is short: that may be enough for now. */
static void reader_charge(session_t *session, size_t size)
{
    session->reader.line_size = size;
    if (!reader_is_allowed(session))
        reader_starve(session);
}

/* Sends a message to its brokers. Returns 1, 0 if it must wait, or -FERRY_ERROR_…. */
static int reader_send_up(session_t *session, const line_t *line)
{
    worker_t *worker = session->worker;
    unsigned flags = line->kind == LINE_SEND ? BODY_FLAG_RECEIPT : 0;
    int rc = line->kind == LINE_REQUEST ? party_request(&session->party, line, 0,
                                              reactor_now_ms(worker->reactor) + line->number, &session->waiting)
                                        : party_send(&session->party, line, flags, &session->waiting);
    if (rc > 0)
        shortcuts_sent(&worker->shortcuts, session, line);
    return rc;
}

/* Sends a message. Returns 1, 0 if it must wait, or -FERRY_ERROR_…. */
static int reader_send(session_t *session, const line_t *line, size_t size)
{
    worker_t *worker = session->worker;
    int rc = shortcuts_send(&worker->shortcuts, session, line);
    if (rc < 0)
        rc = reader_send_up(session, line);
    if (rc <= 0)
        return rc;
    worker->counters.messages++;
    if (worker->limits.writer.share != SIZE_MAX)
        reader_charge(session, size);
    return 1;
}

/* Does what a line that is no message says. */
static void reader_obey(session_t *session, const line_t *line)
{
    if (line->kind == LINE_PING)
        reader_answer_ping(session, line->text);
    else if (line->kind == LINE_HELP)
        reader_answer_help(session);
    else if (line->kind == LINE_QUIT)
        reader_quit(session);
    else if (line->kind == LINE_UNWATCH)
        party_unwatch(&session->party, line->text);
    else if (line->kind == LINE_UNSERVE)
        party_unserve(&session->party, line->text);
    else if (line->kind == LINE_LEAVE)
        party_leave(&session->party, line->text);
}

/* Sends an answer. Returns 1, 0 if it must wait, or -FERRY_ERROR_…. */
static int reader_reply(session_t *session, const line_t *line)
{
    uint64_t messages = session->party.open_messages;
    int rc = party_reply(&session->party, line->number, line, 0, &session->waiting);
    session->worker->counters.messages += session->party.open_messages > messages;
    session->has_others = true;
    return rc;
}

/* Does what a line says that may fail, or wait. Returns 1, 0 if it must wait, or -FERRY_ERROR_…. */
static int reader_try(session_t *session, line_t *line, size_t size)
{
    int rc = 1;
    if (line_is_message(line))
        return reader_send(session, line, size);
    if (line->kind == LINE_WHO)
        return party_who(&session->party, line->text, &session->waiting);
    if (line->kind == LINE_WATCH)
        rc = party_watch(&session->party, line->text);
    else if (line->kind == LINE_JOIN)
        rc = party_join(&session->party, line->text);
    else if (line->kind == LINE_SERVE)
        rc = party_serve(&session->party, line->text, (uint32_t)line->number);
    else if (line->kind == LINE_ACK)
        rc = session_ack(session, line->number);
    else if (line->kind == LINE_DONE)
        rc = party_done(&session->party, line->number);
    else if (line->kind == LINE_REPLY)
        rc = reader_reply(session, line);
    if (rc < 0)
        line->culprit = line->job.size ? line->job : line->text;
    return rc;
}

/* Parses a line that is not the first. Returns 0 or -FERRY_ERROR_…. */
static int reader_parse(worker_t *worker, line_t *line, span_t text)
{
    if (line_parse_like(line, text, &worker->limits.line, &worker->head))
        return 0;
    int rc = line_parse(line, text, &worker->limits.line);
    if (rc == 0)
        line_head_keep(&worker->head, text, line);
    return rc;
}

bool reader_take_line(session_t *session, span_t text)
{
    worker_t *worker = session->worker;
    if (session->state == SESSION_LOGIN) {
        reader_take_login(session, text);
        return true;
    }
    line_t line = {.recipients = worker->recipients};
    int rc = reader_parse(worker, &line, text);
    if (session->reader.acks_only && (rc != 0 || line.kind != LINE_ACK)) {
        session->reader.acks_over = true;
        return false;
    }
    if (rc == 0)
        rc = reader_try(session, &line, text.size);
    if (rc == 0)
        return reader_must_wait(session);
    if (rc < 0) {
        reader_refuse(session, rc, line.culprit, line.label);
        return true;
    }
    session->reader.lines++;
    session->reader.bad_lines = 0;
    reader_obey(session, &line);
    return true;
}

void reader_refuse_long(session_t *session)
{
    if (session->state == SESSION_LOGIN)
        session_fail(session, FERRY_ERROR_LINE_TOO_LONG, span_of(NULL, 0), CLOSE_LOGIN);
    else
        reader_refuse(session, -FERRY_ERROR_LINE_TOO_LONG, span_of(NULL, 0), span_of(NULL, 0));
}
