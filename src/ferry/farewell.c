/* SPDX-License-Identifier: MPL-2.0 */
/* farewell: reads a file line by line and keeps the last that is a ledger. What fails is the file, or one without such
 * a line. */
#include "ferry/farewell.h"

#include <czmq.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ferry/display.h"
#include "ferry/line_source.h"

#define HEAD   "ledger {"
#define BEFORE "{\"role\":\"ended\",\"ledger\":"

/* The text with the ledger of this line, or NULL if it has none. */
static char *line_ledger(span_t line)
{
    size_t head = strlen(HEAD) - 1;
    if (line.size < strlen(HEAD) || memcmp(line.data, HEAD, strlen(HEAD)) != 0)
        return NULL;
    size_t size = strlen(BEFORE) + line.size - head + sizeof "}";
    char *text = zmalloc(size);
    snprintf(text, size, BEFORE "%.*s}", (int)(line.size - head), line.data + head);
    return text;
}

/* Returns the last ledger, or NULL with the negative result that ended the reading; that is 0 at the end. */
static char *read_ledger(int fd, int *result)
{
    line_source_t *source = line_source_new(fd);
    char *last = NULL;
    span_t line;
    do {
        *result = line_source_read(source);
        while (line_source_next(source, &line)) {
            char *text = line_ledger(line);
            if (!text)
                continue;
            free(last);
            last = text;
        }
    } while (*result > 0 || *result == -EAGAIN);
    line_source_destroy(&source);
    return last;
}

char *farewell_read(const char *path)
{
    int result = 0;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        result = -errno;
    else
        text = read_ledger(fd, &result);
    if (fd >= 0)
        close(fd);
    if (result < 0)
        display_complain("ferry: cannot read %s: %s", path, line_source_why(result));
    else if (!text)
        display_complain("ferry: %s holds no ledger, which is a line that `ferry drain` prints", path);
    if (result < 0) {
        free(text);
        text = NULL;
    }
    return text;
}
