/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Descriptors and time where things fail: system calls that are interrupted before they did anything, events
 * that come true for nobody, a wall clock that jumps, a process that is stopped for a while. Nothing may be
 * lost, and nothing come twice. Stands on on_each.h; some system calls are taken over by this file. */
#include "on_each.h"

#include "aglet/await.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How many of a hundred calls are interrupted; and how many were. */
static atomic_int interrupt_percent;
static atomic_long interrupted, wall_clock_read;
static atomic_bool wall_clock_jumps;

static bool is_interrupted(void) {
    static atomic_uint dice = 1;
    int percent = atomic_load(&interrupt_percent);
    if (!percent)
        return false;
    unsigned d = atomic_fetch_add(&dice, 1) * 2654435761u;
    if ((int)((d >> 16) % 100) >= percent)
        return false;
    atomic_fetch_add(&interrupted, 1);
    errno = EINTR;
    return true;
}

#define REAL(name)                                                                                           \
    static __typeof__(name) *real;                                                                           \
    if (!real)                                                                                               \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t read(int fd, void *to, size_t n) {
    REAL(read);
    return is_interrupted() ? -1 : real(fd, to, n);
}
ssize_t send(int fd, const void *from, size_t n, int flags) {
    REAL(send);
    return is_interrupted() ? -1 : real(fd, from, n, flags);
}
ssize_t readv(int fd, const struct iovec *to, int n) {
    REAL(readv);
    return is_interrupted() ? -1 : real(fd, to, n);
}
ssize_t sendmsg(int fd, const struct msghdr *m, int flags) {
    REAL(sendmsg);
    return is_interrupted() ? -1 : real(fd, m, flags);
}
int accept4(int fd, __SOCKADDR_ARG address, socklen_t *n, int flags) { /* as glibc declares it */
    REAL(accept4);
    return is_interrupted() ? -1 : real(fd, address, n, flags);
}
int poll(struct pollfd *fds, nfds_t n, int timeout) {
    REAL(poll);
    return is_interrupted() ? -1 : real(fds, n, timeout);
}
int epoll_wait(int fd, struct epoll_event *events, int max, int timeout) {
    REAL(epoll_wait);
    return is_interrupted() ? -1 : real(fd, events, max, timeout);
}
int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
                 const sigset_t *mask) {
    static int (*real)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "epoll_pwait2");
    return is_interrupted() ? -1 : real(fd, events, max, timeout, mask);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME) {
        atomic_fetch_add(&wall_clock_read, 1);
        if (atomic_load(&wall_clock_jumps))
            now->tv_sec += (now->tv_nsec & 1) ? 86400 : -86400;
    }
    return result;
}

AGLET_CHANNEL(numbers, long);

static void *echo(void *arg) {
    aglet_io io = *(aglet_io *)arg;
    char buffer[700];
    ssize_t n;
    free(arg);
    while ((n = aglet_read(&io, buffer, sizeof buffer)) > 0) {
        struct iovec halves[] = {{buffer, (size_t)n / 2}, {buffer + n / 2, (size_t)(n - n / 2)}};
        ssize_t put = aglet_writev(&io, halves, 2);
        if (put < 0 || (put < n && aglet_write(&io, buffer + put, (size_t)(n - put)) < 0))
            break;
    }
    aglet_io_close(&io);
    return NULL;
}

static void *serve(void *arg) {
    aglet_io *listener = arg, connection;
    while (aglet_accept(listener, &connection) == 0) {
        aglet_io *copy = malloc(sizeof *copy);
        *copy = connection;
        if (aglet_spawn(NULL, echo, copy))
            return "spawn";
    }
    return NULL;
}

static void *ask(void *port) {
    aglet_io io;
    char out[3000], in[3000];
    CHECK(aglet_tcp_connect(&io, "127.0.0.1", (uint16_t)(uintptr_t)port, aglet_after_ms(5000)) == 0);
    for (int i = 0; i < 20; i++) {
        memset(out, 'a' + i, sizeof out);
        CHECK(aglet_write(&io, out, sizeof out) == (ssize_t)sizeof out);
        CHECK(aglet_read_all(&io, in, sizeof in) == (ssize_t)sizeof in);
        CHECK(memcmp(in, out, sizeof in) == 0);
    }
    aglet_io_close(&io);
    return NULL;
}

static void *converse(void *arg) {
    enum { CLIENTS = 6 };
    aglet_io listener;
    aglet_task *server, *clients[CLIENTS];
    void *wrong[CLIENTS];
    (void)arg;
    CHECK(aglet_tcp_listen(&listener, "127.0.0.1", 0) == 0);
    void *port = (void *)(uintptr_t)aglet_tcp_port(&listener);
    CHECK(aglet_spawn(&server, serve, &listener) == 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(aglet_spawn(&clients[i], ask, port) == 0);
    CHECK(aglet_join_all(clients, wrong, CLIENTS) == 0);
    aglet_abort(server);
    CHECK(aglet_join(server, NULL) == 0);
    aglet_io_close(&listener);
    for (int i = 0; i < CLIENTS; i++)
        if (wrong[i])
            return wrong[i];
    return NULL;
}

static void half_of_all_system_calls_are_interrupted(void **state) {
    (void)state;
    atomic_store(&interrupt_percent, 50);
    on_each(converse, NULL);
    atomic_store(&interrupt_percent, 0);
    assert_true(atomic_load(&interrupted) > 100);
}

/* Many readers of one pipe, each with a descriptor of its own: every byte wakes them all, and all but one
 * find nothing. */
enum { READERS = 8, BYTES = 400 };
static atomic_int came[BYTES];

static void *read_some(void *arg) {
    aglet_io *io = arg;
    unsigned short n;
    ssize_t got;
    while ((got = aglet_read(io, &n, sizeof n)) == sizeof n)
        atomic_fetch_add(&came[n], 1);
    aglet_io_close(io);
    return got == 0 ? NULL : (void *)(uintptr_t) "a read failed";
}

struct stepper {
    AGLET_FRAME_HEADER;
    aglet_io *io;
    unsigned short n;
    int got;
};
AGLET_STACKLESS(read_stackless, struct stepper) {
    AGLET_BEGIN(f);
    for (;;) {
        AGLET_AWAIT(f, f->got, aglet_read_poll(&f->aglet_, f->io, &f->n, sizeof f->n, aglet_after_ms(20000)));
        if (f->got != sizeof f->n)
            break;
        atomic_fetch_add(&came[f->n], 1);
    }
    aglet_io_close(f->io);
    AGLET_RETURN(f, f->got == 0 ? NULL : (void *)(uintptr_t) "an awaited read failed");
    AGLET_END(f);
}

static void *crowd(void *arg) {
    static aglet_io readers[READERS];
    aglet_io r, w;
    aglet_task *tasks[READERS];
    void *wrong[READERS];
    (void)arg;
    for (int i = 0; i < BYTES; i++)
        atomic_store(&came[i], 0);
    CHECK(aglet_pipe(&r, &w) == 0);
    for (int i = 0; i < READERS; i++) {
        CHECK(aglet_io_open(&readers[i], dup(r.fd)) == 0);
        CHECK((i % 2 ? aglet_spawn(&tasks[i], read_some, &readers[i])
                     : read_stackless_spawn(&tasks[i], (struct stepper){.io = &readers[i]})) == 0);
    }
    aglet_io_close(&r);
    for (unsigned short i = 0; i < BYTES; i++) {
        CHECK(aglet_write(&w, &i, sizeof i) == sizeof i);
        if (i % 3 == 0)
            CHECK(aglet_sleep_until(aglet_after_ns(50000)) == 0);
    }
    aglet_io_close(&w);
    CHECK(aglet_join_all(tasks, wrong, READERS) == 0);
    for (int i = 0; i < READERS; i++)
        if (wrong[i])
            return wrong[i];
    for (int i = 0; i < BYTES; i++)
        CHECK(atomic_load(&came[i]) == 1);
    return NULL;
}

static void events_that_are_true_for_one_of_many_lose_nothing(void **state) {
    (void)state;
    on_each(crowd, NULL);
    atomic_store(&interrupt_percent, 30);
    on_each(crowd, NULL);
    atomic_store(&interrupt_percent, 0);
}

/* All that waits for time, at once: when it is over, each has waited as long as it should. */
static void *wait_for_time(void *arg) {
    aglet_time begun = aglet_now();
    int64_t longest = (int64_t)(intptr_t)arg;
    numbers_sender tx;
    numbers_receiver rx;
    long value;
    CHECK(numbers_bounded(&tx, &rx, 1) == 0);
    CHECK(numbers_recv_until(&rx, &value, aglet_after_ms(10)) == -ETIMEDOUT);
    CHECK(aglet_now() - begun >= 10000000);
    aglet_interval every = aglet_interval_ms(5);
    aglet_time before = every.next - every.period;
    for (int i = 0; i < 20; i++) {
        CHECK(aglet_interval_next(&every) == 0);
        CHECK(aglet_now() >= before + every.period); /* never two at once to make up for lost ones */
        before = every.next - every.period;
    }
    CHECK(aglet_now() - begun >= 110 * 1000000);
    CHECK(aglet_now() - begun < (longest + 2000) * 1000000);
    numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    return NULL;
}

static void *sleepers(void *arg) {
    aglet_task *tasks[50];
    void *wrong[50];
    for (int i = 0; i < 50; i++)
        CHECK(aglet_spawn(&tasks[i], wait_for_time, arg) == 0);
    CHECK(aglet_join_all(tasks, wrong, 50) == 0);
    for (int i = 0; i < 50; i++)
        if (wrong[i])
            return wrong[i];
    return NULL;
}

static void jumps_of_the_wall_clock_are_not_noticed(void **state) {
    (void)state;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    assert_true(atomic_load(&wall_clock_read) > 0); /* it is this file's clock that is read */
    atomic_store(&wall_clock_read, 0);
    atomic_store(&wall_clock_jumps, true);
    on_each(sleepers, (void *)120);
    atomic_store(&wall_clock_jumps, false);
    assert_int_equal(atomic_load(&wall_clock_read), 0);
}

/* As when a laptop's lid is closed, or a debugger holds the process: all deadlines pass at once. */
static void a_process_that_was_stopped_goes_on(void **state) {
    (void)state;
    pid_t self = getpid(), stopper = fork();
    assert_true(stopper >= 0);
    if (stopper == 0) {
        for (int i = 0; i < 3; i++) {
            usleep(40000);
            kill(self, SIGSTOP);
            usleep(150000);
            kill(self, SIGCONT);
        }
        _exit(0);
    }
    on_each(sleepers, (void *)600);
    int status;
    assert_int_equal(waitpid(stopper, &status, 0), stopper);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_all_system_calls_are_interrupted),
        cmocka_unit_test(events_that_are_true_for_one_of_many_lose_nothing),
        cmocka_unit_test(jumps_of_the_wall_clock_are_not_noticed),
        cmocka_unit_test(a_process_that_was_stopped_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
