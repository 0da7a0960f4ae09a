/* SPDX-License-Identifier: MPL-2.0 */
/* handover: memory that goes from one thread to another inside a ZeroMQ message, and how an actor ends. ZeroMQ orders
 * the two threads; ThreadSanitizer, which does not see into Debian's libzmq, is told so here and nowhere else. In any
 * other build these functions are the plain calls. Any thread. */
#ifndef FERRY_BASE_HANDOVER_H
#define FERRY_BASE_HANDOVER_H

#include <stdbool.h>
#include <string.h>
#include <zmq.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define FERRY_TSAN 1
#endif
#endif

#ifdef FERRY_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#endif

/* The memory at that address is another thread's from now on. */
static inline void handover_release(void *address)
{
#ifdef FERRY_TSAN
    __tsan_release(address);
#else
    (void)address;
#endif
}

/* What another thread released is this one's. */
static inline void handover_acquire(void *address)
{
#ifdef FERRY_TSAN
    __tsan_acquire(address);
#else
    (void)address;
#endif
}

/* zmq_msg_send, zmq_msg_recv and zmq_msg_close for messages whose content is read or written in place. A function that
 * zmq_msg_init_data was given begins with handover_acquire of its data. */
static inline int handover_send(zmq_msg_t *message, void *socket, int flags)
{
    handover_release(zmq_msg_data(message));
    return zmq_msg_send(message, socket, flags);
}

static inline int handover_receive(zmq_msg_t *message, void *socket, int flags)
{
    int rc = zmq_msg_recv(message, socket, flags);
    if (rc >= 0)
        handover_acquire(zmq_msg_data(message));
    return rc;
}

static inline void handover_close(zmq_msg_t *message)
{
    handover_release(zmq_msg_data(message));
    zmq_msg_close(message);
}

/* zmq_send: sends a copy of those bytes. Returns 0, or -1 and errno. */
static inline int handover_send_bytes(void *socket, const void *data, size_t size, int flags)
{
    zmq_msg_t message;
    if (zmq_msg_init_size(&message, size) != 0)
        return -1;
    memcpy(zmq_msg_data(&message), data, size);
    if (handover_send(&message, socket, flags) >= 0)
        return 0;
    handover_close(&message);
    return -1;
}

/* Receives a message of just that size. Returns 0, or -1 if there is none, or it is another. */
static inline int handover_receive_bytes(void *socket, void *data, size_t size, int flags)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    bool fits = handover_receive(&message, socket, flags) == (int)size;
    if (fits)
        memcpy(data, zmq_msg_data(&message), size);
    handover_close(&message);
    return fits ? 0 : -1;
}

#endif
