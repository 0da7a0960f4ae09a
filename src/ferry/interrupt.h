/* SPDX-License-Identifier: MPL-2.0 */
/* interrupt: signals that a command takes between other events, through a descriptor. */
#ifndef FERRY_FERRY_INTERRUPT_H
#define FERRY_FERRY_INTERRUPT_H

/* Blocks `count` signals and returns a descriptor that can be read when one has come; the caller closes it. Aborts when
 * there is none to be had. */
int interrupt_open(const int *signals, int count);

/* Takes one signal; 0 if none is there. Does not block. */
int interrupt_take(int fd);

#endif
