/* SPDX-License-Identifier: MPL-2.0 */
/* frame: the header frame of the link protocol (proto/link.md, section 1). Pure; any thread. */
#ifndef FERRY_WIRE_FRAME_H
#define FERRY_WIRE_FRAME_H

#include <stdint.h>

#include "base/span.h"
#include "wire/close.h"

#define FRAME_HEADER_SIZE   40          /* bytes before the control records */
#define FRAME_CONTROLS_SIZE (64 * 1024) /* the most bytes of control records in one frame */
#define FRAME_FLAG_AGAIN    1u

typedef struct {
    uint32_t epoch;
    uint64_t sequence;
    uint64_t acknowledged;
    uint64_t floor;
    uint32_t flags;
    uint32_t stamp; /* of a node's clock, ms; 0: none */
} frame_header_t;

/* Writes FRAME_HEADER_SIZE bytes. */
void frame_header_put(uint8_t *to, const frame_header_t *header);

/* Reads a header frame; *controls is the rest of it. Returns 0, -CLOSE_BAD_FRAME or -CLOSE_BAD_VERSION. */
int frame_header_get(frame_header_t *header, span_t frame, span_t *controls);

#endif
