/* SPDX-License-Identifier: MPL-2.0 */
/* ferry_msg: how the library makes what ferry_recv returns; the rest is in ferry.h. The program's thread. */
#ifndef FERRY_CLIENT_FERRY_MSG_H
#define FERRY_CLIENT_FERRY_MSG_H

#include <zmq.h>

#include "ferry.h"

/* Makes a message of an event's frame (channel.h), which it takes. The caller owns the result. */
ferry_msg_t *ferry_msg_new(zmq_msg_t *frame);

#endif
