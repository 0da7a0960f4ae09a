/* SPDX-License-Identifier: MPL-2.0 */
/* folder: made empty, and removed with all that a test put into it, but not with what that points to. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/folder.h"
#include "lib/test.h"

#define PATH_SIZE 256

/* Writes FOLDER/NAME. */
static void name_entry(char path[PATH_SIZE], const char *folder, const char *name)
{
    assert_in_range(snprintf(path, PATH_SIZE, "%s/%s", folder, name), 1, PATH_SIZE - 1);
}

static void a_folder_goes_with_everything_in_it(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    char inner[PATH_SIZE];
    char folder[PATH_SIZE];
    snprintf(folder, sizeof(folder), "%s", folder_new());
    name_entry(path, folder, "inner");
    assert_int_equal(mkdir(path, 0700), 0);
    name_entry(inner, path, "file");
    close(open(inner, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(access(inner, F_OK), 0);
    folder_remove_all();
    assert_int_not_equal(access(folder, F_OK), 0);
}

static void what_a_link_points_to_stays(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    const char *kept = folder_new();
    char copy[PATH_SIZE];
    snprintf(copy, sizeof(copy), "%s", kept);
    name_entry(path, folder_new(), "link");
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(access(path, F_OK), 0);
    folder_remove_all();
    assert_int_equal(access("/dev/null", F_OK), 0);
    assert_int_not_equal(lstat(path, &(struct stat){0}), 0);
    assert_int_not_equal(access(copy, F_OK), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_folder_goes_with_everything_in_it),
        TEST(what_a_link_points_to_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
