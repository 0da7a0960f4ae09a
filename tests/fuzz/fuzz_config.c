/* SPDX-License-Identifier: MPL-2.0 */
/* fuzz_config: any bytes as a configuration file. What the scan lets through is ZPL for zconfig too; what is taken is
 * printed, taken again, and printed the same. The file lies in memory and is opened by its descriptor's path. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fd = -1;
static char file[64];
static char not_zpl[96]; /* what would be told if zconfig refused what the scan let through */

static void open_once(void)
{
    if (fd >= 0)
        return;
    fd = memfd_create("ferryd.cfg", MFD_CLOEXEC);
    if (fd < 0)
        abort();
    snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
    snprintf(not_zpl, sizeof not_zpl, "%s: the file is not ZPL\n", file);
}

static config_t *load(const void *data, size_t size)
{
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    char *told;
    size_t told_size;
    FILE *errors = open_memstream(&told, &told_size);
    config_t *config = config_new(file, NULL, 0, errors);
    fclose(errors);
    if (strstr(told, not_zpl) || (config == NULL) != (told_size > 0))
        abort();
    free(told);
    return config;
}

/* The caller frees it. */
static char *printed(const config_t *config)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    config_print(config, stream);
    fclose(stream);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_once();
    config_t *config = load(data, size);
    if (!config)
        return 0;
    char *first = printed(config);
    config_destroy(&config);
    config = load(first, strlen(first));
    if (!config)
        abort();
    char *second = printed(config);
    if (strcmp(first, second) != 0)
        abort();
    config_destroy(&config);
    free(first);
    free(second);
    return 0;
}
