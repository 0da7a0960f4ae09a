/* SPDX-License-Identifier: MPL-2.0 */
/* echo: sends every message back to whoever has sent it, until SIGTERM or SIGINT; then it takes leave in order. */
#include <ferry.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    stopped = number;
}

static void answer(ferry_t *ferry, const ferry_msg_t *msg)
{
    int64_t rc = ferry_send(ferry, ferry_msg_sender(msg), ferry_msg_data(msg), ferry_msg_size(msg), 5000);
    if (rc < 0)
        fprintf(stderr, "echo: %s\n", ferry_strerror((int)rc));
}

int main(int argc, char **argv)
{
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    ferry_t *ferry = ferry_new("echo", argc > 1 ? argv[1] : "tcp://127.0.0.1:7410");
    int rc = ferry ? ferry_login(ferry, 10000) : -FERRY_E_INVALID;
    if (rc != 0)
        fprintf(stderr, "echo: %s\n", ferry_strerror(rc));
    while (rc == 0 && !stopped) {
        ferry_msg_t *msg = ferry_recv(ferry, 1000);
        if (msg && ferry_msg_kind(msg) == FERRY_MESSAGE)
            answer(ferry, msg);
        ferry_msg_destroy(&msg);
    }
    return ferry_destroy(&ferry, 5000) != 0 || rc != 0;
}
