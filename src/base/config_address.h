/* SPDX-License-Identifier: MPL-2.0 */
/* config_address: the addresses and names that options hold, each checked for its own use. Pure functions; any thread.
 */
#ifndef FERRY_BASE_CONFIG_ADDRESS_H
#define FERRY_BASE_CONFIG_ADDRESS_H

#include "base/config.h"

/* Each returns NULL if the text may stand there, else the reason; static. */
const char *config_address_check_gateway(const char *text); /* gateway/listen: tcp or ipc */
const char *config_address_check_broker(const char *text);  /* broker/listen: tcp, ipc or inproc */
const char *config_address_check_peers(const char *text);   /* broker/peer_listen: the same, or nothing */
const char *config_address_check_node(const char *text);    /* gateway/broker: ADDRESS or NAME=ADDRESS to connect to */
const char *config_address_check_admin(const char *text);   /* admin/listen: http, auto, or nothing */
const char *config_address_check_name(const char *text);    /* broker/name: 1 to 64 letters, digits, '.', '_' and '-' */

/* The address within ADDRESS or NAME=ADDRESS, borrowed from `text`; the name, or "" if there is none, goes to `name`.
 */
const char *config_address_split(const char *text, char name[CONFIG_BROKER_NAME_SIZE]);

#endif
