/* SPDX-License-Identifier: MPL-2.0 */
/* dealer_writer_internal: what dealer_writer.c, which builds bodies and waits for their acknowledgements, shares with
 * dealer_writer_send.c, which sends them. For those two files alone. */
#ifndef FERRY_BROKER_DEALER_WRITER_INTERNAL_H
#define FERRY_BROKER_DEALER_WRITER_INTERNAL_H

#include <zmq.h>

#include "broker/dealer_writer.h"

struct outbatch {
    outbatch_t *next;
    zmq_msg_t body;
    uint64_t sequence;
    uint64_t sent_ms; /* 0: not yet */
    uint32_t ref_count;
    uint32_t copy_count;
};

#endif
