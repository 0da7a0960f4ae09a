/* SPDX-License-Identifier: MPL-2.0 */
/* bench_floor: the least that a router of the line protocol can do, and so what the others are measured against. One
 * process, one thread, one epoll set. What has come is cut into lines, the names are looked up, the text is appended to
 * the output of each recipient, and at the end of a turn each output is written once. It knows the login, messages to
 * names and to groups, /join, /ping and /quit. There is no ledger, no window, no limit but that of a line, nothing is
 * settled, and a name that nobody has is the only thing that is answered.
 *
 * A sender is not read while the output of one of its recipients is above HIGH_MARK. Without the argument PORT it takes
 * a free one. It says where it listens as ferryd does, and runs until it is killed. */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE    65536 /* bytes at a time */
#define LINE_SIZE    65536 /* who writes a longer line is closed */
#define OUTPUT_SIZE  65536 /* of a new output; it grows when it must */
#define NAME_SIZE    64
#define PREFIX_SIZE  (NAME_SIZE + 8) /* `from NAME: ` */
#define HIGH_MARK    262144          /* bytes of output above which senders wait */
#define LOW_MARK     65536           /* and below which they go on */
#define BUCKET_COUNT 16384
#define EVENTS_MAX   16 /* a turn: few, so that what is read is still in the cache when it is written */

typedef struct {
    const char *data; /* borrowed, no NUL */
    size_t size;
} span_t;

typedef struct output {
    struct output *next; /* among the spare ones */
    size_t capacity, size;
    size_t at; /* what is before it has been written */
    char data[];
} output_t;

typedef struct client client_t;
struct client {
    int fd;
    bool is_leaving;  /* it is not read any more, and closed when its output is written */
    bool is_blocked;  /* its kernel takes no more for now */
    bool is_dirty;    /* it is in the list of those that this turn writes */
    char *held;       /* the beginning of a line, or NULL */
    output_t *output; /* or NULL */
    client_t *next_dirty;
    client_t *awaited, *next_waiter; /* whose output it waits for, and who else waits for that */
    client_t *first_waiter;
    client_t *next_in_bucket;
    uint32_t hash;
    size_t held_size;
    size_t prefix_size;
    size_t name_size;         /* 0 before the login */
    char prefix[PREFIX_SIZE]; /* holds the name */
};

typedef struct group {
    struct group *next;
    char name[NAME_SIZE];
    size_t name_size;
    client_t **members; /* borrowed */
    size_t count;
} group_t;

#define PREFIX_NAME_AT 5 /* behind `from ` */

static int epoll_fd = -1;
static client_t *buckets[BUCKET_COUNT];
static group_t *groups;
static client_t *dirty;         /* the clients that this turn writes */
static output_t *spare_outputs; /* the one used last is first, and likely in the cache */
static char input[LINE_SIZE + READ_SIZE];

static void *must(void *memory)
{
    if (!memory)
        err(1, "memory");
    return memory;
}

static span_t span_trim(const char *data, size_t size)
{
    while (size > 0 && *data == ' ')
        data++, size--;
    while (size > 0 && data[size - 1] == ' ')
        size--;
    return (span_t){data, size};
}

/* FNV-1a; a router that strangers reach needs a keyed one. */
static uint32_t span_hash(span_t name)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619U;
    return hash;
}

static client_t **bucket_of(uint32_t hash)
{
    return &buckets[(hash ^ hash >> 16) % BUCKET_COUNT];
}

static client_t *client_find(span_t name)
{
    uint32_t hash = span_hash(name);
    client_t *found = *bucket_of(hash);
    while (found && (found->hash != hash || found->name_size != name.size ||
                        memcmp(found->prefix + PREFIX_NAME_AT, name.data, name.size) != 0))
        found = found->next_in_bucket;
    return found;
}

/* Asks epoll for what this client can be served with. */
static void client_watch(client_t *self, int operation)
{
    struct epoll_event event = {.data.ptr = self};
    event.events = (self->is_leaving || self->awaited ? 0 : EPOLLIN) | (self->is_blocked ? EPOLLOUT : 0);
    if (epoll_ctl(epoll_fd, operation, self->fd, &event))
        err(1, "epoll_ctl");
}

static void client_soil(client_t *self)
{
    if (self->is_dirty)
        return;
    self->is_dirty = true;
    self->next_dirty = dirty;
    dirty = self;
}

static output_t *output_new(void)
{
    output_t *self = spare_outputs;
    if (self) {
        spare_outputs = self->next;
    } else {
        self = must(malloc(sizeof(*self) + OUTPUT_SIZE));
        self->capacity = OUTPUT_SIZE;
    }
    self->size = self->at = 0;
    return self;
}

static void output_spare(output_t **self_p)
{
    (*self_p)->next = spare_outputs;
    spare_outputs = *self_p;
    *self_p = NULL;
}

/* Makes room by moving what is not written yet to the front, or by doubling. */
static void output_reserve(output_t **self_p, size_t size)
{
    output_t *self = *self_p;
    if (self->at > 0) {
        self->size -= self->at;
        memmove(self->data, self->data + self->at, self->size);
        self->at = 0;
    }
    while (self->capacity - self->size < size)
        self->capacity *= 2;
    *self_p = must(realloc(self, sizeof(*self) + self->capacity));
}

/* Appends two pieces of a line to what the client will read. */
static void client_append(client_t *self, span_t first, span_t second)
{
    if (!self->output)
        self->output = output_new();
    if (self->output->capacity - self->output->size < first.size + second.size)
        output_reserve(&self->output, first.size + second.size);
    char *end = self->output->data + self->output->size;
    memcpy(end, first.data, first.size);
    memcpy(end + first.size, second.data, second.size);
    self->output->size += first.size + second.size;
    client_soil(self);
}

static void client_answer(client_t *self, const char *word, span_t rest)
{
    client_append(self, (span_t){word, strlen(word)}, rest);
    client_append(self, (span_t){"\n", 1}, (span_t){"", 0});
}

/* The sender is not read until the recipient's output is below LOW_MARK. */
static void client_await(client_t *self, client_t *recipient)
{
    if (self->awaited || recipient->output->size - recipient->output->at <= HIGH_MARK)
        return;
    self->awaited = recipient;
    self->next_waiter = recipient->first_waiter;
    recipient->first_waiter = self;
    client_watch(self, EPOLL_CTL_MOD);
}

static void client_resume_waiters(client_t *self)
{
    while (self->first_waiter) {
        client_t *waiter = self->first_waiter;
        self->first_waiter = waiter->next_waiter;
        waiter->awaited = NULL;
        client_watch(waiter, EPOLL_CTL_MOD);
    }
}

static void client_leave(client_t *self)
{
    self->is_leaving = true;
    client_soil(self);
}

static void client_login(client_t *self, span_t line)
{
    const char *space = memchr(line.data, ' ', line.size);
    span_t name = {line.data, space ? (size_t)(space - line.data) : line.size};
    if (name.size == 0 || name.size > NAME_SIZE || client_find(name)) {
        client_answer(self, "error name-taken ", name);
        client_leave(self);
        return;
    }
    self->name_size = name.size;
    self->prefix_size = (size_t)snprintf(self->prefix, PREFIX_SIZE, "from %.*s: ", (int)name.size, name.data);
    self->hash = span_hash(name);
    client_t **bucket = bucket_of(self->hash);
    self->next_in_bucket = *bucket;
    *bucket = self;
}

static void client_logout(client_t *self)
{
    client_t **at = bucket_of(self->hash);
    while (*at != self)
        at = &(*at)->next_in_bucket;
    *at = self->next_in_bucket;
    for (group_t *group = groups; group; group = group->next) {
        for (size_t i = 0; i < group->count; i++) {
            if (group->members[i] == self)
                group->members[i--] = group->members[--group->count];
        }
    }
}

static group_t *group_find(span_t name)
{
    group_t *found = groups;
    while (found && (found->name_size != name.size || memcmp(found->name, name.data, name.size) != 0))
        found = found->next;
    return found;
}

static void group_join(span_t name, client_t *member)
{
    group_t *self = group_find(name);
    if (!self) {
        self = must(calloc(1, sizeof(*self)));
        self->name_size = name.size < NAME_SIZE ? name.size : NAME_SIZE;
        memcpy(self->name, name.data, self->name_size);
        self->next = groups;
        groups = self;
    }
    self->members = must(realloc(self->members, (self->count + 1) * sizeof(client_t *)));
    self->members[self->count++] = member;
}

/* The text has its end of line. */
static void group_send(const group_t *self, client_t *sender, span_t text)
{
    char prefix[PREFIX_SIZE + NAME_SIZE];
    size_t size = (size_t)snprintf(prefix, sizeof(prefix), "%.*s %.*s: ", (int)(PREFIX_NAME_AT + sender->name_size),
        sender->prefix, (int)self->name_size, self->name);
    for (size_t i = 0; i < self->count; i++) {
        client_t *member = self->members[i];
        if (member == sender)
            continue;
        client_append(member, (span_t){prefix, size}, text);
        client_await(sender, member);
    }
}

/* The text has its end of line. */
static void client_send(client_t *self, span_t destination, span_t text)
{
    const group_t *group = *destination.data == '#' ? group_find(destination) : NULL;
    client_t *recipient = group ? NULL : client_find(destination);
    if (group) {
        group_send(group, self, text);
    } else if (recipient) {
        client_append(recipient, (span_t){self->prefix, self->prefix_size}, text);
        client_await(self, recipient);
    } else {
        client_answer(self, "error no-such-peer ", destination);
    }
}

/* `name, #group: text`; the byte behind the line is its end. */
static void client_route(client_t *self, span_t line)
{
    const char *colon = memchr(line.data, ':', line.size);
    if (!colon)
        return;
    const char *line_end = line.data + line.size;
    const char *text = colon + 1;
    while (text < line_end && *text == ' ')
        text++;
    for (const char *at = line.data; at < colon;) {
        const char *comma = memchr(at, ',', (size_t)(colon - at));
        const char *end = comma ? comma : colon;
        span_t destination = span_trim(at, (size_t)(end - at));
        if (destination.size > 0)
            client_send(self, destination, (span_t){text, (size_t)(line_end - text) + 1});
        at = end + 1;
    }
}

static bool span_begins(span_t line, const char *word)
{
    return line.size >= strlen(word) && memcmp(line.data, word, strlen(word)) == 0;
}

static void client_command(client_t *self, span_t line)
{
    if (span_begins(line, "/quit")) {
        client_answer(self, "ok quit", (span_t){"", 0});
        client_leave(self);
        return;
    }
    if (span_begins(line, "/join #"))
        group_join((span_t){line.data + 6, line.size - 6}, self);
    client_answer(self, "ok ", (span_t){line.data + 1, line.size - 1});
}

static void client_take(client_t *self, span_t line)
{
    if (self->name_size == 0)
        client_login(self, line);
    else if (*line.data == '/')
        client_command(self, line);
    else
        client_route(self, line);
}

/* Keeps the beginning of a line until the rest comes. */
static void client_hold(client_t *self, const char *rest, size_t size)
{
    free(self->held);
    self->held = size > 0 ? must(malloc(size)) : NULL;
    self->held_size = size;
    if (size > 0)
        memcpy(self->held, rest, size);
    if (size > LINE_SIZE)
        client_leave(self);
}

static void client_read(client_t *self)
{
    if (self->held_size > 0)
        memcpy(input, self->held, self->held_size);
    ssize_t got = recv(self->fd, input + self->held_size, READ_SIZE, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            client_leave(self);
        return;
    }
    char *at = input, *input_end = input + self->held_size + got, *end;
    while (!self->is_leaving && (end = memchr(at, '\n', (size_t)(input_end - at)))) {
        size_t size = (size_t)(end - at);
        if (size > 0 && at[size - 1] == '\r')
            at[--size] = '\n';
        client_take(self, (span_t){at, size});
        at = end + 1;
    }
    client_hold(self, at, (size_t)(input_end - at));
}

/* Nobody has its name, and nobody waits for it, from here on. */
static void client_destroy(client_t *self)
{
    if (self->name_size > 0)
        client_logout(self);
    client_resume_waiters(self);
    for (client_t **at = self->awaited ? &self->awaited->first_waiter : NULL; at && *at; at = &(*at)->next_waiter) {
        if (*at == self) {
            *at = self->next_waiter;
            break;
        }
    }
    if (self->output)
        output_spare(&self->output);
    close(self->fd);
    free(self->held);
    free(self);
}

/* Writes what the kernel takes; frees a client that leaves and has nothing more to read, or cannot be written to. */
static void client_write(client_t *self)
{
    output_t *output = self->output;
    ssize_t size = output ? send(self->fd, output->data + output->at, output->size - output->at, MSG_NOSIGNAL) : 0;
    bool is_cut = size < 0 && errno != EAGAIN;
    if (size > 0)
        output->at += (size_t)size;
    if (output && output->at == output->size)
        output_spare(&self->output);
    if (is_cut || (self->is_leaving && !self->output)) {
        client_destroy(self);
        return;
    }
    if (!self->output || self->output->size - self->output->at < LOW_MARK)
        client_resume_waiters(self);
    if (self->is_blocked != (self->output != NULL) || self->is_leaving) {
        self->is_blocked = self->output != NULL;
        client_watch(self, EPOLL_CTL_MOD);
    }
}

static void clients_write(void)
{
    client_t *next = dirty;
    dirty = NULL;
    while (next) {
        client_t *client = next;
        next = client->next_dirty;
        client->is_dirty = false;
        client_write(client);
    }
}

static void client_serve(client_t *self, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        client_leave(self);
    else if (events & EPOLLIN)
        client_read(self);
    if (events & EPOLLOUT)
        client_soil(self);
}

static void listener_accept(int listener)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        client_t *client = must(calloc(1, sizeof(*client)));
        client->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        client_watch(client, EPOLL_CTL_ADD);
    }
}

/* Returns a socket that listens on this port of 127.0.0.1, or on a free one for 0, and says which. */
static int listener_open(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int one = 1;
    address.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        bind(fd, (struct sockaddr *)&address, size) || listen(fd, SOMAXCONN) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        err(1, "cannot listen");
    fprintf(stderr, "event=listening role=gateway endpoint=tcp://127.0.0.1:%u\nevent=ready\n", ntohs(address.sin_port));
    return fd;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listener_open(argc > 1 ? atoi(argv[1]) : 0);
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &listening))
        err(1, "epoll");
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                client_serve(events[i].data.ptr, events[i].events);
            else
                listener_accept(listener);
        }
        clients_write();
    }
}
