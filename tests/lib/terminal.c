/* SPDX-License-Identifier: MPL-2.0 */
/* terminal: forkpty and a VTerm. Whenever a wait has to wait, what the program wrote goes to the VTerm, and the screen
 * is compared anew. */
#include "lib/terminal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vterm.h>

#include "lib/deadline.h"
#include "lib/test.h"

#define READ_SIZE     4096
#define SCREEN_SIZE   65536
#define LOOK_AGAIN_MS 20 /* between two looks at what has no descriptor to wait on */

struct terminal {
    pid_t pid;
    int master; /* -1 once the program has let go of the terminal */
    VTerm *vterm;
    int rows;
    int columns;
    char screen[SCREEN_SIZE];
    terminal_t *next;
};

static terminal_t *terminals; /* all of them */

static void become(const char *const *argv, const char *path, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    execv(path, (char *const *)argv);
    _exit(127);
}

static void vterm_setup(terminal_t *self)
{
    self->vterm = vterm_new(self->rows, self->columns);
    assert(self->vterm);
    vterm_set_utf8(self->vterm, 1);
    vterm_screen_reset(vterm_obtain_screen(self->vterm), 1);
}

terminal_t *terminal_start(int rows, int columns, const char *const *argv)
{
    char path[PATH_MAX];
    const char *folder = getenv("FERRY_BIN");
    snprintf(path, sizeof(path), "%s/%s", folder ? folder : ".", argv[0]);
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    terminal_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->rows = rows;
    self->columns = columns;
    vterm_setup(self);
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("EDITRC", "/dev/null", 1);
    pid_t parent = getpid();
    self->pid = forkpty(&self->master, NULL, NULL, &size);
    if (self->pid == 0)
        become(argv, path, parent);
    if (self->pid < 0)
        fail_msg("no terminal: %s", strerror(errno));
    fcntl(self->master, F_SETFL, O_NONBLOCK);
    fcntl(self->master, F_SETFD, FD_CLOEXEC);
    self->next = terminals;
    terminals = self;
    return self;
}

void terminal_type(terminal_t *self, const char *keys)
{
    if (write(self->master, keys, strlen(keys)) != (ssize_t)strlen(keys))
        fail_msg("the terminal takes no keys: %s", strerror(errno));
}

void terminal_resize(terminal_t *self, int rows, int columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    self->rows = rows;
    self->columns = columns;
    vterm_set_size(self->vterm, rows, columns);
    ioctl(self->master, TIOCSWINSZ, &size);
}

/* Draws what the program writes next. False when it has let go of the terminal. */
static bool draw_more(terminal_t *self, deadline_t deadline)
{
    char bytes[READ_SIZE];
    struct pollfd ready = {.fd = self->master, .events = POLLIN};
    poll(&ready, 1, deadline_left_ms(deadline));
    ssize_t size = read(self->master, bytes, sizeof(bytes));
    if (size > 0)
        vterm_input_write(self->vterm, bytes, (size_t)size);
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

/* A row's text without the blanks at its end, and a newline, at `at`; returns where the next goes. */
static char *row_text(const terminal_t *self, int row, char *at, size_t room)
{
    VTermRect rect = {.start_row = row, .end_row = row + 1, .start_col = 0, .end_col = self->columns};
    size_t size = vterm_screen_get_text(vterm_obtain_screen(self->vterm), at, room - 1, rect);
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\n'))
        size--;
    at[size] = '\n';
    return at + size + 1;
}

static const char *screen_text(terminal_t *self)
{
    char *at = self->screen;
    for (int row = 0; row < self->rows; row++)
        at = row_text(self, row, at, sizeof(self->screen) - (size_t)(at - self->screen));
    while (at > self->screen && at[-1] == '\n')
        at--;
    *at = '\0';
    return self->screen;
}

void terminal_expect(terminal_t *self, const char *screen)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    bool open = true;
    while (strcmp(screen_text(self), screen) != 0) {
        if (!open || deadline_passed(deadline))
            fail_msg("the screen is\n%s\n--- and not\n%s", screen_text(self), screen);
        open = draw_more(self, deadline);
    }
}

void terminal_expect_part(terminal_t *self, const char *part)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    bool open = true;
    while (!strstr(screen_text(self), part)) {
        if (!open || deadline_passed(deadline))
            fail_msg("the screen is\n%s\n--- and does not hold\n%s", screen_text(self), part);
        open = draw_more(self, deadline);
    }
}

void terminal_expect_cursor(terminal_t *self, int row, int column)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    bool open = true;
    for (;;) {
        VTermPos at;
        vterm_state_get_cursorpos(vterm_obtain_state(self->vterm), &at);
        if (at.row == row && at.col == column)
            return;
        if (!open || deadline_passed(deadline))
            fail_msg(
                "the cursor is at %d, %d and not at %d, %d of\n%s", at.row, at.col, row, column, screen_text(self));
        open = draw_more(self, deadline);
    }
}

int terminal_wait_exit(terminal_t *self)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (draw_more(self, deadline))
        if (deadline_passed(deadline))
            fail_msg("the program does not end; its screen is\n%s", screen_text(self));
    int status = 0;
    if (waitpid(self->pid, &status, 0) != self->pid)
        fail_msg("no exit code: %s", strerror(errno));
    self->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void terminal_wait_stop(terminal_t *self)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    siginfo_t info = {0};
    while (waitid(P_PID, (id_t)self->pid, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == 0) {
        if (deadline_passed(deadline))
            fail_msg("the program does not stop; its screen is\n%s", screen_text(self));
        draw_more(self, deadline_in(LOOK_AGAIN_MS));
    }
}

void terminal_continue(terminal_t *self)
{
    kill(self->pid, SIGCONT);
}

bool terminal_is_cooked(const terminal_t *self)
{
    struct termios modes;
    assert(tcgetattr(self->master, &modes) == 0);
    return (modes.c_lflag & (ECHO | ICANON)) == (ECHO | ICANON);
}

void terminal_close_all(void)
{
    while (terminals) {
        terminal_t *first = terminals;
        terminals = first->next;
        close(first->master);
        if (first->pid > 0) {
            kill(first->pid, SIGKILL);
            waitpid(first->pid, NULL, 0);
        }
        vterm_free(first->vterm);
        free(first);
    }
}
