/* SPDX-License-Identifier: MPL-2.0 */
/* protocol_mqtt: an MQTT 3.1.1 broker. Quality of service 0, which is what the others' delivery is; a clean session,
 * and no keep-alive. */
#include <stdint.h>

#include "ferry/bench/protocol.h"

enum {
    MQTT_CONNECT = 0x10,
    MQTT_CONNACK = 0x20,
    MQTT_PUBLISH = 0x30,
    MQTT_SUBSCRIBE = 0x82,
    MQTT_SUBACK = 0x90,
    MQTT_PINGRESP = 0xD0,
    MQTT_DISCONNECT = 0xE0,
    MQTT_LEVEL = 4, /* what 3.1.1 calls itself */
    MQTT_CLEAN = 2,
};

/* Each returns where it has stopped writing. */
static char *put_byte(char *at, unsigned byte)
{
    *at = (char)byte;
    return at + 1;
}

static char *put_text(char *at, const char *text)
{
    size_t size = strlen(text);
    at = put_byte(at, (unsigned)size >> 8);
    at = put_byte(at, (unsigned)size & 0xFF);
    memcpy(at, text, size);
    return at + size;
}

/* Seven bits a byte, the low ones first. */
static char *put_head(char *at, unsigned type, size_t size)
{
    at = put_byte(at, type);
    for (; size >= 128; size >>= 7)
        at = put_byte(at, (unsigned)(size & 127) | 128);
    return put_byte(at, (unsigned)size);
}

static size_t mqtt_login(char *out, const char *name)
{
    char *at = put_head(out, MQTT_CONNECT, 12 + strlen(name));
    at = put_text(at, "MQTT");
    at = put_byte(at, MQTT_LEVEL);
    at = put_byte(at, MQTT_CLEAN);
    at = put_byte(put_byte(at, 0), 0);
    return (size_t)(put_text(at, name) - out);
}

static size_t mqtt_subscribe(char *out, destination_t destination)
{
    char *at = put_head(out, MQTT_SUBSCRIBE, 5 + strlen(destination.name));
    at = put_byte(put_byte(at, 0), 1);
    at = put_text(at, destination.name);
    return (size_t)(put_byte(at, 0) - out);
}

static size_t mqtt_leave(char *out)
{
    return (size_t)(put_head(out, MQTT_DISCONNECT, 0) - out);
}

static frame_layout_t mqtt_message(char *out, destination_t to, size_t text_size)
{
    char *at = put_head(out, MQTT_PUBLISH, 2 + strlen(to.name) + text_size);
    size_t text_at = (size_t)(put_text(at, to.name) - out);
    return (frame_layout_t){.size = text_at + text_size, .text_at = text_at, .name_at = text_at - PROTOCOL_DIGITS_SIZE};
}

/* A message is handed on as it came. */
static frame_layout_t mqtt_arrival(char *out, const char *from, destination_t to, size_t text_size)
{
    (void)from;
    frame_layout_t layout = mqtt_message(out, to, text_size);
    layout.name_at = PROTOCOL_NOWHERE;
    return layout;
}

/* Reads the head of a packet. Returns its size, 0 if it is not all there. */
static size_t take_head(span_t input, size_t *body_size)
{
    *body_size = 0;
    for (size_t at = 1; at < input.size && at <= 4; at++) {
        unsigned byte = (unsigned char)input.data[at];
        *body_size |= (size_t)(byte & 127) << 7 * (at - 1);
        if (byte < 128)
            return at + 1;
    }
    return 0;
}

static event_t publish_decode(span_t body, size_t size)
{
    size_t topic_size = body.size < 2 ? 0 : (size_t)(unsigned char)body.data[0] << 8 | (unsigned char)body.data[1];
    if (body.size < 2 + topic_size)
        return (event_t){.size = size, .kind = EVENT_ERROR, .text = span_str("a PUBLISH without its topic")};
    return (event_t){
        .size = size, .kind = EVENT_MESSAGE, .text = span_of(body.data + 2 + topic_size, body.size - 2 - topic_size)};
}

/* The last byte of a CONNACK or a SUBACK is 0 when it says yes. */
static event_t answer_decode(span_t body, size_t size, const char *refusal)
{
    if (body.size > 0 && body.data[body.size - 1] == 0)
        return (event_t){.size = size, .kind = EVENT_CONFIRMED};
    return (event_t){.size = size, .kind = EVENT_ERROR, .text = span_str(refusal)};
}

static event_t mqtt_decode(span_t input)
{
    size_t body_size;
    size_t head_size = take_head(input, &body_size);
    size_t size = head_size + body_size;
    if (head_size == 0 || input.size < size)
        return (event_t){0};
    span_t body = span_of(input.data + head_size, body_size);
    switch ((unsigned char)input.data[0]) {
    case MQTT_PUBLISH:
        return publish_decode(body, size);
    case MQTT_CONNACK:
        return answer_decode(body, size, "the CONNECT was refused");
    case MQTT_SUBACK:
        return answer_decode(body, size, "the SUBSCRIBE was refused");
    case MQTT_PINGRESP:
        return (event_t){.size = size};
    default:
        return (event_t){.size = size, .kind = EVENT_ERROR, .text = span_str("a packet that nobody asked for")};
    }
}

const protocol_t protocol_mqtt = {
    .name = "mqtt",
    .address = "tcp://127.0.0.1:1883",
    .text_max = 60000,
    .login = mqtt_login,
    .subscribe = mqtt_subscribe,
    .leave = mqtt_leave,
    .message = mqtt_message,
    .arrival = mqtt_arrival,
    .decode = mqtt_decode,
};
