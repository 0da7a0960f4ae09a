/* SPDX-License-Identifier: MPL-2.0 */
/* farewell: the ledger that a process left behind when it was drained, as `ferry drain` printed it. */
#ifndef FERRY_FERRY_FAREWELL_H
#define FERRY_FERRY_FAREWELL_H

/* Reads the last line "ledger {…}" of the file. Returns a text like that of /status, with the role "ended", which the
 * caller frees; or NULL after one sentence on stderr. What stands between the braces is not looked at. */
char *farewell_read(const char *path);

#endif
