/* SPDX-License-Identifier: MPL-2.0 */
/* router: the actor of a broker. It owns the ROUTER and all routing state.
 *
 * It signals 0 at once, and then 0, or 1 when it could not listen, which was logged; then it ends. After that its pipe
 * carries multi-frame strings. In: DRAIN deadline_ms (the time that is left), STATUS, $TERM. Out: READY 1 and an empty
 * frame; STATUS and its JSON; while it drains STEP and a word; at last DRAINED, the number of copies whose end it does
 * not know, and its ledger as JSON. After that it waits for $TERM. */
#ifndef FERRY_BROKER_ROUTER_H
#define FERRY_BROKER_ROUTER_H

#include <czmq.h>

#include "base/budget.h"
#include "base/config.h"
#include "wire/control.h"

typedef struct {
    const config_t *config; /* borrowed until the actor has ended */
    const char *name;       /* of the broker; borrowed as well */
    budget_t *budget;       /* of the process; borrowed as well */
    link_id_t instance;     /* random; a node in the same process has an id that begins like it */
} router_args_t;

/* For zactor_new. `args` is a router_args_t, read before the start is signalled. */
void router_actor(zsock_t *pipe, void *args);

#endif
