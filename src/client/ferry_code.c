/* SPDX-License-Identifier: MPL-2.0 */
/* ferry_code: the codes of ferry.h, their words and sentences. Those that the line protocol has too have its words, but
 * sentences of their own, since what follows from an error is another thing here. Read-only; any thread. */
#include <stdlib.h>

#include "ferry.h"
#include "wire/error.h"

static const struct {
    int code;
    const char *word; /* NULL: the line protocol's */
    const char *sentence;
} codes[] = {
    {0, "ok", "Success."},
    {FERRY_E_BAD_NAME, NULL, "That is not a name."},
    {FERRY_E_NAME_TAKEN, NULL, "Somebody else is logged in under that name."},
    {FERRY_E_TOO_LARGE, "too-large", "The message is larger than the brokers take."},
    {FERRY_E_NO_RECIPIENT, NULL, "The message names nobody who should get it."},
    {FERRY_E_TOO_MANY_RECIPIENTS, NULL, "The message has more recipients than it may."},
    {FERRY_E_NO_SUCH_PEER, NULL, "Nobody is logged in under the recipient's name."},
    {FERRY_E_UNDELIVERED, NULL, "The message was accepted and not delivered."},
    {FERRY_E_UNCONFIRMED, NULL, "Whether the message was delivered cannot be known."},
    {FERRY_E_NO_SUCH_JOB, NULL, "There is no such job, or not any more."},
    {FERRY_E_TIMEOUT, "timeout", "It did not come about in time."},
    {FERRY_E_INTERRUPTED, "interrupted", "A signal came first."},
    {FERRY_E_NOT_LOGGED_IN, "not-logged-in", "The name is not logged in."},
    {FERRY_E_INVALID, "invalid", "An argument is out of its bounds, or comes too late."},
};

enum { CODES = sizeof codes / sizeof codes[0] };

/* The place of a code or its negative in the table, CODES if it is not there. */
static int codes_find(int code)
{
    int place = 0;
    while (place < CODES && codes[place].code != abs(code))
        place++;
    return place;
}

const char *ferry_strerror(int code)
{
    int place = codes_find(code);
    return place < CODES ? codes[place].sentence : "An error that this version does not know.";
}

const char *ferry_code(int code)
{
    int place = codes_find(code);
    return place < CODES && codes[place].word ? codes[place].word : error_code(code);
}
