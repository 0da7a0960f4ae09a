/* SPDX-License-Identifier: MPL-2.0 */
/* transcript: a conversation as proto/transcripts/README.md describes it, taken apart into its steps. Pure; any
 * thread. */
#ifndef FERRY_TESTS_TRANSCRIPT_H
#define FERRY_TESTS_TRANSCRIPT_H

#include <stddef.h>

#define TRANSCRIPT_CLIENT_SIZE 32 /* with its NUL */

typedef enum {
    TRANSCRIPT_OPTION,      /* with KEY=VALUE */
    TRANSCRIPT_WRITE,       /* alice> text */
    TRANSCRIPT_LOGIN,       /* alice+ */
    TRANSCRIPT_READ,        /* alice< text */
    TRANSCRIPT_END_INPUT,   /* alice| */
    TRANSCRIPT_END_OF_FILE, /* alice# */
    TRANSCRIPT_CLOSE,       /* alice! */
    TRANSCRIPT_DRAIN,       /* drain */
} transcript_kind_t;

typedef struct {
    transcript_kind_t kind;
    unsigned line;                       /* of the file, from 1 */
    char client[TRANSCRIPT_CLIENT_SIZE]; /* "" where the step is no client's */
    char *text;  /* OPTION: "KEY=VALUE"; WRITE: the bytes, with the end of line; READ: the line; with a NUL behind it */
    size_t size; /* of the text without that NUL; one that is written may hold others */
} transcript_step_t;

typedef struct transcript transcript_t;

/* Takes `text` apart. Returns NULL if a line is no step; *line is its number then, and *why a sentence (static). The
 * caller owns the result. */
transcript_t *transcript_parse(const char *text, unsigned *line, const char **why);

void transcript_destroy(transcript_t **self_p);

/* Step number `index`, NULL past the last. The transcript's. */
const transcript_step_t *transcript_step(const transcript_t *self, size_t index);

#endif
