/* SPDX-License-Identifier: MPL-2.0 */
/* crew: a fork for each generator, which is killed with this process whatever ends that; an eventfd to wake each, one
 * that wakes the supervisor, and a signalfd for the rest. */
#include "ferry/bench/crew.h"

#include <czmq.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ferry/bench/generator.h"
#include "ferry/bench/watched.h"
#include "ferry/display.h"
#include "ferry/interrupt.h"

typedef struct {
    pid_t pid; /* 0 once it was waited for */
    int wake_fd;
} member_t;

struct crew {
    board_t *board;
    member_t *members;
    unsigned count;
    int done_fd;
    int signal_fd;
};

static int eventfd_open(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        abort();
    return fd;
}

__attribute__((noreturn)) static void member_run(
    const crew_t *self, const plan_t *plan, const gateways_t *gateways, unsigned process, pid_t supervisor)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor)
        _exit(EXIT_FAILURE);
    generator_run(&(generator_options_t){.plan = plan,
        .board = self->board,
        .gateways = gateways,
        .process = process,
        .wake_fd = self->members[process].wake_fd,
        .done_fd = self->done_fd});
    _exit(EXIT_SUCCESS);
}

crew_t *crew_new(const plan_t *plan, board_t *board, const gateways_t *gateways)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGCHLD};
    crew_t *self = zmalloc(sizeof *self);
    self->board = board;
    self->members = zmalloc(plan->process_count * sizeof *self->members);
    self->done_fd = eventfd_open();
    self->signal_fd = interrupt_open(signals, sizeof signals / sizeof signals[0]);
    pid_t supervisor = getpid();
    fflush(NULL);
    for (; self->count < plan->process_count; self->count++) {
        member_t *member = &self->members[self->count];
        member->wake_fd = eventfd_open();
        member->pid = fork();
        if (member->pid < 0)
            abort();
        if (member->pid == 0)
            member_run(self, plan, gateways, self->count, supervisor);
    }
    return self;
}

void crew_destroy(crew_t **self_p)
{
    crew_t *self = *self_p;
    if (!self)
        return;
    for (unsigned i = 0; i < self->count; i++)
        if (self->members[i].pid > 0)
            kill(self->members[i].pid, SIGKILL);
    for (unsigned i = 0; i < self->count; i++) {
        if (self->members[i].pid > 0)
            waitpid(self->members[i].pid, NULL, 0);
        close(self->members[i].wake_fd);
    }
    close(self->done_fd);
    close(self->signal_fd);
    free(self->members);
    free(self);
    *self_p = NULL;
}

void crew_begin(crew_t *self, phase_t phase)
{
    uint64_t one = 1;
    atomic_store(&self->board->phase, phase);
    for (unsigned i = 0; i < self->count; i++)
        if (write(self->members[i].wake_fd, &one, sizeof one) < 0)
            abort();
}

/* Looks at a generator that may have ended. Returns 0 if it has not, or has ended in order. */
static int member_look(crew_t *self, unsigned i)
{
    member_t *member = &self->members[i];
    int status;
    if (member->pid == 0 || waitpid(member->pid, &status, WNOHANG) != member->pid)
        return 0;
    member->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
        return 0;
    const char *complaint = self->board->tallies[i].complaint;
    if (*complaint)
        display_complain("ferry bench: %s", complaint);
    else if (WIFSIGNALED(status))
        display_complain("ferry bench: a generator was ended by signal %d", WTERMSIG(status));
    else
        display_complain("ferry bench: a generator ended with %d", WEXITSTATUS(status));
    return -1;
}

static int on_signals(crew_t *self)
{
    for (int number; (number = interrupt_take(self->signal_fd));) {
        if (number != SIGCHLD) {
            display_complain("ferry bench: interrupted");
            return -1;
        }
    }
    for (unsigned i = 0; i < self->count; i++)
        if (member_look(self, i))
            return -1;
    return 0;
}

/* Waits until something may have happened. */
static int look(crew_t *self, int64_t until_ns)
{
    struct pollfd fds[] = {{.fd = self->signal_fd, .events = POLLIN}, {.fd = self->done_fd, .events = POLLIN}};
    int64_t left = until_ns - board_now_ns();
    struct timespec timeout = {.tv_sec = left > 0 ? left / 1000000000 : 0, .tv_nsec = left > 0 ? left % 1000000000 : 0};
    ppoll(fds, 2, &timeout, NULL);
    uint64_t count;
    if (fds[1].revents && read(self->done_fd, &count, sizeof count) < 0)
        abort();
    return fds[0].revents ? on_signals(self) : 0;
}

int crew_await(crew_t *self, phase_t phase, int64_t until_ns)
{
    while (!board_all_done(self->board, phase)) {
        if (board_now_ns() >= until_ns)
            return 1;
        if (look(self, until_ns))
            return -1;
    }
    return 0;
}

int crew_wait(crew_t *self, int64_t until_ns)
{
    while (board_now_ns() < until_ns)
        if (look(self, until_ns))
            return -1;
    return 0;
}

uint64_t crew_cpu_ns(const crew_t *self)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < self->count; i++)
        if (self->members[i].pid > 0)
            sum += watched_cpu_of(self->members[i].pid).precise_ns;
    return sum;
}
