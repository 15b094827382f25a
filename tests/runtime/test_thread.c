/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/thread.h and once.h, as their contracts say. Stands on cmocka and the installed headers. */
#include "cmocka_main.h"
#include "misuse_catcher.h"

#include "aglet/once.h"
#include "aglet/thread.h"

#include <errno.h>
#include <pthread.h>

struct part {
    const int *from;
    int count;
    long sum;
};

AGLET_THREAD_FUNCTION(sum_part, struct part)
static void *sum_part(struct part *p) {
    for (int i = 0; i < p->count; i++)
        p->sum += p->from[i];
    return p;
}

static void a_thread_takes_an_argument_and_returns_a_result(void **state) {
    (void)state;
    int numbers[] = {1, 2, 3};
    struct part p = {numbers, 3, 0};
    aglet_thread t;
    void *result;
    assert_int_equal(AGLET_THREAD_SPAWN(&t, sum_part, &p), 0);
    assert_int_equal(aglet_thread_join(&t, &result), 0);
    assert_ptr_equal(result, &p);
    assert_int_equal(p.sum, 6);
    assert_int_equal(aglet_thread_spawn_with(&t, NULL, sum_part_entry_, &p), 0);
    assert_int_equal(aglet_thread_join(&t, NULL), 0);
    assert_int_equal(p.sum, 12);
}

static void a_scope_joins_what_was_spawned_in_it(void **state) {
    (void)state;
    int numbers[400];
    struct part parts[4];
    for (int i = 0; i < 400; i++)
        numbers[i] = i;
    AGLET_SCOPE(scope) {
        for (int i = 0; i < 4; i++) {
            parts[i] = (struct part){numbers + 100 * i, 100, 0};
            assert_int_equal(AGLET_SCOPE_SPAWN(&scope, sum_part, &parts[i]), 0);
        }
    }
    assert_int_equal(parts[0].sum + parts[1].sum + parts[2].sum + parts[3].sum, 399 * 400 / 2);
}

static void a_handle_is_used_up_by_one_join(void **state) {
    (void)state;
    start_catching();
    static int numbers[] = {1}; /* the detached thread may outlive this function */
    static struct part p = {numbers, 1, 0};
    aglet_thread t;
    assert_int_equal(AGLET_THREAD_SPAWN(&t, sum_part, &p), 0);
    aglet_thread copy = t;
    assert_int_equal(aglet_thread_join(&t, NULL), 0);
    assert_int_equal(aglet_thread_join(&copy, NULL), -EINVAL);
    assert_int_equal(aglet_thread_detach(&t), -EINVAL);
    if (aglet_is_checked()) {
        assert_int_equal(caught.count, 2);
        assert_string_equal(caught.rule, "unjoined");
    }
    assert_int_equal(AGLET_THREAD_SPAWN(&t, sum_part, &p), 0);
    assert_int_equal(aglet_thread_detach(&t), 0);
    aglet_on_misuse(NULL, NULL);
}

static void a_handle_that_no_spawn_filled_is_none(void **state) {
    (void)state;
    start_catching();
    aglet_thread t = AGLET_THREAD_INIT;
    assert_int_equal(aglet_thread_join(&t, NULL), -EINVAL);
    assert_int_equal(aglet_thread_detach(&t), -EINVAL);
    if (aglet_is_checked()) {
        assert_int_equal(caught.count, 2);
        assert_string_equal(caught.rule, "unjoined");
        assert_non_null(strstr(caught.text, "a thread is detached that was never spawned"));
    }
    aglet_on_misuse(NULL, NULL);
}

static void *name_of_self(void *argument) {
    pthread_getname_np(pthread_self(), argument, 16);
    return NULL;
}

static void a_thread_has_the_name_it_was_given(void **state) {
    (void)state;
    char name[16] = "";
    struct aglet_thread_options options = {.name = "indexer", .stack_size = 256 * 1024};
    aglet_thread t;
    assert_int_equal(aglet_thread_spawn_with(&t, &options, name_of_self, name), 0);
    aglet_thread_join(&t, NULL);
    assert_string_equal(name, "indexer");
}

static void *leave_by_exit(void *argument) {
    pthread_exit(argument);
}

static void a_thread_may_end_by_pthread_exit(void **state) {
    (void)state;
    aglet_thread t;
    void *result = NULL;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(aglet_thread_spawn(&t, leave_by_exit, &t), 0);
        assert_int_equal(aglet_thread_join(&t, &result), 0);
        assert_ptr_equal(result, &t);
    }
}

static int made;

static void make_slowly(int *value) {
    for (volatile int i = 0; i < 100000; i++)
        ;
    made++;
    *value = 7;
}

static AGLET_LAZY(int) lazy = AGLET_LAZY_INIT;

static void *get_lazy(void *argument) {
    (void)argument;
    return (void *)(intptr_t)*AGLET_LAZY_GET(&lazy, make_slowly);
}

static void a_lazy_value_is_made_once_and_seen_whole(void **state) {
    (void)state;
    aglet_thread t[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(aglet_thread_spawn(&t[i], get_lazy, NULL), 0);
    for (int i = 0; i < 8; i++) {
        void *seven;
        aglet_thread_join(&t[i], &seven);
        assert_int_equal((intptr_t)seven, 7);
    }
    assert_int_equal(made, 1);
}

static void *check_it(void *affine) {
    aglet_affine_check(affine);
    return NULL;
}

static void an_object_of_one_thread_is_not_used_by_another(void **state) {
    (void)state;
    if (!aglet_is_checked())
        skip();
    start_catching();
    aglet_affine a = AGLET_AFFINE_INIT;
    aglet_thread t;
    aglet_affine_check(&a);
    aglet_affine_check(&a);
    assert_int_equal(caught.count, 0);
    assert_int_equal(aglet_thread_spawn(&t, check_it, &a), 0);
    aglet_thread_join(&t, NULL);
    assert_int_equal(caught.count, 1);
    assert_string_equal(caught.rule, "affinity");
    aglet_affine_release(&a);
    assert_int_equal(aglet_thread_spawn(&t, check_it, &a), 0);
    aglet_thread_join(&t, NULL);
    assert_int_equal(caught.count, 1);
    aglet_on_misuse(NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_takes_an_argument_and_returns_a_result),
        cmocka_unit_test(a_scope_joins_what_was_spawned_in_it),
        cmocka_unit_test(a_handle_is_used_up_by_one_join),
        cmocka_unit_test(a_handle_that_no_spawn_filled_is_none),
        cmocka_unit_test(a_thread_has_the_name_it_was_given),
        cmocka_unit_test(a_thread_may_end_by_pthread_exit),
        cmocka_unit_test(a_lazy_value_is_made_once_and_seen_whole),
        cmocka_unit_test(an_object_of_one_thread_is_not_used_by_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
