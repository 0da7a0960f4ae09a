/* SPDX-License-Identifier: MPL-2.0 */
/* mill: serves @mill, four jobs at a time, and answers each with its text in capitals; tells #mill of each. Until
 * SIGTERM or SIGINT; what is not done then is given to another mill. */
#include <ctype.h>
#include <ferry.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    stopped = number;
}

static int work(ferry_t *ferry, const ferry_msg_t *msg)
{
    size_t size = ferry_msg_size(msg);
    const unsigned char *text = ferry_msg_data(msg);
    char *flour = malloc(size + 1);
    if (!flour)
        abort();
    for (size_t i = 0; i < size; i++)
        flour[i] = (char)toupper(text[i]);
    int64_t rc = ferry_send(ferry, "#mill", ferry_msg_sender(msg), strlen(ferry_msg_sender(msg)), 5000);
    if (rc > 0)
        rc = ferry_reply(ferry, ferry_msg_job(msg), flour, size, 5000);
    free(flour);
    return rc < 0 ? (int)rc : 0;
}

int main(int argc, char **argv)
{
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    ferry_t *ferry = ferry_new("miller", argc > 1 ? argv[1] : "tcp://127.0.0.1:7410");
    int rc = ferry ? ferry_login(ferry, 10000) : -FERRY_E_INVALID;
    if (rc == 0)
        rc = ferry_serve(ferry, "@mill", 4, 10000);
    while (rc == 0 && !stopped) {
        ferry_msg_t *msg = ferry_recv(ferry, 1000);
        if (msg && ferry_msg_kind(msg) == FERRY_JOB)
            rc = work(ferry, msg);
        ferry_msg_destroy(&msg);
    }
    if (rc != 0)
        fprintf(stderr, "mill: %s\n", ferry_strerror(rc));
    return ferry_destroy(&ferry, 5000) != 0 || rc != 0;
}
