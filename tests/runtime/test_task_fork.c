/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A child made by fork, from a task or beside busy workers: the parent's tasks do not notice it, and the child is a
 * thread that may use the runtime anew. Stands on on_each.h. */
#include "on_each.h"

#include "aglet/blocking.h"
#include "aglet/channel.h"
#include "aglet/io.h"
#include "aglet/pool.h"
#include "aglet/task.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

AGLET_CHANNEL(numbers, long);

enum { DONE = 7, LIMIT_S = 20 };

/* The child's status, waited for by a task; -1: it ended by a signal. */
static int status_of(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0)
        if (aglet_sleep_ms(1))
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *read_one(void *arg) {
    char c = 0;
    CHECK(aglet_read_until(arg, &c, 1, aglet_after_ms(5000)) == 1 && c == 'x');
    return NULL;
}

static void *child_closes(void *unused) {
    (void)unused;
    aglet_io r, w;
    aglet_task *reader;
    void *wrong;
    CHECK(aglet_pipe(&r, &w) == 0);
    CHECK(aglet_spawn(&reader, read_one, &r) == 0);
    CHECK(aglet_sleep_ms(20) == 0); /* the reader waits */
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        aglet_io_close(&r);
        aglet_io_close(&w);
        _exit(DONE);
    }
    CHECK(status_of(child) == DONE);
    CHECK(aglet_write(&w, "x", 1) == 1);
    CHECK(aglet_join(reader, &wrong) == 0);
    aglet_io_close(&r);
    aglet_io_close(&w);
    return wrong;
}

static void what_a_child_closes_stays_open_to_its_parent(void **state) {
    (void)state;
    on_each(child_closes, NULL);
}

static void *twice(void *arg) {
    return (void *)(2 * (intptr_t)arg);
}

static void *send_five(void *arg) {
    numbers_sender *tx = arg;
    for (long i = 0; i < 5; i++)
        if (numbers_send(tx, i) || aglet_sleep_until(aglet_after_ns(100000)))
            break;
    numbers_drop(tx);
    return NULL;
}

static void count_range(void *context, size_t from, size_t to) {
    atomic_fetch_add((atomic_size_t *)context, to - from);
}

/* Some of everything that has threads, descriptors or lists of its own. */
static void *use_the_runtime(void *unused) {
    (void)unused;
    numbers_sender tx;
    numbers_receiver rx;
    aglet_task *sender;
    long value, got = 0;
    void *result;
    CHECK(numbers_bounded(&tx, &rx, 1) == 0);
    CHECK(aglet_spawn(&sender, send_five, &tx) == 0);
    while (numbers_recv(&rx, &value) == 0)
        got++;
    numbers_drop_receiver(&rx);
    CHECK(aglet_join(sender, NULL) == 0 && got == 5);
    CHECK(aglet_run_blocking(twice, (void *)21, &result) == 0 && result == (void *)42);
    atomic_size_t counted = 0;
    aglet_parallel_for(NULL, 0, 1000, 10, count_range, &counted);
    CHECK(counted == 1000);
    aglet_io r, w;
    aglet_task *reader;
    CHECK(aglet_pipe(&r, &w) == 0);
    CHECK(aglet_spawn(&reader, read_one, &r) == 0);
    CHECK(aglet_sleep_ms(2) == 0);
    CHECK(aglet_write(&w, "x", 1) == 1);
    CHECK(aglet_join(reader, &result) == 0 && !result);
    aglet_io_close(&r);
    aglet_io_close(&w);
    return NULL;
}

static _Noreturn void be_a_child(void) {
    alarm(LIMIT_S);
    for (size_t i = 0; i < COUNT(each_kind); i++) {
        void *wrong = NULL;
        if (aglet_run(&each_kind[i], use_the_runtime, NULL, &wrong) || wrong)
            _exit(1);
    }
    _exit(DONE);
}

static void *child_runs_tasks(void *unused) {
    (void)unused;
    void *wrong = use_the_runtime(NULL);
    if (wrong)
        return wrong;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        be_a_child();
    CHECK(status_of(child) == DONE);
    return use_the_runtime(NULL);
}

static void a_child_of_a_task_runs_an_executor_of_its_own(void **state) {
    (void)state;
    on_each(child_runs_tasks, NULL);
}

static atomic_bool enough;

static void *count_down(void *arg) {
    intptr_t n = (intptr_t)arg;
    if (n > 0)
        (void)aglet_spawn(NULL, count_down, (void *)(n - 1));
    return NULL;
}

/* Takes the locks of what tasks, stacks and workers share, over and over. */
static void *be_busy(void *unused) {
    (void)unused;
    while (!atomic_load(&enough)) {
        aglet_task *t[64];
        void *result;
        for (int i = 0; i < 64; i++)
            CHECK(aglet_spawn(&t[i], count_down, (void *)3) == 0);
        CHECK(aglet_join_all(t, NULL, 64) == 0);
        CHECK(aglet_run_blocking(twice, NULL, &result) == 0);
    }
    return NULL;
}

static void *keep_busy(void *unused) {
    void *wrong = NULL;
    (void)unused;
    while (!atomic_load(&enough) && !wrong)
        if (aglet_run(&each_kind[1], be_busy, NULL, &wrong))
            wrong = (void *)(uintptr_t) "run";
    return wrong;
}

static void a_child_that_is_made_while_workers_are_busy_is_whole(void **state) {
    (void)state;
    pthread_t busy;
    void *wrong;
    atomic_store(&enough, false);
    assert_int_equal(pthread_create(&busy, NULL, keep_busy, NULL), 0);
    for (int i = 0; i < 60; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            be_a_child();
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), DONE);
    }
    atomic_store(&enough, true);
    pthread_join(busy, &wrong);
    assert_null(wrong);
}

static void *return_in_child(void *unused) {
    (void)unused;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(LIMIT_S);
        return NULL;
    }
    CHECK(status_of(child) == 0);
    return NULL;
}

static void *call_return_in_child(void *unused) {
    (void)unused;
    aglet_task *t;
    void *wrong;
    CHECK(aglet_spawn(&t, return_in_child, NULL) == 0);
    CHECK(aglet_join(t, &wrong) == 0);
    return wrong;
}

static void a_child_that_returns_from_its_task_ends(void **state) {
    (void)state;
    on_each(call_return_in_child, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_child_closes_stays_open_to_its_parent),
        cmocka_unit_test(a_child_of_a_task_runs_an_executor_of_its_own),
        cmocka_unit_test(a_child_that_is_made_while_workers_are_busy_is_whole),
        cmocka_unit_test(a_child_that_returns_from_its_task_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
