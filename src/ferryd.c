/* SPDX-License-Identifier: MPL-2.0 */
/* ferryd: reads arguments and configuration, creates the actors of its role, runs them until they are drained, destroys
 * them. Exit codes: 0 everything ended, 1 start-up or configuration, 3 the drain lost something or ran out of time, 4 a
 * second signal. Everything here is the main thread's. */
#include <czmq.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "admin/admin.h"
#include "base/budget.h"
#include "base/config.h"
#include "base/log.h"
#include "base/pipeline.h"
#include "broker/router.h"
#include "gateway/listener.h"
#include "gateway/worker.h"
#include "plain/peers.h"

#define OVERRIDES_MAX 256
#define SOCKETS_MAX   64 /* that a service manager may pass */

typedef enum { ROLE_ALL, ROLE_GATEWAY, ROLE_BROKER } role_t;

typedef struct {
    role_t role;
    const char *file;
    const char *overrides[OVERRIDES_MAX];
    size_t override_count;
    bool check;
} arguments_t;

/* Everything that the actors of a process borrow. */
typedef struct {
    config_t *config;
    budget_t budget;
    brokers_t *brokers;
    unsigned worker_count;
    worker_args_t *workers;
    char (*worker_names)[24];
    zsock_t **pipes;
    int sockets[SOCKETS_MAX];
    listener_args_t listener;
    router_args_t router;
    peers_args_t peers;
    admin_args_t admin;
} process_t;

static const char *const role_names[] = {"all", "gateway", "broker"};

static const char usage_text[] =
    "usage: ferryd [all|gateway|broker] [-c FILE] [-s SECTION/KEY=VALUE]... [--check] [--version]\n"
    "\n"
    "Routes messages between clients that speak lines and ZeroMQ programs.\n"
    "\n"
    "  all         gateway and broker in one process (the default)\n"
    "  gateway     takes clients, and sends what they write to the brokers\n"
    "  broker      knows who is where, and routes\n"
    "\n"
    "  -c, --config FILE   read this configuration; without it the defaults hold\n"
    "  -s, --set KEY=VALUE override one option, as gateway/listen=tcp://0.0.0.0:7400\n"
    "      --check         check the configuration, print what holds, and exit\n"
    "      --version       print the version and exit\n"
    "      --help          print this and exit\n"
    "\n"
    "SIGTERM and SIGINT drain: stop accepting, deliver all that is pending, exit. See ferryd(8), ferryd.cfg(5).\n";

static int usage_error(const char *what, const char *which)
{
    fprintf(stderr, "ferryd: %s%s%s (ferryd --help tells what there is)\n", what, which ? " " : "", which ? which : "");
    return PIPELINE_EXIT_START;
}

/* Reads the role. Returns -1, or an exit code when the process ends here. */
static int arguments_role(arguments_t *self, int argc, char **argv)
{
    if (optind + 1 < argc)
        return usage_error("unexpected argument:", argv[optind + 1]);
    if (optind == argc)
        return -1;
    for (int role = ROLE_ALL; role <= ROLE_BROKER; role++)
        if (streq(argv[optind], role_names[role])) {
            self->role = (role_t)role;
            return -1;
        }
    return usage_error("there is no role named", argv[optind]);
}

/* Returns -1, or an exit code when the process ends here. */
static int arguments_read(arguments_t *self, int argc, char **argv)
{
    enum { OPTION_CHECK = 256, OPTION_VERSION, OPTION_HELP };
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
    };
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":c:s:h", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            self->file = optarg;
            break;
        case 's':
            if (self->override_count == OVERRIDES_MAX)
                return usage_error("too many -s", NULL);
            self->overrides[self->override_count++] = optarg;
            break;
        case OPTION_CHECK:
            self->check = true;
            break;
        case OPTION_VERSION:
            printf("ferryd %s\n", FERRY_VERSION);
            return PIPELINE_EXIT_CLEAN;
        case 'h':
        case OPTION_HELP:
            fputs(usage_text, stdout);
            return PIPELINE_EXIT_CLEAN;
        case ':':
            return usage_error("this option needs a value:", argv[optind - 1]);
        default:
            return usage_error("there is no option", argv[optind - 1]);
        }
    }
    return arguments_role(self, argc, argv);
}

/* A standard stream that came closed would give its number to a client's socket, and the log would go there. */
static void open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", O_RDWR);
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Signals are read in one place, by the main thread; czmq's own handler would end every actor at once. */
static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log at its largest size loses lines, not the process */
    zsys_handler_set(NULL);
}

/* czmq and libzmq before the first socket. A ROUTER chooses its routing ids with rand (), from this seed. */
static void prepare_zmq(void)
{
    unsigned seed = 0;
    zsys_init();
    zsys_set_pipehwm(0);
    zsys_set_max_sockets(16384);
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        abort();
    srand(seed);
}

/* One worker for two processor cores: the broker, ZeroMQ's thread and the kernel have work, too, and the fewer there
 * are, the more messages stay within one. */
static unsigned process_workers(const config_t *config)
{
    long count = (long)config_number(config, "gateway/workers");
    if (count == 0)
        count = sysconf(_SC_NPROCESSORS_ONLN) / 2;
    return count > 0 ? (unsigned)count : 1;
}

static void process_add_gateway(process_t *self, pipeline_t *pipeline)
{
    self->worker_count = process_workers(self->config);
    self->workers = zmalloc(self->worker_count * sizeof *self->workers);
    self->worker_names = zmalloc(self->worker_count * sizeof *self->worker_names);
    self->pipes = zmalloc(self->worker_count * sizeof *self->pipes);
    int passed = sd_listen_fds(1);
    self->listener = (listener_args_t){.config = self->config, .sockets = self->sockets, .workers = self->pipes};
    for (int i = 0; i < passed && i < SOCKETS_MAX; i++)
        self->sockets[self->listener.socket_count++] = SD_LISTEN_FDS_START + i;
    self->listener.worker_count = self->worker_count;
    pipeline_add(pipeline, PIPELINE_LISTENER, "listener", listener_actor, &self->listener);
    for (unsigned i = 0; i < self->worker_count; i++) {
        self->workers[i] =
            (worker_args_t){.config = self->config, .brokers = self->brokers, .budget = &self->budget, .index = i};
        self->pipes[i] = zsys_create_pipe(&self->workers[i].listener);
        snprintf(self->worker_names[i], sizeof self->worker_names[i], "worker-%u", i);
        pipeline_add(pipeline, PIPELINE_WORKER, self->worker_names[i], worker_actor, &self->workers[i]);
    }
}

static void process_add_broker(process_t *self, pipeline_t *pipeline)
{
    self->router = (router_args_t){
        .config = self->config, .name = config_string(self->config, "broker/name"), .budget = &self->budget};
    if (getrandom(self->router.instance.bytes, LINK_ID_SIZE, 0) != LINK_ID_SIZE)
        abort();
    self->peers = (peers_args_t){
        .config = self->config, .brokers = self->brokers, .budget = &self->budget, .instance = self->router.instance};
    if (*config_string(self->config, "broker/peer_listen"))
        pipeline_add(pipeline, PIPELINE_PEERS, "peers", peers_actor, &self->peers);
    pipeline_add(pipeline, PIPELINE_ROUTER, "router", router_actor, &self->router);
}

static void process_add(process_t *self, pipeline_t *pipeline, role_t role)
{
    self->brokers = brokers_new(self->config, role == ROLE_GATEWAY ? NULL : config_string(self->config, "broker/name"));
    if (role != ROLE_BROKER)
        process_add_gateway(self, pipeline);
    if (role != ROLE_GATEWAY)
        process_add_broker(self, pipeline);
    const char *listen = config_admin_listen(self->config, role == ROLE_BROKER);
    if (*listen) {
        self->admin = (admin_args_t){.listen = listen};
        pipeline_add(pipeline, PIPELINE_ADMIN, "admin", admin_actor, &self->admin);
    }
}

/* Destroys the ends of pipes that nobody took over, because the start failed before. */
static void process_close_pipes(process_t *self, const pipeline_t *pipeline)
{
    for (unsigned i = 0; i < self->worker_count; i++) {
        if (!pipeline_has_started(pipeline, "listener"))
            zsock_destroy(&self->pipes[i]);
        if (!pipeline_has_started(pipeline, self->worker_names[i]))
            zsock_destroy(&self->workers[i].listener);
    }
}

static void process_fini(process_t *self)
{
    brokers_destroy(&self->brokers);
    free(self->workers);
    free(self->worker_names);
    free(self->pipes);
}

static void on_started(void)
{
    sd_notify(0, "READY=1");
}

static void on_draining(void)
{
    sd_notify(0, "STOPPING=1");
}

static void on_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

static int process_run(process_t *self, role_t role)
{
    uint64_t watchdog_us = 0;
    budget_init(&self->budget, (size_t)config_number(self->config, "gateway/memory"));
    sd_watchdog_enabled(0, &watchdog_us);
    pipeline_t *pipeline = pipeline_new(&(pipeline_options_t){
        .role = role_names[role],
        .drain_timeout_ms = (uint64_t)config_number(self->config, "drain/timeout"),
        .drain_delay_ms = (uint64_t)config_number(self->config, "drain/delay"),
        .on_started = on_started,
        .on_draining = on_draining,
        .on_alive = on_alive,
        .alive_ms = watchdog_us / 3000,
        .budget = role == ROLE_BROKER ? NULL : &self->budget,
    });
    log_info("start", log_str("role", role_names[role]), log_str("version", FERRY_VERSION), log_uint("pid", getpid()));
    process_add(self, pipeline, role);
    int code = pipeline_start(pipeline) == 0 ? (int)pipeline_run(pipeline) : PIPELINE_EXIT_START;
    process_close_pipes(self, pipeline);
    pipeline_destroy(&pipeline);
    process_fini(self);
    return code;
}

/* N.B. batches have up to link/batch bytes, and glibc maps each of such a size anew, and gives back what is freed at
 * the end of its heap: with texts of 1 KiB a broker had 30,000 page faults a second, a sixth of its time. */
static void keep_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
}

int main(int argc, char **argv)
{
    open_standard_streams();
    arguments_t arguments = {0};
    int code = arguments_read(&arguments, argc, argv);
    if (code >= 0)
        return code;
    process_t process = {0};
    process.config = config_new(arguments.file, arguments.overrides, arguments.override_count, stderr);
    if (!process.config)
        return PIPELINE_EXIT_START;
    if (arguments.check) {
        config_print(process.config, stdout);
        config_destroy(&process.config);
        return PIPELINE_EXIT_CLEAN;
    }
    log_setup((log_level_t)config_number(process.config, "log/level"),
        (log_format_t)config_number(process.config, "log/format"));
    raise_descriptors();
    block_signals();
    keep_freed_memory();
    prepare_zmq();
    code = process_run(&process, arguments.role);
    config_destroy(&process.config);
    zsys_shutdown();
    return code;
}
