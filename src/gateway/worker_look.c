/* SPDX-License-Identifier: MPL-2.0 */
/* worker_look: what clients' kernels have acknowledged, which no event tells. It is looked up by the tick, and soon
 * where somebody waits for a receipt. Nothing can fail. Owner: the worker's thread. */
#include "gateway/session_copies.h"
#include "gateway/worker.h"

#define LOOK_SOON_MS 5 /* until the next look for a receipt: about what a client some way off takes */

void worker_look(worker_t *self)
{
    list_t sessions;
    list_take(&sessions, &self->unacknowledged);
    for (list_node_t *node; (node = list_first(&sessions));) {
        session_t *session = list_member(node, session_t, writer.unacknowledged);
        list_remove(node);
        list_append(&self->unacknowledged, node);
        session_look(session);
        writer_rest(&session->writer);
        if (writer_is_at_rest(&session->writer))
            list_remove(node);
        worker_memory_count(session);
        if (session->writer.paused)
            worker_dirty(session);
        if (session_is_over(session))
            session_cut(session, session->close_reason);
    }
}

static void on_look(uv_timer_t *timer)
{
    worker_t *self = timer->data;
    for (list_node_t *node; (node = list_first(&self->receipted));) {
        list_remove(node);
        worker_dirty(list_member(node, session_t, writer.receipted));
    }
}

void worker_look_init(worker_t *self)
{
    list_init(&self->unacknowledged);
    list_init(&self->receipted);
    uv_timer_init(reactor_loop(self->reactor), &self->look_timer);
    self->look_timer.data = self;
}

void worker_look_soon(session_t *session)
{
    worker_t *self = session->worker;
    if (list_has(&session->writer.receipted))
        return;
    list_append(&self->receipted, &session->writer.receipted);
    if (!uv_is_active((uv_handle_t *)&self->look_timer))
        uv_timer_start(&self->look_timer, on_look, LOOK_SOON_MS, 0);
}
