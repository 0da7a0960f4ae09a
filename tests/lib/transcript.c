/* SPDX-License-Identifier: MPL-2.0 */
/* transcript: each line is a comment, an option, or a client with a sign and a text. A text is expanded where it is
 * read, so that a step holds the very bytes. What is no step is refused with its line. Any thread. */
#include "lib/transcript.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE_MAX (16u << 20)

struct transcript {
    size_t count;
    transcript_step_t *steps;
};

/* A text that is being expanded. */
typedef struct {
    const char *at;  /* what comes next */
    const char *why; /* the first mistake, or NULL */
    bool open;       /* a backslash was the last byte */
} expansion_t;

static void expand(expansion_t *self, FILE *out, bool nested);

static void expand_byte(expansion_t *self, FILE *out)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *high = self->at[0] ? strchr(digits, self->at[0]) : NULL;
    const char *low = high && self->at[1] ? strchr(digits, self->at[1]) : NULL;
    if (!low) {
        self->why = "\\x wants two hexadecimal digits in upper case";
        return;
    }
    fputc((int)((high - digits) * 16 + (low - digits)), out);
    self->at += 2;
}

static void expand_repeated(expansion_t *self, FILE *out)
{
    char *end;
    unsigned long count = strtoul(self->at, &end, 10);
    if (end == self->at || *end != '(') {
        self->why = "\\* wants a number and a text in brackets";
        return;
    }
    self->at = end + 1;
    char *text = NULL;
    size_t size = 0;
    FILE *inner = open_memstream(&text, &size);
    expand(self, inner, true);
    fclose(inner);
    if (count > TEXT_SIZE_MAX || count * size > TEXT_SIZE_MAX)
        self->why = "the text is too long";
    for (unsigned long i = 0; i < count && !self->why; i++)
        fwrite(text, 1, size, out);
    free(text);
}

static void expand_escape(expansion_t *self, FILE *out)
{
    static const char letters[] = "\\nrt";
    static const char bytes[] = "\\\n\r\t";
    char escape = *self->at;
    if (!escape) {
        self->open = true;
        return;
    }
    self->at++;
    const char *letter = strchr(letters, escape);
    if (letter)
        fputc(bytes[letter - letters], out);
    else if (escape == 'x')
        expand_byte(self, out);
    else if (escape == '*')
        expand_repeated(self, out);
    else
        self->why = "a backslash stands before none of \\ n r t x *";
}

static void expand(expansion_t *self, FILE *out, bool nested)
{
    while (!self->why && *self->at) {
        char byte = *self->at++;
        if (nested && byte == ')')
            return;
        if (byte == '\\')
            expand_escape(self, out);
        else
            fputc(byte, out);
    }
    if (nested && !self->why)
        self->why = "the bracket of \\* is not closed";
}

/* Reads the text of a step into it. Returns NULL or the mistake. */
static const char *read_text(transcript_step_t *step, const char *text)
{
    if (*text == ' ')
        text++;
    else if (*text)
        return "a space is missing before the text";
    expansion_t expansion = {.at = text};
    FILE *out = open_memstream(&step->text, &step->size);
    expand(&expansion, out, false);
    if (step->kind == TRANSCRIPT_WRITE && !expansion.open)
        fputc('\n', out);
    fclose(out);
    if (step->kind == TRANSCRIPT_READ && expansion.open)
        return "a line that is read has its end";
    return expansion.why;
}

/* Reads a step of a client: its label, a sign, and a text where the sign wants one. */
static const char *read_client_step(transcript_step_t *step, const char *line)
{
    static const char signs[] = "><+|#!";
    static const transcript_kind_t kinds[] = {TRANSCRIPT_WRITE, TRANSCRIPT_READ, TRANSCRIPT_LOGIN, TRANSCRIPT_END_INPUT,
        TRANSCRIPT_END_OF_FILE, TRANSCRIPT_CLOSE};
    size_t size = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789");
    const char *sign = line[size] ? strchr(signs, line[size]) : NULL;
    if (size == 0 || size >= TRANSCRIPT_CLIENT_SIZE || !sign)
        return "the line is no step";
    memcpy(step->client, line, size);
    step->kind = kinds[sign - signs];
    line += size + 1;
    if (step->kind == TRANSCRIPT_WRITE || step->kind == TRANSCRIPT_READ)
        return read_text(step, line);
    return *line ? "nothing may stand behind that sign" : NULL;
}

static const char *read_step(transcript_step_t *step, const char *line)
{
    if (strncmp(line, "with ", 5) == 0) {
        step->kind = TRANSCRIPT_OPTION;
        step->text = strdup(line + 5);
        step->size = strlen(line + 5);
        return strchr(line, '=') ? NULL : "an option is KEY=VALUE";
    }
    if (strcmp(line, "drain") == 0) {
        step->kind = TRANSCRIPT_DRAIN;
        return NULL;
    }
    return read_client_step(step, line);
}

static const char *add_step(transcript_t *self, const char *line, unsigned number)
{
    self->steps = realloc(self->steps, (self->count + 1) * sizeof *self->steps);
    if (!self->steps)
        abort();
    transcript_step_t *step = &self->steps[self->count++];
    *step = (transcript_step_t){.line = number};
    const char *why = read_step(step, line);
    if (!why && step->kind == TRANSCRIPT_OPTION && step > self->steps && step[-1].kind != TRANSCRIPT_OPTION)
        why = "options stand before all other steps";
    return why;
}

transcript_t *transcript_parse(const char *text, unsigned *line, const char **why)
{
    transcript_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    *why = NULL;
    *line = 0;
    while (*text && !*why) {
        size_t size = strcspn(text, "\n");
        char *copy = strndup(text, size);
        ++*line;
        if (size > 0 && copy[0] != '#')
            *why = add_step(self, copy, *line);
        free(copy);
        text += size + (text[size] == '\n');
    }
    if (*why)
        transcript_destroy(&self);
    return self;
}

void transcript_destroy(transcript_t **self_p)
{
    transcript_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->steps[i].text);
    free(self->steps);
    free(self);
    *self_p = NULL;
}

const transcript_step_t *transcript_step(const transcript_t *self, size_t index)
{
    return index < self->count ? &self->steps[index] : NULL;
}
