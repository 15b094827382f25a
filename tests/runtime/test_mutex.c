/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/mutex.h, as its contract says. Stands on cmocka and the installed headers. */
#include "cmocka_main.h"

#include "aglet/mutex.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 20000 };

struct shared {
    aglet_mutex mu;
    long count;
};

static void a_zeroed_mutex_is_unlocked(void **state) {
    (void)state;
    static aglet_mutex mu;
    assert_true(aglet_mutex_try_lock(&mu));
    assert_false(aglet_mutex_try_lock(&mu));
    aglet_mutex_unlock(&mu);
    assert_true(aglet_mutex_try_lock(&mu));
    aglet_mutex_unlock(&mu);
}

static void a_mutex_is_eight_bytes_at_most(void **state) {
    (void)state;
    assert_true(sizeof(aglet_mutex) <= 8);
}

static void *add_many(void *argument) {
    struct shared *s = argument;
    for (int i = 0; i < ROUNDS; i++) {
        aglet_mutex_lock(&s->mu);
        s->count++;
        aglet_mutex_unlock(&s->mu);
    }
    return NULL;
}

static void no_increment_is_lost_between_threads(void **state) {
    (void)state;
    struct shared s = {AGLET_MUTEX_INIT, 0};
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, add_many, &s), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(s.count, THREADS * ROUNDS);
    aglet_mutex_destroy(&s.mu);
}

static void *lock_until_soon(void *argument) {
    struct shared *s = argument;
    aglet_time before = aglet_now();
    int r = aglet_mutex_lock_until(&s->mu, aglet_after_ms(30));
    s->count = r == -ETIMEDOUT && aglet_now() - before >= 30000000;
    return NULL;
}

static void a_deadline_ends_the_wait(void **state) {
    (void)state;
    struct shared s = {AGLET_MUTEX_INIT, 0};
    aglet_mutex_lock(&s.mu);
    pthread_t t;
    pthread_create(&t, NULL, lock_until_soon, &s);
    pthread_join(t, NULL);
    aglet_mutex_unlock(&s.mu);
    assert_int_equal(s.count, 1);
    assert_int_equal(aglet_mutex_lock_until(&s.mu, aglet_now()), 0);
    aglet_mutex_unlock(&s.mu);
}

static void *lock_until_often(void *argument) {
    struct shared *s = argument;
    for (int i = 0; i < ROUNDS / 10; i++)
        if (aglet_mutex_lock_until(&s->mu, aglet_after_ns(rand() % 3000)) == 0) {
            s->count++;
            aglet_mutex_unlock(&s->mu);
        }
    return NULL;
}

static void waits_that_end_early_strand_nobody(void **state) {
    (void)state;
    struct shared s = {AGLET_MUTEX_INIT, 0};
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, i % 2 ? add_many : lock_until_often, &s);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_true(s.count >= THREADS / 2 * ROUNDS);
    assert_true(aglet_mutex_try_lock(&s.mu));
    aglet_mutex_unlock(&s.mu);
}

static void *hog(void *argument) {
    struct shared *s = argument;
    while (__atomic_load_n(&s->count, __ATOMIC_RELAXED) == 0) {
        aglet_mutex_lock(&s->mu);
        aglet_mutex_unlock(&s->mu);
    }
    return NULL;
}

static void a_thread_that_hogs_the_lock_starves_nobody(void **state) {
    (void)state;
    struct shared s = {AGLET_MUTEX_INIT, 0};
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, hog, &s);
    for (int i = 0; i < 20; i++) {
        aglet_mutex_lock(&s.mu);
        aglet_mutex_unlock(&s.mu);
    }
    __atomic_store_n(&s.count, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

/* The reference-count idiom: whoever takes the last reference frees the lock at once. */
struct counted {
    aglet_mutex mu;
    int references;
};

static void *drop(void *argument) {
    struct counted *c = argument;
    aglet_mutex_lock(&c->mu);
    int left = --c->references;
    aglet_mutex_unlock(&c->mu);
    if (left == 0)
        free(c);
    return NULL;
}

static void a_mutex_may_be_freed_by_the_thread_that_took_it_next(void **state) {
    (void)state;
    for (int i = 0; i < 500; i++) {
        struct counted *c = calloc(1, sizeof *c);
        c->references = 2;
        pthread_t t;
        pthread_create(&t, NULL, drop, c);
        drop(c);
        pthread_join(t, NULL);
    }
}

static atomic_bool enough;

static void *come_back_at_once(void *argument) {
    struct shared *s = argument;
    while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
        aglet_mutex_lock(&s->mu);
        s->count++;
        aglet_mutex_unlock(&s->mu);
    }
    return NULL;
}

/* Two that spun for each other would take two processors' time. */
static void who_waits_for_a_hot_lock_leaves_the_processor(void **state) {
    (void)state;
    struct shared s = {AGLET_MUTEX_INIT, 0};
    pthread_t t[2];
    struct timespec begin, end;
    aglet_time since = aglet_now();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, come_back_at_once, &s), 0);
    usleep(300000);
    atomic_store(&enough, true);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    double used = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
    double passed = (double)(aglet_now() - since);
    print_message("%.2f processors, %.1f ns a section\n", used / passed, passed / (double)s.count);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    assert_true(used < 1.5 * passed);
#endif
    aglet_mutex_destroy(&s.mu);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_mutex_is_unlocked),
        cmocka_unit_test(a_mutex_is_eight_bytes_at_most),
        cmocka_unit_test(no_increment_is_lost_between_threads),
        cmocka_unit_test(a_deadline_ends_the_wait),
        cmocka_unit_test(waits_that_end_early_strand_nobody),
        cmocka_unit_test(a_thread_that_hogs_the_lock_starves_nobody),
        cmocka_unit_test(who_waits_for_a_hot_lock_leaves_the_processor),
        cmocka_unit_test(a_mutex_may_be_freed_by_the_thread_that_took_it_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
