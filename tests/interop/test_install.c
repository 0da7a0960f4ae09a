/* SPDX-License-Identifier: MPL-2.0 */
/* install: what `cmake --install` lays out, looked at in a staged tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/folder.h"
#include "lib/shell.h"
#include "lib/test.h"

/* Every file of an installation, and whether it is a program. */
static const struct {
    const char *path;
    bool program;
} files[] = {
    {"usr/sbin/ferryd", true},
    {"usr/bin/ferry", true},
    {"etc/ferrymq/ferryd.cfg", false},
    {"usr/lib/systemd/system/ferrymq-broker.service", false},
    {"usr/lib/systemd/system/ferrymq-gateway@.service", false},
    {"usr/lib/systemd/system/ferrymq-gateway@.socket", false},
    {"usr/lib/systemd/system/ferrymq-.service.d/common.conf", false},
    {"usr/share/man/man1/ferry.1", false},
    {"usr/share/man/man5/ferryd.cfg.5", false},
    {"usr/share/man/man8/ferryd.8", false},
    {"usr/share/doc/ferrymq/LICENSE", false},
    {"usr/share/doc/ferrymq/README.md", false},
    {"usr/share/doc/ferrymq/examples/haproxy.cfg", false},
};

/* Installs this build into a new folder and returns that. */
static const char *stage(void)
{
    const char *root = folder_new();
    shell_run("DESTDIR='%s' cmake --install \"$FERRY_BIN/..\" >/dev/null", root);
    return root;
}

static void every_file_is_installed_where_debian_expects_it(void **state)
{
    (void)state;
    const char *root = stage();
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", root, files[i].path);
        if (access(path, files[i].program ? X_OK : R_OK) != 0)
            fail_msg("%s is not installed", files[i].path);
    }
}

static void the_installed_programs_tell_their_version(void **state)
{
    (void)state;
    const char *root = stage();
    char *versions = shell_read("'%s/usr/sbin/ferryd' --version; '%s/usr/bin/ferry' --version", root, root);
    assert_non_null(strstr(versions, "ferryd " FERRY_VERSION "\n"));
    assert_non_null(strstr(versions, "ferry " FERRY_VERSION "\n"));
    free(versions);
}

static void the_installed_configuration_is_valid(void **state)
{
    (void)state;
    const char *root = stage();
    shell_run("'%s/usr/sbin/ferryd' --check -c '%s/etc/ferrymq/ferryd.cfg'", root, root);
}

static void the_installed_manual_pages_are_read_without_a_warning(void **state)
{
    (void)state;
    char *warnings =
        shell_read("find '%s/usr/share/man' -type f -exec groff -man -Tutf8 -ww -z {} + 2>&1 || echo failed", stage());
    assert_string_equal(warnings, "");
    free(warnings);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(every_file_is_installed_where_debian_expects_it),
        TEST(the_installed_programs_tell_their_version),
        TEST(the_installed_configuration_is_valid),
        TEST(the_installed_manual_pages_are_read_without_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
