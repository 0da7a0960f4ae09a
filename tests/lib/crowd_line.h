/* SPDX-License-Identifier: MPL-2.0 */
/* crowd_line: what a member of a crowd makes of a line that it reads. Pure but for the member and its crowd; the test's
 * thread. */
#ifndef FERRY_TESTS_CROWD_LINE_H
#define FERRY_TESTS_CROWD_LINE_H

#include "lib/crowd_member.h"

/* Takes note of one line, without its end, that came at `now_ms`. May end the member's connection. */
void member_on_line(member_t *self, const char *line, int64_t now_ms);

#endif
