/* SPDX-License-Identifier: MPL-2.0 */
/* [1] reader_lines: what each line of a client means (proto/line.md, sections 3, 4 and 6). The session's thread's. */
#ifndef FERRY_GATEWAY_READER_LINES_H
#define FERRY_GATEWAY_READER_LINES_H

#include "gateway/session.h"

/* Takes one line, without its "\n"; false if it must wait, for a name or for room on a link. */
bool reader_take_line(session_t *session, span_t text);

/* A line is longer than it may be, and its end has or has not come. */
void reader_refuse_long(session_t *session);

#endif
