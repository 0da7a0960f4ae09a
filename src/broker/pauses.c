/* SPDX-License-Identifier: MPL-2.0 */
/* pauses: a pause costs nothing until a copy goes to the paused name; then its sender's node is told and remembered in
 * the peer's set. Peers with such a set are listed at their node, so that the end of congestion finds them. Nothing
 * fails. Owner: the router's thread. */
#include "broker/pauses.h"

#include "base/log.h"
#include "broker/broker.h"
#include "broker/names.h"
#include "broker/services.h"
#include "broker/shared_names.h"

static bool peer_is_listed(const peer_t *peer)
{
    return peer->more && (peer->more->told_prev || peer->node->told_peers == peer->more);
}

static void peer_list(peer_t *peer)
{
    node_t *node = peer->node;
    peer_more_t *more = peer->more;
    more->told_prev = NULL;
    more->told_next = node->told_peers;
    if (more->told_next)
        more->told_next->told_prev = more;
    node->told_peers = more;
}

static void peer_unlist(peer_t *peer)
{
    peer_more_t *more = peer->more;
    if (more->told_prev)
        more->told_prev->told_next = more->told_next;
    else
        peer->node->told_peers = more->told_next;
    if (more->told_next)
        more->told_next->told_prev = more->told_prev;
    more->told_prev = more->told_next = NULL;
}

/* Whether that node knows of the pause of another peer of the same group. */
static bool pauses_of_others(const peer_t *peer, uint32_t index)
{
    const struct shared_name *shared = peer_shared(peer);
    const peer_t *other = shared ? shared->first : NULL;
    while (other && (other == peer || !node_set_has(&other->more->told, index)))
        other = other->more->shared_next;
    return other != NULL;
}

void pauses_tell(peer_t *peer, node_t *sender)
{
    node_set_t *told = &peer_more(peer)->told;
    if (node_set_has(told, sender->index))
        return;
    node_set_add(told, sender->index);
    if (!peer_is_listed(peer))
        peer_list(peer);
    if (pauses_of_others(peer, sender->index))
        return;
    sender->broker->counters.pauses++;
    node_tell(sender, &(control_t){.type = RECORD_PAUSE, .name.name = peer->item.key});
}

static void peer_tell_resume(const peer_t *peer)
{
    const nodes_t *nodes = &peer->node->broker->nodes;
    const node_set_t *told = &peer->more->told;
    for (uint32_t index = node_set_next(told, 0); index != NODE_SET_END; index = node_set_next(told, index + 1))
        if (!pauses_of_others(peer, index))
            node_tell(nodes->list[index], &(control_t){.type = RECORD_RESUME, .name.name = peer->item.key});
}

/* N.B. when the broker drains, the end of a link is not the end of a pause, which its successor will hear of. */
static void peer_resume(peer_t *peer)
{
    if (!peer_is_listed(peer))
        return;
    if (peer->node->broker->drain == DRAIN_NONE)
        peer_tell_resume(peer);
    node_set_fini(&peer->more->told);
    peer_unlist(peer);
}

void pauses_end(peer_t *peer)
{
    peer->is_paused = false;
    peer_resume(peer);
}

void pauses_state(peer_t *peer, bool is_paused)
{
    peer->is_paused = is_paused;
    if (!peer_is_paused(peer))
        peer_resume(peer);
}

void pauses_set(node_t *node, span_t name, bool is_paused)
{
    peer_t *peer = name_is_group(name) ? shared_names_of_node(node, name) : names_find(node->broker, name);
    if (peer && peer->node == node)
        pauses_state(peer, is_paused);
}

static void node_resume(node_t *node)
{
    for (peer_more_t *more = node->told_peers, *next; more; more = next) {
        next = more->told_next;
        if (!peer_is_paused(more->peer))
            peer_resume(more->peer);
    }
}

static bool node_is_silent(const node_t *node)
{
    uint64_t since = dealer_writer_waiting_since(&node->writer);
    if (since == 0)
        return dealer_writer_open_size(&node->writer) > 0 && !node->writer.connected;
    if (since < node->heard_ms)
        since = node->heard_ms;
    return broker_now_ms(node->broker) - since >= PAUSES_SILENT_MS;
}

void pauses_check(node_t *node)
{
    size_t open = dealer_writer_open_size(&node->writer);
    size_t mark = (size_t)PAUSES_WINDOWS * node->broker->window_size;
    bool congested = node_is_silent(node) || open > (node->congested ? mark / 2 : mark);
    if (congested == node->congested)
        return;
    node->congested = congested;
    char id[LINK_ID_TEXT_SIZE];
    link_id_text(&node->id, id);
    log_info(congested ? "node-congested" : "node-relieved", log_str("node", id), log_uint("open_bytes", open));
    if (congested)
        node->broker->counters.congestions++;
    else
        node_resume(node);
}

void pauses_replaced(node_t *node)
{
    pauses_forget(node);
    node->congested = false;
}

void pauses_forget(node_t *node)
{
    services_forget(node);
    const nodes_t *nodes = &node->broker->nodes;
    uint32_t at = 0;
    for (node_t *other; (other = nodes_next(nodes, &at));)
        for (peer_more_t *more = other->told_peers; more; more = more->told_next)
            node_set_remove(&more->told, node->index);
}
