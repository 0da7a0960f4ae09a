/* SPDX-License-Identifier: MPL-2.0 */
/* config_errors: one line a mistake, in the form that editors and people know from compilers. A stream that takes
 * nothing is not noticed; the count is what decides. One thread. */
#include "base/config_errors.h"

#include <stdarg.h>

void config_errors_add(config_errors_t *self, const char *place, const char *key, const char *format, ...)
{
    self->count++;
    fprintf(self->stream, "%s: ", place);
    if (key)
        fprintf(self->stream, "%s: ", key);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(self->stream, format, arguments);
    va_end(arguments);
    fputc('\n', self->stream);
}
