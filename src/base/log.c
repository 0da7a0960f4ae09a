/* SPDX-License-Identifier: MPL-2.0 */
/* log: a line is put together on the caller's stack and handed to stderr in one write, which the kernel keeps whole on
 * pipes, sockets and files opened for appending; so threads need no lock. A line that stderr does not take is lost.
 * What is written is set once, before the first thread starts. Any thread. */
#include "base/log.h"

#include <errno.h>
#include <unistd.h>

#include "base/log_line.h"

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

void log_write(log_level_t level, const char *event, const log_field_t *fields)
{
    int saved = errno;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    log_line_t line;
    log_line_start(&line, line_format, &now, level, event);
    for (; fields->kind != LOG_FIELD_END; fields++)
        log_line_field(&line, fields);
    span_t bytes = log_line_end(&line);
    while (write(STDERR_FILENO, bytes.data, bytes.size) < 0 && errno == EINTR)
        ;
    errno = saved;
}
