/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Misuse of channel handles and locks, with a hook that lets the program go on: the operation returns, and a
 * mistake is told once. Stands on cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aglet/broadcast.h"
#include "aglet/channel.h"
#include "aglet/executor.h"
#include "aglet/misuse.h"
#include "aglet/mutex.h"
#include "aglet/thread.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

AGLET_CHANNEL(ints, int);
AGLET_BROADCAST(news, int);
AGLET_WATCH(level, int);

static char rules[1024], last_text[1024];

static void note(const struct aglet_misuse *m, void *context) {
    (void)context;
    strncat(rules, m->rule, sizeof rules - strlen(rules) - 2);
    strcat(rules, " ");
    snprintf(last_text, sizeof last_text, "%s", m->text);
}

static void begin(void) {
    rules[0] = '\0';
    aglet_on_misuse(note, NULL);
}

static void *forget(void *arg) {
    (void)arg;
    ints_sender tx;
    ints_receiver rx;
    int value;
    if (ints_bounded(&tx, &rx, 1) != 0)
        return NULL;
    int error = ints_recv(&rx, &value);
    ints_drop(&tx);
    ints_drop_receiver(&rx);
    return (void *)(intptr_t)error;
}

/* The task that a report wakes may be pinned to the very worker that made it. */
static void a_task_goes_on_after_forgotten_sender(void **state) {
    (void)state;
    for (unsigned workers = 1; workers <= 3; workers++)
        for (int i = 0; i < 10; i++) {
            begin();
            void *result = NULL;
            struct aglet_executor_options options = {.workers = workers};
            assert_int_equal(aglet_run(&options, forget, NULL, &result), 0);
            assert_int_equal((intptr_t)result, -ECANCELED);
            assert_string_equal(rules, "forgotten-sender ");
        }
    aglet_on_misuse(NULL, NULL);
}

static void a_dropped_handle_is_reported_by_each_call(void **state) {
    (void)state;
    ints_sender tx;
    ints_receiver rx;
    int value;
    assert_int_equal(ints_bounded(&tx, &rx, 1), 0);
    ints_sender copy = tx;
    begin();
    ints_drop(&tx);
    assert_int_equal(ints_send(&copy, 1), -EPIPE);
    assert_string_equal(rules, "send-after-close ");
    begin();
    ints_sender none = ints_clone(&tx);
    assert_string_equal(rules, "send-after-close ");
    assert_int_equal(ints_try_send(&none, 1), -EPIPE);
    assert_int_equal(ints_recv(&rx, &value), -EPIPE);
    ints_drop_receiver(&rx);
    begin();
    ints_close(&rx);
    assert_string_equal(rules, "send-after-close ");
    aglet_on_misuse(NULL, NULL);
}

/* Not that of the channel's declaration, where the typed functions stand. */
static void a_report_names_the_line_of_the_call(void **state) {
    (void)state;
    ints_sender tx;
    ints_receiver rx;
    char where[64];
    assert_int_equal(ints_bounded(&tx, &rx, 1), 0);
    ints_drop(&tx);
    ints_drop_receiver(&rx);
    begin();
    snprintf(where, sizeof where, "test_handles_checked.c:%d", __LINE__ + 1);
    assert_int_equal(ints_send(&tx, 1), -EPIPE);
    aglet_on_misuse(NULL, NULL);
#ifdef AGLET_HAVE_LIBDW
    assert_non_null(strstr(last_text, where));
#endif
}

static void so_is_one_of_a_broadcast_or_watch(void **state) {
    (void)state;
    news_sender tx;
    level_sender level;
    int value;
    assert_int_equal(news_open(&tx, 2), 0);
    assert_int_equal(level_open(&level, 1), 0);
    news_receiver rx = news_subscribe(&tx);
    news_drop(&tx);
    news_leave(&rx);
    level_drop(&level);
    begin();
    assert_int_equal(news_send(&tx, 1), -EPIPE);
    assert_int_equal(news_recv(&rx, &value), -EPIPE);
    assert_string_equal(rules, "send-after-close send-after-close ");
    begin();
    news_receiver none = news_subscribe(&tx);
    assert_string_equal(rules, "send-after-close ");
    assert_int_equal(news_recv(&none, &value), -EPIPE);
    begin();
    level_receiver never = level_subscribe(&level);
    assert_string_equal(rules, "send-after-close ");
    level_leave(&never);
    aglet_on_misuse(NULL, NULL);
}

static aglet_mutex mu;

static void *leave_locked(void *arg) {
    (void)arg;
    aglet_mutex_lock(&mu);
    return NULL;
}

static void *leave_one_locked(void *arg) {
    aglet_task *task;
    if (aglet_spawn_local(&task, leave_locked, NULL) != 0)
        return NULL;
    (void)aglet_join(task, NULL);
    return arg;
}

static void *nothing(void *arg) {
    return arg;
}

/* A lock made anew by another thread is held by nobody. */
static void a_hold_ends_with_its_lock(void **state) {
    (void)state;
    begin();
    aglet_executor *executor = aglet_executor_new(&(struct aglet_executor_options){.workers = 1});
    assert_non_null(executor);
    assert_int_equal(aglet_block_on(executor, leave_one_locked, NULL, NULL), 0);
    assert_non_null(strstr(rules, "lock-across-yield"));
    begin();
    aglet_mutex_init(&mu);
    assert_string_equal(rules, "destroy-held ");
    assert_int_equal(aglet_block_on(executor, leave_one_locked, NULL, NULL), 0);
    aglet_mutex_init(&mu);
    begin();
    assert_int_equal(aglet_block_on(executor, nothing, NULL, NULL), 0);
    aglet_executor_free(executor);
    assert_string_equal(rules, "");
    aglet_on_misuse(NULL, NULL);
}

static aglet_mutex another;

static void *sleep_locked(void *arg) {
    aglet_mutex_lock(&mu);
    (void)aglet_sleep_ms(20);
    aglet_mutex_unlock(&mu);
    return arg;
}

static void *sleep_innocent(void *arg) {
    for (int i = 0; i < 3; i++) {
        aglet_mutex_lock(&another);
        aglet_mutex_unlock(&another);
        (void)aglet_sleep_ms(1);
    }
    return arg;
}

static void *unlock_for_it(void *arg) {
    (void)aglet_sleep_ms(1);
    aglet_mutex_unlock(&mu);
    (void)aglet_sleep_ms(1);
    return arg;
}

static void *leave_to_other(void *arg) {
    aglet_mutex_lock(&mu);
    (void)aglet_sleep_ms(20);
    return arg;
}

/* The other tasks run when the first has gone to sleep. */
static void *run_three(void *first) {
    aglet_task *task[3];
    aglet_task_fn *const run[3] = {*(aglet_task_fn **)first, sleep_innocent,
                                   *(aglet_task_fn **)first == leave_to_other ? unlock_for_it
                                                                              : sleep_innocent};
    for (int i = 0; i < 3; i++)
        if (aglet_spawn_local(&task[i], run[i], NULL) != 0)
            return NULL;
    for (int i = 0; i < 3; i++)
        (void)aglet_join(task[i], NULL);
    return first;
}

static void each_task_is_accused_of_its_own_locks(void **state) {
    (void)state;
    struct aglet_executor_options options = {.workers = 1};
    aglet_task_fn *const first[] = {sleep_locked, leave_to_other};
    aglet_mutex_init(&mu);
    for (int i = 0; i < 2; i++) {
        begin();
        assert_int_equal(aglet_run(&options, run_three, (void *)&first[i], NULL), 0);
        assert_string_equal(rules, "lock-across-yield ");
    }
    assert_true(aglet_mutex_try_lock(&mu));
    aglet_mutex_unlock(&mu);
    aglet_on_misuse(NULL, NULL);
}

/* Whoever took it, it is held while the tasks of this thread wait. */
static void a_lock_taken_outside_tasks_is_every_tasks(void **state) {
    (void)state;
    struct aglet_executor_options options = {.current_thread = true};
    begin();
    aglet_executor *executor = aglet_executor_new(&options);
    assert_non_null(executor);
    aglet_mutex_lock(&mu);
    assert_int_equal(aglet_block_on(executor, unlock_for_it, NULL, NULL), 0);
    aglet_executor_free(executor);
    assert_string_equal(rules, "lock-across-yield ");
    aglet_on_misuse(NULL, NULL);
}

static void *join_a_thread(void *arg) {
    aglet_thread thread;
    if (aglet_thread_spawn(&thread, nothing, arg) != 0 || aglet_thread_join(&thread, NULL) != 0)
        return NULL;
    AGLET_SCOPE(scope)
    (void)aglet_scope_spawn(&scope, nothing, arg);
    return arg;
}

/* Its worker waits meanwhile; a thread that runs no task may. */
static void a_task_that_joins_a_thread_is_told(void **state) {
    (void)state;
    void *result = NULL;
    begin();
    assert_ptr_equal(join_a_thread(rules), rules);
    assert_string_equal(rules, "");
    assert_int_equal(aglet_run(NULL, join_a_thread, rules, &result), 0);
    assert_ptr_equal(result, rules);
    assert_string_equal(rules, "blocking-in-task blocking-in-task ");
    aglet_on_misuse(NULL, NULL);
}

static void *end_handles_twice(void *arg) {
    aglet_task *task;
    (void)arg;
    if (aglet_spawn(&task, nothing, NULL) != 0 || aglet_join(task, NULL) != 0)
        return NULL;
    int error = aglet_join(task, NULL);
    aglet_detach(task);
    if (aglet_spawn(&task, nothing, NULL) != 0)
        return NULL;
    aglet_detach(task);
    if (aglet_join(task, NULL) != error)
        return NULL;
    return (void *)(intptr_t)error;
}

/* Its memory is not given back a second time: what is spawned afterwards runs. */
static void a_task_handle_is_used_up_once(void **state) {
    (void)state;
    void *result = NULL;
    struct aglet_executor_options options = {.workers = 1};
    begin();
    assert_int_equal(aglet_run(&options, end_handles_twice, NULL, &result), 0);
    assert_int_equal((intptr_t)result, -EINVAL);
    assert_string_equal(rules, "unjoined unjoined unjoined ");
    aglet_on_misuse(NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_goes_on_after_forgotten_sender),
        cmocka_unit_test(a_dropped_handle_is_reported_by_each_call),
        cmocka_unit_test(so_is_one_of_a_broadcast_or_watch),
        cmocka_unit_test(a_report_names_the_line_of_the_call),
        cmocka_unit_test(a_hold_ends_with_its_lock),
        cmocka_unit_test(each_task_is_accused_of_its_own_locks),
        cmocka_unit_test(a_lock_taken_outside_tasks_is_every_tasks),
        cmocka_unit_test(a_task_handle_is_used_up_once),
        cmocka_unit_test(a_task_that_joins_a_thread_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
