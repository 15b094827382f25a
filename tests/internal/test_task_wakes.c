/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Spurious wake-ups: a thread wakes random tasks all the time, ended ones too, while they wait for channels,
 * timers, pipes, joins and locks. Nothing may return early or be lost. Stands on worker.h for task_wake. */
#include "on_each.h"

#include "aglet/async_mutex.h"
#include "aglet/channel.h"
#include "aglet/io.h"
#include "aglet/select.h"
#include "worker.h"

#include <errno.h>
#include <pthread.h>

AGLET_CHANNEL(numbers, long);

static atomic_int done;

static void wake(struct aglet_task *t, void *dice) {
    uint32_t *d = dice;
    *d = *d * 1664525u + 1013904223u;
    if (*d >> 30)
        task_wake(t);
}

static void *disturb(void *unused) {
    uint32_t dice = 1;
    (void)unused;
    while (!atomic_load(&done)) {
        task_each(wake, &dice);
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    return NULL;
}

static aglet_async_mutex mu;
static long protected_;

static void *sleep_and_lock(void *arg) {
    for (int i = 0; i < 20; i++) {
        aglet_time due = aglet_after_ns(300000);
        CHECK(aglet_sleep_until(due) == 0);
        CHECK(aglet_now() >= due);
        CHECK(aglet_async_mutex_lock(&mu) == 0);
        long before = protected_;
        CHECK(aglet_yield() == 0);
        protected_ = before + 1;
        aglet_async_mutex_unlock(&mu);
    }
    return arg;
}

static void *send_some(void *arg) {
    numbers_sender *tx = arg;
    for (long i = 1; i <= 500; i++)
        CHECK(numbers_send(tx, i) == 0);
    numbers_drop(tx);
    return NULL;
}

static void *body(void *arg) {
    (void)arg;
    numbers_sender tx;
    numbers_receiver rx;
    aglet_io r, w;
    aglet_task *tasks[10], *sender;
    void *results[10], *wrong;
    long sum = 0, value;
    char c;
    protected_ = 0;
    CHECK(numbers_bounded(&tx, &rx, 0) == 0);
    CHECK(aglet_spawn(&sender, send_some, &tx) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(aglet_spawn(&tasks[i], sleep_and_lock, NULL) == 0);
    for (;;) {
        struct aglet_case cases[] = {AGLET_CASE_RECV(&rx, &value)};
        CHECK(aglet_select(cases, 1, AGLET_FOREVER) == 0);
        if (cases[0].result)
            break;
        sum += value;
    }
    CHECK(sum == 125250);
    numbers_drop_receiver(&rx);
    CHECK(aglet_join(sender, &wrong) == 0 && !wrong);
    CHECK(aglet_join_all(tasks, results, 10) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(!results[i]);
    CHECK(protected_ == 200);
    CHECK(aglet_pipe(&r, &w) == 0);
    aglet_time due = aglet_after_ms(3);
    CHECK(aglet_read_until(&r, &c, 1, due) == -ETIMEDOUT && aglet_now() >= due);
    aglet_io_close(&r);
    aglet_io_close(&w);
    return NULL;
}

static void a_wake_for_no_reason_ends_no_wait(void **state) {
    (void)state;
    pthread_t thread;
    pthread_create(&thread, NULL, disturb, NULL);
    for (int i = 0; i < 5; i++)
        on_each(body, NULL);
    atomic_store(&done, 1);
    pthread_join(thread, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_wake_for_no_reason_ends_no_wait)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
