/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks over a fork: what the thread that forks holds, the child can give up and use on, however many threads of the
 * parent wait for it. Stands on cmocka and the installed headers. */
#include "cmocka_main.h"

#include "aglet/mutex.h"
#include "aglet/rwlock.h"
#include "aglet/thread.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTENDERS = 4, FORKS = 40, ROUNDS = 2000, LIMIT_S = 20, DONE = 7 };

static aglet_mutex mu;
static aglet_rwlock rw;
static atomic_bool over;
static long count; /* under whichever lock the test is about */

static void work_a_little(void) {
    aglet_time until = aglet_after_ns(3000);
    while (aglet_now() < until)
        count++;
}

static void *lock_often(void *unused) {
    (void)unused;
    while (!atomic_load(&over)) {
        aglet_mutex_lock(&mu);
        work_a_little();
        aglet_mutex_unlock(&mu);
    }
    return NULL;
}

static void *write_often(void *unused) {
    (void)unused;
    while (!atomic_load(&over)) {
        aglet_rwlock_write(&rw);
        work_a_little();
        aglet_rwlock_write_unlock(&rw);
    }
    return NULL;
}

static void *read_often(void *unused) {
    (void)unused;
    while (!atomic_load(&over)) {
        aglet_rwlock_read(&rw);
        long seen = count;
        aglet_rwlock_read_unlock(&rw);
        (void)seen;
    }
    return NULL;
}

/* A child, made while this thread holds a lock that the contenders want, runs `use`. The longer the holds, the more
 * of them sleep, and the longer they have waited. */
static void fork_among(void *(*const contender[CONTENDERS])(void *), void (*hold)(void), void (*give)(void),
                       void (*use)(void)) {
    aglet_thread t[CONTENDERS];
    atomic_store(&over, false);
    for (int i = 0; i < CONTENDERS; i++)
        assert_int_equal(aglet_thread_spawn(&t[i], contender[i], NULL), 0);
    int done = 0;
    for (int i = 0; i < FORKS; i++) {
        hold();
        if (i % 4 != 0)
            usleep((useconds_t)(i % 4) * 700);
        pid_t child = fork();
        if (child == 0) {
            alarm(LIMIT_S);
            give();
            use();
            _exit(DONE);
        }
        give();
        int status = 0;
        if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
            done += WEXITSTATUS(status) == DONE;
    }
    atomic_store(&over, true);
    for (int i = 0; i < CONTENDERS; i++)
        assert_int_equal(aglet_thread_join(&t[i], NULL), 0);
    assert_int_equal(done, FORKS);
}

static void hold_mutex(void) {
    aglet_mutex_lock(&mu);
}

static void give_mutex(void) {
    aglet_mutex_unlock(&mu);
}

static void use_mutex(void) {
    for (int i = 0; i < ROUNDS; i++) {
        aglet_mutex_lock(&mu);
        aglet_mutex_unlock(&mu);
        if (!aglet_mutex_try_lock(&mu))
            _exit(1);
        aglet_mutex_unlock(&mu);
        if (aglet_mutex_lock_until(&mu, aglet_after_ms(1000)) != 0)
            _exit(2);
        aglet_mutex_unlock(&mu);
    }
}

static void try_mutex(void) {
    if (!aglet_mutex_try_lock(&mu))
        _exit(1);
    aglet_mutex_unlock(&mu);
}

/* The child's own threads contend for it in their turn. */
static void share_mutex(void) {
    aglet_thread t[CONTENDERS];
    atomic_store(&over, false);
    for (int i = 0; i < CONTENDERS; i++)
        if (aglet_thread_spawn(&t[i], lock_often, NULL))
            _exit(3);
    for (int i = 0; i < 200; i++) {
        aglet_mutex_lock(&mu);
        work_a_little();
        aglet_mutex_unlock(&mu);
    }
    atomic_store(&over, true);
    for (int i = 0; i < CONTENDERS; i++)
        aglet_thread_join(&t[i], NULL);
}

static void *(*const lockers[])(void *) = {lock_often, lock_often, lock_often, lock_often};
static void *(*const writers[])(void *) = {write_often, write_often, write_often, write_often};
static void *(*const both[])(void *) = {write_often, read_often, write_often, read_often};

static void a_child_uses_the_mutex_it_was_forked_with(void **state) {
    (void)state;
    fork_among(lockers, hold_mutex, give_mutex, use_mutex);
}

static void a_try_in_the_child_takes_it_at_once(void **state) {
    (void)state;
    fork_among(lockers, hold_mutex, give_mutex, try_mutex);
}

static void threads_of_the_child_contend_for_it(void **state) {
    (void)state;
    fork_among(lockers, hold_mutex, give_mutex, share_mutex);
}

static void hold_write(void) {
    aglet_rwlock_write(&rw);
}

static void give_write(void) {
    aglet_rwlock_write_unlock(&rw);
}

static void hold_read(void) {
    aglet_rwlock_read(&rw);
}

static void give_read(void) {
    aglet_rwlock_read_unlock(&rw);
}

static void downgrade(void) {
    aglet_rwlock_downgrade(&rw);
    aglet_rwlock_read_unlock(&rw);
}

static void use_reads(void) {
    for (int i = 0; i < ROUNDS; i++) {
        aglet_rwlock_read(&rw);
        aglet_rwlock_read_unlock(&rw);
        if (!aglet_rwlock_try_read(&rw))
            _exit(4);
        aglet_rwlock_read_unlock(&rw);
    }
}

static void use_rwlock(void) {
    use_reads();
    for (int i = 0; i < ROUNDS; i++) {
        aglet_rwlock_write(&rw);
        aglet_rwlock_write_unlock(&rw);
        if (!aglet_rwlock_try_write(&rw))
            _exit(5);
        aglet_rwlock_write_unlock(&rw);
        if (aglet_rwlock_write_until(&rw, aglet_after_ms(1000)) != 0)
            _exit(6);
        aglet_rwlock_write_unlock(&rw);
        aglet_rwlock_read(&rw);
        aglet_rwlock_read_unlock(&rw);
    }
}

static void share_rwlock(void) {
    aglet_thread t[CONTENDERS];
    atomic_store(&over, false);
    for (int i = 0; i < CONTENDERS; i++)
        if (aglet_thread_spawn(&t[i], both[i], NULL))
            _exit(3);
    for (int i = 0; i < 200; i++) {
        aglet_rwlock_write(&rw);
        work_a_little();
        aglet_rwlock_write_unlock(&rw);
        aglet_rwlock_read(&rw);
        aglet_rwlock_read_unlock(&rw);
    }
    atomic_store(&over, true);
    for (int i = 0; i < CONTENDERS; i++)
        aglet_thread_join(&t[i], NULL);
}

static void a_child_uses_the_rwlock_it_was_forked_with(void **state) {
    (void)state;
    fork_among(both, hold_write, give_write, use_rwlock);
}

static void a_downgrade_in_the_child_leaves_no_other_reader(void **state) {
    (void)state;
    fork_among(both, hold_write, downgrade, use_rwlock);
}

static void threads_of_the_child_contend_for_the_rwlock(void **state) {
    (void)state;
    fork_among(both, hold_write, give_write, share_rwlock);
}

static void a_writer_that_waited_in_the_parent_keeps_nobody_out_of_the_child(void **state) {
    (void)state;
    fork_among(writers, hold_read, give_read, use_rwlock);
}

static void readers_in_the_parent_keep_no_reader_out_of_the_child(void **state) {
    (void)state;
    fork_among(both, hold_read, give_read, use_reads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_uses_the_mutex_it_was_forked_with),
        cmocka_unit_test(a_try_in_the_child_takes_it_at_once),
        cmocka_unit_test(threads_of_the_child_contend_for_it),
        cmocka_unit_test(a_child_uses_the_rwlock_it_was_forked_with),
        cmocka_unit_test(a_downgrade_in_the_child_leaves_no_other_reader),
        cmocka_unit_test(threads_of_the_child_contend_for_the_rwlock),
        cmocka_unit_test(a_writer_that_waited_in_the_parent_keeps_nobody_out_of_the_child),
        cmocka_unit_test(readers_in_the_parent_keep_no_reader_out_of_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
