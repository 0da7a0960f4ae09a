/* SPDX-License-Identifier: MPL-2.0 */
/* deliver: sends each line of its input to somebody, and ends when all of them are settled; brokers may come and go
 * meanwhile. It says which lines did not arrive, and ends with 1 if there was one.
 *
 *     deliver BROKERS NAME RECIPIENTS <FILE */
#include <ferry.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads what has come: the line's number is the message's, since every line is one. Returns how many have failed. */
static unsigned tell_failures(ferry_t *ferry)
{
    unsigned count = 0;
    for (ferry_msg_t *msg; (msg = ferry_recv(ferry, 0)); ferry_msg_destroy(&msg)) {
        if (ferry_msg_kind(msg) != FERRY_FAILURE)
            continue;
        printf("line %" PRId64 ": %s %s %s\n", ferry_msg_number(msg), ferry_code(ferry_msg_error(msg)),
            ferry_msg_recipient(msg), ferry_msg_reason(msg));
        count++;
    }
    return count;
}

/* Sends all lines. Returns how many have failed, or a negative code. */
static int deliver(ferry_t *ferry, const char *recipients)
{
    char *line = NULL;
    size_t room = 0;
    int64_t rc = 0;
    unsigned failures = 0;
    for (ssize_t size; rc >= 0 && (size = getline(&line, &room, stdin)) > 0; failures += tell_failures(ferry))
        rc = ferry_send(ferry, recipients, line, strcspn(line, "\n"), -1);
    free(line);
    if (rc >= 0)
        rc = ferry_settle(ferry, -1);
    failures += tell_failures(ferry);
    return rc < 0 ? (int)rc : (int)failures;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: deliver BROKERS NAME RECIPIENTS\n");
        return 1;
    }
    ferry_t *ferry = ferry_new(argv[2], argv[1]);
    int rc = ferry ? ferry_login(ferry, 10000) : -FERRY_E_INVALID;
    if (rc == 0)
        rc = deliver(ferry, argv[3]);
    if (rc < 0)
        fprintf(stderr, "deliver: %s\n", ferry_strerror(rc));
    int unsettled = ferry_destroy(&ferry, 10000);
    if (unsettled)
        fprintf(stderr, "deliver: %d lines are in doubt\n", unsettled);
    return rc != 0 || unsettled;
}
