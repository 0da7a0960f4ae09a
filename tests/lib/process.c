/* SPDX-License-Identifier: MPL-2.0 */
/* process: fork, three pipes, exec; the end is awaited on a pidfd, the output by the capture, the log by the journal.
 * What cannot be started fails the test with the reason, which a fourth pipe carries back from the child. */
#include "lib/process.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/capture.h"
#include "lib/deadline.h"
#include "lib/journal.h"
#include "lib/logfmt.h"
#include "lib/test.h"

#define ARGUMENTS_MAX 64
#define TAIL_SIZE     6000 /* bytes of a process's log that a failed test shows */

struct process {
    char *program;
    pid_t pid;
    int pidfd;
    int input_fd; /* -1 once closed */
    bool awaited; /* process_wait_exit has told its end */
    bool reaped;
    int exit_code; /* valid once reaped */
    capture_t *capture;
    journal_t journal;
    process_t *next;
};

/* The read end and the write end of each pipe between test and child. */
typedef struct {
    int input[2];
    int output[2];
    int errors[2];
    int failure[2]; /* errno of the child, if it cannot exec */
} pipes_t;

static process_t *processes;    /* all that are not destroyed */
static rlim_t descriptor_limit; /* of those to be started; 0: the test's own */

/* N.B. print_error cuts what it writes at 1 KiB. */
static void show_log(process_t *self)
{
    char *log = process_errors(self);
    size_t size = strlen(log);
    const char *tail = size > TAIL_SIZE ? log + size - TAIL_SIZE : log;
    fprintf(stderr, "--- standard error of %s (%d):\n%s\n---\n", self->program, (int)self->pid, tail);
    free(log);
}

static void fail_with_log(process_t *self, const char *what, const char *detail)
{
    show_log(self);
    fail_msg("%s: %s %s", self->program, what, detail);
}

/* Where the programs under test are: FERRY_BIN, or `bin` beside the folder of the test. */
static void find_folder(char folder[PATH_MAX])
{
    const char *given = getenv("FERRY_BIN");
    if (given) {
        snprintf(folder, PATH_MAX, "%s", given);
        return;
    }
    ssize_t size = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    folder[size > 0 ? size : 0] = '\0';
    char *file = strrchr(folder, '/');
    if (file)
        snprintf(file, (size_t)(folder + PATH_MAX - file), "/../bin");
}

char *process_find_program(const char *name)
{
    char folder[PATH_MAX];
    char *path = NULL;
    find_folder(folder);
    if (!strchr(name, '/') && asprintf(&path, "%s/%s", folder, name) > 0 && access(path, X_OK) == 0)
        return path;
    free(path);
    return strdup(name);
}

static void open_pipes(pipes_t *self)
{
    if (pipe2(self->input, O_CLOEXEC) || pipe2(self->output, O_CLOEXEC) || pipe2(self->errors, O_CLOEXEC) ||
        pipe2(self->failure, O_CLOEXEC))
        fail_msg("no pipe: %s", strerror(errno));
}

/* N.B. between fork and exec only async-signal-safe calls: the capture threads may have held any lock. */
static void become(const pipes_t *pipes, pid_t parent, const char *path, char *const *argv)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (descriptor_limit > 0)
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){descriptor_limit, descriptor_limit});
    signal(SIGPIPE, SIG_DFL);
    dup2(pipes->input[0], STDIN_FILENO);
    dup2(pipes->output[1], STDOUT_FILENO);
    dup2(pipes->errors[1], STDERR_FILENO);
    execvp(path, argv);
    int reason = errno;
    ssize_t written = write(pipes->failure[1], &reason, sizeof(reason));
    _exit(written == sizeof(reason) ? 127 : 126);
}

/* Closes the child's ends and gives the test's to the process. Fails the test if the child could not exec. */
static void adopt(process_t *self, pipes_t *pipes)
{
    int reason = 0;
    close(pipes->input[0]);
    close(pipes->output[1]);
    close(pipes->errors[1]);
    close(pipes->failure[1]);
    ssize_t size = read(pipes->failure[0], &reason, sizeof(reason));
    close(pipes->failure[0]);
    self->input_fd = pipes->input[1];
    fcntl(self->input_fd, F_SETFL, O_NONBLOCK);
    self->capture = capture_new(pipes->output[0], pipes->errors[0]);
    journal_init(&self->journal, self->capture);
    self->awaited = size == sizeof(reason);
    if (self->awaited)
        fail_msg("cannot start %s: %s", self->program, strerror(reason));
}

void process_limit_descriptors(unsigned count)
{
    descriptor_limit = count;
}

process_t *process_start(const char *const *argv)
{
    process_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->program = process_find_program(argv[0]);
    self->pidfd = -1;
    if (!processes)
        atexit(process_end_all);
    self->next = processes;
    processes = self;

    pipes_t pipes;
    open_pipes(&pipes);
    pid_t parent = getpid();
    self->pid = fork();
    if (self->pid == 0)
        become(&pipes, parent, self->program, (char *const *)argv);
    if (self->pid < 0)
        fail_msg("no fork: %s", strerror(errno));
    setpgid(self->pid, self->pid);
    self->pidfd = pidfd_open(self->pid, 0);
    adopt(self, &pipes);
    return self;
}

process_t *process_run(const char *program, ...)
{
    const char *argv[ARGUMENTS_MAX + 1] = {program};
    va_list arguments;
    va_start(arguments, program);
    for (int i = 1; (argv[i] = va_arg(arguments, const char *)) != NULL; i++)
        assert(i < ARGUMENTS_MAX);
    va_end(arguments);
    return process_start(argv);
}

static void reap(process_t *self)
{
    int status = 0;
    if (self->reaped || self->pid <= 0 || waitpid(self->pid, &status, 0) != self->pid)
        return;
    self->reaped = true;
    self->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void unlist(process_t *self)
{
    process_t **at = &processes;
    while (*at && *at != self)
        at = &(*at)->next;
    if (*at)
        *at = self->next;
}

unsigned process_descriptors(const process_t *self)
{
    char path[64];
    unsigned count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)self->pid);
    DIR *folder = opendir(path);
    if (!folder)
        fail_msg("%s has no descriptors to be counted", self->program);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

/* Writes all of the log into a file of its own, if the environment names a folder for that. */
static void keep_log(process_t *self)
{
    const char *folder = getenv("FERRY_TEST_LOGS");
    const char *program = strrchr(self->program, '/');
    char path[PATH_MAX];
    if (!folder || !self->capture)
        return;
    snprintf(path, sizeof(path), "%s/%s-%d.log", folder, program ? program + 1 : self->program, (int)self->pid);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    char *log = process_errors(self);
    fputs(log, file);
    free(log);
    fclose(file);
}

void process_destroy(process_t **self_p)
{
    process_t *self = *self_p;
    if (!self)
        return;
    unlist(self);
    if (self->pid > 0) {
        kill(-self->pid, SIGKILL);
        reap(self);
    }
    process_close_input(self);
    keep_log(self);
    if (self->pidfd >= 0)
        close(self->pidfd);
    capture_destroy(&self->capture);
    journal_fini(&self->journal);
    free(self->program);
    free(self);
    *self_p = NULL;
}

void process_end_all(void)
{
    while (processes) {
        process_t *first = processes;
        bool failed = !first->awaited && first->capture && process_ended(first) && first->exit_code != 0;
        if (failed || getenv("FERRY_TEST_LOG"))
            show_log(first);
        process_destroy(&first);
    }
}

pid_t process_pid(const process_t *self)
{
    return self->pid;
}

long process_memory_kib(const process_t *self)
{
    char path[64];
    char line[256];
    long size = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)self->pid);
    FILE *file = fopen(path, "re");
    while (file && size < 0 && fgets(line, sizeof(line), file))
        if (sscanf(line, "VmRSS: %ld kB", &size) != 1)
            size = -1;
    if (file)
        fclose(file);
    if (size < 0)
        fail_msg("%s has no memory to be read", self->program);
    return size;
}

void process_write(process_t *self, const char *text)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    size_t left = strlen(text);
    while (left > 0) {
        struct pollfd writable = {.fd = self->input_fd, .events = POLLOUT};
        if (poll(&writable, 1, deadline_left_ms(deadline)) == 0)
            fail_with_log(self, "does not read", text);
        ssize_t size = write(self->input_fd, text, left);
        if (size < 0 && errno != EAGAIN && errno != EINTR)
            fail_with_log(self, "cannot be written to:", strerror(errno));
        if (size > 0) {
            text += size;
            left -= (size_t)size;
        }
    }
}

void process_close_input(process_t *self)
{
    if (self->input_fd >= 0)
        close(self->input_fd);
    self->input_fd = -1;
}

void process_signal(process_t *self, int signal_number)
{
    if (self->reaped || kill(self->pid, signal_number))
        fail_with_log(self, "has ended before it got signal", strsignal(signal_number));
    siginfo_t stopped;
    if (signal_number == SIGSTOP)
        waitid(P_PID, (id_t)self->pid, &stopped, WSTOPPED | WEXITED | WNOWAIT);
}

/* Waits for the end, not for the end of the output. */
static bool wait_end(process_t *self, int timeout_ms)
{
    struct pollfd ended = {.fd = self->pidfd, .events = POLLIN};
    if (!self->reaped && poll(&ended, 1, timeout_ms) > 0)
        reap(self);
    return self->reaped;
}

bool process_ended(process_t *self)
{
    return wait_end(self, 0);
}

int process_wait_exit(process_t *self, unsigned timeout_ms)
{
    deadline_t deadline = deadline_in(timeout_ms);
    if (!wait_end(self, deadline_left_ms(deadline)))
        fail_with_log(self, "does not end", "");
    if (!capture_wait_end(self->capture, deadline_in(DEADLINE_USUAL_MS)))
        fail_with_log(self, "left somebody behind who holds its output", "");
    self->awaited = true;
    return self->exit_code;
}

void process_expect_exit(process_t *self, int exit_code, unsigned timeout_ms)
{
    int code = process_wait_exit(self, timeout_ms);
    if (code == exit_code)
        return;
    show_log(self);
    fail_msg("%s ends with %d instead of %d", self->program, code, exit_code);
}

const char *process_find_log(process_t *self, const char *fields)
{
    return journal_find(&self->journal, logfmt_match, fields);
}

static const char *wait_log(process_t *self, journal_match_fn *match, const char *wanted, unsigned timeout_ms)
{
    const char *line = journal_wait(&self->journal, match, wanted, deadline_in(timeout_ms));
    if (!line)
        fail_with_log(self, "never logged", wanted);
    return line;
}

const char *process_wait_log(process_t *self, const char *fields, unsigned timeout_ms)
{
    return wait_log(self, logfmt_match, fields, timeout_ms);
}

const char *process_wait_text(process_t *self, const char *text, unsigned timeout_ms)
{
    return wait_log(self, journal_match_text, text, timeout_ms);
}

unsigned process_count_log(process_t *self, const char *fields)
{
    return journal_count(&self->journal, fields);
}

const char *process_join_log(process_t *self, const char *fields, const char *key)
{
    return journal_join(&self->journal, fields, key);
}

void process_mark_log(process_t *self)
{
    journal_mark(&self->journal);
}

void process_wait_output(process_t *self, const char *text, unsigned timeout_ms)
{
    deadline_t deadline = deadline_in(timeout_ms);
    for (;;) {
        bool last = capture_ended(self->capture, CAPTURE_OUTPUT) || deadline_passed(deadline);
        char *output = process_output(self);
        size_t size = strlen(output);
        bool found = strstr(output, text) != NULL;
        free(output);
        if (found)
            return;
        if (last)
            fail_with_log(self, "never wrote", text);
        capture_wait(self->capture, CAPTURE_OUTPUT, size, deadline);
    }
}

char *process_output(process_t *self)
{
    return capture_copy(self->capture, CAPTURE_OUTPUT, 0);
}

char *process_errors(process_t *self)
{
    return capture_copy(self->capture, CAPTURE_ERRORS, 0);
}
