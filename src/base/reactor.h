/* SPDX-License-Identifier: MPL-2.0 */
/* reactor: a libuv loop that also serves ZeroMQ sockets, with one place in each turn where what the turn produced is
 * flushed. Each actor with an event loop has one; everything here is that actor's thread's.
 *
 * A turn: timers, on_turn, [sleep and poll descriptors], read ZeroMQ sockets, close callbacks. ZMQ_FD is edge-triggered
 * and tells of commands, not of messages, so a watch asks ZMQ_EVENTS after its descriptor woke the loop and after every
 * use of the socket (watch_touch); while messages are left over the loop does not sleep. */
#ifndef FERRY_BASE_REACTOR_H
#define FERRY_BASE_REACTOR_H

#include <stdbool.h>
#include <uv.h>

typedef struct reactor reactor_t;
typedef struct watch watch_t;

/* on_turn is called at the end of each turn, before the loop may sleep: write, send and acknowledge there. */
reactor_t *reactor_new(void (*on_turn)(void *arg), void *arg);

/* Every watch must have been destroyed and every libuv handle been closed (uv_close): runs their close callbacks, and
 * asserts that the loop is empty then. */
void reactor_destroy(reactor_t **self_p);

/* For libuv handles; borrowed. */
uv_loop_t *reactor_loop(reactor_t *self);

/* The loop's clock in ms, read once a turn. */
uint64_t reactor_now_ms(const reactor_t *self);

/* Runs turns until reactor_stop is called from within the loop. */
void reactor_run(reactor_t *self);
void reactor_stop(reactor_t *self);

/* Makes the coming turn not sleep; for work that was put off. */
void reactor_wake(reactor_t *self);

/* Watches a ZeroMQ socket (libzmq's void *, borrowed until watch_destroy). on_events is called at most once a turn,
 * with those of ZMQ_POLLIN and ZMQ_POLLOUT that hold, wanted or not: while one of the wanted holds, and when
 * ZMQ_POLLOUT has changed (a DEALER that loses its connection loses it). It reads a bounded number of messages with
 * ZMQ_DONTWAIT and is called again in the next turn if there are more. on_events may destroy its own watch. */
watch_t *watch_new(
    reactor_t *reactor, void *socket, short wanted, void (*on_events)(void *arg, short events), void *arg);
void watch_destroy(watch_t **self_p);

/* Changes what is wanted. */
void watch_want(watch_t *self, short wanted);

/* on_events reads with ZMQ_DONTWAIT until there is nothing, and need not be told that there is something: from now on
 * ZMQ_POLLIN may come when there is nothing, and ZMQ_POLLOUT as it was when it was asked last. That saves a call of
 * ZeroMQ, which is two of the kernel, each time that the descriptor wakes the loop. */
void watch_hasten(watch_t *self);

/* Must be called after the socket was sent to (or read outside on_events), since that may have used up its edge. */
void watch_touch(watch_t *self);

#endif
