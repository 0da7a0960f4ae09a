/* SPDX-License-Identifier: MPL-2.0 */
/* control: each record's fields are listed once, and that list is walked in three ways: reading, writing and counting
 * bytes, so what one side writes is what the other reads. What the fields then promise of each other is checked after
 * reading. Nothing fails but reading. Pure; any thread. */
#include "wire/control.h"

#include <assert.h>

#include "wire/bytes.h"

#define CONTROL_HEAD_SIZE      4 /* u8 type, u24 size of the payload */
#define CONTROL_EXCEPTIONS_MAX 1024

typedef enum { WALK_READ, WALK_WRITE, WALK_COUNT } walk_mode_t;

/* A walk over the fields of one payload. */
typedef struct {
    walk_mode_t mode;
    const uint8_t *from; /* READ: the next byte */
    uint8_t *to;         /* WRITE: the next byte */
    size_t size;         /* READ: bytes left; COUNT: bytes so far */
    bool bad;            /* READ: the payload was too small, or a field is not what it may be */
} walk_t;

typedef enum { PLACE_NONE, PLACE_CONTROL, PLACE_UP, PLACE_DOWN } record_place_t;
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

/* Steps over `size` bytes. True if the caller has bytes to move: while reading, those at the old `from`, and while
 * writing those at the old `to`. */
static bool walk_step(walk_t *self, size_t size)
{
    if (self->mode == WALK_READ) {
        self->bad = self->bad || self->size < size;
        if (self->bad)
            return false;
        self->from += size;
        self->size -= size;
    } else if (self->mode == WALK_WRITE) {
        self->to += size;
    } else {
        self->size += size;
    }
    return self->mode != WALK_COUNT;
}

/* An integer of `size` bytes. Returns what was read, or `value`. */
static uint64_t walk_uint(walk_t *self, uint64_t value, size_t size)
{
    if (!walk_step(self, size))
        return value;
    if (self->mode == WALK_WRITE) {
        for (size_t index = 0; index < size; index++)
            *(self->to - size + index) = (uint8_t)(value >> 8 * index);
        return value;
    }
    value = 0;
    for (size_t back = 1; back <= size; back++)
        value = value << 8 | *(self->from - back);
    return value;
}

static void walk_16(walk_t *self, uint16_t *value)
{
    *value = (uint16_t)walk_uint(self, *value, 2);
}

static void walk_32(walk_t *self, uint32_t *value)
{
    *value = (uint32_t)walk_uint(self, *value, 4);
}

static void walk_64(walk_t *self, uint64_t *value)
{
    *value = walk_uint(self, *value, 8);
}

/* Flags of which only bit 0 is known. */
static void walk_flag(walk_t *self, bool *flag, size_t size)
{
    uint64_t flags = walk_uint(self, *flag, size);
    self->bad = self->bad || flags > 1;
    *flag = flags == 1;
}

static void walk_zero(walk_t *self, size_t size)
{
    uint64_t value = walk_uint(self, 0, size);
    self->bad = self->bad || value != 0;
}

static void walk_id(walk_t *self, link_id_t *id)
{
    if (!walk_step(self, LINK_ID_SIZE))
        return;
    if (self->mode == WALK_WRITE)
        memcpy(self->to - LINK_ID_SIZE, id->bytes, LINK_ID_SIZE);
    else
        memcpy(id->bytes, self->from - LINK_ID_SIZE, LINK_ID_SIZE);
}

static void walk_bytes(walk_t *self, span_t *span, size_t size)
{
    if (!walk_step(self, size))
        return;
    if (self->mode == WALK_READ)
        *span = span_of((const char *)self->from - size, size);
    else if (size)
        memcpy(self->to - size, span->data, size);
}

static void walk_name(walk_t *self, span_t *name)
{
    assert(self->mode == WALK_READ || (name->size >= 1 && name->size <= UINT8_MAX));
    size_t size = walk_uint(self, name->size, 1);
    self->bad = self->bad || size == 0;
    walk_bytes(self, name, size);
}

/* The rest of the payload, in whole units. */
static void walk_rest(walk_t *self, span_t *span, size_t unit)
{
    size_t size = self->mode == WALK_READ ? self->size : span->size;
    self->bad = self->bad || size % unit != 0;
    walk_bytes(self, span, size);
}

/* The fields of a version that is not ours are not known; whoever reads it looks at the version first. */
static void walk_hello(walk_t *self, control_t *record)
{
    walk_16(self, &record->hello.version);
    if (record->hello.version != LINK_VERSION) {
        span_t rest = {0};
        walk_rest(self, &rest, 1);
        return;
    }
    walk_zero(self, 2);
    walk_id(self, &record->hello.node);
    walk_id(self, &record->hello.instance);
    walk_id(self, &record->hello.digest);
    walk_64(self, &record->hello.last);
    walk_64(self, &record->hello.term);
    walk_name(self, &record->hello.broker);
}

static void walk_welcome(walk_t *self, control_t *record)
{
    walk_flag(self, &record->welcome.resumed, 4);
    walk_32(self, &record->welcome.window_size);
    walk_32(self, &record->welcome.batch_size);
    walk_32(self, &record->welcome.heartbeat_ms);
    walk_32(self, &record->welcome.timeout_ms);
    walk_32(self, &record->welcome.handle);
    walk_id(self, &record->welcome.instance);
    walk_64(self, &record->welcome.term);
    walk_rest(self, &record->welcome.nodes, LINK_ID_SIZE);
}

static void walk_register(walk_t *self, control_t *record)
{
    walk_64(self, &record->name.session);
    walk_64(self, &record->name.term);
    walk_64(self, &record->name.serial);
    walk_flag(self, &record->name.again, 1);
    walk_name(self, &record->name.name);
}

static void walk_confirmed(walk_t *self, control_t *record)
{
    walk_64(self, &record->name.session);
    walk_64(self, &record->name.term);
    walk_64(self, &record->name.serial);
}

static void walk_hold(walk_t *self, control_t *record)
{
    walk_64(self, &record->held.session);
    walk_32(self, &record->held.handle);
    walk_flag(self, &record->held.again, 4);
    walk_64(self, &record->held.numbers.first);
    walk_rest(self, &record->held.numbers.offsets, 4);
}

static void walk_held(walk_t *self, control_t *record)
{
    walk_32(self, &record->held.handle);
    walk_zero(self, 4);
    walk_64(self, &record->held.numbers.first);
    walk_rest(self, &record->held.numbers.offsets, 4);
}

/* Records of two fields, one or none. */
static void walk_small(walk_t *self, control_t *record)
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
    case RECORD_PAUSE:
    case RECORD_RESUME:
        walk_name(self, &record->name.name);
        break;
    case RECORD_ORIGIN:
        walk_32(self, &record->origin.handle);
        walk_id(self, &record->origin.node);
        break;
    case RECORD_GONE:
        walk_32(self, &record->origin.handle);
        break;
    case RECORD_TAKEN:
        walk_64(self, &record->taken.below);
        walk_rest(self, &record->taken.exceptions, 16);
        break;
    case RECORD_END:
        walk_64(self, &record->held.session);
        walk_32(self, &record->held.count);
        break;
    case RECORD_DRAINED:
    case RECORD_BYE:
    case RECORD_BYE_OK:
        walk_64(self, &record->number);
        break;
    default:
        break;
    }
}

static void walk_record(walk_t *self, control_t *record)
{
    switch (record->type) {
    case RECORD_HELLO:
        walk_hello(self, record);
        break;
    case RECORD_WELCOME:
        walk_welcome(self, record);
        break;
    case RECORD_REGISTER:
        walk_register(self, record);
        break;
    case RECORD_CONFIRMED:
        walk_confirmed(self, record);
        break;
    case RECORD_HOLD:
        walk_hold(self, record);
        break;
    case RECORD_HELD:
    case RECORD_ENDED:
        walk_held(self, record);
        break;
    default:
        walk_small(self, record);
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

/* Whether the fields of a record that was read keep what link.md promises of them. */
static bool control_is_good(const control_t *self)
{
    switch (self->type) {
    case RECORD_WELCOME:
        return self->welcome.window_size && self->welcome.batch_size && self->welcome.heartbeat_ms &&
               self->welcome.timeout_ms;
    case RECORD_REGISTER:
    case RECORD_LEAVING:
        return session_is_good(self->name.session);
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
    walk_record(&walk, self);
    if (walk.bad || walk.size != 0 || !control_is_good(self))
        return -CLOSE_BAD_RECORD;
    *rest = span_of(rest->data + CONTROL_HEAD_SIZE + size, rest->size - CONTROL_HEAD_SIZE - size);
    return 1;
}

size_t control_size(const control_t *self)
{
    control_t record = *self;
    walk_t walk = {.mode = WALK_COUNT, .size = CONTROL_HEAD_SIZE};
    walk_record(&walk, &record);
    return walk.size;
}

void control_put(buffer_t *to, const control_t *self)
{
    control_t record = *self;
    size_t size = control_size(self);
    uint8_t *start = buffer_reserve(to, size);
    bytes_put32(start, (uint32_t)(size - CONTROL_HEAD_SIZE) << 8 | (uint32_t)self->type);
    walk_t walk = {.mode = WALK_WRITE, .to = start + CONTROL_HEAD_SIZE};
    walk_record(&walk, &record);
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
