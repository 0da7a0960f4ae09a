/* SPDX-License-Identifier: MPL-2.0 */
/* outcome: the same facts twice; a fact that a work does not have is left out. */
#include "ferry/bench/outcome.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *key;
    const char *name;
    double percent;
} percentiles[] = {
    {"p50", "50 %", 50},
    {"p90", "90 %", 90},
    {"p99", "99 %", 99},
    {"p999", "99.9 %", 99.9},
};

enum { PERCENTILE_COUNT = sizeof percentiles / sizeof percentiles[0] };

void outcome_init(outcome_t *self, const plan_t *plan)
{
    *self = (outcome_t){.plan = plan};
    histogram_init_precise(&self->latency);
}

void outcome_fini(outcome_t *self)
{
    histogram_fini(&self->latency);
}

bool outcome_is_good(const outcome_t *self)
{
    return self->lost == 0 && self->doubled == 0 && self->late == 0;
}

static double per_second(const outcome_t *self)
{
    return self->seconds > 0 ? (double)self->messages / self->seconds : 0;
}

static double per_message(const outcome_t *self, uint64_t ns)
{
    return self->messages > 0 ? (double)ns / (double)self->messages : 0;
}

static uint64_t cpu_together(const outcome_t *self)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < self->watched_count; i++)
        sum += self->watched[i].cpu_ns;
    return sum;
}

/* How much more memory a watched process has with all clients than without, for each. */
static double memory_per_session(const outcome_t *self, unsigned i)
{
    double growth = (double)self->watched[i].memory_full - (double)self->watched[i].memory_before;
    return growth / self->plan->client_count;
}

/* "4,500,000" */
static const char *thousands(uint64_t number, char text[32])
{
    char plain[24];
    int size = snprintf(plain, sizeof plain, "%" PRIu64, number);
    char *at = text;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            *at++ = ',';
        *at++ = plain[i];
    }
    *at = '\0';
    return text;
}

static const char *duration_text(uint64_t ns, char text[32])
{
    if (ns < 100000)
        snprintf(text, 32, "%.1f µs", (double)ns / 1e3);
    else if (ns < 10000000)
        snprintf(text, 32, "%.0f µs", (double)ns / 1e3);
    else if (ns < 1000000000)
        snprintf(text, 32, "%.1f ms", (double)ns / 1e6);
    else
        snprintf(text, 32, "%.2f s", (double)ns / 1e9);
    return text;
}

static const char *bytes_text(double bytes, char text[32])
{
    if (bytes > -10240 && bytes < 10240)
        snprintf(text, 32, "%.0f B", bytes);
    else if (bytes < 10485760)
        snprintf(text, 32, "%.1f KiB", bytes / 1024);
    else
        snprintf(text, 32, "%.1f MiB", bytes / 1048576);
    return text;
}

static void write_head(const outcome_t *self, FILE *out)
{
    const plan_t *plan = self->plan;
    unsigned readers = plan->client_count - plan->sender_count;
    fprintf(out, "%s: ", plan->work_name);
    switch (plan->work) {
    case WORK_PAIRS:
        fprintf(out, "%u senders to %u readers", plan->sender_count, readers);
        break;
    case WORK_PINGPONG:
        fprintf(out, "%u pairs", plan->sender_count);
        break;
    case WORK_FANOUT:
        fprintf(out, "1 sender to %u readers", readers);
        break;
    default:
        fprintf(out, "%u clients", plan->client_count);
        break;
    }
    if (plan_has_messages(plan))
        fprintf(out, ", %zu B", plan->text_size);
    if (plan->rate)
        fprintf(out, ", %" PRIu64 " a second due", plan->rate);
    if (plan->pipeline && plan->work != WORK_PINGPONG)
        fprintf(out, ", %u under way%s", plan->pipeline, plan->sender_count > 1 ? " each" : "");
    fprintf(out, ", %.1f s, %s\n", self->seconds, plan->protocol->name);
}

static void write_messages(const outcome_t *self, FILE *out)
{
    char count[32], rate[32], lost[32], doubled[32], late[32];
    bool logins = self->plan->work == WORK_LOGINS;
    fprintf(out, "%-10s %s%s, %s a second", logins ? "logins" : "messages", thousands(self->messages, count),
        logins ? "" : " delivered", thousands((uint64_t)(per_second(self) + 0.5), rate));
    if (!logins && outcome_is_good(self))
        fprintf(out, ", none lost, doubled or out of order");
    else if (!logins)
        fprintf(out, "; %s lost, %s doubled, %s late", thousands(self->lost, lost), thousands(self->doubled, doubled),
            thousands(self->late, late));
    fprintf(out, "\n");
}

static void write_latency(const outcome_t *self, FILE *out)
{
    char text[32];
    fprintf(out, "%-10s ", "latency");
    for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
        fprintf(out, "%s %s, ", percentiles[i].name,
            duration_text(histogram_percentile(&self->latency, percentiles[i].percent), text));
    fprintf(out, "max %s\n", duration_text(self->latency.max, text));
}

static void write_cpu(const outcome_t *self, FILE *out)
{
    fprintf(out, "%-10s ", "cpu");
    for (unsigned i = 0; i < self->watched_count; i++)
        fprintf(out, "%s %.0f ns, ", self->watched[i].name, per_message(self, self->watched[i].cpu_ns));
    if (self->watched_count > 1)
        fprintf(out, "together %.0f ns, ", per_message(self, cpu_together(self)));
    fprintf(out, "generator %.0f ns a %s\n", per_message(self, self->generator_cpu_ns),
        self->plan->work == WORK_LOGINS ? "login" : "message");
}

static void write_memory(const outcome_t *self, FILE *out)
{
    char growth[32], after[32];
    fprintf(out, "%-10s ", "memory");
    for (unsigned i = 0; i < self->watched_count; i++) {
        fprintf(out, "%s%s ", i ? ", " : "", self->watched[i].name);
        if (self->plan->work == WORK_IDLE)
            fprintf(out, "%s a session, ", bytes_text(memory_per_session(self, i), growth));
        fprintf(out, "%s%s", bytes_text((double)self->watched[i].memory_after, after),
            self->plan->work == WORK_IDLE ? " at the end" : "");
    }
    fprintf(out, "\n");
}

void outcome_write(const outcome_t *self, FILE *out)
{
    write_head(self, out);
    if (plan_has_messages(self->plan) || self->plan->work == WORK_LOGINS)
        write_messages(self, out);
    if (histogram_count(&self->latency) > 0)
        write_latency(self, out);
    if (self->messages > 0)
        write_cpu(self, out);
    if (self->watched_count > 0)
        write_memory(self, out);
}

static void set_integer(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_real(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, json_real(value));
}

static void json_of_plan(const outcome_t *self, json_t *object)
{
    const plan_t *plan = self->plan;
    json_object_set_new(object, "work", json_string(plan->work_name));
    json_object_set_new(object, "protocol", json_string(plan->protocol->name));
    set_integer(object, "clients", plan->client_count);
    set_integer(object, "senders", plan->sender_count);
    set_integer(object, "processes", plan->process_count);
    if (plan_has_messages(plan)) {
        set_integer(object, "size_bytes", plan->text_size);
        set_integer(object, "pipeline", plan->pipeline);
        set_integer(object, "rate_per_s", plan->rate);
    }
    set_real(object, "duration_s", self->seconds);
}

static void json_of_messages(const outcome_t *self, json_t *object)
{
    if (self->plan->work == WORK_LOGINS) {
        set_integer(object, "logins", self->messages);
        set_real(object, "logins_per_s", per_second(self));
    } else if (plan_has_messages(self->plan)) {
        set_integer(object, "delivered", self->messages);
        set_real(object, "throughput_per_s", per_second(self));
        set_integer(object, "lost", self->lost);
        set_integer(object, "doubled", self->doubled);
        set_integer(object, "late", self->late);
    }
}

static void json_of_latency(const outcome_t *self, json_t *object)
{
    json_t *latency = json_object();
    for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
        set_real(
            latency, percentiles[i].key, (double)histogram_percentile(&self->latency, percentiles[i].percent) / 1e3);
    set_real(latency, "max", (double)self->latency.max / 1e3);
    set_real(latency, "mean", (double)self->latency.sum / (double)histogram_count(&self->latency) / 1e3);
    json_object_set_new(object, "latency_us", latency);
}

static void json_of_watched(const outcome_t *self, json_t *object)
{
    json_t *cpu = json_object(), *session = json_object(), *after = json_object();
    for (unsigned i = 0; i < self->watched_count; i++) {
        set_real(cpu, self->watched[i].name, per_message(self, self->watched[i].cpu_ns));
        set_real(session, self->watched[i].name, memory_per_session(self, i));
        set_integer(after, self->watched[i].name, self->watched[i].memory_after);
    }
    set_real(cpu, "together", per_message(self, cpu_together(self)));
    if (self->messages > 0 && self->watched_count > 0)
        json_object_set(object, "cpu_ns", cpu);
    if (self->plan->work == WORK_IDLE && self->watched_count > 0)
        json_object_set(object, "pss_bytes_per_session", session);
    if (self->watched_count > 0)
        json_object_set(object, "pss_bytes", after);
    json_decref(cpu);
    json_decref(session);
    json_decref(after);
}

void outcome_write_json(const outcome_t *self, FILE *out)
{
    json_t *object = json_object();
    json_of_plan(self, object);
    json_of_messages(self, object);
    if (histogram_count(&self->latency) > 0)
        json_of_latency(self, object);
    json_of_watched(self, object);
    if (self->messages > 0)
        set_real(object, "generator_cpu_ns", per_message(self, self->generator_cpu_ns));
    json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(object);
}
