/* SPDX-License-Identifier: MPL-2.0 */
/* fuzz_frame: a header that is good is the same when it is written again, and the rest are its control records. */
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    frame_header_t header;
    span_t controls;
    if (frame_header_get(&header, span_of((const char *)data, size), &controls) != 0)
        return 0;
    uint8_t again[FRAME_HEADER_SIZE];
    frame_header_put(again, &header);
    if (memcmp(again, data, sizeof again) != 0)
        abort();
    if (controls.data + controls.size != (const char *)data + size || controls.size != size - sizeof again)
        abort();
    return 0;
}
