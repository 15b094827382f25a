/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/channel.h, as its contract says, between tasks, between threads, and across. Stands on cmocka. */
#include "on_each.h"

#include "aglet/channel.h"
#include "aglet/executor.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

AGLET_CHANNEL(numbers, long);
AGLET_ONESHOT(answer, int);

struct big {
    long a[7];
};
AGLET_CHANNEL(bigs, struct big);

struct producer {
    numbers_sender tx;
    long from, n;
};

static void *produce(void *arg) {
    struct producer *p = arg;
    for (long i = 0; i < p->n; i++)
        if (numbers_send(&p->tx, p->from + i) != 0)
            return "send failed";
    numbers_drop(&p->tx);
    return NULL;
}

enum { PRODUCERS = 4, EACH = 3000 };

/* Many producers, one consumer: every number comes once, those of one producer in order. */
static void *fan_in(void *capacity) {
    numbers_sender tx;
    numbers_receiver rx;
    struct producer producers[PRODUCERS];
    aglet_task *tasks[PRODUCERS];
    CHECK(numbers_bounded(&tx, &rx, (size_t)(uintptr_t)capacity) == 0);
    for (long i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){numbers_clone(&tx), i * EACH, EACH};
        CHECK(aglet_spawn(&tasks[i], produce, &producers[i]) == 0);
    }
    numbers_drop(&tx);
    long next[PRODUCERS] = {0}, n = 0, value;
    while (numbers_recv(&rx, &value) == 0) {
        CHECK(value % EACH == next[value / EACH]);
        next[value / EACH]++;
        n++;
    }
    CHECK(n == PRODUCERS * EACH);
    CHECK(numbers_recv(&rx, &value) == -EPIPE);
    numbers_drop_receiver(&rx);
    void *results[PRODUCERS];
    CHECK(aglet_join_all(tasks, results, PRODUCERS) == 0);
    for (int i = 0; i < PRODUCERS; i++)
        CHECK(results[i] == NULL);
    return NULL;
}

static void bounded_keeps_order_and_loses_nothing(void **state) {
    (void)state;
    on_each(fan_in, (void *)1);
    on_each(fan_in, (void *)128);
}

static void rendezvous_keeps_order_and_loses_nothing(void **state) {
    (void)state;
    on_each(fan_in, (void *)0);
}

static void unbounded_keeps_order_and_loses_nothing(void **state) {
    (void)state;
    on_each(fan_in, (void *)(uintptr_t)AGLET_UNBOUNDED);
}

static void *produce_in_thread(void *arg) {
    return produce(arg);
}

static void threads_use_the_same_channels(void **state) {
    (void)state;
    size_t capacities[] = {0, 1, 64, AGLET_UNBOUNDED};
    for (size_t k = 0; k < COUNT(capacities); k++) {
        numbers_sender tx;
        numbers_receiver rx;
        pthread_t threads[PRODUCERS];
        struct producer producers[PRODUCERS];
        assert_int_equal(numbers_bounded(&tx, &rx, capacities[k]), 0);
        for (long i = 0; i < PRODUCERS; i++) {
            producers[i] = (struct producer){numbers_clone(&tx), i * EACH, EACH};
            pthread_create(&threads[i], NULL, produce_in_thread, &producers[i]);
        }
        numbers_drop(&tx);
        long sum = 0, n = 0, value;
        while (numbers_recv(&rx, &value) == 0) {
            sum += value;
            n++;
        }
        assert_int_equal(n, PRODUCERS * EACH);
        assert_int_equal(sum, (long)PRODUCERS * EACH * (PRODUCERS * EACH - 1) / 2);
        numbers_drop_receiver(&rx);
        for (int i = 0; i < PRODUCERS; i++)
            pthread_join(threads[i], NULL);
    }
}

static void *consume_shared(void *arg) {
    numbers_shared_receiver *rx = arg;
    long sum = 0, value;
    while (numbers_shared_recv(rx, &value) == 0)
        sum += value;
    numbers_shared_drop(rx);
    return (void *)sum;
}

static void *consume_by_the_dozen(void *arg) {
    numbers_shared_receiver *rx = arg;
    long sum = 0, values[12], got;
    while ((got = numbers_shared_recv_many(rx, values, 12)) > 0)
        for (long i = 0; i < got; i++)
            sum += values[i];
    CHECK(got == -EPIPE);
    numbers_shared_drop(rx);
    return (void *)sum;
}

static void *many_consumers(void *arg) {
    (void)arg;
    numbers_sender tx;
    numbers_receiver rx;
    CHECK(numbers_bounded(&tx, &rx, 16) == 0);
    numbers_shared_receiver first = numbers_share(&rx), handles[4];
    aglet_task *tasks[4];
    for (int i = 0; i < 4; i++) {
        handles[i] = numbers_shared_clone(&first);
        CHECK(aglet_spawn(&tasks[i], i % 2 ? consume_by_the_dozen : consume_shared, &handles[i]) == 0);
    }
    long none;
    CHECK(numbers_shared_recv_until(&first, &none, aglet_after_ms(2)) == -ETIMEDOUT);
    numbers_shared_drop(&first);
    for (long i = 1; i <= 10000; i++)
        CHECK(numbers_send(&tx, i) == 0);
    numbers_drop(&tx);
    void *sums[4];
    CHECK(aglet_join_all(tasks, sums, 4) == 0);
    long sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (long)sums[i];
    CHECK(sum == 10000L * 10001 / 2);
    return NULL;
}

static void a_shared_receiver_serves_many_consumers(void **state) {
    (void)state;
    on_each(many_consumers, NULL);
}

static void *edges(void *arg) {
    (void)arg;
    numbers_sender tx;
    numbers_receiver rx;
    long value = 7;
    CHECK(numbers_bounded(&tx, &rx, 2) == 0);
    CHECK(numbers_try_recv(&rx, &value) == -EAGAIN);
    CHECK(numbers_recv_until(&rx, &value, aglet_after_ms(2)) == -ETIMEDOUT);
    CHECK(numbers_try_send(&tx, 1) == 0);
    CHECK(numbers_try_send(&tx, 2) == 0);
    CHECK(numbers_try_send(&tx, 3) == -EAGAIN);
    CHECK(numbers_send_until(&tx, 3, aglet_after_ms(2)) == -ETIMEDOUT);
    numbers_close(&rx);
    CHECK(numbers_send(&tx, 4) == -EPIPE);
    CHECK(numbers_recv(&rx, &value) == 0 && value == 1);
    CHECK(numbers_recv(&rx, &value) == 0 && value == 2);
    CHECK(numbers_recv(&rx, &value) == -EPIPE);
    numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    CHECK(numbers_bounded(&tx, &rx, 2) == 0);
    numbers_drop_receiver(&rx);
    CHECK(numbers_send(&tx, 1) == -EPIPE);
    numbers_drop(&tx);
    CHECK(numbers_bounded(&tx, &rx, 2) == 0);
    numbers_shared_receiver one = numbers_share(&rx), other = numbers_shared_clone(&one);
    CHECK(numbers_send(&tx, 5) == 0);
    numbers_shared_close(&one);
    CHECK(numbers_send(&tx, 6) == -EPIPE);
    CHECK(numbers_shared_recv(&other, &value) == 0 && value == 5);
    CHECK(numbers_shared_recv(&other, &value) == -EPIPE);
    numbers_drop(&tx);
    numbers_shared_drop(&one);
    numbers_shared_drop(&other);
    CHECK(numbers_unbounded(&tx, &rx) == 0);
    for (long i = 0; i < 100000; i++)
        CHECK(numbers_try_send(&tx, i) == 0);
    long got[1000], next = 0;
    while (next < 100000) {
        long n = numbers_recv_many(&rx, got, 1000);
        CHECK(n > 0);
        for (long i = 0; i < n; i++)
            CHECK(got[i] == next++);
    }
    numbers_drop(&tx);
    CHECK(numbers_recv_many(&rx, got, 1000) == -EPIPE);
    numbers_drop_receiver(&rx);
    return NULL;
}

static void results_at_the_edges_are_errno_values(void **state) {
    (void)state;
    on_each(edges, NULL);
}

static void *put_answer(void *arg) {
    (void)aglet_yield();
    return (void *)(intptr_t)answer_put(arg, 42);
}

static void *oneshot(void *arg) {
    (void)arg;
    for (int i = 0; i < 100; i++) {
        answer_sender tx;
        answer_receiver rx;
        int value;
        aglet_task *t;
        CHECK(answer_oneshot(&tx, &rx) == 0);
        CHECK(aglet_spawn(&t, put_answer, &tx) == 0);
        CHECK(answer_get(&rx, &value) == 0 && value == 42);
        CHECK(aglet_join(t, NULL) == 0);
        CHECK(answer_oneshot(&tx, &rx) == 0);
        answer_drop(&tx);
        CHECK(answer_get(&rx, &value) == -EPIPE);
    }
    return NULL;
}

static void a_oneshot_carries_one_value(void **state) {
    (void)state;
    on_each(oneshot, NULL);
}

static void *large_items(void *arg) {
    (void)arg;
    bigs_sender tx;
    bigs_receiver rx;
    CHECK(bigs_unbounded(&tx, &rx) == 0);
    for (long i = 0; i < 500; i++)
        CHECK(bigs_send(&tx, (struct big){{i, 1, 2, 3, 4, 5, i}}) == 0);
    for (long i = 0; i < 500; i++) {
        struct big b;
        CHECK(bigs_recv(&rx, &b) == 0);
        CHECK(b.a[0] == i && b.a[6] == i && b.a[3] == 3);
    }
    bigs_drop(&tx);
    bigs_drop_receiver(&rx);
    return NULL;
}

static void items_of_any_size_are_copied_whole(void **state) {
    (void)state;
    on_each(large_items, NULL);
}

static void *recv_for_ever(void *arg) {
    long value;
    return (void *)(intptr_t)numbers_recv(arg, &value);
}

static void *send_for_ever(void *arg) {
    return (void *)(intptr_t)numbers_send(arg, 9);
}

static void *aborts(void *arg) {
    (void)arg;
    numbers_sender tx;
    numbers_receiver rx;
    aglet_task *t;
    void *result;
    long value;
    CHECK(numbers_bounded(&tx, &rx, 1) == 0);
    CHECK(aglet_spawn(&t, recv_for_ever, &rx) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    aglet_abort(t);
    CHECK(aglet_join(t, &result) == 0);
    CHECK((intptr_t)result == -ECANCELED);
    CHECK(numbers_send(&tx, 1) == 0);
    CHECK(aglet_spawn(&t, send_for_ever, &tx) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    aglet_abort(t);
    CHECK(aglet_join(t, &result) == 0);
    CHECK((intptr_t)result == -ECANCELED);
    CHECK(numbers_recv(&rx, &value) == 0 && value == 1);
    CHECK(numbers_try_recv(&rx, &value) == -EAGAIN);
    numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    return NULL;
}

static void an_aborted_wait_leaves_the_channel_as_it_was(void **state) {
    (void)state;
    on_each(aborts, NULL);
}

static void a_task_and_a_thread_can_talk(void **state) {
    (void)state;
    aglet_executor *ex = aglet_executor_new(&each_kind[1]);
    numbers_sender tx;
    numbers_receiver rx;
    assert_int_equal(numbers_bounded(&tx, &rx, 8), 0);
    struct producer p = {tx, 0, 20000};
    aglet_task *t;
    assert_int_equal(aglet_spawn_on(ex, &t, produce, &p), 0);
    long value, n = 0;
    while (numbers_recv(&rx, &value) == 0)
        assert_int_equal(value, n++);
    assert_int_equal(n, 20000);
    numbers_drop_receiver(&rx);
    assert_int_equal(aglet_join(t, NULL), 0);
    aglet_executor_free(ex);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounded_keeps_order_and_loses_nothing),
        cmocka_unit_test(rendezvous_keeps_order_and_loses_nothing),
        cmocka_unit_test(unbounded_keeps_order_and_loses_nothing),
        cmocka_unit_test(threads_use_the_same_channels),
        cmocka_unit_test(a_shared_receiver_serves_many_consumers),
        cmocka_unit_test(results_at_the_edges_are_errno_values),
        cmocka_unit_test(a_oneshot_carries_one_value),
        cmocka_unit_test(items_of_any_size_are_copied_whole),
        cmocka_unit_test(an_aborted_wait_leaves_the_channel_as_it_was),
        cmocka_unit_test(a_task_and_a_thread_can_talk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
