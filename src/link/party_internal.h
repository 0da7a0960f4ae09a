/* SPDX-License-Identifier: MPL-2.0 */
/* party_internal: what the files of a party and the exchange share. The node's thread's. */
#ifndef FERRY_LINK_PARTY_INTERNAL_H
#define FERRY_LINK_PARTY_INTERNAL_H

#include "link/party.h"

/* What groups and offers call (party_groups.c, party_services.c); the owner is the exchange. */
extern const groups_owner_t party_groups_owner;
extern const offers_owner_t party_services_owner;

/* What is allocated with a party's first group, service, watch or request; gives it back if the last has ended, and it
 * never had a job (party.c). */
party_ties_t *party_tie(party_t *self);
void party_untie(party_t *self);

/* Whether an answer with that label is waited for; ends that request, if there is one, of which the client is told by
 * who calls; and ends those whose time is over (party_requests.c). */
bool party_awaits(const party_t *self, span_t label);
void party_drop_request(party_t *self, span_t label);
void party_tick_requests(exchange_t *exchange, uint64_t now_ms);

/* What the broker says of a name that is watched (party_watches.c), and of who is there: names in byte order, each u8
 * size and bytes, and whether there are more (party_who.c). */
void party_presence(party_t *self, span_t name, bool is_here);
void party_who_is(party_t *self, const uplink_t *uplink, span_t names, bool more);

/* Parts of party_restate. */
void party_restate_watches(party_t *self, const uplink_t *uplink);
void party_restate_who(party_t *self, const uplink_t *uplink);

/* Parts of party_pause, of party_stop and of party_end. */
void party_pause_groups(party_t *self);
void party_pause_services(party_t *self);
void party_leave_all(party_t *self);
void party_drop_requests(party_t *self);
void party_drop_who(party_t *self);
void party_unwatch_all(party_t *self);

#endif
