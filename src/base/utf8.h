/* SPDX-License-Identifier: MPL-2.0 */
/* utf8: characters in bytes, after RFC 3629. Pure functions; any thread. */
#ifndef FERRY_BASE_UTF8_H
#define FERRY_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Decodes the character at the start of `text` into *rune. Returns its size in bytes, or 0 where there is none: the end
 * of the text, a cut or an overlong sequence, a surrogate, or more than U+10FFFF. */
size_t utf8_decode(span_t text, uint32_t *rune);

/* How many bytes at the start of `text` are ASCII without control bytes (tab may stand there). It may stop up to 15
 * bytes early, and stops at 0 only if the first 16 bytes hold a byte of another kind. */
size_t utf8_skip_plain(span_t text);

/* True if the character has Unicode's property White_Space. */
bool utf8_is_space(uint32_t rune);

/* `text`, which must be UTF-8, without the white space at its two ends. */
span_t utf8_trim(span_t text);

/* The start of `text`, which must be UTF-8, with as many whole characters as fit into `size` bytes. */
span_t utf8_cut(span_t text, size_t size);

#endif
