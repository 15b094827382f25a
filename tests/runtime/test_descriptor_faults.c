/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Every call that makes a descriptor, or has one watched, fails once while tasks of both kinds open, connect, accept
 * and talk: each gets an error it can read, nothing is lost on the connections that stand, and no descriptor is left
 * behind. And storms: many readers and writers of one pipe that has room for two of their messages. Stands on
 * on_each.h; the system calls are taken over by this file. */
#include "on_each.h"

#include "aglet/await.h"
#include "aglet/fs.h"
#include "aglet/net.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Counts down at each such call; the one that reaches zero fails. Negative: none fails. */
static atomic_long fail_at = -1, requests, came_to_nothing;

static bool fails(int error) {
    atomic_fetch_add(&requests, 1);
    if (atomic_load(&fail_at) < 0 || atomic_fetch_sub(&fail_at, 1) != 0)
        return false;
    errno = error;
    return true;
}

#define REAL(name)                                                                                           \
    static __typeof__(name) *real;                                                                           \
    if (!real)                                                                                               \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

int socket(int family, int type, int protocol) {
    REAL(socket);
    return fails(EMFILE) ? -1 : real(family, type, protocol);
}
int accept4(int fd, __SOCKADDR_ARG address, socklen_t *n, int flags) { /* as glibc declares it */
    REAL(accept4);
    return fails(ENFILE) ? -1 : real(fd, address, n, flags);
}
int pipe2(int ends[2], int flags) {
    REAL(pipe2);
    return fails(EMFILE) ? -1 : real(ends, flags);
}
int epoll_create1(int flags) {
    REAL(epoll_create1);
    return fails(EMFILE) ? -1 : real(flags);
}
int eventfd(unsigned count, int flags) {
    REAL(eventfd);
    return fails(EMFILE) ? -1 : real(count, flags);
}
int epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event) {
    REAL(epoll_ctl);
    return what == EPOLL_CTL_ADD && fails(ENOSPC) ? -1 : real(epoll_fd, what, fd, event);
}
int open(const char *path, int flags, ...) {
    REAL(open);
    va_list rest;
    va_start(rest, flags);
    int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
    va_end(rest);
    return fails(EMFILE) ? -1 : real(path, flags, mode);
}
ssize_t read(int fd, void *to, size_t n) {
    REAL(read);
    ssize_t got = real(fd, to, n);
    if (got < 0 && errno == EAGAIN)
        atomic_fetch_add(&came_to_nothing, 1);
    return got;
}
ssize_t write(int fd, const void *from, size_t n) {
    REAL(write);
    ssize_t put = real(fd, from, n);
    if (put < 0 && errno == EAGAIN)
        atomic_fetch_add(&came_to_nothing, 1);
    return put;
}

static bool is_want(ssize_t error) {
    return error == -EMFILE || error == -ENFILE || error == -ENOSPC;
}

static int open_descriptors(void) {
    DIR *all = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(all))
        n++;
    closedir(all);
    return n;
}

enum { BLOCK = 100 };

/* Serves one connection, whatever becomes of accept. */
static void *serve_one(void *arg) {
    aglet_io *listener = arg, c;
    char block[BLOCK];
    int error;
    while (is_want(error = aglet_accept_until(listener, &c, aglet_after_ms(300))))
        ;
    if (error == -ETIMEDOUT) /* the client got no socket */
        return NULL;
    CHECK(error == 0);
    ssize_t n = aglet_read_all(&c, block, BLOCK);
    if (n == BLOCK)
        n = aglet_write(&c, block, BLOCK);
    aglet_io_close(&c);
    CHECK(n == BLOCK || n == 0 || is_want(n));
    return NULL;
}

struct client {
    AGLET_FRAME_HEADER;
    uint16_t port;
    aglet_io c;
    int n;
    char block[BLOCK];
};
AGLET_STACKLESS(ask_stackless, struct client) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->n, aglet_tcp_connect_poll(&f->aglet_, &f->c, "127.0.0.1", f->port, AGLET_FOREVER));
    if (f->n)
        AGLET_RETURN(f, is_want(f->n) ? NULL : (void *)(uintptr_t) "stackless connect");
    memset(f->block, 'q', BLOCK);
    AGLET_AWAIT(f, f->n, aglet_write_poll(&f->aglet_, &f->c, f->block, BLOCK, AGLET_FOREVER));
    if (f->n == BLOCK)
        AGLET_AWAIT(f, f->n, aglet_read_all_poll(&f->aglet_, &f->c, f->block, BLOCK, aglet_after_ms(3000)));
    aglet_io_close(&f->c);
    AGLET_RETURN(f,
                 f->n == BLOCK || f->n == 0 || is_want(f->n) ? NULL : (void *)(uintptr_t) "stackless echo");
    AGLET_END(f);
}

static void *ask(uint16_t port) {
    aglet_io c;
    char block[BLOCK];
    int error = aglet_tcp_connect(&c, "127.0.0.1", port, aglet_after_ms(3000));
    if (is_want(error))
        return NULL;
    CHECK(error == 0);
    memset(block, 'a', BLOCK);
    ssize_t n = aglet_write(&c, block, BLOCK);
    if (n == BLOCK)
        n = aglet_read_all(&c, block, BLOCK);
    aglet_io_close(&c);
    CHECK(n == BLOCK || n == 0 || n == -ECONNRESET || is_want(n));
    return NULL;
}

static void *use_descriptors(void *unused) {
    (void)unused;
    aglet_io listener, r, w;
    aglet_task *servers[2], *client;
    void *wrong[2], *asked = NULL, *answer = NULL;
    int error = aglet_tcp_listen(&listener, "127.0.0.1", 0);
    if (is_want(error))
        return NULL;
    CHECK(error == 0);
    uint16_t port = (uint16_t)aglet_tcp_port(&listener);
    for (int i = 0; i < 2; i++)
        CHECK(aglet_spawn(&servers[i], serve_one, &listener) == 0);
    CHECK(ask_stackless_spawn(&client, (struct client){.port = port}) == 0);
    asked = ask(port);
    CHECK(aglet_join(client, &answer) == 0);
    CHECK(aglet_join_all(servers, wrong, 2) == 0);
    aglet_io_close(&listener);
    for (int i = 0; i < 2; i++)
        if (wrong[i])
            return wrong[i];
    if (asked || answer)
        return asked ? asked : answer;
    error = aglet_pipe(&r, &w);
    CHECK(error == 0 || is_want(error));
    if (!error) {
        char c;
        ssize_t n = aglet_read_until(&r, &c, 1, aglet_after_ms(1));
        CHECK(n == -ETIMEDOUT || is_want(n));
        aglet_io_close(&r);
        aglet_io_close(&w);
    }
    aglet_signal s;
    error = aglet_signal_open(&s, SIGUSR1);
    CHECK(error == 0 || is_want(error));
    if (!error) {
        raise(SIGUSR1);
        error = aglet_signal_next(&s);
        CHECK(error == 1 || is_want(error));
        aglet_signal_close(&s);
    }
    int fd = aglet_file_open("/dev/null", O_RDWR, 0);
    CHECK(fd >= 0 || is_want(fd));
    CHECK(fd < 0 || aglet_file_close(fd) == 0);
    return NULL;
}

static void a_descriptor_that_cannot_be_had_is_an_error_and_none_is_left_behind(void **state) {
    (void)state;
    on_each(use_descriptors, NULL); /* what is opened once for good */
    int before = open_descriptors();
    for (size_t kind = 0; kind < COUNT(each_kind); kind++) {
        long first = atomic_load(&requests), all = 1000;
        for (long k = -1; k < all; k++) {
            void *wrong = NULL;
            atomic_store(&fail_at, k);
            int error = aglet_run(&each_kind[kind], use_descriptors, NULL, &wrong);
            atomic_store(&fail_at, -1);
            if (error || wrong)
                fail_msg("with call %ld failing: %d, %s", k, error, wrong ? (const char *)wrong : "");
            if (open_descriptors() != before)
                fail_msg("with call %ld failing: %d descriptors more", k, open_descriptors() - before);
            if (k == -1)
                all = atomic_load(&requests) - first;
        }
        print_message("%ld calls, each failed once\n", all);
        assert_true(all > 10);
    }
}

/* Messages of half a pipe from many writers to many readers: each event is true for one of them, and each gets
 * EAGAIN over and over. */
enum { CROWD = 6, EACH = 120, MESSAGE = 2048, PIPE_BYTES = 4096 };
static atomic_int came[CROWD * EACH];

struct writer {
    aglet_io io;
    int first;
};

static void *write_some(void *arg) {
    struct writer *me = arg;
    unsigned short message[MESSAGE / sizeof(unsigned short)];
    for (int i = 0; i < EACH; i++) {
        for (size_t k = 0; k < COUNT(message); k++)
            message[k] = (unsigned short)(me->first + i);
        CHECK(aglet_write(&me->io, message, sizeof message) == sizeof message);
    }
    aglet_io_close(&me->io);
    return NULL;
}

static void *read_some(void *arg) {
    aglet_io *io = arg;
    unsigned short message[MESSAGE / sizeof(unsigned short)];
    ssize_t n;
    while ((n = aglet_read(io, message, sizeof message)) > 0) {
        CHECK(n == sizeof message);
        for (size_t k = 1; k < COUNT(message); k++)
            CHECK(message[k] == message[0]);
        atomic_fetch_add(&came[message[0]], 1);
    }
    aglet_io_close(io);
    CHECK(n == 0);
    return NULL;
}

static void *crowd(void *unused) {
    static struct writer writers[CROWD];
    static aglet_io readers[CROWD];
    aglet_io r, w;
    aglet_task *tasks[2 * CROWD];
    void *wrong[2 * CROWD];
    (void)unused;
    memset(came, 0, sizeof came);
    CHECK(aglet_pipe(&r, &w) == 0);
    CHECK(fcntl(w.fd, F_SETPIPE_SZ, PIPE_BYTES) == PIPE_BYTES);
    for (int i = 0; i < CROWD; i++) {
        writers[i].first = i * EACH;
        CHECK(aglet_io_open(&writers[i].io, dup(w.fd)) == 0);
        CHECK(aglet_io_open(&readers[i], dup(r.fd)) == 0);
        CHECK(aglet_spawn(&tasks[2 * i], write_some, &writers[i]) == 0);
        CHECK(aglet_spawn(&tasks[2 * i + 1], read_some, &readers[i]) == 0);
    }
    aglet_io_close(&w);
    CHECK(aglet_join_all(tasks, wrong, 2 * CROWD) == 0);
    aglet_io_close(&r);
    for (int i = 0; i < 2 * CROWD; i++)
        if (wrong[i])
            return wrong[i];
    for (int i = 0; i < CROWD * EACH; i++)
        CHECK(atomic_load(&came[i]) == 1);
    return NULL;
}

static void a_storm_of_calls_that_come_to_nothing_loses_nothing(void **state) {
    (void)state;
    atomic_store(&came_to_nothing, 0);
    on_each(crowd, NULL);
    print_message("%ld calls came to nothing\n", atomic_load(&came_to_nothing));
    assert_true(atomic_load(&came_to_nothing) > CROWD * EACH);
}

/* Where as many wait to be accepted as may, another connection is not waited for: nobody would tell. */
static void *connect_too_often(void *unused) {
    (void)unused;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "/tmp/aglet-faults-%d", (int)getpid());
    unlink(at.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), accepted = 0;
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
    aglet_io listener, clients[8], c;
    CHECK(aglet_io_open(&listener, fd) == 0);
    int n = 0, error = 0;
    while (n < 8 && (error = aglet_unix_connect(&clients[n], at.sun_path, aglet_after_ms(2000))) == 0)
        n++;
    CHECK(n > 0 && n < 8);
    CHECK(error == -EAGAIN);
    while (aglet_accept_until(&listener, &c, aglet_after_ms(20)) == 0) {
        aglet_io_close(&c);
        accepted++;
    }
    CHECK(accepted == n);
    while (n > 0)
        aglet_io_close(&clients[--n]);
    CHECK(aglet_unix_connect(&clients[0], at.sun_path, aglet_after_ms(2000)) == 0);
    aglet_io_close(&clients[0]);
    aglet_io_close(&listener);
    unlink(at.sun_path);
    return NULL;
}

static void a_full_queue_of_connections_is_told(void **state) {
    (void)state;
    on_each(connect_too_often, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_that_cannot_be_had_is_an_error_and_none_is_left_behind),
        cmocka_unit_test(a_storm_of_calls_that_come_to_nothing_loses_nothing),
        cmocka_unit_test(a_full_queue_of_connections_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
