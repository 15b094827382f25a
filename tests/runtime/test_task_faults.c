/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tasks where things fail: no memory at the k-th request, no descriptors, signals in every system call, fork.
 * An error must reach the caller, and no task may be lost. Stands on on_each.h; malloc and its kin are taken
 * over by this file. */
#include "on_each.h"

#include "aglet/await.h"
#include "aglet/blocking.h"
#include "aglet/broadcast.h"
#include "aglet/channel.h"
#include "aglet/fs.h"
#include "aglet/net.h"
#include "aglet/pool.h"
#include "aglet/select.h"
#include "aglet/stackless.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Counts down at each request; the one that reaches zero fails. Negative: none fails. */
static atomic_long fail_at = -1;
static atomic_long requests;

/* A failure says ENOMEM, as libc's own do: glibc asserts it where a new thread's storage cannot be had. */
static bool fails(void) {
    atomic_fetch_add(&requests, 1);
    if (atomic_load(&fail_at) < 0 || atomic_fetch_sub(&fail_at, 1) != 0)
        return false;
    errno = ENOMEM;
    return true;
}

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_memalign(size_t alignment, size_t n);

void *malloc(size_t n) {
    return fails() ? NULL : __libc_malloc(n);
}
void *calloc(size_t n, size_t size) {
    return fails() ? NULL : __libc_calloc(n, size);
}
void *aligned_alloc(size_t alignment, size_t n) {
    return fails() ? NULL : __libc_memalign(alignment, n);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset) {
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (fails())
        return MAP_FAILED;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "mmap");
    return real(at, n, protection, flags, fd, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*entry)(void *), void *arg) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (fails())
        return EAGAIN;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return real(thread, how, entry, arg);
}

AGLET_CHANNEL(numbers, long);
AGLET_BROADCAST(news, long);

static atomic_int begun, ended;

static void *count_me(void *arg) {
    atomic_fetch_add(&begun, 1);
    (void)aglet_yield();
    atomic_fetch_add(&ended, 1);
    return arg;
}

struct frame {
    AGLET_FRAME_HEADER;
    int error;
    char room[700];
};
AGLET_STACKLESS(count_step, struct frame) {
    AGLET_BEGIN(f);
    atomic_fetch_add(&begun, 1);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    atomic_fetch_add(&ended, 1);
    AGLET_END(f);
}

/* What an await with a deadline, a select and blocking work take memory for. Each result is good, or -ENOMEM.
 */
struct awaiter {
    AGLET_FRAME_HEADER;
    numbers_receiver rx;
    struct aglet_case cases[1];
    long value;
    int error;
};
static void *nothing(void *arg) {
    return arg;
}
AGLET_STACKLESS(await_some, struct awaiter) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_recv_until_poll(&f->aglet_, &f->rx, &f->value, aglet_after_ms(1)));
    if (f->error != -ETIMEDOUT && f->error != -ENOMEM)
        AGLET_RETURN(f, "recv_until");
    f->cases[0] = (struct aglet_case)AGLET_CASE_RECV(&f->rx, &f->value);
    AGLET_AWAIT(f, f->error, aglet_select_poll(&f->aglet_, f->cases, 1, aglet_after_ms(1)));
    if (f->error != -ETIMEDOUT && f->error != -ENOMEM)
        AGLET_RETURN(f, "select");
    AGLET_AWAIT(f, f->error, aglet_run_blocking_poll(&f->aglet_, nothing, NULL, NULL));
    if (f->error != 0 && f->error != -ENOMEM)
        AGLET_RETURN(f, "run_blocking");
    AGLET_AWAIT(f, f->error, aglet_timeout_poll(&f->aglet_, nothing, NULL, aglet_after_ms(1000), NULL));
    AGLET_RETURN(f, f->error == 0 || f->error == -ENOMEM ? NULL : (void *)(uintptr_t) "timeout");
    AGLET_END(f);
}

static void *await_with_little_memory(void) {
    numbers_sender tx;
    numbers_receiver rx;
    aglet_task *t;
    void *wrong = NULL;
    if (numbers_bounded(&tx, &rx, 1))
        return NULL;
    if (await_some_spawn(&t, (struct awaiter){.rx = rx}) == 0)
        CHECK(aglet_join(t, &wrong) == 0);
    numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    return wrong;
}

static void count_range(void *context, size_t from, size_t to) {
    atomic_fetch_add((atomic_long *)context, (long)(to - from));
}

/* A task that must stay on its worker, one with a name, another pool's threads, a file and a name looked up. */
static void *try_the_rest(void) {
    aglet_task *t;
    int spawned = 0, before = atomic_load(&ended);
    if (aglet_spawn_local(&t, count_me, NULL) == 0) {
        spawned++;
        aglet_task_name(t, "local");
        CHECK(aglet_join(t, NULL) == 0);
    }
    CHECK(atomic_load(&ended) == before + spawned);
    aglet_pool *pool = aglet_pool_new(2);
    atomic_long counted = 0;
    CHECK(pool || errno == ENOMEM || errno == EAGAIN);
    if (pool) {
        aglet_parallel_for(pool, 0, 1000, 10, count_range, &counted);
        CHECK(atomic_load(&counted) == 1000);
    }
    aglet_pool_free(pool);
    int fd = aglet_file_open("/dev/null", O_RDWR, 0);
    CHECK(fd >= 0 || fd == -ENOMEM);
    if (fd >= 0) {
        int error = aglet_file_close(fd);
        CHECK(error == 0 || error == -ENOMEM);
        if (error) /* no thread for it: it is the caller's still */
            close(fd);
    }
    struct sockaddr_storage found[4];
    int n = aglet_lookup("localhost", 80, found, 4);
    /* ENOENT: to glibc a name is unknown where it has no memory for the module that would know it. */
    CHECK(n > 0 || n == -ENOMEM || n == -EAGAIN || n == -ENOENT);
    return NULL;
}

/* Some of everything that asks for memory; every result is looked at, none is required to be good. */
static void *try_everything(void *arg) {
    int spawned = 0;
    numbers_sender tx;
    numbers_receiver rx;
    aglet_group group = {{0}};
    aglet_io r, w;
    static const aglet_local key;
    (void)arg;
    for (int i = 0; i < 5; i++) {
        aglet_task *t;
        if (aglet_spawn(&t, count_me, NULL) == 0) {
            spawned++;
            CHECK(aglet_join(t, NULL) == 0);
        }
        if (count_step_spawn(&t, (struct frame){.error = 0}) == 0) {
            spawned++;
            CHECK(aglet_join(t, NULL) == 0);
        }
        spawned += aglet_group_spawn(&group, count_me, NULL) == 0;
    }
    CHECK(aglet_group_join(&group) == 0);
    CHECK(atomic_load(&begun) == spawned && atomic_load(&ended) == spawned);
    void *wrong = await_with_little_memory();
    if (wrong)
        return wrong;
    if (numbers_unbounded(&tx, &rx) == 0) {
        long sent = 0, got = 0, value;
        for (long i = 0; i < 1000; i++) {
            int error = numbers_send(&tx, i);
            CHECK(error == 0 || error == -ENOMEM);
            sent += error == 0;
        }
        numbers_drop(&tx);
        while (numbers_recv(&rx, &value) == 0)
            got++;
        CHECK(sent == got);
        numbers_drop_receiver(&rx);
    }
    if (aglet_pipe(&r, &w) == 0) {
        char c = 'x';
        ssize_t n = aglet_write(&w, &c, 1);
        CHECK(n == 1 || n == -ENOMEM);
        if (n == 1) {
            n = aglet_read_until(&r, &c, 1, aglet_after_ms(1000));
            CHECK(n == 1 || n == -ENOMEM);
            n = aglet_read_until(&r, &c, 1, aglet_after_ms(1));
            CHECK(n == -ETIMEDOUT || n == -ENOMEM);
        }
        aglet_io_close(&r);
        aglet_io_close(&w);
    }
    int error = aglet_local_set(&key, &spawned);
    CHECK(error == 0 || error == -ENOMEM);
    news_sender n;
    if (news_open(&n, 100) == 0)
        news_drop(&n);
    return try_the_rest();
}

static void an_allocation_that_fails_is_an_error_to_its_caller(void **state) {
    (void)state;
    for (size_t kind = 0; kind < COUNT(each_kind); kind++) {
        long first = atomic_load(&requests), all = 100000;
        for (long k = -1; k < all; k++) {
            void *wrong = NULL;
            atomic_store(&begun, 0);
            atomic_store(&ended, 0);
            atomic_store(&fail_at, k);
            int error = aglet_run(&each_kind[kind], try_everything, NULL, &wrong);
            atomic_store(&fail_at, -1);
            if (wrong)
                fail_msg("with request %ld failing: %s", k, (const char *)wrong);
            if (error && error != -ENOMEM && error != -EAGAIN)
                fail_msg("with request %ld failing: error %d", k, error);
            if (k == -1)
                all = atomic_load(&requests) - first + 2;
        }
        print_message("%ld requests, each failed once\n", all - 2);
        assert_true(all > 5);
    }
}

static void *accept_all(void *arg) {
    aglet_io *listener = arg, connections[64];
    long failed = 0, accepted = 0;
    while (accepted < 20) {
        int error = aglet_accept_until(listener, &connections[accepted], aglet_after_ms(3000));
        if (error == -EMFILE) {
            failed++;
            if (failed == 3) { /* let go of some, as a server would when connections end */
                struct rlimit limit;
                getrlimit(RLIMIT_NOFILE, &limit);
                limit.rlim_cur += 40;
                setrlimit(RLIMIT_NOFILE, &limit);
            }
            CHECK(aglet_sleep_ms(1) == 0);
            continue;
        }
        CHECK(error == 0);
        accepted++;
    }
    for (long i = 0; i < accepted; i++)
        aglet_io_close(&connections[i]);
    CHECK(failed > 0);
    return NULL;
}

static void *no_descriptors(void *arg) {
    (void)arg;
    aglet_io listener, clients[20];
    struct rlimit before, tight;
    aglet_task *t;
    void *wrong;
    CHECK(aglet_tcp_listen(&listener, "127.0.0.1", 0) == 0);
    uint16_t port = (uint16_t)aglet_tcp_port(&listener);
    for (int i = 0; i < 20; i++)
        CHECK(aglet_tcp_connect(&clients[i], "127.0.0.1", port, aglet_after_ms(3000)) == 0);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    int next = dup(0);
    close(next);
    tight.rlim_cur = (rlim_t)next + 4;
    setrlimit(RLIMIT_NOFILE, &tight);
    CHECK(aglet_spawn(&t, accept_all, &listener) == 0);
    CHECK(aglet_join(t, &wrong) == 0);
    setrlimit(RLIMIT_NOFILE, &before);
    for (int i = 0; i < 20; i++)
        aglet_io_close(&clients[i]);
    aglet_io_close(&listener);
    return wrong;
}

static void without_descriptors_accept_fails_and_loses_nobody(void **state) {
    (void)state;
    on_each(no_descriptors, NULL);
}

static atomic_long alarms;
static void on_alarm(int number) {
    (void)number;
    atomic_fetch_add(&alarms, 1);
}

static void *send_all(void *arg) {
    aglet_io *w = arg;
    static char block[200000];
    for (int i = 0; i < 20; i++)
        CHECK(aglet_write(w, block, sizeof block) == (ssize_t)sizeof block);
    aglet_io_close(w);
    return NULL;
}

static void *interrupted(void *arg) {
    (void)arg;
    aglet_io r, w;
    aglet_task *t;
    void *wrong;
    char buffer[4096];
    long total = 0;
    ssize_t n;
    CHECK(aglet_pipe(&r, &w) == 0);
    CHECK(aglet_spawn(&t, send_all, &w) == 0);
    while ((n = aglet_read(&r, buffer, sizeof buffer)) > 0) {
        total += n;
        if (total % 40960 == 0)
            CHECK(aglet_sleep_until(aglet_after_ns(200000)) == 0);
    }
    CHECK(n == 0 && total == 4000000);
    CHECK(aglet_join(t, &wrong) == 0);
    aglet_io_close(&r);
    return wrong;
}

static void signals_interrupt_nothing_that_tasks_see(void **state) {
    (void)state;
    struct sigaction act = {.sa_handler = on_alarm}, was;
    sigaction(SIGALRM, &act, &was);
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    on_each(interrupted, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &was, NULL);
    assert_true(atomic_load(&alarms) > 0);
}

static void *fork_here(void *arg) {
    (void)arg;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(7);
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0)
        CHECK(aglet_sleep_ms(1) == 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return NULL;
}

static void a_task_may_fork_a_child_that_leaves_at_once(void **state) {
    (void)state;
    on_each(fork_here, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allocation_that_fails_is_an_error_to_its_caller),
        cmocka_unit_test(without_descriptors_accept_fails_and_loses_nobody),
        cmocka_unit_test(signals_interrupt_nothing_that_tasks_see),
        cmocka_unit_test(a_task_may_fork_a_child_that_leaves_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
