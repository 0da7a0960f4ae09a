/* SPDX-License-Identifier: MPL-2.0 */
/* metrics: a report in the text format of Prometheus, version 0.0.4. Pure; any thread. */
#ifndef FERRY_ADMIN_METRICS_H
#define FERRY_ADMIN_METRICS_H

#include <stddef.h>

#include "admin/report.h"

/* The whole answer of /metrics; *size is its length without the NUL that follows. Families come in the order of
 * proto/counters.def, then those that are not in it. Values that are no numbers, histograms that are none and keys that
 * cannot be part of a name are left out. The caller frees it. */
char *metrics_text(const report_t *report, size_t *size);

#endif
