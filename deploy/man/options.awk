# SPDX-License-Identifier: MPL-2.0
# options: turns ferryd.cfg, where every option stands with its default below its comment, into the part of
# ferryd.cfg(5) that lists the options.

# The comment as troff wants it, with what stands in backquotes in bold.
function formatted(text)
{
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/\n[.']/, "\n\\\\\\&&", text)
    while (match(text, /`[^`]*`/)) {
        behind = substr(text, RSTART + RLENGTH)
        text = substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 2) "\\fP" behind
    }
    return text
}

function flush()
{
    if (keys)
        printf "%s%s", keys, formatted(comment)
    # A comment without keys introduces the section behind it, if there is one.
    introduction = keys ? "" : comment
    keys = comment = ""
}

/^ *#/ {
    sub(/^ *# ?/, "")
    comment = comment $0 "\n"
}

/^[a-z]+$/ {
    section = $0
    printf ".SS %s\n%s", section, formatted(introduction)
}

/^ +[a-z_]+ *=/ {
    sub(/^ +/, "")
    keys = keys (keys ? ".TQ\n" : ".TP\n") ".B " formatted(section "/" $0) "\n"
}

/^$/ { flush() }
END { flush() }
