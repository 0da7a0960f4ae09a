/* SPDX-License-Identifier: MPL-2.0 */
/* vectors: lines are read one by one into parts. All bytes of the file lie in one run, so that a paragraph is a span of
 * it. Nothing here uses the codec that the vectors test. Fails by cmocka's assertions. Owner: the test's thread. */
#include "lib/vectors.h"

#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/control.h"

enum { PARTS_MAX = 256, BYTES_MAX = 1 << 16, LINE_MAX_SIZE = 1024 };

struct vectors {
    vector_t parts[PARTS_MAX];
    size_t count;
    bool paragraph_begins;
    vector_t *first;       /* of the paragraph */
    char bytes[BYTES_MAX]; /* of all parts, one after the other */
    size_t bytes_size;
    char made[BYTES_MAX]; /* spans of converted values */
    size_t made_size;
    char *texts[PARTS_MAX * VECTOR_FIELDS_MAX]; /* lines that keys and values point into */
    size_t text_count;
};

static void add_part(vectors_t *self, char *line)
{
    assert_true(self->count < PARTS_MAX);
    vector_t *part = &self->parts[self->count++];
    char *from = strstr(line, " from ");
    assert_non_null(from);
    *from = '\0';
    const char *side = from + strlen(" from ");
    part->kind = line;
    part->from_node = strcmp(side, "node") == 0;
    assert_true(part->from_node || strcmp(side, "broker") == 0);
    part->bytes.data = self->bytes + self->bytes_size;
    if (self->paragraph_begins) {
        self->first = part;
        part->paragraph.data = part->bytes.data;
    }
    self->paragraph_begins = false;
}

static void add_field(vectors_t *self, char *line)
{
    assert_true(self->count > 0);
    vector_t *part = &self->parts[self->count - 1];
    assert_true(part->field_count < VECTOR_FIELDS_MAX && part->bytes.size == 0);
    char *key = line + strspn(line, " ");
    char *value = key + strcspn(key, " ");
    if (*value)
        *value++ = '\0';
    part->keys[part->field_count] = key;
    part->values[part->field_count++] = value + strspn(value, " ");
}

static void add_bytes(vectors_t *self, const char *line)
{
    assert_true(self->count > 0);
    vector_t *part = &self->parts[self->count - 1];
    for (const char *at = line + strspn(line, " ="); *at; at += strspn(at, " ")) {
        char *end;
        assert_true(self->bytes_size < BYTES_MAX);
        self->bytes[self->bytes_size++] = (char)strtoul(at, &end, 16);
        assert_ptr_equal(end, at + 2);
        part->bytes.size++;
        self->first->paragraph.size++;
        at = end;
    }
}

static void add_line(vectors_t *self, const char *line)
{
    assert_true(self->text_count < PARTS_MAX * VECTOR_FIELDS_MAX);
    char *copy = self->texts[self->text_count++] = strdup(line);
    assert_non_null(copy);
    copy[strcspn(copy, "\n")] = '\0';
    if (*copy == '\0')
        self->paragraph_begins = true;
    else if (strncmp(copy, "  = ", 4) == 0)
        add_bytes(self, copy);
    else if (*copy == ' ')
        add_field(self, copy);
    else if (*copy != '#')
        add_part(self, copy);
}

vectors_t *vectors_new(void)
{
    const char *source = getenv("FERRY_SOURCE");
    char path[LINE_MAX_SIZE], line[LINE_MAX_SIZE];
    snprintf(path, sizeof path, "%s/proto/vectors/link.txt", source ? source : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    vectors_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    while (fgets(line, sizeof line, file))
        add_line(self, line);
    fclose(file);
    assert_true(self->count > 0);
    return self;
}

void vectors_destroy(vectors_t **self_p)
{
    vectors_t *self = *self_p;
    if (!self)
        return;
    for (size_t index = 0; index < self->text_count; index++)
        free(self->texts[index]);
    free(self);
    *self_p = NULL;
}

size_t vectors_count(const vectors_t *self)
{
    return self->count;
}

const vector_t *vectors_at(const vectors_t *self, size_t index)
{
    assert_true(index < self->count);
    return &self->parts[index];
}

static const char *value_of(const vector_t *self, const char *key)
{
    for (size_t index = 0; index < self->field_count; index++)
        if (strcmp(self->keys[index], key) == 0)
            return self->values[index];
    fail_msg("%s has no field %s", self->kind, key);
    return NULL;
}

static unsigned long long read_number(const char **at)
{
    char *end;
    unsigned long long value = strtoull(*at, &end, 0);
    assert_ptr_not_equal(end, *at);
    *at = end;
    return value;
}

unsigned long long vector_number(const vector_t *self, const char *key)
{
    const char *at = value_of(self, key);
    unsigned long long value = read_number(&at);
    assert_string_equal(at, "");
    return value;
}

static void make_byte(vectors_t *self, unsigned value)
{
    assert_true(self->made_size < BYTES_MAX);
    self->made[self->made_size++] = (char)value;
}

static void make_number(vectors_t *self, const char **at, size_t size)
{
    unsigned long long value = read_number(at);
    for (size_t index = 0; index < size; index++)
        make_byte(self, (unsigned)(value >> 8 * index) & 0xff);
}

static void make_id(vectors_t *self, const char **at)
{
    for (size_t index = 0; index < LINK_ID_SIZE; index++, *at += 2) {
        unsigned value;
        assert_int_equal(sscanf(*at, "%2x", &value), 1);
        make_byte(self, value);
    }
}

static void make_text(vectors_t *self, const char **at, bool sized)
{
    const char *text = *at + 1, *end = strchr(text, '"');
    assert_int_equal(**at, '"');
    assert_non_null(end);
    if (sized)
        make_byte(self, (unsigned)(end - text));
    while (text < end)
        make_byte(self, (unsigned char)*text++);
    *at = end + 1;
}

static void make_item(vectors_t *self, const char **at, vector_form_t form)
{
    if (form == VECTOR_ID || form == VECTOR_IDS)
        make_id(self, at);
    else if (form == VECTOR_TEXT || form == VECTOR_NAMES)
        make_text(self, at, form == VECTOR_NAMES);
    else
        make_number(self, at, form == VECTOR_LIST_32 ? 4 : 8);
}

span_t vector_list(vectors_t *vectors, const vector_t *self, const char *key, vector_form_t form)
{
    size_t start = vectors->made_size;
    for (const char *at = value_of(self, key); *at; at += strspn(at, " "))
        make_item(vectors, &at, form);
    return span_of(vectors->made + start, vectors->made_size - start);
}

static bool read_flag(const vector_t *self, const char *key)
{
    const char *value = value_of(self, key);
    assert_true(strcmp(value, "yes") == 0 || strcmp(value, "no") == 0);
    return strcmp(value, "yes") == 0;
}

/* Sets one field of a struct. */
static void field_set(vectors_t *vectors, const vector_t *self, const vector_field_t *field, void *to)
{
    switch (field->form) {
    case VECTOR_16:
        *(uint16_t *)to = (uint16_t)vector_number(self, field->key);
        break;
    case VECTOR_32:
        *(uint32_t *)to = (uint32_t)vector_number(self, field->key);
        break;
    case VECTOR_64:
        *(uint64_t *)to = vector_number(self, field->key);
        break;
    case VECTOR_FLAG:
        *(bool *)to = read_flag(self, field->key);
        break;
    case VECTOR_ID: {
        span_t id = vector_list(vectors, self, field->key, VECTOR_ID);
        assert_int_equal(id.size, LINK_ID_SIZE);
        memcpy(to, id.data, LINK_ID_SIZE);
        break;
    }
    case VECTOR_OTHER:
        break;
    default:
        *(span_t *)to = vector_list(vectors, self, field->key, field->form);
    }
}

void vector_fill(vectors_t *vectors, const vector_t *self, void *record)
{
    size_t count = 0;
    for (const vector_field_t *field = vector_fields; field->kind; field++)
        if (strcmp(field->kind, self->kind) == 0) {
            field_set(vectors, self, field, (char *)record + field->offset);
            count++;
        }
    assert_int_equal(count, self->field_count);
}

static void field_check(vectors_t *vectors, const vector_t *self, const vector_field_t *field, const void *actual)
{
    union {
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        bool flag;
        link_id_t id;
        span_t span;
    } expected;
    static const size_t sizes[] = {
        [VECTOR_16] = 2, [VECTOR_32] = 4, [VECTOR_64] = 8, [VECTOR_FLAG] = sizeof(bool), [VECTOR_ID] = LINK_ID_SIZE};
    field_set(vectors, self, field, &expected);
    bool equal = field->form <= VECTOR_ID ? memcmp(&expected, actual, sizes[field->form]) == 0
                                          : span_equal(expected.span, *(const span_t *)actual);
    if (!equal)
        fail_msg("%s: %s is not %s", self->kind, field->key, value_of(self, field->key));
}

void vector_check(vectors_t *vectors, const vector_t *self, const void *record)
{
    size_t made_size = vectors->made_size;
    for (const vector_field_t *field = vector_fields; field->kind; field++)
        if (strcmp(field->kind, self->kind) == 0 && field->form != VECTOR_OTHER)
            field_check(vectors, self, field, (const char *)record + field->offset);
    vectors->made_size = made_size;
}
