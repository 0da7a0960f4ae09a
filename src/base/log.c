/* SPDX-License-Identifier: MPL-2.0 */
/* log: a line is put together on the caller's stack and handed to stderr in one write, which the kernel keeps whole on
 * pipes, sockets and files opened for appending. A line that stderr does not take is lost: it is asked first, lest a
 * reader that hangs (a stopped terminal, a full pipe) stop the threads that log. The lock keeps the answer true until
 * the write. What is written is set once, before the first thread starts. Any thread. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/log_line.h"

/* What a stderr that takes nothing is given; once a line was lost, none waits until it takes one again. */
#define LOG_PATIENCE_MS 100

static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t lost_lines; /* under the lock */
static log_level_t least_level = LOG_LEVEL_INFO;
static log_format_t line_format = LOG_FORMAT_LOGFMT;

void log_setup(log_level_t least, log_format_t format)
{
    least_level = least;
    line_format = format;
}

bool log_enabled(log_level_t level)
{
    return level >= least_level;
}

static span_t log_line(log_line_t *line, log_level_t level, const char *event, const log_field_t *fields)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    log_line_start(line, line_format, &now, level, event);
    for (; fields->kind != LOG_FIELD_END; fields++)
        log_line_field(line, fields);
    return log_line_end(line);
}

/* Whether a line would be taken at once. A stderr that is closed or broken says yes, and refuses the write. */
static bool stderr_takes(void)
{
    struct pollfd item = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&item, 1, lost_lines ? 0 : LOG_PATIENCE_MS) > 0;
}

static void stderr_write(span_t bytes)
{
    while (write(STDERR_FILENO, bytes.data, bytes.size) < 0 && errno == EINTR)
        ;
}

/* Says how many lines were lost, once stderr takes lines again. */
static void stderr_tell_lost(void)
{
    if (!lost_lines || !stderr_takes())
        return;
    log_line_t line;
    log_field_t fields[] = {log_uint("lines", lost_lines), {.kind = LOG_FIELD_END}};
    stderr_write(log_line(&line, LOG_LEVEL_WARNING, "log-lost", fields));
    lost_lines = 0;
}

void log_write(log_level_t level, const char *event, const log_field_t *fields)
{
    int saved = errno;
    log_line_t line;
    span_t bytes = log_line(&line, level, event, fields);
    pthread_mutex_lock(&stderr_lock);
    stderr_tell_lost();
    if (stderr_takes())
        stderr_write(bytes);
    else
        lost_lines++;
    pthread_mutex_unlock(&stderr_lock);
    errno = saved;
}
