/* SPDX-License-Identifier: MPL-2.0 */
/* request: libcurl, asked directly and never through a proxy, since the endpoint is on this machine or next to it. A
 * body is collected in a buffer, and of a 200 that streams each line is handed on as it comes. What fails is the
 * address, the connection or the answer; each is one sentence. */
#include "ferry/request.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "ferry/display.h"

enum { CONNECT_TIMEOUT_S = 5, GET_TIMEOUT_S = 10, BODY_SIZE_MAX = 256 << 20, URL_SIZE = 1024 };

typedef struct {
    CURL *curl;
    buffer_t body;            /* what was not handed on */
    request_line_fn *on_line; /* NULL: the body is collected */
    void *arg;
    bool stopped;
    CURLcode code;    /* how it ended */
    const char *hint; /* how the user names another address */
    char url[URL_SIZE];
    char why[CURL_ERROR_SIZE]; /* a failure in libcurl's words */
} request_t;

static void hand_on_lines(request_t *self)
{
    while (!self->stopped) {
        span_t rest = buffer_span(&self->body);
        const char *newline = rest.size > 0 ? memchr(rest.data, '\n', rest.size) : NULL;
        if (!newline)
            return;
        size_t size = (size_t)(newline - rest.data);
        self->stopped = !self->on_line(self->arg, span_of(rest.data, size));
        buffer_consume(&self->body, size + 1);
    }
}

static long status_of(const request_t *self)
{
    long status = 0;
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
    request_t *self = arg;
    if (buffer_size(&self->body) + size > BODY_SIZE_MAX)
        return 0;
    buffer_append(&self->body, data, one * size);
    if (self->on_line && status_of(self) == 200)
        hand_on_lines(self);
    return self->stopped ? 0 : size;
}

static void request_init(request_t *self, const char *base, const char *path)
{
    *self = (request_t){.curl = curl_easy_init(), .hint = ""};
    if (!self->curl)
        abort();
    size_t size = strlen(base);
    while (size > 0 && base[size - 1] == '/')
        size--;
    snprintf(self->url, sizeof self->url, "%.*s%s", (int)size, base, path);
    curl_easy_setopt(self->curl, CURLOPT_URL, self->url);
    curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, self->why);
    curl_easy_setopt(self->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(self->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(self->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(self->curl, CURLOPT_USERAGENT, "ferry/" FERRY_VERSION);
    curl_easy_setopt(self->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(self->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(self->curl, CURLOPT_WRITEDATA, self);
}

static void request_fini(request_t *self)
{
    curl_easy_cleanup(self->curl);
    buffer_fini(&self->body);
}

/* 0 after a 200 that is whole, else -1 after one sentence. */
static int request_conclude(const request_t *self)
{
    CURLcode code = self->code;
    span_t body = buffer_span(&self->body);
    const char *newline = body.size > 0 ? memchr(body.data, '\n', body.size) : NULL;
    size_t size = newline ? (size_t)(newline - body.data) : body.size;
    if (self->stopped)
        return 0;
    if (code == CURLE_COULDNT_CONNECT)
        display_complain("ferry: nobody answers at %s: is ferryd running there?%s", self->url, self->hint);
    else if (code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR)
        display_complain("ferry: %s broke off: the process ended before its answer did", self->url);
    else if (code)
        display_complain("ferry: %s: %s", self->url, self->why[0] ? self->why : curl_easy_strerror(code));
    else if (status_of(self) != 200)
        display_complain("ferry: %s answered %ld: %.*s", self->url, status_of(self), (int)size, body.data);
    else
        return 0;
    return -1;
}

static void get_init(request_t *self, const char *base, const char *path)
{
    request_init(self, base, path);
    curl_easy_setopt(self->curl, CURLOPT_TIMEOUT, (long)GET_TIMEOUT_S);
}

/* Returns the body, or NULL after one sentence. */
static char *get_fini(request_t *self)
{
    char *body = NULL;
    if (!request_conclude(self)) {
        buffer_append(&self->body, "", 1);
        body = (char *)buffer_release(&self->body);
    }
    request_fini(self);
    return body;
}

char *request_get(const char *base, const char *path)
{
    request_t self;
    get_init(&self, base, path);
    self.hint = " (--admin names another address)";
    self.code = curl_easy_perform(self.curl);
    return get_fini(&self);
}

/* Notes how those requests ended that have. */
static void multi_gather(CURLM *multi)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
        request_t *request = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
        request->code = message->data.result;
    }
}

static void multi_perform(CURLM *multi)
{
    int running = 0;
    CURLMcode code;
    do {
        code = curl_multi_perform(multi, &running);
        if (!code && running)
            code = curl_multi_poll(multi, NULL, 0, 1000, NULL);
        multi_gather(multi);
    } while (!code && running);
}

size_t request_get_all(const char *const *bases, size_t count, const char *path, char **bodies)
{
    CURLM *multi = curl_multi_init();
    request_t *requests = calloc(count + 1, sizeof *requests);
    if (!multi || !requests)
        abort();
    for (size_t i = 0; i < count; i++) {
        get_init(&requests[i], bases[i], path);
        requests[i].code = CURLE_FAILED_INIT; /* until it has ended */
        curl_easy_setopt(requests[i].curl, CURLOPT_PRIVATE, &requests[i]);
        curl_multi_add_handle(multi, requests[i].curl);
    }
    multi_perform(multi);
    size_t failures = 0;
    for (size_t i = 0; i < count; i++) {
        curl_multi_remove_handle(multi, requests[i].curl);
        bodies[i] = get_fini(&requests[i]);
        failures += !bodies[i];
    }
    curl_multi_cleanup(multi);
    free(requests);
    return failures;
}

int request_post(const char *base, const char *path, const char *header, request_line_fn *on_line, void *arg)
{
    request_t self;
    request_init(&self, base, path);
    self.on_line = on_line;
    self.arg = arg;
    struct curl_slist *headers = curl_slist_append(NULL, header);
    curl_easy_setopt(self.curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(self.curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(self.curl, CURLOPT_TCP_KEEPALIVE, 1L);
    self.hint = " (--admin names another address)";
    self.code = curl_easy_perform(self.curl);
    int result = request_conclude(&self);
    curl_slist_free_all(headers);
    request_fini(&self);
    return result;
}
