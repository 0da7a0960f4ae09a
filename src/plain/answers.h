/* SPDX-License-Identifier: MPL-2.0 */
/* answers: how often a connection is answered that is not logged in, so that one which never reads does not fill memory
 * with what it is told. Embedded in the peers actor, whose thread's it is. */
#ifndef FERRY_PLAIN_ANSWERS_H
#define FERRY_PLAIN_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"

#define ANSWERS_MAX     64 /* to one connection in that time */
#define ANSWERS_TIME_MS 60000
#define ANSWERS_ROUTES  4096 /* connections that are remembered */

typedef struct {
    table_t *routes; /* answered_t */
    uint64_t since_ms;
} answers_t;

void answers_init(answers_t *self);
void answers_fini(answers_t *self);

/* Whether that connection may be answered once more. */
bool answers_allow(answers_t *self, span_t route, uint64_t now_ms);

#endif
