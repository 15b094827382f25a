/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Handles that are none, or not the caller's: both libraries refuse them, the checked one reports it. Stands on cmocka. */
#include "cmocka_main.h"

#include "aglet/executor.h"
#include "aglet/misuse.h"
#include "aglet/select.h"
#include "aglet/thread.h"

#include <errno.h>
#include <string.h>

enum { AGAIN = 5000 };

static char rules[256];

static void note(const struct aglet_misuse *m, void *context) {
    (void)context;
    strncat(rules, m->rule, sizeof rules - strlen(rules) - 2);
    strcat(rules, " ");
}

static void begin(void) {
    rules[0] = '\0';
    aglet_on_misuse(note, NULL);
}

static void assert_told(const char *expected) {
    aglet_on_misuse(NULL, NULL);
    assert_string_equal(rules, aglet_is_checked() ? expected : "");
}

static void *echo(void *arg) {
    return arg;
}

static void an_executor_that_is_none_is_refused(void **state) {
    (void)state;
    aglet_task *task;
    begin();
    assert_int_equal(aglet_block_on(NULL, echo, NULL, NULL), -ESRCH);
    assert_int_equal(aglet_spawn_on(NULL, &task, echo, NULL), -ESRCH);
    assert_int_equal(aglet_executor_workers(NULL), 0);
    assert_told("task-leak task-leak task-leak ");
    aglet_executor_free(NULL);
}

static void a_thread_handle_at_null_is_refused(void **state) {
    (void)state;
    begin();
    assert_int_equal(aglet_thread_spawn(NULL, echo, NULL), -EINVAL);
    assert_int_equal(aglet_thread_join(NULL, NULL), -EINVAL);
    assert_int_equal(aglet_thread_detach(NULL), -EINVAL);
    assert_told("unjoined unjoined unjoined ");
    aglet_thread_set_name(NULL);
}

static void a_task_handle_that_is_null_is_refused(void **state) {
    (void)state;
    struct aglet_case join[] = {AGLET_CASE_JOIN(NULL, NULL)};
    begin();
    assert_int_equal(aglet_join(NULL, NULL), -EDEADLK);
    assert_int_equal(aglet_select(join, 1, AGLET_FOREVER), 0);
    assert_int_equal(join[0].result, -EDEADLK);
    assert_told("unjoined unjoined ");
    aglet_detach(NULL);
    aglet_abort(NULL);
    assert_int_equal(aglet_task_id(NULL), 0);
}

/* Where a spawn fails, a join that follows all the same does not read what was on the stack. */
static void a_task_that_is_not_started_leaves_no_handle(void **state) {
    (void)state;
    aglet_task *task = (aglet_task *)&rules, *local = task, *there = task;
    assert_int_equal(aglet_spawn(&task, echo, NULL), -ESRCH);
    assert_null(task);
    assert_int_equal(aglet_spawn_local(&local, echo, NULL), -ESRCH);
    assert_null(local);
    begin();
    assert_int_equal(aglet_spawn_on(NULL, &there, echo, NULL), -ESRCH);
    assert_null(there);
    assert_told("task-leak ");
}

static void a_scope_that_is_not_open_is_refused(void **state) {
    (void)state;
    aglet_scope scope = {0};
    begin();
    assert_int_equal(aglet_scope_spawn(&scope, echo, NULL), -EINVAL);
    aglet_scope_begin(&scope);
    assert_int_equal(aglet_scope_spawn(&scope, echo, NULL), 0);
    assert_int_equal(aglet_scope_end(&scope), 0);
    assert_int_equal(aglet_scope_spawn(&scope, echo, NULL), -EINVAL);
    assert_told("unjoined unjoined ");
}

static aglet_scope own_scope;

static void *end_own_scope(void *error) {
    (void)aglet_sleep_ms(20); /* the spawn has returned */
    *(int *)error = aglet_scope_end(&own_scope);
    return NULL;
}

static void a_thread_that_ends_its_own_scope_is_refused(void **state) {
    (void)state;
    int error = 0;
    begin();
    aglet_scope_begin(&own_scope);
    assert_int_equal(aglet_scope_spawn(&own_scope, end_own_scope, &error), 0);
    (void)aglet_sleep_ms(100);
    assert_int_equal(aglet_scope_end(&own_scope), 0);
    assert_int_equal(error, -EDEADLK);
    assert_told("deadlock ");
}

static void *block_inside(void *arg) {
    int error = aglet_run(NULL, echo, NULL, NULL);
    return error == -EDEADLK ? arg : NULL;
}

static void a_task_may_not_block_on_another(void **state) {
    (void)state;
    void *result = NULL;
    begin();
    assert_int_equal(aglet_run(NULL, block_inside, rules, &result), 0);
    assert_ptr_equal(result, rules);
    assert_told("blocking-in-task ");
}

struct root {
    aglet_task *task;
    int joined, selected;
    bool ended;
};

static void *join_root(void *arg) {
    struct root *r = arg;
    struct aglet_case join[] = {AGLET_CASE_JOIN(r->task, NULL)};
    r->joined = aglet_join(r->task, NULL);
    r->selected = aglet_select(join, 1, AGLET_FOREVER) == 0 ? join[0].result : 0;
    aglet_detach(r->task);
    return NULL;
}

static void *be_root(void *arg) {
    struct root *r = arg;
    aglet_task *other;
    r->task = aglet_self();
    if (aglet_spawn(&other, join_root, r) != 0 || aglet_join(other, NULL) != 0 || aglet_sleep_ms(20) != 0)
        return NULL;
    r->ended = true;
    return arg;
}

/* The root task writes its result to the frame of aglet_block_on, which must not return before. */
static void block_on_returns_when_its_task_has_ended_whoever_joins_that(void **state) {
    (void)state;
    const struct aglet_executor_options kinds[] = {{.workers = 1}, {.workers = 2}, {.current_thread = true}};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct root r = {0};
        void *result = NULL;
        begin();
        assert_int_equal(aglet_run(&kinds[i], be_root, &r, &result), 0);
        assert_told("unjoined unjoined unjoined ");
        assert_true(r.ended);
        assert_ptr_equal(result, &r);
        assert_int_equal(r.joined, -EINVAL);
        assert_int_equal(r.selected, -EINVAL);
    }
}

static void *detach_root(void *arg) {
    aglet_detach(aglet_self());
    (void)aglet_sleep_until(aglet_after_ns(1000));
    return arg;
}

/* It may come to that before aglet_block_on has begun to wait. */
static void block_on_waits_for_a_task_that_detaches_itself(void **state) {
    (void)state;
    aglet_executor *executor = aglet_executor_new(&(struct aglet_executor_options){.workers = 2});
    assert_non_null(executor);
    aglet_on_misuse(note, NULL);
    int done = 0;
    for (int i = 0; i < AGAIN; i++) {
        void *result = NULL;
        rules[0] = '\0';
        done += aglet_block_on(executor, detach_root, rules, &result) == 0 && result == rules;
    }
    assert_int_equal(done, AGAIN);
    aglet_executor_free(executor);
    assert_told("unjoined ");
}

static aglet_executor *entered;

static void *enter_again(void *arg) {
    return aglet_block_on(entered, echo, arg, NULL) == -EBUSY ? arg : NULL;
}

static void *be_entered(void *arg) {
    aglet_thread thread;
    void *refused = NULL;
    if (aglet_thread_spawn(&thread, enter_again, arg) != 0)
        return NULL;
    (void)aglet_sleep_ms(1);
    (void)aglet_thread_join(&thread, &refused);
    return refused;
}

static void a_current_thread_executor_is_run_by_one_thread_at_a_time(void **state) {
    (void)state;
    void *result = NULL;
    begin();
    entered = aglet_executor_new(&(struct aglet_executor_options){.current_thread = true});
    assert_non_null(entered);
    assert_int_equal(aglet_block_on(entered, be_entered, rules, &result), 0);
    assert_ptr_equal(result, rules);
    aglet_executor_free(entered);
    aglet_on_misuse(NULL, NULL);
    if (aglet_is_checked())
        assert_non_null(strstr(rules, "affinity "));
}

static void *leave_one(void *kind) {
    (void)aglet_spawn(NULL, *(aglet_task_fn *const *)kind, NULL);
    (void)aglet_sleep_ms(1);
    return NULL;
}

static void *wait_a_little(void *arg) {
    (void)aglet_sleep_ms(20);
    return arg;
}

static void *run_and_leave(void *arg) {
    (void)aglet_block_on(entered, leave_one, arg, NULL);
    return NULL;
}

/* Where nothing is left that began, it may: one thread makes it and runs it, another one frees it. */
static void it_may_be_run_by_another_one_where_nothing_has_begun(void **state) {
    (void)state;
    aglet_task_fn *const left[] = {echo, wait_a_little};
    for (int i = 0; i < 2; i++) {
        aglet_thread thread;
        begin();
        entered = aglet_executor_new(&(struct aglet_executor_options){.current_thread = true});
        assert_non_null(entered);
        assert_int_equal(aglet_thread_spawn(&thread, run_and_leave, (void *)&left[i]), 0);
        assert_int_equal(aglet_thread_join(&thread, NULL), 0);
        assert_int_equal(aglet_block_on(entered, echo, NULL, NULL), 0);
        assert_int_equal(aglet_block_on(entered, wait_a_little, NULL, NULL), 0);
        aglet_executor_free(entered);
        assert_told(i == 0 ? "" : "affinity ");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_executor_that_is_none_is_refused),
        cmocka_unit_test(a_thread_handle_at_null_is_refused),
        cmocka_unit_test(a_task_handle_that_is_null_is_refused),
        cmocka_unit_test(a_task_that_is_not_started_leaves_no_handle),
        cmocka_unit_test(a_scope_that_is_not_open_is_refused),
        cmocka_unit_test(a_thread_that_ends_its_own_scope_is_refused),
        cmocka_unit_test(a_task_may_not_block_on_another),
        cmocka_unit_test(block_on_returns_when_its_task_has_ended_whoever_joins_that),
        cmocka_unit_test(block_on_waits_for_a_task_that_detaches_itself),
        cmocka_unit_test(a_current_thread_executor_is_run_by_one_thread_at_a_time),
        cmocka_unit_test(it_may_be_run_by_another_one_where_nothing_has_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
