/* SPDX-License-Identifier: MPL-2.0 */
/* host: czmq installs its handlers of SIGINT and SIGTERM when its context is made. The program's own, or the lack of
 * them, are put back, unless the program had made the context itself: then nothing is done here. At the end of the
 * program the guests go before the context does. Any thread. */
#include "client/host.h"

#include <pthread.h>
#include <signal.h>

#include "base/log.h"

static pthread_mutex_t entrance = PTHREAD_MUTEX_INITIALIZER; /* of the context, and of the list of guests */
static list_t guests = {{&guests.head, &guests.head}};

/* The level that FERRY_LOG names, LOG_LEVEL_NONE if it names none. */
static log_level_t host_log_level(void)
{
    static const char *const words[] = {"debug", "info", "warning", "error"};
    const char *word = getenv("FERRY_LOG");
    for (int level = LOG_LEVEL_DEBUG; word && level < LOG_LEVEL_NONE; level++)
        if (streq(word, words[level]))
            return (log_level_t)level;
    return LOG_LEVEL_NONE;
}

static void on_program_exit(void)
{
    list_node_t *node;
    pthread_mutex_lock(&entrance);
    while ((node = list_first(&guests))) {
        host_guest_t *guest = list_member(node, host_guest_t, node);
        list_remove(node);
        guest->on_exit(guest);
    }
    pthread_mutex_unlock(&entrance);
}

/* N.B. behind zsys_init, since what is registered last for the exit is called first. */
static void host_enter_once(void)
{
    static bool done;
    if (!done) {
        log_setup(host_log_level(), LOG_FORMAT_LOGFMT);
        atexit(on_program_exit);
    }
    done = true;
}

void host_enter(void)
{
    struct sigaction interrupt, terminate;
    pthread_mutex_lock(&entrance);
    sigaction(SIGINT, NULL, &interrupt);
    sigaction(SIGTERM, NULL, &terminate);
    zsys_init();
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &terminate, NULL);
    host_enter_once();
    pthread_mutex_unlock(&entrance);
}

void host_join(host_guest_t *guest, void (*on_exit)(host_guest_t *self))
{
    pthread_mutex_lock(&entrance);
    guest->on_exit = on_exit;
    list_append(&guests, &guest->node);
    pthread_mutex_unlock(&entrance);
}

void host_part(host_guest_t *guest)
{
    pthread_mutex_lock(&entrance);
    list_remove(&guest->node);
    pthread_mutex_unlock(&entrance);
}

static void host_block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

zactor_t *host_start_actor(zactor_fn *actor, void *args)
{
    sigset_t before;
    host_block_signals(&before);
    zactor_t *self = zactor_new(actor, args);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return self;
}

void host_end_actor(zactor_t **actor_p)
{
    sigset_t before;
    host_block_signals(&before);
    zactor_destroy(actor_p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
