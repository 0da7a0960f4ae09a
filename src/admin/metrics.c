/* SPDX-License-Identifier: MPL-2.0 */
/* metrics: a report in the text format of Prometheus. A family's samples must stand together and its name only once, so
 * the text goes family by family, and over all actors in each. What actors count without its being in
 * proto/counters.def is written too, so that a forgotten entry loses no number. Nothing fails but for memory. Owner:
 * none, it holds no state. */
#include "admin/metrics.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/measure.h"

typedef enum { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM, KIND_COUNT } metric_kind_t;

static const struct {
    const char *section; /* of a sample */
    const char *type;    /* of Prometheus */
    const char *suffix;  /* of the family's name */
} kinds[KIND_COUNT] = {
    [KIND_COUNTER] = {"counters", "counter", "_total"},
    [KIND_GAUGE] = {"gauges", "gauge", ""},
    [KIND_HISTOGRAM] = {"histograms", "histogram", ""},
};

typedef struct {
    metric_kind_t kind;
    const char *key;
    const char *meaning;
} family_t;

static const family_t families[] = {
#define COUNTER(key, meaning)   {KIND_COUNTER, #key, meaning},
#define GAUGE(key, meaning)     {KIND_GAUGE, #key, meaning},
#define HISTOGRAM(key, meaning) {KIND_HISTOGRAM, #key, meaning},
#include "counters.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};
enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

enum { FAMILY_NAME_SIZE = 128, HISTOGRAM_BUCKETS_MAX = 128 };

/* One series of a family: whose it is and the one label more that it may have. */
typedef struct {
    char family[FAMILY_NAME_SIZE];
    const char *actor; /* NULL for the process */
    const char *label; /* NULL for none */
    const char *value;
} series_t;

/* A family's name is made of nothing but [a-z0-9_], and no key is longer than a family's name has room for. */
static bool key_is_good(const char *key)
{
    size_t size = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return size > 0 && key[size] == '\0' && size < FAMILY_NAME_SIZE / 2 && !isdigit((unsigned char)key[0]);
}

static void family_name(const family_t *family, char name[FAMILY_NAME_SIZE])
{
    snprintf(name, FAMILY_NAME_SIZE, "ferrymq_%s%s", family->key, kinds[family->kind].suffix);
}

static void label_print(FILE *out, const char **start, const char *label, const char *value)
{
    fprintf(out, "%s%s=\"", *start, label);
    for (; *value; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '\\' || *value == '"')
            fprintf(out, "\\%c", *value);
        else
            fputc(*value, out);
    }
    fputc('"', out);
    *start = ",";
}

/* Everything of a sample's line but its value; `le` is NULL but for buckets. */
static void series_print(FILE *out, const series_t *series, const char *suffix, const char *le)
{
    const char *start = "{";
    fprintf(out, "%s%s", series->family, suffix);
    if (series->actor)
        label_print(out, &start, "actor", series->actor);
    if (series->label)
        label_print(out, &start, series->label, series->value);
    if (le)
        label_print(out, &start, "le", le);
    fputs(*start == ',' ? "} " : " ", out);
}

static void number_print(FILE *out, const series_t *series, const json_t *number)
{
    if (!json_is_number(number))
        return;
    series_print(out, series, "", NULL);
    if (json_is_integer(number))
        fprintf(out, "%" JSON_INTEGER_FORMAT "\n", json_integer_value(number));
    else
        fprintf(out, "%.17g\n", json_real_value(number));
}

static void numbers_print(FILE *out, series_t *series, json_t *labels)
{
    const char *label;
    const char *value;
    json_t *numbers;
    json_t *number;
    json_object_foreach(labels, label, numbers)
    {
        if (!key_is_good(label))
            continue;
        json_object_foreach(numbers, value, number)
        {
            series->label = label;
            series->value = value;
            number_print(out, series, number);
        }
        return; /* a family has one label, so that its series differ */
    }
}

static bool array_is_counts(const json_t *array, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!json_is_integer(json_array_get(array, i)) || json_integer_value(json_array_get(array, i)) < 0)
            return false;
    return json_array_size(array) == size;
}

static bool histogram_is_good(const json_t *histogram)
{
    const json_t *bounds = json_object_get(histogram, "bounds");
    size_t count = json_array_size(bounds);
    if (count == 0 || count > HISTOGRAM_BUCKETS_MAX || !array_is_counts(bounds, count) ||
        !array_is_counts(json_object_get(histogram, "counts"), count + 1))
        return false;
    for (size_t i = 1; i < count; i++)
        if (json_integer_value(json_array_get(bounds, i)) <= json_integer_value(json_array_get(bounds, i - 1)))
            return false;
    return json_is_integer(json_object_get(histogram, "sum"));
}

static void histogram_print(FILE *out, const series_t *series, const json_t *histogram)
{
    if (!histogram_is_good(histogram))
        return;
    const json_t *bounds = json_object_get(histogram, "bounds");
    const json_t *counts = json_object_get(histogram, "counts");
    uint64_t count = 0;
    for (size_t i = 0; i < json_array_size(counts); i++) {
        char le[24] = "+Inf";
        if (i < json_array_size(bounds))
            snprintf(le, sizeof le, "%" JSON_INTEGER_FORMAT, json_integer_value(json_array_get(bounds, i)));
        count += (uint64_t)json_integer_value(json_array_get(counts, i));
        series_print(out, series, "_bucket", le);
        fprintf(out, "%llu\n", (unsigned long long)count);
    }
    series_print(out, series, "_sum", NULL);
    fprintf(out, "%" JSON_INTEGER_FORMAT "\n", json_integer_value(json_object_get(histogram, "sum")));
    series_print(out, series, "_count", NULL);
    fprintf(out, "%llu\n", (unsigned long long)count);
}

static void family_print_sample(FILE *out, const family_t *family, const json_t *sample)
{
    json_t *value = json_object_get(json_object_get(sample, kinds[family->kind].section), family->key);
    series_t series = {.actor = json_string_value(json_object_get(sample, "actor"))};
    family_name(family, series.family);
    if (family->kind == KIND_HISTOGRAM)
        histogram_print(out, &series, value);
    else if (json_is_object(value))
        numbers_print(out, &series, value);
    else
        number_print(out, &series, value);
}

static void family_print(FILE *out, const family_t *family, const json_t *samples)
{
    char name[FAMILY_NAME_SIZE];
    family_name(family, name);
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, family->meaning, name, kinds[family->kind].type);
    for (size_t i = 0; i < json_array_size(samples); i++)
        family_print_sample(out, family, json_array_get(samples, i));
}

/* Prints a family unless one of that name was printed; `printed` is a set of names. */
static void family_print_once(FILE *out, const family_t *family, const json_t *samples, json_t *printed)
{
    char name[FAMILY_NAME_SIZE];
    family_name(family, name);
    if (json_object_get(printed, name))
        return;
    json_object_set_new(printed, name, json_true());
    family_print(out, family, samples);
}

static void rest_print(FILE *out, metric_kind_t kind, const json_t *samples, json_t *printed)
{
    for (size_t i = 0; i < json_array_size(samples); i++) {
        json_t *section = json_object_get(json_array_get(samples, i), kinds[kind].section);
        const char *key;
        json_t *value;
        json_object_foreach(section, key, value)
        {
            family_t family = {kind, key, "Not described in proto/counters.def."};
            if (key_is_good(key))
                family_print_once(out, &family, samples, printed);
        }
    }
}

char *metrics_text(const report_t *report, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out)
        abort();
    json_t *samples = measure_report(report);
    json_t *printed = json_object();
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        family_print_once(out, &families[i], samples, printed);
    for (metric_kind_t kind = 0; kind < KIND_COUNT; kind++)
        rest_print(out, kind, samples, printed);
    json_decref(printed);
    json_decref(samples);
    if (fclose(out) != 0)
        abort();
    return text;
}
