/* SPDX-License-Identifier: MPL-2.0 */
/* book: a ledger as the test reads it, of one process or of several added up. Pure values but for the reading; the
 * test's thread. */
#ifndef FERRY_CHAOS_BOOK_H
#define FERRY_CHAOS_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/server.h"

/* Copies, as in base/ledger.h; the reasons are added up. */
typedef struct {
    int64_t accepted;
    int64_t taken_over;
    int64_t made;
    int64_t delivered;
    int64_t handed_over;
    int64_t shared;
    int64_t refused;
    int64_t returned;
    int64_t unconfirmed;
    int64_t pending;
    unsigned faulty; /* processes whose own balance is not zero */
} book_t;

/* Reads the ledger of a server that runs from its /status, or of one that has drained from its log. */
book_t book_read(server_t *server);
book_t book_read_log(server_t *server);

void book_add(book_t *self, const book_t *other);

/* True if what was handed over was taken over, and all that was accepted or made for members of groups has ended. */
bool book_is_closed(const book_t *self);

/* Writes the book as one line of text, cut to `size` with its NUL. */
void book_describe(const book_t *self, char *text, size_t size);

#endif
