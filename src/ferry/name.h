/* SPDX-License-Identifier: MPL-2.0 */
/* name: names as a user types them on the command line. */
#ifndef FERRY_FERRY_NAME_H
#define FERRY_FERRY_NAME_H

/* 0 if `name` may be logged in with; else -1 after one sentence on stderr that starts with `who`. */
int name_check(const char *who, const char *name);

/* 0 if `recipients` ("bob,alice") can stand before the colon of a line; else -1 after one sentence on stderr. Whether
 * they exist, and whether they are names, is the gateway's to say. */
int name_check_recipients(const char *who, const char *recipients);

#endif
