/* SPDX-License-Identifier: MPL-2.0 */
/* name: refuses what would make another line, or a line of another kind, of what the user meant. */
#include "ferry/name.h"

#include <string.h>

#include "ferry/display.h"
#include "wire/line.h"

enum { NAME_SIZE_MAX = 255 };

int name_check(const char *who, const char *name)
{
    if (!line_check_name(span_str(name), NAME_SIZE_MAX))
        return 0;
    display_complain(
        "%s: \"%s\" is no name: it is at most %d bytes of UTF-8 without white space, commas and colons, and "
        "does not start with /, # or @",
        who, name, NAME_SIZE_MAX);
    return -1;
}

int name_check_recipients(const char *who, const char *recipients)
{
    if (*recipients && *recipients != '/' && !strchr(recipients, ':') && !line_check_text(span_str(recipients)))
        return 0;
    display_complain("%s: \"%s\" are no recipients: names, separated by commas", who, recipients);
    return -1;
}
