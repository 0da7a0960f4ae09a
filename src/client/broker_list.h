/* SPDX-License-Identifier: MPL-2.0 */
/* broker_list: the brokers as a program names them, "east=tcp://…, west=tcp://…", made into the configuration that
 * links are opened from. The program's thread. */
#ifndef FERRY_CLIENT_BROKER_LIST_H
#define FERRY_CLIENT_BROKER_LIST_H

#include "base/config.h"

/* The configuration of a node that connects to these brokers, with ferryd's defaults in everything else. NULL, with the
 * reason in the log, if that is no list of brokers, by the rules of gateway/broker. The caller owns the result. */
config_t *broker_list_read(const char *brokers);

#endif
