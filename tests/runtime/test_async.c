/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Async mutex, condition, rwlock, semaphore, once, broadcast and watch, as their contracts say. Stands on
 * on_each.h. */
#include "on_each.h"

#include "aglet/async_mutex.h"
#include "aglet/async_rwlock.h"
#include "aglet/async_semaphore.h"
#include "aglet/broadcast.h"

#include <errno.h>
#include <stdatomic.h>

static struct {
    aglet_async_mutex mu;
    aglet_async_cond changed;
    long value, inside;
} shared;

static void *add_with_yield(void *arg) {
    (void)arg;
    for (int i = 0; i < 200; i++) {
        CHECK(aglet_async_mutex_lock(&shared.mu) == 0);
        CHECK(++shared.inside == 1);
        long before = shared.value;
        CHECK(aglet_yield() == 0);
        shared.value = before + 1;
        shared.inside--;
        aglet_async_mutex_unlock(&shared.mu);
    }
    return NULL;
}

static void *lock_for_ever(void *arg) {
    (void)arg;
    return (void *)(intptr_t)aglet_async_mutex_lock(&shared.mu);
}

static void *mutexes(void *arg) {
    (void)arg;
    aglet_task *tasks[10];
    void *results[10];
    shared.value = 0;
    for (int i = 0; i < 10; i++)
        CHECK(aglet_spawn(&tasks[i], add_with_yield, NULL) == 0);
    CHECK(aglet_join_all(tasks, results, 10) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(results[i] == NULL);
    CHECK(shared.value == 2000);
    CHECK(aglet_async_mutex_try_lock(&shared.mu));
    CHECK(!aglet_async_mutex_try_lock(&shared.mu));
    CHECK(aglet_async_mutex_lock_until(&shared.mu, aglet_after_ms(2)) == -ETIMEDOUT);
    CHECK(aglet_spawn(&tasks[0], lock_for_ever, NULL) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    aglet_abort(tasks[0]);
    CHECK(aglet_join(tasks[0], &results[0]) == 0);
    CHECK((intptr_t)results[0] == -ECANCELED);
    aglet_async_mutex_unlock(&shared.mu);
    CHECK(aglet_async_mutex_try_lock(&shared.mu));
    aglet_async_mutex_unlock(&shared.mu);
    return NULL;
}

static void a_mutex_held_across_yields_excludes(void **state) {
    (void)state;
    on_each(mutexes, NULL);
}

static void *wait_for_value(void *arg) {
    CHECK(aglet_async_mutex_lock(&shared.mu) == 0);
    while (shared.value < (long)(intptr_t)arg)
        CHECK(aglet_async_cond_wait(&shared.changed, &shared.mu, AGLET_FOREVER) == 0);
    aglet_async_mutex_unlock(&shared.mu);
    return NULL;
}

static void *conditions(void *arg) {
    (void)arg;
    aglet_task *tasks[10];
    void *results[10];
    shared.value = 0;
    for (intptr_t i = 0; i < 10; i++)
        CHECK(aglet_spawn(&tasks[i], wait_for_value, (void *)(i + 1)) == 0);
    for (int i = 0; i < 10; i++) {
        CHECK(aglet_async_mutex_lock(&shared.mu) == 0);
        shared.value++;
        aglet_async_cond_broadcast(&shared.changed);
        aglet_async_mutex_unlock(&shared.mu);
        CHECK(aglet_join(tasks[i], &results[i]) == 0);
        CHECK(results[i] == NULL);
    }
    CHECK(aglet_async_mutex_lock(&shared.mu) == 0);
    CHECK(aglet_async_cond_wait(&shared.changed, &shared.mu, aglet_after_ms(2)) == -ETIMEDOUT);
    CHECK(!aglet_async_mutex_try_lock(&shared.mu));
    aglet_async_mutex_unlock(&shared.mu);
    return NULL;
}

static void a_condition_wakes_those_who_wait(void **state) {
    (void)state;
    on_each(conditions, NULL);
}

static struct {
    aglet_async_rwlock rw;
    long a, b;
    atomic_int readers, most;
} table;

static void *read_table(void *arg) {
    (void)arg;
    for (int i = 0; i < 100; i++) {
        CHECK(aglet_async_rwlock_read(&table.rw, AGLET_FOREVER) == 0);
        int n = atomic_fetch_add(&table.readers, 1) + 1;
        if (n > atomic_load(&table.most))
            atomic_store(&table.most, n);
        long a = table.a;
        CHECK(aglet_yield() == 0);
        CHECK(a == table.b);
        atomic_fetch_sub(&table.readers, 1);
        aglet_async_rwlock_unlock(&table.rw);
    }
    return NULL;
}

static void *write_table(void *arg) {
    (void)arg;
    for (int i = 0; i < 50; i++) {
        CHECK(aglet_async_rwlock_write(&table.rw, AGLET_FOREVER) == 0);
        CHECK(atomic_load(&table.readers) == 0);
        table.a++;
        CHECK(aglet_yield() == 0);
        table.b++;
        aglet_async_rwlock_unlock(&table.rw);
    }
    return NULL;
}

static void *rwlocks(void *arg) {
    (void)arg;
    aglet_task *tasks[8];
    void *results[8];
    table.a = table.b = 0;
    for (int i = 0; i < 8; i++)
        CHECK(aglet_spawn(&tasks[i], i < 6 ? read_table : write_table, NULL) == 0);
    CHECK(aglet_join_all(tasks, results, 8) == 0);
    for (int i = 0; i < 8; i++)
        CHECK(results[i] == NULL);
    CHECK(table.a == 100 && table.b == 100);
    CHECK(atomic_load(&table.most) > 1);
    return NULL;
}

static void a_rwlock_lets_readers_in_together_and_writers_alone(void **state) {
    (void)state;
    on_each(rwlocks, NULL);
}

static aglet_async_semaphore three = AGLET_ASYNC_SEMAPHORE_INIT(3);
static atomic_int inside;

static void *with_permit(void *arg) {
    (void)arg;
    for (int i = 0; i < 50; i++) {
        CHECK(aglet_async_semaphore_take(&three, AGLET_FOREVER) == 0);
        CHECK(atomic_fetch_add(&inside, 1) < 3);
        CHECK(aglet_yield() == 0);
        atomic_fetch_sub(&inside, 1);
        aglet_async_semaphore_give(&three, 1);
    }
    return NULL;
}

static void *semaphores(void *arg) {
    (void)arg;
    aglet_task *tasks[10];
    void *results[10];
    for (int i = 0; i < 10; i++)
        CHECK(aglet_spawn(&tasks[i], with_permit, NULL) == 0);
    CHECK(aglet_join_all(tasks, results, 10) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(results[i] == NULL);
    for (int i = 0; i < 3; i++)
        CHECK(aglet_async_semaphore_try_take(&three));
    CHECK(!aglet_async_semaphore_try_take(&three));
    CHECK(aglet_async_semaphore_permits(&three) == 0);
    CHECK(aglet_async_semaphore_take(&three, aglet_after_ms(2)) == -ETIMEDOUT);
    aglet_async_semaphore_give(&three, 3);
    CHECK(aglet_async_semaphore_permits(&three) == 3);
    return NULL;
}

static void a_semaphore_lets_as_many_in_as_it_has_permits(void **state) {
    (void)state;
    on_each(semaphores, NULL);
}

static atomic_int made;

static int make(void *fail_first) {
    (void)aglet_yield();
    int n = atomic_fetch_add(&made, 1);
    return n == 0 && fail_first ? -EIO : 0;
}

struct lazy {
    aglet_async_once once;
    void *fail_first;
};

static void *use_lazy(void *arg) {
    struct lazy *l = arg;
    return (void *)(intptr_t)aglet_async_once_run(&l->once, make, l->fail_first);
}

static void *onces(void *arg) {
    struct lazy l = {.fail_first = arg};
    aglet_task *tasks[10];
    void *results[10];
    int failed = 0;
    atomic_store(&made, 0);
    for (int i = 0; i < 10; i++)
        CHECK(aglet_spawn(&tasks[i], use_lazy, &l) == 0);
    CHECK(aglet_join_all(tasks, results, 10) == 0);
    for (int i = 0; i < 10; i++)
        failed += results[i] != NULL;
    CHECK(failed == (arg ? 1 : 0));
    CHECK(atomic_load(&made) == (arg ? 2 : 1));
    return NULL;
}

static void once_runs_until_it_has_succeeded_once(void **state) {
    (void)state;
    on_each(onces, NULL);
    on_each(onces, (void *)1);
}

AGLET_BROADCAST(news, long);
AGLET_WATCH(level, long);

static void *read_news(void *arg) {
    news_receiver *rx = arg;
    long value, next = 0;
    int error;
    while ((error = news_recv(rx, &value)) == 0)
        CHECK(value == next++);
    CHECK(error == -EPIPE);
    CHECK(next == 100);
    news_leave(rx);
    return NULL;
}

static void *broadcasts(void *arg) {
    (void)arg;
    news_sender tx;
    news_receiver rx[5], slow;
    aglet_task *tasks[5];
    void *results[5];
    long value;
    CHECK(news_open(&tx, 128) == 0);
    for (int i = 0; i < 5; i++) {
        rx[i] = news_subscribe(&tx);
        CHECK(aglet_spawn(&tasks[i], read_news, &rx[i]) == 0);
    }
    for (long i = 0; i < 100; i++) {
        CHECK(news_send(&tx, i) == 0);
        if (i % 10 == 0)
            CHECK(aglet_yield() == 0);
    }
    slow = news_subscribe(&tx);
    news_drop(&tx);
    CHECK(aglet_join_all(tasks, results, 5) == 0);
    for (int i = 0; i < 5; i++)
        if (results[i])
            return results[i];
    CHECK(news_recv(&slow, &value) == -EPIPE);
    news_leave(&slow);
    CHECK(news_open(&tx, 4) == 0);
    slow = news_subscribe(&tx);
    for (long i = 0; i < 10; i++)
        CHECK(news_send(&tx, i) == 0);
    CHECK(news_recv(&slow, &value) == -EOVERFLOW);
    for (long i = 6; i < 10; i++)
        CHECK(news_recv(&slow, &value) == 0 && value == i);
    CHECK(news_recv_until(&slow, &value, aglet_after_ms(1)) == -ETIMEDOUT);
    news_drop(&tx);
    news_leave(&slow);
    level_sender lt;
    CHECK(level_open(&lt, 1) == 0);
    level_receiver lr = level_subscribe(&lt);
    CHECK(level_peek(&lr, &value) == -EAGAIN);
    CHECK(level_send(&lt, 1) == 0 && level_send(&lt, 2) == 0);
    CHECK(level_peek(&lr, &value) == 0 && value == 2);
    CHECK(level_recv(&lr, &value) == 0 && value == 2);
    CHECK(level_recv_until(&lr, &value, aglet_after_ms(1)) == -ETIMEDOUT);
    CHECK(level_send(&lt, 3) == 0);
    level_drop(&lt);
    CHECK(level_recv(&lr, &value) == 0 && value == 3);
    CHECK(level_recv(&lr, &value) == -EPIPE);
    level_leave(&lr);
    return NULL;
}

static void broadcast_gives_all_and_watch_the_latest(void **state) {
    (void)state;
    on_each(broadcasts, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mutex_held_across_yields_excludes),
        cmocka_unit_test(a_condition_wakes_those_who_wait),
        cmocka_unit_test(a_rwlock_lets_readers_in_together_and_writers_alone),
        cmocka_unit_test(a_semaphore_lets_as_many_in_as_it_has_permits),
        cmocka_unit_test(once_runs_until_it_has_succeeded_once),
        cmocka_unit_test(broadcast_gives_all_and_watch_the_latest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
