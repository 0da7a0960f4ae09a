/* SPDX-License-Identifier: MPL-2.0 */
/* pages: what each path of the admin endpoint answers (proto/admin.md). Owned by the admin actor's thread; nothing
 * blocks. */
#ifndef FERRY_ADMIN_PAGES_H
#define FERRY_ADMIN_PAGES_H

#include "admin/httpd.h"
#include "admin/report.h"

typedef struct pages pages_t;

/* `say` tells the main thread one word: STATUS, DRAIN or DRAINED. The reactor is borrowed for life. */
pages_t *pages_new(reactor_t *reactor, void (*say)(void *arg, const char *word), void *arg);
void pages_destroy(pages_t **self_p);

/* Where the requests come from (borrowed), and the endpoint's own address, which is copied. */
void pages_serve(pages_t *self, httpd_t *httpd, const char *endpoint);

/* Answers a request now, or lets it wait or follow. */
void pages_take(pages_t *self, request_t *request);

/* What the main thread said: the process is ready, or is not and why (borrowed). */
void pages_set_ready(pages_t *self, bool ready, const char *why);

/* The answer to STATUS, to which the endpoint's own report is added. Takes it. */
void pages_report(pages_t *self, report_t **report_p);

/* One line of a drain's progress; its end. Borrowed. */
void pages_step(pages_t *self, const char *line);
void pages_result(pages_t *self, const char *ledger, const char *result);

/* To be called in each turn, after httpd_turn: says DRAINED once the end of a drain is written out to all that follow,
 * or those that do not take it have been cut. */
void pages_turn(pages_t *self);

#endif
