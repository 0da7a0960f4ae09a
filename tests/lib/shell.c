/* SPDX-License-Identifier: MPL-2.0 */
/* shell: formats the command line and leaves the rest to process. */
#include "lib/shell.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/test.h"

#define RUN_MS 60000

static process_t *start(const char *format, va_list arguments)
{
    char *line = NULL;
    int size = vasprintf(&line, format, arguments);
    assert(size >= 0);
    process_t *process = process_run("sh", "-euc", line, NULL);
    free(line);
    return process;
}

static char *read_to_end(process_t *process)
{
    int code = process_wait_exit(process, RUN_MS);
    char *output = process_output(process);
    if (code != 0) {
        char *errors = process_errors(process);
        fail_msg("the command ended with %d: %s%s", code, output, errors);
    }
    process_destroy(&process);
    return output;
}

process_t *shell_start(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    process_t *process = start(format, arguments);
    va_end(arguments);
    return process;
}

char *shell_read(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *output = read_to_end(start(format, arguments));
    va_end(arguments);
    return output;
}

void shell_run(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    free(read_to_end(start(format, arguments)));
    va_end(arguments);
}
