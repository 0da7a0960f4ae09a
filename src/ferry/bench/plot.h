/* SPDX-License-Identifier: MPL-2.0 */
/* plot: a picture of an outcome, which gnuplot draws: latency by percentile, or the throughput over time where there is
 * no latency. */
#ifndef FERRY_FERRY_BENCH_PLOT_H
#define FERRY_FERRY_BENCH_PLOT_H

#include "ferry/bench/outcome.h"

/* Looks whether a picture can be drawn there: the path ends in .svg or .png, and gnuplot is installed. Returns 0, or -1
 * after one sentence on stderr. */
int plot_check(const char *path);

/* Draws it. Returns 0, or -1 after one sentence on stderr. Blocks until gnuplot has ended. */
int plot_draw(const char *path, const outcome_t *outcome);

#endif
