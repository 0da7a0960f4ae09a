# SPDX-License-Identifier: MPL-2.0
# functions: turns ferry.h, where everything stands below its comment, into what libferry(3) says about it. With
# part=introduction the comment of the file, with part=constants the enumerations, with part=functions the functions,
# and with part=names their names alone, a line each.

# The comment as troff wants it, an empty line being a paragraph, indented lines an example, and what stands in
# backquotes in bold.
function formatted(text,    lines, count, i, out, example)
{
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    while (match(text, /`[^`]*`/))
        text = substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 2) "\\fP" \
            substr(text, RSTART + RLENGTH)
    count = split(text, lines, "\n")
    for (i = 1; i <= count; i++) {
        if (lines[i] ~ /^    / && !example++)
            out = out ".nf\n.RS\n"
        else if (lines[i] !~ /^    / && example) {
            out = out ".RE\n.fi\n"
            example = 0
        }
        if (lines[i] == "")
            out = out (i < count ? paragraph "\n" : "")
        else
            out = out (lines[i] ~ /^[.']/ ? "\\&" : "") lines[i] "\n"
    }
    return out (example ? ".RE\n.fi\n" : "")
}

# A declaration in bold, on one line, without what only the compiler reads.
function declared(text)
{
    gsub(/FERRY_EXPORT /, "", text)
    gsub(/[ \n]+/, " ", text)
    return ".B " formatted(text)
}

# Ends a comment: the first of the file, behind its licence, introduces it.
function end_comment()
{
    in_comment = 0
    sub(/\n*$/, "", comment)
    if (!introduced++ && part == "introduction") {
        paragraph = ".PP"
        sub(/^ferry: /, "", comment)
        printf "%s", formatted(comment)
    }
    heads = ""
}

function end_declaration()
{
    paragraph = ".IP"
    if (part == "functions") {
        if (heads && last_comment == comment)
            pending = pending ".TQ\n" declared(declaration)
        else {
            flush()
            pending = ".TP\n" declared(declaration)
        }
        last_comment = comment
        heads = 1
    }
    if (part == "names" && match(declaration, /ferry_[a-z_]+\(/))
        print substr(declaration, RSTART, RLENGTH - 1)
    declaration = ""
}

function flush()
{
    if (pending)
        printf "%s%s", pending, formatted(last_comment)
    pending = ""
}

/SPDX/ { next }

/^\/\* / {
    comment = ""
    in_comment = 1
    sub(/^\/\* /, "")
}

in_comment {
    closes = sub(/ ?\*\/$/, "")
    sub(/^ \* ?/, "")
    comment = comment $0 "\n"
    if (closes)
        end_comment()
    next
}

/^enum/ {
    in_enum = 1
    if (part == "constants")
        printf ".PP\n%s", formatted(comment)
    next
}

in_enum && /^ / && part == "constants" {
    match($0, /[A-Z_]+/)
    name = substr($0, RSTART, RLENGTH)
    sub(/^.*\/\* /, "")
    sub(/ \*\/$/, "")
    printf ".TP\n.B %s\n%s", name, formatted($0)
}

/^}/ { in_enum = 0 }

/^FERRY_EXPORT / { in_declaration = 1 }

in_declaration {
    declaration = declaration " " $0
    if (/;$/) {
        in_declaration = 0
        sub(/^ /, "", declaration)
        end_declaration()
    }
}

END { flush() }
