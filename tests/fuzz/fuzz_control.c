/* SPDX-License-Identifier: MPL-2.0 */
/* fuzz_control: control records of either side. One that is good is the same when it is written again; what is refused
 * stays refused. */
#include <stdlib.h>
#include <string.h>

#include "wire/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_exceptions(const control_t *record)
{
    uint64_t first, count, end = 0;
    for (size_t index = 0; index < control_exception_count(record); index++, end = first + count) {
        control_exception_at(record, index, &first, &count);
        if (count == 0 || first < end || first + count < first || first + count > record->taken.below)
            abort();
    }
}

static void check_numbers(const control_numbers_t *numbers)
{
    for (size_t index = 0; index < control_numbers_count(numbers); index++)
        if (control_numbers_at(numbers, index) - numbers->first > UINT32_MAX)
            abort();
}

static void write_again(const control_t *record, span_t bytes)
{
    if (record->type == RECORD_HELLO && record->hello.version != LINK_VERSION)
        return;
    buffer_t again = {0};
    control_put(&again, record);
    if (control_size(record) != bytes.size || !span_equal(buffer_span(&again), bytes))
        abort();
    buffer_fini(&again);
}

static void read_all(span_t rest, control_side_t side)
{
    control_t record;
    span_t before = rest;
    int rc;
    while ((rc = control_next(&record, &rest, side)) == 1) {
        write_again(&record, span_of(before.data, before.size - rest.size));
        if (record.type == RECORD_TAKEN)
            check_exceptions(&record);
        else if (record.type == RECORD_HOLD || record.type == RECORD_HELD || record.type == RECORD_ENDED)
            check_numbers(&record.held.numbers);
        before = rest;
    }
    if (rc == 0 ? rest.size != 0 : control_next(&record, &rest, side) != rc)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_all(span_of((const char *)data, size), CONTROL_FROM_NODE);
    read_all(span_of((const char *)data, size), CONTROL_FROM_BROKER);
    return 0;
}
