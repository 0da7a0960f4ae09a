/* SPDX-License-Identifier: MPL-2.0 */
/* frame: a header frame is checked as a whole, so that what is read later is known to be there. Pure; any thread. */
#include "wire/frame.h"

#include "wire/bytes.h"

static const uint8_t frame_magic[4] = {'F', 'M', 'Q', 1};

void frame_header_put(uint8_t *to, const frame_header_t *header)
{
    memcpy(to, frame_magic, sizeof frame_magic);
    bytes_put32(to + 4, header->epoch);
    bytes_put64(to + 8, header->sequence);
    bytes_put64(to + 16, header->acknowledged);
    bytes_put64(to + 24, header->floor);
    bytes_put32(to + 32, header->flags);
    bytes_put32(to + 36, header->stamp);
}

int frame_header_get(frame_header_t *header, span_t frame, span_t *controls)
{
    const uint8_t *from = (const uint8_t *)frame.data;
    if (frame.size < FRAME_HEADER_SIZE || frame.size > FRAME_HEADER_SIZE + FRAME_CONTROLS_SIZE)
        return -CLOSE_BAD_FRAME;
    if (memcmp(from, frame_magic, 3) != 0)
        return -CLOSE_BAD_FRAME;
    if (from[3] != frame_magic[3])
        return -CLOSE_BAD_VERSION;
    header->epoch = bytes_get32(from + 4);
    header->sequence = bytes_get64(from + 8);
    header->acknowledged = bytes_get64(from + 16);
    header->floor = bytes_get64(from + 24);
    header->flags = bytes_get32(from + 32);
    header->stamp = bytes_get32(from + 36);
    if (header->epoch == 0 || header->flags > FRAME_FLAG_AGAIN)
        return -CLOSE_BAD_FRAME;
    *controls = span_of(frame.data + FRAME_HEADER_SIZE, frame.size - FRAME_HEADER_SIZE);
    return 0;
}
