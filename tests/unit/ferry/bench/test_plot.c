/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/plot.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/folder.h"
#include "lib/test.h"
#include "unit/ferry/bench/bench_rig.h"

/* A gnuplot that keeps what it is told beside itself. */
static const char *gnuplot_fake(void)
{
    static char path[512], program[600];
    snprintf(path, sizeof path, "%s", folder_new());
    snprintf(program, sizeof program, "%s/gnuplot", path);
    FILE *file = fopen(program, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n/bin/cat > %s/script\n", path);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(program, 0755), 0);
    setenv("PATH", path, 1);
    return path;
}

static void expect_script(const char *folder, const char *part)
{
    char path[600], text[65536];
    snprintf(path, sizeof path, "%s/script", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

static void only_svg_and_png_are_drawn(void **state)
{
    (void)state;
    gnuplot_fake();
    assert_int_equal(plot_check("a.svg"), 0);
    assert_int_equal(plot_check("/b/a.png"), 0);
    assert_int_equal(plot_check("a.pdf"), -1);
    assert_int_equal(plot_check(".svg"), -1);
    assert_int_equal(plot_check("a'b.svg"), -1);
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(plot_check("a.svg"), -1);
}

/* Of ten values nine are at most 1 µs and one is 5 µs: the line is at one of one, of ten, and goes on to the edge. */
static void latency_is_drawn_by_how_many_are_above(void **state)
{
    (void)state;
    plan_t plan;
    outcome_t outcome;
    RIG_PLAN(&plan, "pairs", "--rate", "10");
    outcome_init(&outcome, &plan);
    for (unsigned i = 0; i < 9; i++)
        histogram_add(&outcome.latency, 1000);
    histogram_add(&outcome.latency, 5000);
    const char *folder = gnuplot_fake();
    assert_int_equal(plot_draw("a.svg", &outcome), 0);
    expect_script(folder, "set terminal svg");
    expect_script(folder, "set output 'a.svg'\n");
    expect_script(folder, "\n1 1\n10 1\n10 5\n20 5\ne\n");
    outcome_fini(&outcome);
    plan_fini(&plan);
}

static void without_latency_it_is_the_throughput(void **state)
{
    (void)state;
    plan_t plan;
    outcome_t outcome;
    RIG_PLAN(&plan, "pairs");
    outcome_init(&outcome, &plan);
    outcome.sample_count = 2;
    outcome.samples[0].seconds = 0.5;
    outcome.samples[0].per_s = 1000;
    outcome.samples[1].seconds = 1;
    outcome.samples[1].per_s = 2000;
    const char *folder = gnuplot_fake();
    assert_int_equal(plot_draw("a.png", &outcome), 0);
    expect_script(folder, "set terminal png");
    expect_script(folder, "\n0.5 1000\n1 2000\ne\n");
    outcome_fini(&outcome);
    plan_fini(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_svg_and_png_are_drawn),
        TEST(latency_is_drawn_by_how_many_are_above),
        TEST(without_latency_it_is_the_throughput),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
