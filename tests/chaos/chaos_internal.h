/* SPDX-License-Identifier: MPL-2.0 */
/* chaos_internal: what chaos_main needs of a run; nobody else includes this. The test's thread. */
#ifndef FERRY_CHAOS_CHAOS_INTERNAL_H
#define FERRY_CHAOS_CHAOS_INTERNAL_H

#include "chaos/chaos.h"
#include "chaos/result.h"

/* Of what is lost between clients that misbehave, and those who write to them, a run fails if this is 1. It is 0 as
 * long as copies for a session that has left can come on a resumed link and end untold (event=copy-for-nobody). */
#define CHAOS_JUDGES_UNRULY 0

/* Injects the fault `times` times. The result, whose fault is named and which says that it failed, is filled in; what
 * is not as it should be fails the running cmocka test. */
void chaos_run(const chaos_fault_t *fault, unsigned times, uint64_t seed, result_t *result);

#endif
