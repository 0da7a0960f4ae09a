/* SPDX-License-Identifier: MPL-2.0 */
/* packets: what nftables does to packets, in a network namespace of the test program's own, which the processes that it
 * starts later share. Takes root. The test's thread; fails the running cmocka test when nft does. */
#ifndef FERRY_TESTS_PACKETS_H
#define FERRY_TESTS_PACKETS_H

/* Enters the namespace, at the first call. Returns NULL, or what is lacking for that, valid until the next call. */
const char *packets_lack(void);

/* From now on the rule ("tcp dport 7400 drop"), made as printf does, is applied to each packet that arrives. */
void packets_rule(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* No rule is applied any more. */
void packets_allow(void);

#endif
