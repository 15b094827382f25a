/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/rwlock.h, as its contract says. Stands on cmocka and the installed headers. */
#include "cmocka_main.h"

#include "aglet/rwlock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 20000 };

struct table {
    aglet_rwlock rw;
    long a, b, torn, stop;
};

static void readers_share_and_writers_do_not(void **state) {
    (void)state;
    static aglet_rwlock rw;
    assert_true(aglet_rwlock_try_read(&rw));
    assert_false(aglet_rwlock_try_write(&rw));
    assert_int_equal(aglet_rwlock_write_until(&rw, aglet_now()), -ETIMEDOUT);
    aglet_rwlock_read_unlock(&rw);
    assert_true(aglet_rwlock_try_write(&rw));
    assert_false(aglet_rwlock_try_read(&rw));
    assert_false(aglet_rwlock_try_write(&rw));
    aglet_rwlock_downgrade(&rw);
    assert_false(aglet_rwlock_try_write(&rw));
    aglet_rwlock_read_unlock(&rw);
    assert_int_equal(aglet_rwlock_write_until(&rw, aglet_after_ms(5)), 0);
    aglet_rwlock_write_unlock(&rw);
}

static void *mixed(void *argument) {
    struct table *t = argument;
    unsigned seed = (unsigned)(uintptr_t)&t ^ (unsigned)pthread_self();
    for (int i = 0; i < ROUNDS; i++) {
        int r = rand_r(&seed) % 100;
        if (r < 70) {
            aglet_rwlock_read(&t->rw);
            if (t->a != t->b)
                __atomic_store_n(&t->torn, 1, __ATOMIC_RELAXED);
            aglet_rwlock_read_unlock(&t->rw);
        } else if (r < 80) {
            if (aglet_rwlock_read_until(&t->rw, aglet_after_ns(rand_r(&seed) % 5000)) != 0)
                continue;
            if (t->a != t->b)
                __atomic_store_n(&t->torn, 1, __ATOMIC_RELAXED);
            aglet_rwlock_read_unlock(&t->rw);
        } else {
            if (r < 97)
                aglet_rwlock_write(&t->rw);
            else if (aglet_rwlock_write_until(&t->rw, aglet_after_ns(rand_r(&seed) % 50000)) != 0)
                continue;
            t->a++;
            t->b++;
            if (r == 90)
                aglet_rwlock_downgrade(&t->rw);
            if (t->a != t->b)
                __atomic_store_n(&t->torn, 1, __ATOMIC_RELAXED);
            if (r == 90)
                aglet_rwlock_read_unlock(&t->rw);
            else
                aglet_rwlock_write_unlock(&t->rw);
        }
    }
    return NULL;
}

static void no_reader_sees_a_write_half_done(void **state) {
    (void)state;
    struct table t = {.rw = AGLET_RWLOCK_INIT};
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, mixed, &t), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(t.torn, 0);
    assert_true(aglet_rwlock_try_write(&t.rw));
    aglet_rwlock_write_unlock(&t.rw);
    aglet_rwlock_destroy(&t.rw);
}

static void *read_on(void *argument) {
    struct table *t = argument;
    while (__atomic_load_n(&t->stop, __ATOMIC_RELAXED) == 0) {
        aglet_rwlock_read(&t->rw);
        aglet_rwlock_read_unlock(&t->rw);
    }
    return NULL;
}

static void *write_on(void *argument) {
    struct table *t = argument;
    while (__atomic_load_n(&t->stop, __ATOMIC_RELAXED) == 0) {
        aglet_rwlock_write(&t->rw);
        aglet_rwlock_write_unlock(&t->rw);
    }
    return NULL;
}

static void neither_side_starves_the_other(void **state) {
    (void)state;
    struct table t = {.rw = AGLET_RWLOCK_INIT};
    pthread_t thread[4];
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, read_on, &t);
    for (int i = 0; i < 50; i++) {
        aglet_rwlock_write(&t.rw);
        aglet_rwlock_write_unlock(&t.rw);
    }
    for (int i = 2; i < 4; i++)
        pthread_create(&thread[i], NULL, write_on, &t);
    for (int i = 0; i < 50; i++) {
        aglet_rwlock_read(&t.rw);
        aglet_rwlock_read_unlock(&t.rw);
    }
    __atomic_store_n(&t.stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
}

static void *write_long(void *argument) {
    struct table *t = argument;
    while (__atomic_load_n(&t->stop, __ATOMIC_RELAXED) == 0) {
        aglet_rwlock_write(&t->rw);
        __atomic_fetch_add(&t->a, 1, __ATOMIC_RELAXED);
        usleep(1000);
        aglet_rwlock_write_unlock(&t->rw);
    }
    return NULL;
}

/* With the lock almost never free, a reader gets in by the queue alone: one writer goes before it, without the
 * queue many. */
static void few_writers_go_before_a_waiting_reader(void **state) {
    (void)state;
    struct table t = {.rw = AGLET_RWLOCK_INIT};
    pthread_t thread[THREADS];
    long before = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, write_long, &t), 0);
    for (int i = 0; i < 40; i++) {
        usleep(500); /* the writers are at it again */
        long begun = __atomic_load_n(&t.a, __ATOMIC_RELAXED);
        aglet_rwlock_read(&t.rw);
        before += t.a - begun;
        aglet_rwlock_read_unlock(&t.rw);
    }
    __atomic_store_n(&t.stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    print_message("%ld writers went before 40 readers\n", before);
    assert_true(before > 0 && before <= 100);
}

/* The writer's deadline, and the hasty reader's. */
struct patience {
    aglet_rwlock rw;
    aglet_time writer, reader;
};

static void *give_up_writing(void *argument) {
    struct patience *p = argument;
    return (void *)(intptr_t)aglet_rwlock_write_until(&p->rw, p->writer);
}

static void *give_up_reading(void *argument) {
    struct patience *p = argument;
    int error = aglet_rwlock_read_until(&p->rw, p->reader);
    if (!error)
        aglet_rwlock_read_unlock(&p->rw);
    return (void *)(intptr_t)error;
}

static void *read_once(void *argument) {
    struct patience *p = argument;
    aglet_rwlock_read(&p->rw);
    aglet_rwlock_read_unlock(&p->rw);
    return NULL;
}

/* Returns whether all readers came while the writer waited, which a busy machine may not allow in so little time. */
static bool readers_meet_a_writer(int64_t milliseconds) {
    struct patience p = {.rw = AGLET_RWLOCK_INIT};
    pthread_t writer, hasty, reader[3];
    void *got, *hasty_got;
    aglet_rwlock_read(&p.rw); /* held all the while: nothing but the giving up can let the others in */
    p.writer = aglet_after_ms(milliseconds);
    p.reader = p.writer - milliseconds * 500000;
    assert_int_equal(pthread_create(&writer, NULL, give_up_writing, &p), 0);
    while (aglet_now() < p.writer && aglet_rwlock_try_read(&p.rw))
        aglet_rwlock_read_unlock(&p.rw);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, read_once, &p), 0);
    assert_int_equal(pthread_create(&hasty, NULL, give_up_reading, &p), 0);
    pthread_join(hasty, &hasty_got);
    bool in_time = aglet_now() < p.writer;
    pthread_join(writer, &got);
    assert_int_equal((intptr_t)got, -ETIMEDOUT);
    for (int i = 0; i < 3; i++)
        pthread_join(reader[i], NULL);
    if (in_time)
        assert_int_equal((intptr_t)hasty_got, -ETIMEDOUT);
    assert_true(aglet_rwlock_try_read(&p.rw));
    aglet_rwlock_read_unlock(&p.rw);
    assert_false(aglet_rwlock_try_write(&p.rw));
    aglet_rwlock_read_unlock(&p.rw);
    assert_true(aglet_rwlock_try_write(&p.rw));
    aglet_rwlock_write_unlock(&p.rw);
    return in_time;
}

static void readers_held_off_by_a_timed_writer_go_in_when_it_gives_up(void **state) {
    (void)state;
    for (int64_t milliseconds = 60; !readers_meet_a_writer(milliseconds); milliseconds *= 2)
        assert_true(milliseconds < 10000);
}

static void *read_long(void *argument) {
    struct table *t = argument;
    while (__atomic_load_n(&t->stop, __ATOMIC_RELAXED) == 0) {
        aglet_rwlock_read(&t->rw);
        usleep(1000);
        aglet_rwlock_read_unlock(&t->rw);
    }
    return NULL;
}

static void readers_that_overlap_do_not_starve_a_timed_writer(void **state) {
    (void)state;
    struct table t = {.rw = AGLET_RWLOCK_INIT};
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, read_long, &t), 0);
    int in_time = 0;
    for (int i = 0; i < 20; i++)
        if (aglet_rwlock_write_until(&t.rw, aglet_after_ms(2000)) == 0) {
            in_time++;
            aglet_rwlock_write_unlock(&t.rw);
        }
    __atomic_store_n(&t.stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(in_time, 20);
}

static void writers_that_give_up_leave_the_others_in_order(void **state) {
    (void)state;
    struct table t = {.rw = AGLET_RWLOCK_INIT};
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, i < 2 ? read_on : write_on, &t), 0);
    for (int i = 0; i < 20000; i++)
        if (aglet_rwlock_write_until(&t.rw, aglet_after_ns(i % 3000)) == 0)
            aglet_rwlock_write_unlock(&t.rw);
    __atomic_store_n(&t.stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    assert_true(aglet_rwlock_try_write(&t.rw));
    aglet_rwlock_write_unlock(&t.rw);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_share_and_writers_do_not),
        cmocka_unit_test(no_reader_sees_a_write_half_done),
        cmocka_unit_test(neither_side_starves_the_other),
        cmocka_unit_test(few_writers_go_before_a_waiting_reader),
        cmocka_unit_test(readers_held_off_by_a_timed_writer_go_in_when_it_gives_up),
        cmocka_unit_test(readers_that_overlap_do_not_starve_a_timed_writer),
        cmocka_unit_test(writers_that_give_up_leave_the_others_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
