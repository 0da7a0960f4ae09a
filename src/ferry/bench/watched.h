/* SPDX-License-Identifier: MPL-2.0 */
/* watched: the processes of a router, under names that the user gave them: what CPU time they take, and how much memory
 * they have, as Linux tells it in proc(5). */
#ifndef FERRY_FERRY_BENCH_WATCHED_H
#define FERRY_FERRY_BENCH_WATCHED_H

#include <stdint.h>
#include <sys/types.h>

enum { WATCHED_MAX = 16, WATCHED_PIDS_MAX = 16, WATCHED_NAME_MAX = 32 };

typedef struct {
    char name[WATCHED_NAME_MAX + 1];
    pid_t pids[WATCHED_PIDS_MAX];
    unsigned pid_count;
} watched_t;

/* What a process had used up at a moment. */
typedef struct {
    uint64_t precise_ns; /* what the scheduler counted for the threads that there were; 0 where it does not */
    uint64_t whole_ns;   /* in ticks, and with the threads that have ended */
} watched_cpu_t;

/* Takes "NAME=PID" or "NAME=PID,PID". Returns 0, or -1 after one sentence on stderr if it is not that, or there is no
 * such process. */
int watched_init(watched_t *self, const char *text);

/* Reads the CPU time of each of its processes. Returns 0, or -1 after one sentence on stderr if one is gone. */
int watched_read_cpu(const watched_t *self, watched_cpu_t *cpu);

/* What they took together between two moments, in ns. */
uint64_t watched_cpu_between(const watched_t *self, const watched_cpu_t *from, const watched_cpu_t *to);

/* The CPU time of any one process; zeros if it is gone. */
watched_cpu_t watched_cpu_of(pid_t pid);
uint64_t watched_cpu_difference(const watched_cpu_t *from, const watched_cpu_t *to);

/* The proportional share of the memory that they have now, in bytes. Returns 0, or -1 after one sentence on stderr. */
int watched_read_memory(const watched_t *self, uint64_t *bytes);

#endif
