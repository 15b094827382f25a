/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/cond.h, semaphore.h and barrier.h, as their contracts say. Stands on cmocka and the installed
 * headers. */
#include "cmocka_main.h"

#include "aglet/barrier.h"
#include "aglet/cond.h"
#include "aglet/semaphore.h"
#include "aglet/thread.h"

#include <errno.h>
#include <stdlib.h>

enum { ITEMS = 20000, ROOM = 8, THREADS = 4 };

struct queue {
    aglet_mutex mu;
    aglet_cond not_empty, not_full;
    int items[ROOM], count, next;
    long sum;
};

static void *produce(void *argument) {
    struct queue *q = argument;
    for (int i = 1; i <= ITEMS; i++) {
        aglet_mutex_lock(&q->mu);
        AGLET_COND_WAIT(&q->not_full, &q->mu, q->count < ROOM);
        q->items[(q->next + q->count++) % ROOM] = i;
        aglet_cond_signal(&q->not_empty);
        aglet_mutex_unlock(&q->mu);
    }
    return NULL;
}

static bool has_item(void *q) {
    return ((struct queue *)q)->count > 0;
}

static void *consume(void *argument) {
    struct queue *q = argument;
    for (int i = 1; i <= ITEMS; i++) {
        aglet_mutex_lock(&q->mu);
        aglet_cond_wait_for(&q->not_empty, &q->mu, has_item, q);
        q->sum += q->items[q->next];
        q->next = (q->next + 1) % ROOM;
        q->count--;
        aglet_cond_signal(&q->not_full);
        aglet_mutex_unlock(&q->mu);
    }
    return NULL;
}

static void every_item_through_a_bounded_queue_arrives_once(void **state) {
    (void)state;
    struct queue q = {.mu = AGLET_MUTEX_INIT};
    aglet_thread t[2 * THREADS];
    for (int i = 0; i < 2 * THREADS; i++)
        assert_int_equal(aglet_thread_spawn(&t[i], i % 2 ? produce : consume, &q), 0);
    for (int i = 0; i < 2 * THREADS; i++)
        aglet_thread_join(&t[i], NULL);
    assert_int_equal(q.sum, (long)THREADS * ITEMS * (ITEMS + 1) / 2);
}

static void a_wait_ends_at_its_deadline_with_the_mutex_held(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_cond c = AGLET_COND_INIT;
    aglet_mutex_lock(&mu);
    aglet_time deadline = aglet_after_ms(20);
    assert_int_equal(aglet_cond_wait_until(&c, &mu, deadline), -ETIMEDOUT);
    assert_true(aglet_now() >= deadline);
    assert_false(aglet_mutex_try_lock(&mu));
    aglet_mutex_unlock(&mu);
    aglet_cond_destroy(&c);
}

static void *take_permits(void *argument) {
    for (int i = 0; i < ITEMS; i++)
        aglet_semaphore_take(argument);
    return NULL;
}

static void *give_permits(void *argument) {
    for (int i = 0; i < ITEMS; i++)
        aglet_semaphore_give(argument, 1);
    return NULL;
}

static void permits_given_are_permits_taken(void **state) {
    (void)state;
    aglet_semaphore s = AGLET_SEMAPHORE_INIT(2);
    aglet_thread t[2 * THREADS];
    for (int i = 0; i < 2 * THREADS; i++)
        assert_int_equal(aglet_thread_spawn(&t[i], i % 2 ? give_permits : take_permits, &s), 0);
    for (int i = 0; i < 2 * THREADS; i++)
        aglet_thread_join(&t[i], NULL);
    assert_true(aglet_semaphore_try_take(&s));
    assert_int_equal(aglet_semaphore_take_until(&s, AGLET_FOREVER), 0);
    assert_false(aglet_semaphore_try_take(&s));
    assert_int_equal(aglet_semaphore_take_until(&s, aglet_after_ms(5)), -ETIMEDOUT);
    assert_int_equal(aglet_semaphore_give(&s, UINT32_MAX), 0);
    assert_int_equal(aglet_semaphore_give(&s, 1), -EOVERFLOW);
}

struct rounds {
    aglet_barrier barrier;
    int here[THREADS], leaders;
    bool wrong;
};

static struct rounds rounds;

static void *walk(void *argument) {
    int me = (int)(intptr_t)argument;
    for (int i = 1; i <= 2000; i++) {
        __atomic_store_n(&rounds.here[me], i, __ATOMIC_RELAXED);
        if (aglet_barrier_wait(&rounds.barrier))
            __atomic_add_fetch(&rounds.leaders, 1, __ATOMIC_RELAXED);
        for (int k = 0; k < THREADS; k++) {
            int there = __atomic_load_n(&rounds.here[k], __ATOMIC_RELAXED);
            if (there != i && there != i + 1)
                rounds.wrong = true;
        }
    }
    return NULL;
}

static void a_barrier_keeps_threads_in_step(void **state) {
    (void)state;
    aglet_barrier_init(&rounds.barrier, THREADS);
    aglet_thread t[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(aglet_thread_spawn(&t[i], walk, (void *)(intptr_t)i), 0);
    for (int i = 0; i < THREADS; i++)
        aglet_thread_join(&t[i], NULL);
    aglet_barrier_destroy(&rounds.barrier);
    assert_false(rounds.wrong);
    assert_int_equal(rounds.leaders, 2000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_through_a_bounded_queue_arrives_once),
        cmocka_unit_test(a_wait_ends_at_its_deadline_with_the_mutex_held),
        cmocka_unit_test(permits_given_are_permits_taken),
        cmocka_unit_test(a_barrier_keeps_threads_in_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
