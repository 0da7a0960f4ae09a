/* SPDX-License-Identifier: MPL-2.0 */
/* watched: reads /proc/PID/task/TID/schedstat, which has nanoseconds, but loses a thread that ends; /proc/PID/stat,
 * which keeps those, but has ticks; and /proc/PID/smaps_rollup. */
#include "ferry/bench/watched.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferry/display.h"

static uint64_t tick_ns(void)
{
    return 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static int complain(const watched_t *self, pid_t pid, const char *what)
{
    display_complain("ferry bench: --watch %s=%d: %s", self->name, (int)pid, what);
    return -1;
}

static int pids_parse(watched_t *self, const char *text)
{
    for (char *end; self->pid_count < WATCHED_PIDS_MAX; text = end + 1) {
        long pid = strtol(text, &end, 10);
        if (pid <= 0 || pid > INT32_MAX || *text < '0' || *text > '9' || (*end && *end != ','))
            return -1;
        self->pids[self->pid_count++] = (pid_t)pid;
        if (!*end)
            return 0;
    }
    return -1;
}

int watched_init(watched_t *self, const char *text)
{
    *self = (watched_t){0};
    size_t size = strcspn(text, "=");
    if (size == 0 || size > WATCHED_NAME_MAX || !text[size] || pids_parse(self, text + size + 1)) {
        display_complain("ferry bench: --watch wants NAME=PID or NAME=PID,PID with a name of at most %d bytes and at "
                         "most %d processes, not \"%s\"",
            WATCHED_NAME_MAX, WATCHED_PIDS_MAX, text);
        return -1;
    }
    memcpy(self->name, text, size);
    uint64_t bytes;
    watched_cpu_t cpu[WATCHED_PIDS_MAX];
    return watched_read_cpu(self, cpu) || watched_read_memory(self, &bytes) ? -1 : 0;
}

static size_t file_read(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t got = file ? fread(text, 1, size - 1, file) : 0;
    if (file)
        fclose(file);
    text[got] = '\0';
    return got;
}

/* Fields 14 and 15 of stat, counted behind the command, which may hold anything. */
static uint64_t read_stat(pid_t pid)
{
    char path[64], text[1024];
    uint64_t user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const char *command_end = file_read(path, text, sizeof text) ? strrchr(text, ')') : NULL;
    if (!command_end ||
        sscanf(command_end, ") %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64, &user, &kernel) != 2)
        return 0;
    return (user + kernel) * tick_ns();
}

static uint64_t read_schedstats(pid_t pid)
{
    char path[320], text[128];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    uint64_t sum = 0;
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, task->d_name);
        if (*task->d_name != '.' && file_read(path, text, sizeof text))
            sum += strtoull(text, NULL, 10);
    }
    if (tasks)
        closedir(tasks);
    return sum;
}

watched_cpu_t watched_cpu_of(pid_t pid)
{
    return (watched_cpu_t){.precise_ns = read_schedstats(pid), .whole_ns = read_stat(pid)};
}

/* A thread that has ended took its nanoseconds with it. Each of the four numbers in ticks is one off at most; if they
 * say more by that, threads have ended. */
uint64_t watched_cpu_difference(const watched_cpu_t *from, const watched_cpu_t *to)
{
    uint64_t whole = to->whole_ns - from->whole_ns;
    if (to->precise_ns < from->precise_ns || to->precise_ns - from->precise_ns + 4 * tick_ns() < whole)
        return whole;
    return to->precise_ns - from->precise_ns;
}

int watched_read_cpu(const watched_t *self, watched_cpu_t *cpu)
{
    char path[64], text[8];
    for (unsigned i = 0; i < self->pid_count; i++) {
        snprintf(path, sizeof path, "/proc/%d/stat", (int)self->pids[i]);
        if (!file_read(path, text, sizeof text))
            return complain(self, self->pids[i], "there is no such process");
        cpu[i] = watched_cpu_of(self->pids[i]);
    }
    return 0;
}

uint64_t watched_cpu_between(const watched_t *self, const watched_cpu_t *from, const watched_cpu_t *to)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < self->pid_count; i++)
        sum += watched_cpu_difference(&from[i], &to[i]);
    return sum;
}

int watched_read_memory(const watched_t *self, uint64_t *bytes)
{
    char path[64], text[4096];
    *bytes = 0;
    for (unsigned i = 0; i < self->pid_count; i++) {
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)self->pids[i]);
        errno = 0;
        size_t size = file_read(path, text, sizeof text);
        const char *pss = size ? strstr(text, "\nPss:") : NULL;
        if (!pss)
            return complain(self, self->pids[i],
                errno == EACCES || errno == EPERM ? "its memory may not be looked at; run as its user or as root"
                                                  : "it has ended, or tells nothing about its memory");
        *bytes += strtoull(pss + strlen("\nPss:"), NULL, 10) * 1024;
    }
    return 0;
}
