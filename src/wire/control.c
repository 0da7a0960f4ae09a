/* SPDX-License-Identifier: MPL-2.0 */
/* control: each record's fields are listed once, as a walk that reads, writes or counts them, so what one side writes
 * is what the other reads. What the fields promise of each other is checked after reading. Nothing fails but reading.
 * Pure; any thread. */
#include "wire/control.h"

#include <assert.h>

#include "wire/bytes.h"
#include "wire/walk.h"

#define CONTROL_HEAD_SIZE      4 /* u8 type, u24 size of the payload */
#define CONTROL_EXCEPTIONS_MAX 1024

typedef enum { PLACE_NONE, PLACE_CONTROL, PLACE_UP, PLACE_DOWN, PLACE_BODY } record_place_t;
typedef enum { DIRECTION_NODE = 1, DIRECTION_BROKER = 2, DIRECTION_BOTH = 3 } record_direction_t;

static const struct {
    const char *text;
    record_place_t place;
    record_direction_t direction;
} records[] = {
#define RECORD(name, number, text, place, direction) [number] = {text, PLACE_##place, DIRECTION_##direction},
#include "records.def"
#undef RECORD
};

#define RECORDS_END ((int)(sizeof records / sizeof *records))

/* The fields of a version that is not ours are not known; whoever reads it looks at the version first. */
static void hello_walk(walk_t *self, control_t *record)
{
    walk_16(self, &record->hello.version);
    if (record->hello.version != LINK_VERSION) {
        span_t rest = {0};
        walk_rest(self, &rest, 1);
        return;
    }
    walk_zero(self, 2);
    walk_raw(self, record->hello.node.bytes, LINK_ID_SIZE);
    walk_raw(self, record->hello.instance.bytes, LINK_ID_SIZE);
    walk_raw(self, record->hello.digest.bytes, LINK_ID_SIZE);
    walk_64(self, &record->hello.first);
    walk_64(self, &record->hello.term);
    walk_name(self, &record->hello.broker);
    walk_rest(self, &record->hello.nodes, LINK_ID_SIZE);
}

static void welcome_walk(walk_t *self, control_t *record)
{
    walk_flag(self, &record->welcome.resumed, 4);
    walk_32(self, &record->welcome.window_size);
    walk_32(self, &record->welcome.batch_size);
    walk_32(self, &record->welcome.heartbeat_ms);
    walk_32(self, &record->welcome.timeout_ms);
    walk_32(self, &record->welcome.handle);
    walk_raw(self, record->welcome.instance.bytes, LINK_ID_SIZE);
    walk_64(self, &record->welcome.term);
    walk_rest(self, &record->welcome.nodes, LINK_ID_SIZE);
}

static void register_walk(walk_t *self, control_t *record)
{
    walk_64(self, &record->name.session);
    walk_64(self, &record->name.term);
    walk_64(self, &record->name.serial);
    walk_flags(self, (bool *const[]){&record->name.again, &record->name.doubtful, &record->name.paused}, 3, 1);
    self->bad = self->bad || (record->name.doubtful && !record->name.again);
    walk_name(self, &record->name.name);
}

static void confirmed_walk(walk_t *self, control_t *record)
{
    walk_64(self, &record->name.session);
    walk_64(self, &record->name.term);
    walk_64(self, &record->name.serial);
    walk_flags(self, (bool *const[]){&record->name.took_over, &record->name.resumes}, 2, 1);
}

static void hold_walk(walk_t *self, control_t *record)
{
    walk_64(self, &record->held.session);
    walk_32(self, &record->held.handle);
    walk_flags(self, (bool *const[]){&record->held.again, &record->held.over}, 2, 4);
    self->bad = self->bad || (record->held.over && !record->held.again);
    walk_64(self, &record->held.numbers.first);
    walk_rest(self, &record->held.numbers.offsets, 4);
}

static void held_walk(walk_t *self, control_t *record)
{
    walk_32(self, &record->held.handle);
    walk_flags(self, (bool *const[]){&record->held.again, &record->held.lent}, 2, 4);
    if (record->held.lent)
        walk_name(self, &record->held.name);
    walk_64(self, &record->held.numbers.first);
    walk_rest(self, &record->held.numbers.offsets, 4);
}

/* Records of few fields, one or none. */
static void small_walk(walk_t *self, control_t *record)
{
    switch (record->type) {
    case RECORD_REFUSE:
        walk_16(self, &record->refuse.close);
        walk_rest(self, &record->refuse.text, 1);
        break;
    case RECORD_DENIED:
        walk_64(self, &record->name.session);
        walk_16(self, &record->name.error);
        break;
    case RECORD_LEAVING:
    case RECORD_LEFT:
        walk_64(self, &record->name.session);
        break;
    case RECORD_WATCH:
    case RECORD_PRESENCE:
        walk_64(self, &record->name.session);
        walk_flag(self, &record->name.is_on, 1);
        walk_name(self, &record->name.name);
        break;
    case RECORD_WHO:
        walk_64(self, &record->who.session);
        walk_rest(self, &record->who.names, 1);
        break;
    case RECORD_WHO_IS:
        walk_64(self, &record->who.session);
        walk_flag(self, &record->who.more, 1);
        walk_rest(self, &record->who.names, 1);
        break;
    case RECORD_ONLY:
        walk_64(self, &record->name.session);
        walk_64(self, &record->name.member);
        break;
    case RECORD_YIELD:
        walk_64(self, &record->name.session);
        walk_flag(self, &record->name.is_on, 1);
        break;
    case RECORD_PAUSE:
    case RECORD_RESUME:
    case RECORD_YIELDED:
        walk_name(self, &record->name.name);
        break;
    case RECORD_ORIGIN:
        walk_32(self, &record->origin.handle);
        walk_raw(self, record->origin.node.bytes, LINK_ID_SIZE);
        break;
    case RECORD_GONE:
        walk_32(self, &record->origin.handle);
        walk_flag(self, &record->origin.orderly, 4);
        break;
    case RECORD_TAKEN:
        walk_64(self, &record->taken.below);
        walk_rest(self, &record->taken.exceptions, 16);
        break;
    case RECORD_END:
    case RECORD_CREDIT:
    case RECORD_DONE:
        walk_64(self, &record->held.session);
        walk_32(self, &record->held.count);
        break;
    case RECORD_DRAINED:
    case RECORD_WAITS:
    case RECORD_BYE:
    case RECORD_BYE_OK:
        walk_64(self, &record->number);
        break;
    default:
        break;
    }
}

static void control_walk(walk_t *self, control_t *record)
{
    switch (record->type) {
    case RECORD_HELLO:
        hello_walk(self, record);
        break;
    case RECORD_WELCOME:
        welcome_walk(self, record);
        break;
    case RECORD_REGISTER:
        register_walk(self, record);
        break;
    case RECORD_CONFIRMED:
        confirmed_walk(self, record);
        break;
    case RECORD_HOLD:
        hold_walk(self, record);
        break;
    case RECORD_HELD:
    case RECORD_ENDED:
        held_walk(self, record);
        break;
    default:
        small_walk(self, record);
    }
}

/* Whether the ranges ascend without touching, and all lie below `below`. */
static bool taken_is_good(const control_t *record)
{
    size_t count = control_exception_count(record);
    uint64_t end = 0;
    for (size_t index = 0; index < count; index++) {
        uint64_t first, size;
        control_exception_at(record, index, &first, &size);
        if ((index > 0 && first <= end) || first > record->taken.below)
            return false;
        if (size == 0 || size > record->taken.below - first)
            return false;
        end = first + size;
    }
    return count <= CONTROL_EXCEPTIONS_MAX;
}

static bool session_is_good(uint64_t session)
{
    return (uint32_t)session < LINK_SLOT_LIMIT;
}

/* Whether the bytes are names, each with its size. */
static bool names_are_good(span_t names)
{
    while (names.size > 0) {
        size_t size = (uint8_t)names.data[0];
        if (size == 0 || size >= names.size)
            return false;
        names = span_of(names.data + 1 + size, names.size - 1 - size);
    }
    return true;
}

/* Whether the fields of a record that was read keep what link.md promises of them. */
static bool control_is_good(const control_t *self)
{
    switch (self->type) {
    case RECORD_HELLO:
        return self->hello.version != LINK_VERSION ||
               (self->hello.first > 0 && self->hello.nodes.size <= CONTROL_NODES_MAX * LINK_ID_SIZE);
    case RECORD_WELCOME:
        return self->welcome.nodes.size <= CONTROL_NODES_MAX * LINK_ID_SIZE && self->welcome.window_size &&
               self->welcome.batch_size && self->welcome.heartbeat_ms && self->welcome.timeout_ms;
    case RECORD_REGISTER:
        return session_is_good(self->name.session) &&
               (self->name.session & LINK_SESSION_KINDS) == link_session_kind(self->name.name);
    case RECORD_LEAVING:
    case RECORD_WATCH:
    case RECORD_YIELD:
        return session_is_good(self->name.session);
    case RECORD_ONLY:
        return session_is_good(self->name.session) && link_session_is_group(self->name.session);
    case RECORD_WHO:
        return session_is_good(self->who.session) && self->who.names.size <= UINT8_MAX;
    case RECORD_WHO_IS:
        return names_are_good(self->who.names);
    case RECORD_CREDIT:
    case RECORD_DONE:
        return session_is_good(self->held.session) && link_session_is_service(self->held.session);
    case RECORD_HOLD:
    case RECORD_END:
        return session_is_good(self->held.session);
    case RECORD_TAKEN:
        return taken_is_good(self);
    default:
        return true;
    }
}

static bool record_may_come(int type, control_side_t side)
{
    if (type >= RECORDS_END || records[type].place != PLACE_CONTROL)
        return false;
    record_direction_t direction = side == CONTROL_FROM_NODE ? DIRECTION_NODE : DIRECTION_BROKER;
    return (records[type].direction & direction) != 0;
}

int control_next(control_t *self, span_t *rest, control_side_t side)
{
    if (rest->size == 0)
        return 0;
    if (rest->size < CONTROL_HEAD_SIZE)
        return -CLOSE_BAD_RECORD;
    uint32_t head = bytes_get32((const uint8_t *)rest->data);
    int type = head & 0xff;
    size_t size = head >> 8;
    if (!record_may_come(type, side) || rest->size - CONTROL_HEAD_SIZE < size)
        return -CLOSE_BAD_RECORD;
    *self = (control_t){.type = (record_type_t)type};
    walk_t walk = {.mode = WALK_READ, .from = (const uint8_t *)rest->data + CONTROL_HEAD_SIZE, .size = size};
    control_walk(&walk, self);
    if (walk.bad || walk.size != 0 || !control_is_good(self))
        return -CLOSE_BAD_RECORD;
    *rest = span_of(rest->data + CONTROL_HEAD_SIZE + size, rest->size - CONTROL_HEAD_SIZE - size);
    return 1;
}

size_t control_size(const control_t *self)
{
    control_t record = *self;
    walk_t walk = {.mode = WALK_COUNT, .size = CONTROL_HEAD_SIZE};
    control_walk(&walk, &record);
    return walk.size;
}

void control_put(buffer_t *to, const control_t *self)
{
    control_t record = *self;
    size_t size = control_size(self);
    uint8_t *start = buffer_reserve(to, size);
    bytes_put32(start, (uint32_t)(size - CONTROL_HEAD_SIZE) << 8 | (uint32_t)self->type);
    walk_t walk = {.mode = WALK_WRITE, .to = start + CONTROL_HEAD_SIZE};
    control_walk(&walk, &record);
    assert(walk.to == start + size);
    buffer_commit(to, size);
}

void control_put_empty(buffer_t *to, record_type_t type)
{
    control_put(to, &(control_t){.type = type});
}

uint64_t control_numbers_at(const control_numbers_t *self, size_t index)
{
    return index == 0 ? self->first : self->first + bytes_get32((const uint8_t *)self->offsets.data + 4 * (index - 1));
}

void control_exception_at(const control_t *self, size_t index, uint64_t *first, uint64_t *count)
{
    const uint8_t *at = (const uint8_t *)self->taken.exceptions.data + 16 * index;
    *first = bytes_get64(at);
    *count = bytes_get64(at + 8);
}

void link_id_text(const link_id_t *self, char text[LINK_ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t index = 0; index < LINK_ID_SIZE; index++) {
        text[2 * index] = digits[self->bytes[index] >> 4];
        text[2 * index + 1] = digits[self->bytes[index] & 15];
    }
    text[2 * LINK_ID_SIZE] = '\0';
}

const char *record_name(int type)
{
    return type > 0 && type < RECORDS_END && records[type].text ? records[type].text : "unknown";
}
