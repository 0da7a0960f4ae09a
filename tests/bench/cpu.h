/* SPDX-License-Identifier: MPL-2.0 */
/* cpu: the time that a process under measurement has used. Any thread. */
#ifndef FERRY_BENCH_CPU_H
#define FERRY_BENCH_CPU_H

#include <stdint.h>

/* The time that all threads of a process have run, in user mode and in the kernel, ns; ends the program with 1 if there
 * is no such process. */
uint64_t cpu_ns_of_process(const char *pid);

#endif
