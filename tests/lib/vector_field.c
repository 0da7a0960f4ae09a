/* SPDX-License-Identifier: MPL-2.0 */
/* vector_field: one row for each field, in the order of their bytes. Any thread. */
#include "lib/vector_field.h"

#include "wire/body.h"
#include "wire/control.h"
#include "wire/frame.h"

#define HEADER(kind, key, form, field)                                                                                 \
    {                                                                                                                  \
        kind, key, form, offsetof(frame_header_t, field)                                                               \
    }
#define CONTROL(kind, key, form, field)                                                                                \
    {                                                                                                                  \
        kind, key, form, offsetof(control_t, field)                                                                    \
    }
#define BODY(kind, key, form, field)                                                                                   \
    {                                                                                                                  \
        kind, key, form, offsetof(body_record_t, field)                                                                \
    }

const vector_field_t vector_fields[] = {
    HEADER("HEADER", "epoch", VECTOR_32, epoch),
    HEADER("HEADER", "sequence", VECTOR_64, sequence),
    HEADER("HEADER", "acknowledged", VECTOR_64, acknowledged),
    HEADER("HEADER", "floor", VECTOR_64, floor),
    HEADER("HEADER", "flags", VECTOR_32, flags),
    HEADER("HEADER", "stamp", VECTOR_32, stamp),
    CONTROL("HELLO", "version", VECTOR_16, hello.version),
    CONTROL("HELLO", "node", VECTOR_ID, hello.node),
    CONTROL("HELLO", "instance", VECTOR_ID, hello.instance),
    CONTROL("HELLO", "digest", VECTOR_ID, hello.digest),
    CONTROL("HELLO", "first", VECTOR_64, hello.first),
    CONTROL("HELLO", "term", VECTOR_64, hello.term),
    CONTROL("HELLO", "broker", VECTOR_TEXT, hello.broker),
    CONTROL("HELLO", "nodes", VECTOR_IDS, hello.nodes),
    CONTROL("WELCOME", "resumed", VECTOR_FLAG, welcome.resumed),
    CONTROL("WELCOME", "window", VECTOR_32, welcome.window_size),
    CONTROL("WELCOME", "batch", VECTOR_32, welcome.batch_size),
    CONTROL("WELCOME", "heartbeat", VECTOR_32, welcome.heartbeat_ms),
    CONTROL("WELCOME", "timeout", VECTOR_32, welcome.timeout_ms),
    CONTROL("WELCOME", "handle", VECTOR_32, welcome.handle),
    CONTROL("WELCOME", "instance", VECTOR_ID, welcome.instance),
    CONTROL("WELCOME", "term", VECTOR_64, welcome.term),
    CONTROL("WELCOME", "nodes", VECTOR_IDS, welcome.nodes),
    CONTROL("REFUSE", "close", VECTOR_16, refuse.close),
    CONTROL("REFUSE", "text", VECTOR_TEXT, refuse.text),
    CONTROL("REGISTER", "session", VECTOR_64, name.session),
    CONTROL("REGISTER", "term", VECTOR_64, name.term),
    CONTROL("REGISTER", "serial", VECTOR_64, name.serial),
    CONTROL("REGISTER", "again", VECTOR_FLAG, name.again),
    CONTROL("REGISTER", "doubtful", VECTOR_FLAG, name.doubtful),
    CONTROL("REGISTER", "paused", VECTOR_FLAG, name.paused),
    CONTROL("REGISTER", "name", VECTOR_TEXT, name.name),
    CONTROL("CONFIRMED", "session", VECTOR_64, name.session),
    CONTROL("CONFIRMED", "term", VECTOR_64, name.term),
    CONTROL("CONFIRMED", "serial", VECTOR_64, name.serial),
    CONTROL("CONFIRMED", "took-over", VECTOR_FLAG, name.took_over),
    CONTROL("DENIED", "session", VECTOR_64, name.session),
    CONTROL("DENIED", "error", VECTOR_16, name.error),
    CONTROL("LEAVING", "session", VECTOR_64, name.session),
    CONTROL("LEFT", "session", VECTOR_64, name.session),
    CONTROL("PAUSE", "name", VECTOR_TEXT, name.name),
    CONTROL("RESUME", "name", VECTOR_TEXT, name.name),
    CONTROL("ORIGIN", "handle", VECTOR_32, origin.handle),
    CONTROL("ORIGIN", "node", VECTOR_ID, origin.node),
    CONTROL("GONE", "handle", VECTOR_32, origin.handle),
    CONTROL("GONE", "orderly", VECTOR_FLAG, origin.orderly),
    CONTROL("TAKEN", "below", VECTOR_64, taken.below),
    CONTROL("TAKEN", "exceptions", VECTOR_LIST_64, taken.exceptions),
    CONTROL("HOLD", "session", VECTOR_64, held.session),
    CONTROL("HOLD", "handle", VECTOR_32, held.handle),
    CONTROL("HOLD", "again", VECTOR_FLAG, held.again),
    CONTROL("HOLD", "first", VECTOR_64, held.numbers.first),
    CONTROL("HOLD", "offsets", VECTOR_LIST_32, held.numbers.offsets),
    CONTROL("END", "session", VECTOR_64, held.session),
    CONTROL("END", "count", VECTOR_32, held.count),
    CONTROL("HELD", "handle", VECTOR_32, held.handle),
    CONTROL("HELD", "again", VECTOR_FLAG, held.again),
    CONTROL("HELD", "first", VECTOR_64, held.numbers.first),
    CONTROL("HELD", "offsets", VECTOR_LIST_32, held.numbers.offsets),
    CONTROL("ENDED", "handle", VECTOR_32, held.handle),
    CONTROL("ENDED", "again", VECTOR_FLAG, held.again),
    CONTROL("ENDED", "first", VECTOR_64, held.numbers.first),
    CONTROL("ENDED", "offsets", VECTOR_LIST_32, held.numbers.offsets),
    CONTROL("DRAINED", "number", VECTOR_64, number),
    CONTROL("BYE", "number", VECTOR_64, number),
    CONTROL("BYE-OK", "number", VECTOR_64, number),
    BODY("MESSAGE", "session", VECTOR_64, message.session),
    BODY("MESSAGE", "flags", VECTOR_32, message.flags),
    BODY("MESSAGE", "sender", VECTOR_TEXT, message.sender),
    BODY("MESSAGE", "recipients", VECTOR_NAMES, message.recipients),
    BODY("MESSAGE", "text", VECTOR_TEXT, message.text),
    BODY("REPORT", "error", VECTOR_16, report.error),
    BODY("REPORT", "reason", VECTOR_16, report.reason),
    BODY("REPORT", "settled", VECTOR_FLAG, report.settled),
    BODY("REPORT", "origin", VECTOR_ID, report.origin),
    BODY("REPORT", "session", VECTOR_64, report.session),
    BODY("REPORT", "number", VECTOR_64, report.number),
    BODY("REPORT", "name", VECTOR_TEXT, report.name),
    BODY("RUN", "handle", VECTOR_32, run.handle),
    BODY("RUN", "floor", VECTOR_64, run.floor),
    BODY("RUN", "again", VECTOR_FLAG, run.again),
    BODY("COPY", "number", VECTOR_64, copy.number),
    BODY("COPY", "session", VECTOR_64, copy.session),
    BODY("COPY", "flags", VECTOR_32, copy.flags),
    BODY("COPY", "recipients", VECTOR_OTHER, copy.recipients),
    BODY("COPY", "sender", VECTOR_TEXT, copy.sender),
    BODY("COPY", "text", VECTOR_TEXT, copy.text),
    BODY("NOTICE", "error", VECTOR_16, notice.error),
    BODY("NOTICE", "reason", VECTOR_16, notice.reason),
    BODY("NOTICE", "taken", VECTOR_FLAG, notice.taken),
    BODY("NOTICE", "number", VECTOR_64, notice.number),
    BODY("NOTICE", "session", VECTOR_64, notice.session),
    BODY("NOTICE", "report", VECTOR_64, notice.report),
    BODY("NOTICE", "name", VECTOR_TEXT, notice.name),
    {0},
};
