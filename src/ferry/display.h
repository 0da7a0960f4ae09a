/* SPDX-License-Identifier: MPL-2.0 */
/* display: text of others, written so that a terminal shows it and never obeys it. What is no terminal gets the bytes
 * as they are. */
#ifndef FERRY_FERRY_DISPLAY_H
#define FERRY_FERRY_DISPLAY_H

#include <stdbool.h>
#include <stdio.h>

#include "base/span.h"

typedef struct {
    FILE *out; /* borrowed */
    bool
        terminal; /* characters that would steer a terminal are written as <U+009B>, bytes that are not UTF-8 as <FF> */
    bool colour;  /* a terminal, TERM is not "dumb", and NO_COLOR is unset or empty */
} display_t;

void display_init(display_t *self, FILE *out);

/* Writes one line that a gateway sent, without its "\n", and ends it. On a terminal it is coloured by its kind, and an
 * error's code is explained. Failures stay in ferror (self->out). */
void display_line(display_t *self, span_t line);

/* The same without colour or explanation. */
void display_text(display_t *self, span_t line);

/* Writes one line to stderr, as printf would; what it quotes may come from anywhere. */
__attribute__((format(printf, 1, 2))) void display_complain(const char *format, ...);

#endif
