/* SPDX-License-Identifier: MPL-2.0 */
/* worker_settle: the first step of a drain, in which what was accepted comes to its end, so that its senders can still
 * be told. In order: messages are settled; what was written until then reaches the clients' kernels, or is reported;
 * these reports are taken. Others go on writing to the clients meanwhile, so each wait is for what there was when it
 * began; a client that acknowledges none of that is closed as stalled. Owner: the worker's thread. */
#include "gateway/worker.h"
#include "wire/reason.h"

/* From now on waits for what the links were given until now. */
static void worker_await_links(worker_t *self)
{
    for (size_t i = 0; i < self->uplinks.count; i++)
        self->uplinks.items[i].awaited = link_next_number(self->uplinks.items[i].link);
}

static bool worker_links_settled(const worker_t *self)
{
    if (!exchange_is_settled(&self->exchange) || self->shortcuts.open)
        return false;
    for (size_t i = 0; i < self->uplinks.count; i++)
        if (!link_is_settled_below(self->uplinks.items[i].link, self->uplinks.items[i].awaited))
            return false;
    return true;
}

static void on_await_session(session_t *session, void *arg)
{
    (void)arg;
    session_await(session);
}

static bool worker_clients_acknowledged(const worker_t *self)
{
    uint32_t at = 0;
    for (const session_t *session; (session = slots_next_session(&self->slots, &at));)
        if (writer_is_awaited(&session->writer))
            return false;
    return true;
}

/* N.B. a client that is not read any more cannot say what it has done. */
static void on_settling_session(session_t *session, void *arg)
{
    (void)arg;
    party_stop_serving(&session->party, FERRY_REASON_DRAINED);
}

void worker_settle_begin(worker_t *self)
{
    worker_each(self, on_settling_session, NULL);
    self->settling = SETTLING_MESSAGES;
    worker_await_links(self);
}

bool worker_settle_go_on(worker_t *self)
{
    if (self->settling == SETTLING_MESSAGES && worker_links_settled(self)) {
        worker_each(self, on_await_session, NULL);
        self->settling = SETTLING_CLIENTS;
    }
    if (self->settling == SETTLING_CLIENTS && worker_clients_acknowledged(self)) {
        worker_await_links(self);
        self->settling = SETTLING_REPORTS;
    }
    return self->settling == SETTLING_REPORTS && worker_links_settled(self);
}
