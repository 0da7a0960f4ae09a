/* SPDX-License-Identifier: MPL-2.0 */
/* cpu: reads proc(5). */
#include "bench/cpu.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Fields 14 and 15 of stat, counted behind the command, which may hold anything. */
uint64_t cpu_ns_of_process(const char *pid)
{
    char path[64], stat[1024];
    uint64_t user, kernel;
    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        err(1, "process %s", pid);
    size_t size = fread(stat, 1, sizeof(stat) - 1, file);
    fclose(file);
    stat[size] = '\0';
    const char *command_end = strrchr(stat, ')');
    if (!command_end ||
        sscanf(command_end, ") %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64, &user, &kernel) != 2)
        errx(1, "%s is not what proc(5) says", path);
    return (user + kernel) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}
