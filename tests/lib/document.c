/* SPDX-License-Identifier: MPL-2.0 */
/* document: reads files below FERRY_SOURCE whole. The test's thread. */
#include "lib/document.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"

char *document_read(const char *path, size_t *size)
{
    char full[4096];
    const char *source = getenv("FERRY_SOURCE");
    snprintf(full, sizeof full, "%s/%s", source ? source : ".", path);
    FILE *file = fopen(full, "r");
    if (!file)
        fail_msg("cannot open %s", full);
    char *text = NULL;
    size_t capacity = 0;
    ssize_t length = getdelim(&text, &capacity, '\0', file);
    if (length < 0 || !feof(file))
        fail_msg("%s is empty or holds a NUL", full);
    fclose(file);
    if (size)
        *size = (size_t)length;
    return text;
}

char *document_table(const char *path, const char *heading)
{
    size_t size;
    char *text = document_read(path, &size);
    char *table = malloc(size + 2);
    assert_non_null(table);
    char *end = table;
    bool inside = false;
    bool found = false;
    char *rest = NULL;
    for (const char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] == '#')
            inside = strcmp(line, heading) == 0;
        found = found || inside;
        if (inside && line[0] == '|')
            end = stpcpy(stpcpy(end, line), "\n");
    }
    *end = '\0';
    free(text);
    if (!found)
        fail_msg("%s has no section \"%s\"", path, heading);
    return table;
}
