/* SPDX-License-Identifier: MPL-2.0 */
/* host: what the library leaves as it was. */
#include "lib/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/host.h"

static void on_program_signal(int number)
{
    (void)number;
}

static void the_signal_handlers_of_the_program_stay(void **state)
{
    (void)state;
    struct sigaction own = {.sa_handler = on_program_signal}, after;
    sigaction(SIGINT, &own, NULL);
    host_enter();
    host_enter();
    sigaction(SIGINT, NULL, &after);
    assert_ptr_equal(after.sa_handler, on_program_signal);
    sigaction(SIGTERM, NULL, &after);
    assert_ptr_equal(after.sa_handler, SIG_DFL);
}

static sigset_t blocked_there;

static void actor(zsock_t *pipe, void *args)
{
    (void)args;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked_there);
    zsock_signal(pipe, 0);
    char *word = zstr_recv(pipe);
    zstr_free(&word);
}

static void an_actor_gets_no_signal_and_the_program_gets_them_as_before(void **state)
{
    (void)state;
    sigset_t here;
    host_enter();
    zactor_t *self = host_start_actor(actor, NULL);
    assert_non_null(self);
    pthread_sigmask(SIG_BLOCK, NULL, &here);
    assert_false(sigismember(&here, SIGINT));
    host_end_actor(&self);
    assert_null(self);
    assert_true(sigismember(&blocked_there, SIGINT));
    assert_true(sigismember(&blocked_there, SIGTERM));
    pthread_sigmask(SIG_BLOCK, NULL, &here);
    assert_false(sigismember(&here, SIGINT));
}

static int exits;

static void on_guest_exit(host_guest_t *guest)
{
    (void)guest;
    exits++;
}

static void on_last(void)
{
    _exit(exits == 1 ? 0 : 1);
}

/* N.B. this is the first test, since czmq's context does not outlive a fork. */
static void guests_that_are_left_are_told_when_the_program_ends(void **state)
{
    (void)state;
    host_guest_t gone = {0}, left = {0};
    int status;
    pid_t child = fork();
    if (child == 0) {
        atexit(on_last);
        host_enter();
        host_join(&gone, on_guest_exit);
        host_join(&left, on_guest_exit);
        host_part(&gone);
        exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guests_that_are_left_are_told_when_the_program_ends),
        cmocka_unit_test(the_signal_handlers_of_the_program_stay),
        cmocka_unit_test(an_actor_gets_no_signal_and_the_program_gets_them_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
