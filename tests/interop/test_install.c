/* SPDX-License-Identifier: MPL-2.0 */
/* install: what `cmake --install` lays out, looked at in a staged tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/client.h"
#include "lib/folder.h"
#include "lib/server.h"
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
    {"usr/include/ferry.h", false},
    {"usr/share/man/man3/libferry.3", false},
    {"usr/share/man/man3/ferry_new.3", false},
    {"usr/share/man/man3/ferry_msg_reason.3", false},
    {"usr/share/doc/ferrymq/examples/echo.c", false},
    {"usr/share/doc/ferrymq/examples/deliver.c", false},
    {"usr/share/doc/ferrymq/LICENSE", false},
    {"usr/share/doc/ferrymq/README.md", false},
    {"usr/share/doc/ferrymq/examples/haproxy.cfg", false},
};

/* What lies in the folder of libraries, whose name is the architecture's. */
static const char *const libraries[] = {"libferry.so.0", "libferry.so", "libferry.a", "pkgconfig/ferry.pc"};

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

/* The folder of libraries of an installation, valid until the next call. */
static const char *find_libraries(const char *root)
{
    static char folder[512];
    char *path = shell_read("dirname \"$(find '%s/usr' -name libferry.so)\"", root);
    snprintf(folder, sizeof(folder), "%.*s", (int)strcspn(path, "\n"), path);
    free(path);
    return folder;
}

static void the_library_is_installed_with_what_is_needed_to_use_it(void **state)
{
    (void)state;
    const char *folder = find_libraries(stage());
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        char path[600];
        snprintf(path, sizeof(path), "%s/%s", folder, libraries[i]);
        if (access(path, R_OK) != 0)
            fail_msg("%s is not installed", path);
    }
}

/* Skips the test if the library was made for a sanitizer, which its user has not got. */
static void skip_instrumented(const char *folder)
{
    char *count = shell_read("nm -D '%s/libferry.so' | grep -c '__asan_init\\|__tsan_init' || true", folder);
    bool instrumented = atoi(count) > 0;
    free(count);
    if (instrumented)
        skip();
}

static void the_library_shows_only_what_its_header_declares(void **state)
{
    (void)state;
    const char *folder = find_libraries(stage());
    char *declared = shell_read("grep -v '^ ' include/ferry.h | grep -o 'ferry_[a-z_]*(' | tr -d '(' | sort -u");
    char *shared = shell_read("nm -D --defined-only '%s/libferry.so' | cut -d ' ' -f 3 | sort", folder);
    char *archived =
        shell_read("nm -g --defined-only '%s/libferry.a' | grep ' [A-Z] ' | cut -d ' ' -f 3 | sort", folder);
    assert_string_equal(shared, declared);
    assert_string_equal(archived, declared);
    free(declared);
    free(shared);
    free(archived);
}

/* Compiles an installed example as its user would, with what pkg-config says, and runs it. */
static void compile_and_run(const char *link_flags)
{
    const char *root = stage(), *folder = folder_new();
    const char *libraries_folder = find_libraries(root);
    skip_instrumented(libraries_folder);
    shell_run("export PKG_CONFIG_PATH='%s/pkgconfig' PKG_CONFIG_SYSROOT_DIR='%s'; "
              "cc -Wall -Wextra -Werror -D_GNU_SOURCE -o '%s/deliver' '%s/usr/share/doc/ferrymq/examples/deliver.c' "
              "$(pkg-config --cflags ferry) %s",
        libraries_folder, root, folder, root, link_flags);
    server_t *server = server_start("all", NULL);
    client_t *bob = client_login(server_gateway(server), "bob");
    shell_run(
        "echo hello | LD_LIBRARY_PATH='%s' '%s/deliver' %s alice bob", libraries_folder, folder, server_broker(server));
    client_expect(bob, "from alice: hello");
    server_stop(&server);
}

static void an_example_is_compiled_against_the_installed_library(void **state)
{
    (void)state;
    compile_and_run("$(pkg-config --libs ferry)");
}

static void an_example_is_compiled_against_the_static_library(void **state)
{
    (void)state;
    compile_and_run("-Wl,-Bstatic $(pkg-config --libs ferry) -Wl,-Bdynamic "
                    "$(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --libs libczmq libzmq libuv libsodium jansson)");
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
    char *warnings = shell_read(
        "cd '%s/usr/share/man' && find . -type f -exec groff -man -Tutf8 -ww -z {} + 2>&1 || echo failed", stage());
    assert_string_equal(warnings, "");
    free(warnings);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(every_file_is_installed_where_debian_expects_it),
        TEST(the_library_is_installed_with_what_is_needed_to_use_it),
        TEST(the_library_shows_only_what_its_header_declares),
        TEST(an_example_is_compiled_against_the_installed_library),
        TEST(an_example_is_compiled_against_the_static_library),
        TEST(the_installed_programs_tell_their_version),
        TEST(the_installed_configuration_is_valid),
        TEST(the_installed_manual_pages_are_read_without_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
