/* SPDX-License-Identifier: MPL-2.0 */
/* chaos_internal: what chaos_main needs of a run; nobody else includes this. The test's thread. */
#ifndef FERRY_CHAOS_CHAOS_INTERNAL_H
#define FERRY_CHAOS_CHAOS_INTERNAL_H

#include "chaos/chaos.h"
#include "chaos/result.h"

/* Injects the fault `times` times. The result, whose fault is named and which says that it failed, is filled in; what
 * is not as it should be fails the running cmocka test. */
void chaos_run(const chaos_fault_t *fault, unsigned times, uint64_t seed, result_t *result);

#endif
