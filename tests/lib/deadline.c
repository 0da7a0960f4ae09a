/* SPDX-License-Identifier: MPL-2.0 */
/* deadline: milliseconds on the monotonic clock, stretched by one factor for slow builds. Nothing can fail; a factor
 * that is no positive number counts as 1. */
#include "lib/deadline.h"

#include <stdlib.h>
#include <time.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOW_BUILD 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW_BUILD 1
#endif
#ifndef SLOW_BUILD
#define SLOW_BUILD 0
#endif

unsigned deadline_patience(void)
{
    const char *text = getenv("FERRY_TEST_PATIENCE");
    if (!text)
        return SLOW_BUILD ? 4 : 1;
    long factor = strtol(text, NULL, 10);
    return factor > 0 ? (unsigned)factor : 1;
}

int64_t deadline_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

deadline_t deadline_in(unsigned timeout_ms)
{
    return (deadline_t){deadline_now_ms() + (int64_t)timeout_ms * deadline_patience()};
}

int deadline_left_ms(deadline_t self)
{
    int64_t left = self.at_ms - deadline_now_ms();
    return left > 0 ? (int)left : 0;
}

bool deadline_passed(deadline_t self)
{
    return deadline_left_ms(self) == 0;
}
