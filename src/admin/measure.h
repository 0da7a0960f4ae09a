/* SPDX-License-Identifier: MPL-2.0 */
/* measure: a report as numbers, one sample an actor. Pure; any thread. */
#ifndef FERRY_ADMIN_MEASURE_H
#define FERRY_ADMIN_MEASURE_H

#include <jansson.h>

#include "admin/report.h"

/* An array of samples: first the process's own, then one for each actor with a name of its own:
 *     {"actor":NAME, "counters":{…}, "gauges":{…}, "histograms":{…}}
 * The process's has no "actor". Each has what the actor itself counted, and the sums over its ledger and its lists. A
 * value is a number, or {LABEL:{VALUE:number, …}}. Nothing else that the actor said has been checked. The caller owns
 * it. */
json_t *measure_report(const report_t *report);

#endif
