/* SPDX-License-Identifier: MPL-2.0 */
/* summary: what a process says of itself at /status, for people. */
#ifndef FERRY_FERRY_SUMMARY_H
#define FERRY_FERRY_SUMMARY_H

#include <jansson.h>

#include "ferry/display.h"

/* Writes the summary of the object that /status answers (proto/admin.md, borrowed). What is missing or of another type
 * counts as 0 or "-". */
void summary_write(const json_t *status, display_t *display);

#endif
