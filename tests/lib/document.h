/* SPDX-License-Identifier: MPL-2.0 */
/* document: the specification as a test reads it, so that text and code cannot part. Fails the running cmocka test when
 * a file or a section is missing. The test's thread. */
#ifndef FERRY_TESTS_DOCUMENT_H
#define FERRY_TESTS_DOCUMENT_H

#include <stddef.h>

/* The whole text of a file of the source tree ("proto/line.md"), with a NUL behind it; its size without that goes to
 * *size unless that is NULL. The caller frees it. */
char *document_read(const char *path, size_t *size);

/* The lines that begin with '|' below the heading line `heading` ("## 7. Errors") and above the next heading, each with
 * its end. The caller frees it. */
char *document_table(const char *path, const char *heading);

#endif
