/* SPDX-License-Identifier: MPL-2.0 */
/* plot: writes a script with its data to the standard input of gnuplot. The axis of percentiles is logarithmic in how
 * many values are above, so that 90 %, 99 % and 99.9 % are equally far from each other. */
#include "ferry/bench/plot.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ferry/display.h"

static bool ends_in(const char *path, const char *end)
{
    size_t size = strlen(path), end_size = strlen(end);
    return size > end_size && strcmp(path + size - end_size, end) == 0;
}

/* The path of gnuplot among those of PATH, into `found`. */
static bool gnuplot_find(char *found, size_t size)
{
    const char *paths = getenv("PATH");
    for (const char *at = paths ? paths : ""; *at;) {
        size_t length = strcspn(at, ":");
        snprintf(found, size, "%.*s/gnuplot", (int)length, at);
        if (access(found, X_OK) == 0)
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

int plot_check(const char *path)
{
    char gnuplot[4096];
    if (!ends_in(path, ".svg") && !ends_in(path, ".png"))
        display_complain("ferry bench: --plot wants a name that ends in .svg or .png, not \"%s\"", path);
    else if (strpbrk(path, "'\n"))
        display_complain("ferry bench: --plot wants a name without quotes and new lines");
    else if (!gnuplot_find(gnuplot, sizeof gnuplot))
        display_complain("ferry bench: --plot needs gnuplot, which is not installed (Debian has it in gnuplot-nox)");
    else
        return 0;
    return -1;
}

static void write_title(FILE *out, const outcome_t *outcome)
{
    const plan_t *plan = outcome->plan;
    fprintf(
        out, "set title 'ferry bench %s, %s, %u clients", plan->work_name, plan->protocol->name, plan->client_count);
    if (plan_has_messages(plan))
        fprintf(out, ", %zu B", plan->text_size);
    if (plan->rate)
        fprintf(out, ", %llu messages/s", (unsigned long long)plan->rate);
    fprintf(out, "' noenhanced\n");
}

/* A point for each bucket that has values: the percentage that is not above, as one of so many, and the bound. */
static void write_percentiles(FILE *out, const outcome_t *outcome)
{
    const histogram_t *latency = &outcome->latency;
    uint64_t total = histogram_count(latency), below = 0;
    double last = (double)total * 2;
    fprintf(out,
        "set logscale x 10\nset xlabel 'percentile'\nset ylabel 'latency, µs'\nset logscale y 10\n"
        "set xtics ('0 %%%%' 1, '50 %%%%' 2, '90 %%%%' 10, '99 %%%%' 100, '99.9 %%%%' 1000, '99.99 %%%%' 10000, "
        "'99.999 %%%%' 100000, '99.9999 %%%%' 1000000)\n"
        "set xrange [1:%.0f]\nplot '-' using 1:2 with lines lw 2 notitle\n",
        last > 10 ? last : 10);
    for (unsigned i = 0; i <= latency->bound_count; i++) {
        uint64_t count = histogram_count_at(latency, i);
        if (count == 0)
            continue;
        uint64_t bound = histogram_bound(latency, i);
        double value = (double)(bound < latency->max ? bound : latency->max) / 1e3;
        fprintf(out, "%.9g %.9g\n", (double)total / (double)(total - below), value);
        below += count;
        fprintf(out, "%.9g %.9g\n", below < total ? (double)total / (double)(total - below) : last, value);
    }
}

static void write_throughput(FILE *out, const outcome_t *outcome)
{
    fprintf(out,
        "set xlabel 'seconds'\nset ylabel '%s a second'\nset yrange [0:*]\nset format y '%%.0f'\n"
        "plot '-' using 1:2 with lines lw 2 notitle\n",
        outcome->plan->work == WORK_LOGINS ? "logins" : "messages");
    for (unsigned i = 0; i < outcome->sample_count; i++)
        fprintf(out, "%.9g %.9g\n", outcome->samples[i].seconds, outcome->samples[i].per_s);
}

static void write_script(FILE *out, const char *path, const outcome_t *outcome)
{
    fprintf(out, "set encoding utf8\nset terminal %s size 960,600\nset output '%s'\nset grid\n",
        ends_in(path, ".svg") ? "svg background rgb 'white'" : "png", path);
    write_title(out, outcome);
    if (histogram_count(&outcome->latency) > 0)
        write_percentiles(out, outcome);
    else
        write_throughput(out, outcome);
    fprintf(out, "e\n");
}

int plot_draw(const char *path, const outcome_t *outcome)
{
    signal(SIGPIPE, SIG_IGN);
    FILE *gnuplot = popen("exec gnuplot", "w");
    if (gnuplot)
        write_script(gnuplot, path, outcome);
    if (gnuplot && pclose(gnuplot) == 0)
        return 0;
    display_complain("ferry bench: gnuplot did not draw %s", path);
    return -1;
}
