/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Spurious wake-ups: a thread wakes random tasks all the time, ended ones too, while they wait for channels,
 * timers, pipes, joins and locks. Nothing may return early or be lost. Stands on worker.h for task_wake. */
#include "on_each.h"

#include "aglet/await.h"
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

/* The same without a stack, with deadlines that pass and a lock that is waited for. */
struct stepper {
    AGLET_FRAME_HEADER;
    numbers_receiver rx;
    struct aglet_case cases[1];
    aglet_time due;
    long i, before, value;
    int error;
};
AGLET_STACKLESS(step_and_lock, struct stepper) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 20; f->i++) {
        f->due = aglet_after_ns(300000);
        AGLET_AWAIT(f, f->error, aglet_recv_until_poll(&f->aglet_, &f->rx, &f->value, f->due));
        if (f->error != -ETIMEDOUT || aglet_now() < f->due)
            AGLET_RETURN(f, "recv_until");
        f->due = aglet_after_ns(300000);
        f->cases[0] = (struct aglet_case)AGLET_CASE_RECV(&f->rx, &f->value);
        AGLET_AWAIT(f, f->error, aglet_select_poll(&f->aglet_, f->cases, 1, f->due));
        if (f->error != -ETIMEDOUT || aglet_now() < f->due)
            AGLET_RETURN(f, "select");
        AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &mu, AGLET_FOREVER));
        if (f->error)
            AGLET_RETURN(f, "lock");
        f->before = protected_;
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
        protected_ = f->before + 1;
        aglet_async_mutex_unlock(&mu);
    }
    numbers_drop_receiver(&f->rx);
    AGLET_RETURN(f, NULL);
    AGLET_END(f);
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
    numbers_sender quiet[3];
    for (int i = 0; i < 10; i++) {
        struct stepper frame = {.error = 0};
        if (i < 3)
            CHECK(numbers_bounded(&quiet[i], &frame.rx, 1) == 0);
        CHECK((i < 3 ? step_and_lock_spawn(&tasks[i], frame)
                     : aglet_spawn(&tasks[i], sleep_and_lock, NULL)) == 0);
    }
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
    for (int i = 0; i < 3; i++)
        numbers_drop(&quiet[i]);
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
