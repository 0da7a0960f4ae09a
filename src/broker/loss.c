/* SPDX-License-Identifier: MPL-2.0 */
/* loss: the held copies end before the ones that were not acknowledged, which are younger, and both before the names
 * that their notices need. TAKEN follows the notices by itself, when the turn ends. A link that is resumed loses only
 * what control records had said. Nothing fails. Owner: the router's thread. */
#include "broker/loss.h"

#include "base/log.h"
#include "broker/broker.h"
#include "broker/dispatch.h"
#include "broker/held.h"
#include "broker/held_origins.h"
#include "broker/names.h"
#include "broker/pauses.h"

static void loss_log(const node_t *node, const char *event, int reason, uint64_t held)
{
    char id[LINK_ID_TEXT_SIZE];
    link_id_text(&node->id, id);
    log_info(event, log_str("node", id), log_uint("epoch", node->epoch), log_str("reason", close_code(reason)),
        log_uint("names", node->name_count), log_uint("batches_in", node->writer.acknowledged),
        log_uint("batches_out", node->writer.sequence),
        log_uint("open_copies", dealer_writer_open_copies(&node->writer)), log_uint("held_copies", held));
}

void loss_of_node(node_t *node, int reason)
{
    struct broker *broker = node->broker;
    loss_log(node, "node-gone", reason, held_count(node));
    broker->counters.links_closed[reason]++;
    if (reason != CLOSE_ORDERLY)
        node->writer.connected = false;
    if (node->bye_heard)
        settle_registered(node);
    else
        owed_begin(&broker->owed, &node->id);
    kept_forget(&broker->kept, node);
    watches_forget(node);
    who_forget(node);
    if (node->bye_answered)
        held_forget(node);
    else
        held_lost(node);
    dispatch_lose(node);
    intake_fini(&node->intake);
    pauses_forget(node);
    names_lost(node);
    names_yield_no_more(node);
    held_origin_gone(node, node->bye_heard);
    /* Who parts because this broker stops comes back to its successor, which has to hear of it from the others; but for
     * who is about to leave anyway. */
    if (node->bye_heard || node->stopping || reason != CLOSE_ORDERLY)
        gone_add(node, node->bye_heard);
    nodes_remove(&broker->nodes, node);
}

void loss_of_link(node_t *node)
{
    loss_log(node, "link-replaced", CLOSE_CONNECTION, held_count(node));
    node->broker->counters.links_closed[CLOSE_CONNECTION]++;
    pauses_replaced(node);
    watches_forget(node);
    who_forget(node);
    names_replaced(node);
    held_replaced(node);
}
