/* SPDX-License-Identifier: MPL-2.0 */
/* report: what the process and each of its actors say of themselves, as they said it (proto/admin.md, "Reports").
 * Whatever is malformed is left out and counted. Pure; owned by one thread. */
#ifndef FERRY_ADMIN_REPORT_H
#define FERRY_ADMIN_REPORT_H

#include <jansson.h>

#include "base/span.h"

typedef struct report report_t;

/* Starts a report with the process's own JSON. */
report_t *report_new(span_t head);
void report_destroy(report_t **self_p);

/* Adds one actor's JSON. */
void report_add(report_t *self, span_t actor);

/* The same for JSON that is there already; takes the reference. */
void report_add_json(report_t *self, json_t *actor);

/* The process's own object; empty if it was malformed. Borrowed. */
const json_t *report_head(const report_t *self);

/* An array of the actors' objects in the order in which they were added. Borrowed. */
const json_t *report_actors(const report_t *self);

/* How many reports, the head included, were no JSON object. */
unsigned report_malformed(const report_t *self);

/* The object that /status answers. The caller owns it. */
json_t *report_status(const report_t *self);

#endif
