/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/rwlock.h, as its contract says. Stands on cmocka and the installed headers. */
#include "cmocka_main.h"

#include "aglet/rwlock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

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
    assert_int_equal(aglet_rwlock_write_until(&rw, aglet_after_ms(5)), -ETIMEDOUT);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_share_and_writers_do_not),
        cmocka_unit_test(no_reader_sees_a_write_half_done),
        cmocka_unit_test(neither_side_starves_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
