/* SPDX-License-Identifier: MPL-2.0 */
/* pages: what each path of the admin endpoint answers. A page answers from what is known here, or asks the main thread
 * and lets its request wait; one question serves all that wait when its answer comes. If none comes, httpd answers 503.
 * Owner: the admin actor's thread. */
#include "admin/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/metrics.h"
#include "base/endpoint.h"
#include "base/log.h"

enum {
    ANSWER_DEADLINE_MS = 2000, /* how long the main thread has for its answer */
    ALIVE_MS = 1000,           /* how long an answer proves that it lives */
    WHY_SIZE = 256,
};

typedef enum { PAGE_LIVEZ, PAGE_READYZ, PAGE_STATUS, PAGE_METRICS, PAGE_DRAIN, PAGE_COUNT } page_number_t;

struct pages {
    reactor_t *reactor; /* borrowed */
    httpd_t *httpd;     /* borrowed */
    void (*say)(void *arg, const char *word);
    void *arg;
    char endpoint[ENDPOINT_SIZE];
    bool ready;
    char why[WHY_SIZE];      /* it is not ready */
    bool asked;              /* STATUS, and it is not answered yet */
    bool answered;           /* STATUS, ever */
    uint64_t answered_at_ms; /* the last time */
    report_t *report;        /* while pages_report tells it; else NULL */
    progress_t *progress;
    bool drain_asked;
    bool drained_said;
    uint64_t counts[PAGE_COUNT]; /* of requests */
};

typedef struct {
    const char *path;
    const char *method;
    const char *allow;                               /* the header of a 405 */
    void (*take)(pages_t *self, request_t *request); /* the request has come in */
    void (*tell)(pages_t *self, request_t *request); /* self->report is there */
} page_t;

static void livez_take(pages_t *self, request_t *request);
static void livez_tell(pages_t *self, request_t *request);
static void readyz_take(pages_t *self, request_t *request);
static void report_take(pages_t *self, request_t *request);
static void status_tell(pages_t *self, request_t *request);
static void metrics_tell(pages_t *self, request_t *request);
static void drain_take(pages_t *self, request_t *request);

static const page_t table[PAGE_COUNT] = {
    [PAGE_LIVEZ] = {"/livez", "GET", "GET, HEAD", livez_take, livez_tell},
    [PAGE_READYZ] = {"/readyz", "GET", "GET, HEAD", readyz_take, NULL},
    [PAGE_STATUS] = {"/status", "GET", "GET, HEAD", report_take, status_tell},
    [PAGE_METRICS] = {"/metrics", "GET", "GET, HEAD", report_take, metrics_tell},
    [PAGE_DRAIN] = {"/drain", "POST", "POST", drain_take, NULL},
};

static int page_find(const char *path)
{
    for (int i = 0; i < PAGE_COUNT; i++)
        if (strcmp(table[i].path, path) == 0)
            return i;
    return -1;
}

static void report_take(pages_t *self, request_t *request)
{
    request_wait(request, reactor_now_ms(self->reactor) + ANSWER_DEADLINE_MS);
    if (!self->asked)
        self->say(self->arg, "STATUS");
    self->asked = true;
}

static void livez_tell(pages_t *self, request_t *request)
{
    (void)self;
    request_say(request, MHD_HTTP_OK, "alive");
}

static void livez_take(pages_t *self, request_t *request)
{
    if (self->answered && reactor_now_ms(self->reactor) - self->answered_at_ms < ALIVE_MS)
        livez_tell(self, request);
    else
        report_take(self, request);
}

static void readyz_take(pages_t *self, request_t *request)
{
    if (self->ready)
        request_say(request, MHD_HTTP_OK, "ready");
    else
        request_say(request, MHD_HTTP_SERVICE_UNAVAILABLE, self->why);
}

static void status_tell(pages_t *self, request_t *request)
{
    json_t *status = report_status(self->report);
    char *text = json_dumps(status, JSON_INDENT(1));
    json_decref(status);
    request_answer(request, MHD_HTTP_OK, "application/json", text, strlen(text));
}

static void metrics_tell(pages_t *self, request_t *request)
{
    size_t size;
    char *text = metrics_text(self->report, &size);
    request_answer(request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text, size);
}

/* Any web page can make a browser on this machine post to loopback, but not with a header of its choice; and what a
 * browser posts says where it comes from. Returns what is missing, or NULL. */
static const char *drain_objection(const request_t *request)
{
    const char *header = request_header(request, "X-Ferry-Drain");
    if (!request_is_local(request))
        return "A drain can only be asked for from this machine's loopback address.";
    if (!header || strcmp(header, "1") != 0)
        return "A drain must be asked for with the header X-Ferry-Drain: 1.";
    if (request_header(request, "Origin"))
        return "A drain cannot be asked for by a web page.";
    return NULL;
}

static void drain_take(pages_t *self, request_t *request)
{
    char peer[ENDPOINT_SIZE];
    const char *objection = drain_objection(request);
    endpoint_of_socket(request->fd, true, peer);
    if (objection) {
        log_warning("drain-refused", log_str("address", peer), log_str("reason", objection));
        request_say(request, MHD_HTTP_FORBIDDEN, objection);
        return;
    }
    log_info("drain-requested", log_str("address", peer));
    request_follow(request, self->progress);
    if (!self->drain_asked)
        self->say(self->arg, "DRAIN");
    self->drain_asked = true;
}

pages_t *pages_new(reactor_t *reactor, void (*say)(void *arg, const char *word), void *arg)
{
    pages_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->reactor = reactor;
    self->say = say;
    self->arg = arg;
    self->progress = progress_new();
    pages_set_ready(self, false, "starting");
    return self;
}

void pages_destroy(pages_t **self_p)
{
    pages_t *self = *self_p;
    if (!self)
        return;
    progress_destroy(&self->progress);
    free(self);
    *self_p = NULL;
}

void pages_serve(pages_t *self, httpd_t *httpd, const char *endpoint)
{
    self->httpd = httpd;
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
}

void pages_take(pages_t *self, request_t *request)
{
    int page = page_find(request->path);
    if (page < 0) {
        request_say(request, MHD_HTTP_NOT_FOUND,
            "There is no such page; there are /livez, /readyz, /status, /metrics and, to post to, /drain.");
        return;
    }
    self->counts[page]++;
    if (request_is_method(request, table[page].method)) {
        table[page].take(self, request);
        return;
    }
    request_say(request, MHD_HTTP_METHOD_NOT_ALLOWED, "This page does not know that method.");
    request_add_header(request, MHD_HTTP_HEADER_ALLOW, table[page].allow);
}

void pages_set_ready(pages_t *self, bool ready, const char *why)
{
    self->ready = ready;
    snprintf(self->why, sizeof self->why, "%s", *why ? why : "not ready");
}

/* The endpoint's own report; "admin" is an actor like the others. */
static json_t *pages_json(const pages_t *self)
{
    json_t *counts = json_object();
    for (int i = 0; i < PAGE_COUNT; i++)
        json_object_set_new(counts, table[i].path, json_integer((json_int_t)self->counts[i]));
    return json_pack("{s:s, s:[s], s:{s:{s:o}}, s:{s:i}}", "actor", "admin", "listening", self->endpoint, "counters",
        "http_requests", "page", counts, "gauges", "http_connections", (int)httpd_connection_count(self->httpd));
}

static void pages_tell(void *arg, request_t *request)
{
    pages_t *self = arg;
    table[page_find(request->path)].tell(self, request);
}

void pages_report(pages_t *self, report_t **report_p)
{
    self->asked = false;
    self->answered = true;
    self->answered_at_ms = reactor_now_ms(self->reactor);
    self->report = *report_p;
    report_add_json(self->report, pages_json(self));
    httpd_each_waiting(self->httpd, pages_tell, self);
    self->report = NULL;
    report_destroy(report_p);
}

void pages_step(pages_t *self, const char *line)
{
    progress_add(self->progress, line);
    httpd_wake_followers(self->httpd, false);
}

void pages_result(pages_t *self, const char *ledger, const char *result)
{
    progress_finish(self->progress, ledger, result);
    httpd_wake_followers(self->httpd, true);
}

void pages_turn(pages_t *self)
{
    if (self->drained_said || !progress_is_finished(self->progress) || httpd_follower_count(self->httpd) > 0)
        return;
    self->drained_said = true;
    self->say(self->arg, "DRAINED");
}
