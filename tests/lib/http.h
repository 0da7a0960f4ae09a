/* SPDX-License-Identifier: MPL-2.0 */
/* http: just enough HTTP/1.1 for the admin endpoint: one request a connection, bodies with a length or in chunks. Fails
 * the running cmocka test when there is no answer in time. The test's thread. */
#ifndef FERRY_TESTS_HTTP_H
#define FERRY_TESTS_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct http_answer http_answer_t;

/* `base` is an endpoint (http://127.0.0.1:7480), `path` begins with a slash, `headers` are complete lines
 * ("X-Ferry-Drain: 1\r\n") or "". The caller destroys the answer. */
http_answer_t *http_get(const char *base, const char *path);
http_answer_t *http_post(const char *base, const char *path, const char *headers);

void http_answer_destroy(http_answer_t **self_p);

int http_answer_status(const http_answer_t *self);

/* The body with a NUL behind it; the answer's. */
const char *http_answer_body(const http_answer_t *self);

/* Copies the value of a header, cut to `size` with its NUL. False if there is none. */
bool http_answer_header(const http_answer_t *self, const char *name, char *value, size_t size);

/* The status of GET `path`, 0 if the connection was closed without an answer. */
int http_status(const char *base, const char *path);

/* Asks again and again until GET `path` answers with this status. */
void http_wait_status(const char *base, const char *path, int status, unsigned timeout_ms);

/* The JSON that GET `path` answers with 200; the caller gives it to json_decref. */
json_t *http_json(const char *base, const char *path);

/* The member at a dotted path ("ledger.accepted", a number is an index of an array), or NULL. Borrowed. */
json_t *json_at(json_t *root, const char *path);

/* The whole number at `member` of the JSON that GET `path` answers; fails the test if there is none. */
json_int_t http_number(const char *base, const char *path, const char *member);

#endif
