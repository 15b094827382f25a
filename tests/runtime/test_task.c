/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tasks: spawn, join, yield, sleep, abort, groups, locals. Each case runs on a current-thread executor and on
 * one with two workers. */
#include "misuse_catcher.h"
#include "on_each.h"

#include "aglet/channel.h"
#include "aglet/executor.h"
#include "aglet/task.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *twice(void *arg) {
    return (void *)(2 * (uintptr_t)arg);
}

static void *join_body(void *arg) {
    (void)arg;
    for (uintptr_t i = 0; i < 1000; i++) {
        aglet_task *t;
        void *result;
        CHECK(aglet_spawn(&t, twice, (void *)i) == 0);
        CHECK(aglet_join(t, &result) == 0);
        CHECK(result == (void *)(2 * i));
    }
    return NULL;
}

static void join_gives_what_the_task_returned(void **state) {
    (void)state;
    on_each(join_body, NULL);
}

static void *short_sleep(void *arg) {
    return aglet_sleep_ms(20) ? "the sleep ended early" : arg;
}

static void *join_it(void *task) {
    return (void *)(intptr_t)aglet_join(task, NULL);
}

static void *two_join_body(void *arg) {
    (void)arg;
    aglet_task *one, *other;
    void *result;
    CHECK(aglet_spawn(&one, short_sleep, NULL) == 0);
    CHECK(aglet_spawn(&other, join_it, one) == 0);
    CHECK(aglet_sleep_ms(5) == 0);
    CHECK(aglet_join(one, NULL) == -EINVAL);
    aglet_detach(one);
    CHECK(aglet_join(other, &result) == 0);
    CHECK(!result);
    return NULL;
}

static void a_handle_is_joined_by_one(void **state) {
    (void)state;
    start_catching();
    on_each(two_join_body, NULL);
    if (aglet_is_checked()) {
        assert_int_equal(caught.count % 2, 0);
        assert_int_not_equal(caught.count, 0);
        assert_string_equal(caught.rule, "unjoined");
    }
    aglet_on_misuse(NULL, NULL);
}

AGLET_CHANNEL(numbers, int);

static void *receive_number(void *receiver) {
    int n;
    return numbers_recv(receiver, &n) ? "nothing came" : NULL;
}

static void *nothing(void *arg) {
    return arg;
}

/* Once the root task has ended, the thread inside aglet_block_on is one that may wake others. */
static void a_task_waits_for_what_comes_after_block_on(void **state) {
    (void)state;
    start_catching();
    for (int i = 0; i < 50; i++) {
        struct aglet_executor_options options = {.workers = 1};
        aglet_executor *executor = aglet_executor_new(&options);
        numbers_sender to;
        numbers_receiver from;
        aglet_task *task;
        void *wrong;
        assert_non_null(executor);
        assert_int_equal(numbers_bounded(&to, &from, 1), 0);
        assert_int_equal(aglet_spawn_on(executor, &task, receive_number, &from), 0);
        assert_int_equal(aglet_block_on(executor, nothing, NULL, NULL), 0);
        assert_int_equal(numbers_send(&to, i), 0);
        assert_int_equal(aglet_join(task, &wrong), 0);
        assert_null(wrong);
        numbers_drop(&to);
        numbers_drop_receiver(&from);
        aglet_executor_free(executor);
    }
    assert_int_equal(caught.count, 0);
    aglet_on_misuse(NULL, NULL);
}

static void a_stack_size_is_a_size(void **state) {
    (void)state;
    struct aglet_executor_options options = {.stack_size = (size_t)-1};
    assert_null(aglet_executor_new(&options));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(aglet_run(&options, nothing, NULL, NULL), -EINVAL);
}

static atomic_int counter;

static void *count_with_yields(void *arg) {
    for (int i = 0; i < 100; i++) {
        atomic_fetch_add(&counter, 1);
        errno = (int)(intptr_t)arg;
        if (aglet_yield() != 0)
            return "yield failed";
        if (errno != (int)(intptr_t)arg)
            return "errno was changed by another task";
    }
    return NULL;
}

static void *yields_body(void *arg) {
    (void)arg;
    aglet_task *tasks[200];
    void *results[200];
    atomic_store(&counter, 0);
    for (intptr_t i = 0; i < 200; i++)
        CHECK(aglet_spawn(&tasks[i], count_with_yields, (void *)(i + 1)) == 0);
    CHECK(aglet_join_all(tasks, results, 200) == 0);
    for (int i = 0; i < 200; i++)
        if (results[i])
            return results[i];
    CHECK(atomic_load(&counter) == 20000);
    return NULL;
}

static void tasks_interleave_and_keep_errno(void **state) {
    (void)state;
    on_each(yields_body, NULL);
}

static void *sleeper(void *arg) {
    aglet_time began = aglet_now();
    int64_t ms = (int64_t)(intptr_t)arg;
    if (aglet_sleep_ms(ms) != 0)
        return "sleep failed";
    if (aglet_now() - began < ms * 1000000)
        return "slept too short";
    return NULL;
}

static void *sleeps_body(void *arg) {
    (void)arg;
    aglet_task *tasks[300];
    void *results[300];
    aglet_time began = aglet_now();
    for (intptr_t i = 0; i < 300; i++)
        CHECK(aglet_spawn(&tasks[i], sleeper, (void *)(i % 60)) == 0);
    CHECK(aglet_join_all(tasks, results, 300) == 0);
    for (int i = 0; i < 300; i++)
        if (results[i])
            return results[i];
    CHECK(aglet_now() - began < INT64_C(2000000000));
    return NULL;
}

static void sleeps_run_side_by_side_and_are_never_short(void **state) {
    (void)state;
    on_each(sleeps_body, NULL);
}

static void *interval_body(void *arg) {
    (void)arg;
    aglet_interval every = aglet_interval_ms(4);
    aglet_time began = aglet_now();
    for (int i = 0; i < 5; i++)
        CHECK(aglet_interval_next(&every) == 0);
    CHECK(aglet_now() - began >= 20000000);
    CHECK(aglet_sleep_ms(21) == 0);
    CHECK(aglet_interval_next(&every) == 0);
    aglet_time before = aglet_now();
    CHECK(aglet_interval_next(&every) == 0);
    CHECK(aglet_now() - before > 0 && every.next > aglet_now());
    return NULL;
}

static void an_interval_leaves_out_what_was_missed(void **state) {
    (void)state;
    on_each(interval_body, NULL);
}

static void *sleep_for_ever(void *arg) {
    (void)arg;
    int first = aglet_sleep_until(AGLET_FOREVER);
    int second = aglet_yield();
    return first == -ECANCELED && second == -ECANCELED && aglet_aborted() ? NULL : "not cancelled";
}

static void *abort_body(void *arg) {
    (void)arg;
    aglet_task *t;
    void *result;
    CHECK(aglet_spawn(&t, sleep_for_ever, NULL) == 0);
    CHECK(aglet_sleep_ms(2) == 0);
    CHECK(aglet_join_until(t, &result, aglet_after_ms(3)) == -ETIMEDOUT);
    aglet_abort(t);
    CHECK(aglet_join(t, &result) == 0);
    CHECK(result == NULL);
    CHECK(aglet_spawn(&t, sleep_for_ever, NULL) == 0);
    aglet_abort(t);
    CHECK(aglet_join(t, &result) == 0);
    CHECK(result == NULL);
    return NULL;
}

static void abort_ends_every_wait_with_ecanceled(void **state) {
    (void)state;
    on_each(abort_body, NULL);
}

static void *answer_late(void *arg) {
    (void)aglet_sleep_ms((int64_t)(intptr_t)arg);
    return arg;
}

static void *timeout_body(void *arg) {
    (void)arg;
    void *result = NULL;
    CHECK(aglet_timeout(answer_late, (void *)1, aglet_after_ms(2000), &result) == 0);
    CHECK(result == (void *)1);
    CHECK(aglet_timeout(answer_late, (void *)60000, aglet_after_ms(2), &result) == -ETIMEDOUT);
    return NULL;
}

static void *timeout_for_ever(void *arg) {
    (void)arg;
    return (void *)(intptr_t)aglet_timeout(answer_late, (void *)60000, AGLET_FOREVER, NULL);
}

static void *timeout_aborted(void *arg) {
    (void)arg;
    aglet_task *t;
    void *result;
    CHECK(aglet_spawn(&t, timeout_for_ever, NULL) == 0);
    CHECK(aglet_sleep_ms(2) == 0);
    aglet_abort(t);
    CHECK(aglet_join(t, &result) == 0);
    CHECK((intptr_t)result == -ECANCELED);
    return NULL;
}

static void a_timeout_ends_what_it_started(void **state) {
    (void)state;
    on_each(timeout_body, NULL);
    on_each(timeout_aborted, NULL);
}

static void *add_one(void *arg) {
    (void)aglet_yield();
    atomic_fetch_add((atomic_int *)arg, 1);
    return NULL;
}

static void *group_body(void *arg) {
    (void)arg;
    atomic_int n = 0;
    aglet_group g = {{0}};
    for (int i = 0; i < 500; i++)
        CHECK(aglet_group_spawn(&g, add_one, &n) == 0);
    CHECK(aglet_group_join(&g) == 0);
    CHECK(atomic_load(&n) == 500);
    for (int i = 0; i < 50; i++)
        CHECK(aglet_group_spawn(&g, sleep_for_ever, NULL) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    aglet_group_abort(&g);
    CHECK(aglet_group_spawn(&g, add_one, &n) == -ECANCELED);
    CHECK(aglet_group_join(&g) == 0);
    {
        AGLET_GROUP(scope);
        for (int i = 0; i < 10; i++)
            CHECK(aglet_group_spawn(&scope, add_one, &n) == 0);
    }
    CHECK(atomic_load(&n) == 510);
    return NULL;
}

struct crowd {
    aglet_group group;
    atomic_int begun, ended;
};

/* Some end at once, some after a while, some when they are aborted, and one of them aborts them all. */
static void *one_of_a_crowd(void *arg) {
    struct crowd *c = arg;
    int i = atomic_fetch_add(&c->begun, 1);
    if (i % 3 == 0)
        (void)aglet_sleep_ms(i % 7);
    else if (i % 3 == 1)
        (void)aglet_sleep_ms(60000);
    if (i == 500)
        aglet_group_abort(&c->group);
    atomic_fetch_add(&c->ended, 1);
    return NULL;
}

static void *crowd_body(void *arg) {
    (void)arg;
    for (int round = 0; round < 20; round++) {
        struct crowd c = {.begun = 0};
        int spawned = 0;
        for (int i = 0; i < 1000; i++)
            spawned += aglet_group_spawn(&c.group, one_of_a_crowd, &c) == 0;
        CHECK(aglet_group_join(&c.group) == 0);
        CHECK(spawned > 500 && atomic_load(&c.ended) == spawned);
        atomic_store(&c.begun, 0);
        CHECK(aglet_group_spawn(&c.group, one_of_a_crowd, &c) == 0);
        CHECK(aglet_group_join(&c.group) == 0);
    }
    return NULL;
}

static void a_member_may_abort_its_group_while_others_come_and_go(void **state) {
    (void)state;
    on_each(crowd_body, NULL);
}

static void *abort_when_told(void *arg) {
    struct crowd *c = arg;
    for (int round = 1; round <= 20000; round++) {
        while (atomic_load(&c->begun) < round)
            continue;
        aglet_group_abort(&c->group);
        atomic_store(&c->ended, round);
    }
    return NULL;
}

static void *asleep(void *arg) {
    return aglet_sleep_ms(60000) == -ECANCELED ? NULL : arg;
}

static void *spawn_and_abort_body(void *arg) {
    struct crowd *c = arg;
    for (int round = 1; round <= 20000; round++) {
        atomic_store(&c->begun, round);
        for (int i = 0; i < 5; i++)
            (void)aglet_group_spawn(&c->group, asleep, c);
        while (atomic_load(&c->ended) < round)
            (void)aglet_yield();
        CHECK(aglet_group_join(&c->group) == 0);
    }
    return NULL;
}

/* Whoever is a member when the group is aborted ends, also the one that is being spawned just then. */
static void a_group_may_be_aborted_while_members_are_spawned(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(each_kind); i++) {
        struct crowd c = {.begun = 0};
        pthread_t aborter;
        void *wrong;
        assert_int_equal(pthread_create(&aborter, NULL, abort_when_told, &c), 0);
        assert_int_equal(aglet_run(&each_kind[i], spawn_and_abort_body, &c, &wrong), 0);
        assert_null(wrong);
        assert_int_equal(pthread_join(aborter, NULL), 0);
    }
}

static void a_group_ends_after_all_its_members(void **state) {
    (void)state;
    on_each(group_body, NULL);
}

static atomic_int destroyed;
static void count_destroyed(void *value) {
    atomic_fetch_add(&destroyed, *(int *)value);
    free(value);
}
static const aglet_local key = {count_destroyed};

static void *use_local(void *arg) {
    int *mine = malloc(sizeof *mine);
    *mine = (int)(intptr_t)arg;
    CHECK(aglet_local_get(&key) == NULL);
    CHECK(aglet_local_set(&key, mine) == 0);
    (void)aglet_yield();
    CHECK(*(int *)aglet_local_get(&key) == (int)(intptr_t)arg);
    return NULL;
}

static void *local_body(void *arg) {
    (void)arg;
    aglet_task *tasks[20];
    void *results[20];
    atomic_store(&destroyed, 0);
    for (intptr_t i = 0; i < 20; i++)
        CHECK(aglet_spawn(&tasks[i], use_local, (void *)(i + 1)) == 0);
    CHECK(aglet_join_all(tasks, results, 20) == 0);
    for (int i = 0; i < 20; i++)
        if (results[i])
            return results[i];
    CHECK(atomic_load(&destroyed) == 210);
    return NULL;
}

static void locals_are_per_task_and_destroyed_at_its_end(void **state) {
    (void)state;
    on_each(local_body, NULL);
}

static int fail_twice(void *arg) {
    int *n = arg;
    return ++*n < 3 ? -EAGAIN : *n;
}

static void *retry_body(void *arg) {
    (void)arg;
    int n = 0;
    CHECK(aglet_retry(fail_twice, &n, 5, 1) == 3);
    n = 0;
    CHECK(aglet_retry(fail_twice, &n, 2, 1) == -EAGAIN);
    return NULL;
}

static void retry_stops_at_the_first_success(void **state) {
    (void)state;
    on_each(retry_body, NULL);
}

static void *spawn_many_detached(void *arg) {
    for (int i = 0; i < 10000; i++)
        CHECK(aglet_spawn(NULL, add_one, arg) == 0);
    return NULL;
}

static void the_end_of_an_executor_waits_for_detached_tasks(void **state) {
    (void)state;
    for (size_t i = 0; i < 20; i++) {
        atomic_int n = 0;
        assert_int_equal(aglet_run(&each_kind[i % 2], spawn_many_detached, &n, NULL), 0);
        assert_int_equal(atomic_load(&n), 10000);
    }
}

static void tasks_can_be_spawned_and_joined_from_threads(void **state) {
    (void)state;
    aglet_executor *ex = aglet_executor_new(&each_kind[1]);
    assert_non_null(ex);
    for (uintptr_t i = 0; i < 2000; i++) {
        aglet_task *t;
        void *result;
        assert_int_equal(aglet_spawn_on(ex, &t, twice, (void *)i), 0);
        assert_int_equal(aglet_join(t, &result), 0);
        assert_ptr_equal(result, (void *)(2 * i));
    }
    assert_int_equal(aglet_spawn(NULL, twice, NULL), -ESRCH);
    aglet_executor_free(ex);
}

static double rounding(void) {
    volatile double a = 1, b = 3;
    return a / b;
}

static void *deep(void *arg) {
    char room[16384];
    memset(room, (int)(intptr_t)arg, sizeof room);
    for (int i = 0; i < 3; i++) {
        double before = rounding();
        (void)aglet_yield();
        CHECK(before == rounding());
        for (size_t k = 0; k < sizeof room; k++)
            CHECK(room[k] == (char)(intptr_t)arg);
    }
    char text[64];
    snprintf(text, sizeof text, "%.3f", 1.0 / 3);
    CHECK(strcmp(text, "0.333") == 0);
    return NULL;
}

static void *stacks_body(void *arg) {
    (void)arg;
    aglet_task *tasks[100];
    void *results[100];
    for (intptr_t i = 0; i < 100; i++)
        CHECK(aglet_spawn(&tasks[i], deep, (void *)(i + 1)) == 0);
    CHECK(aglet_join_all(tasks, results, 100) == 0);
    for (int i = 0; i < 100; i++)
        if (results[i])
            return results[i];
    return NULL;
}

static void each_task_has_its_own_stack(void **state) {
    (void)state;
    on_each(stacks_body, NULL);
}

AGLET_CHANNEL(words, long);

enum { LIVES = 400 };
static struct life {
    words_sender tx;
    words_receiver rx;
    _Atomic bool open;
} lives[LIVES];

static void *send_to_each_life(void *arg) {
    for (int i = 0; i < LIVES; i++) {
        while (!atomic_load(&lives[i].open))
            sched_yield();
        if (words_send(&lives[i].tx, i))
            return arg;
        words_drop(&lives[i].tx);
    }
    return NULL;
}

static void *receive_one(void *arg) {
    struct life *life = arg;
    long value;
    atomic_store(&life->open, true);
    CHECK(words_recv(&life->rx, &value) == 0);
    CHECK(value == life - lives);
    words_drop_receiver(&life->rx);
    return NULL;
}

/* The thread makes the task runnable and then wakes its worker: by then both may have ended. */
static void an_executor_may_end_while_a_thread_still_wakes_its_task(void **state) {
    (void)state;
    pthread_t sender;
    void *wrong = NULL;
    assert_int_equal(pthread_create(&sender, NULL, send_to_each_life, &lives), 0);
    for (int i = 0; i < LIVES; i++) {
        assert_int_equal(words_bounded(&lives[i].tx, &lives[i].rx, (size_t)(i & 2)), 0);
        assert_int_equal(aglet_run(&each_kind[i & 1], receive_one, &lives[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(pthread_join(sender, &wrong), 0);
    assert_null(wrong);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join_gives_what_the_task_returned),
        cmocka_unit_test(a_handle_is_joined_by_one),
        cmocka_unit_test(a_task_waits_for_what_comes_after_block_on),
        cmocka_unit_test(a_stack_size_is_a_size),
        cmocka_unit_test(tasks_interleave_and_keep_errno),
        cmocka_unit_test(sleeps_run_side_by_side_and_are_never_short),
        cmocka_unit_test(an_interval_leaves_out_what_was_missed),
        cmocka_unit_test(abort_ends_every_wait_with_ecanceled),
        cmocka_unit_test(a_timeout_ends_what_it_started),
        cmocka_unit_test(a_group_ends_after_all_its_members),
        cmocka_unit_test(a_group_may_be_aborted_while_members_are_spawned),
        cmocka_unit_test(a_member_may_abort_its_group_while_others_come_and_go),
        cmocka_unit_test(locals_are_per_task_and_destroyed_at_its_end),
        cmocka_unit_test(retry_stops_at_the_first_success),
        cmocka_unit_test(the_end_of_an_executor_waits_for_detached_tasks),
        cmocka_unit_test(tasks_can_be_spawned_and_joined_from_threads),
        cmocka_unit_test(each_task_has_its_own_stack),
        cmocka_unit_test(an_executor_may_end_while_a_thread_still_wakes_its_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
