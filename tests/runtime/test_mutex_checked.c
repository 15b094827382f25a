/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the checked library says about mutexes. Stands on cmocka, misuse_catcher.h. */
#include "cmocka_main.h"
#include "misuse_catcher.h"

#include "aglet/guard.h"
#include "aglet/mutex.h"
#include "aglet/rwlock.h"
#include "aglet/thread.h"

#include <errno.h>
#include <stdlib.h>

static int setup(void **state) {
    (void)state;
    start_catching();
    return 0;
}

#define assert_one(rule_)                                                                                    \
    do {                                                                                                     \
        if (caught.count != 1)                                                                               \
            print_message("%s\n", caught.text);                                                              \
        assert_int_equal(caught.count, 1);                                                                   \
        assert_string_equal(caught.rule, (rule_));                                                           \
    } while (0)

static void locking_twice_is_reported_and_does_nothing(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_lock(&mu);
    aglet_mutex_lock(&mu);
    assert_one("double-lock");
    assert_true(caught.fatal);
    aglet_mutex_unlock(&mu);
    assert_true(aglet_mutex_try_lock(&mu));
    aglet_mutex_unlock(&mu);
    assert_int_equal(caught.count, 1);
}

static void unlocking_a_free_mutex_is_reported_and_leaves_it_free(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_unlock(&mu);
    assert_one("unlock-unheld");
    assert_true(aglet_mutex_try_lock(&mu));
    aglet_mutex_unlock(&mu);
}

static void *unlock_it(void *mu) {
    aglet_mutex_unlock(mu);
    return NULL;
}

static void unlock_by_other_thread_is_misuse(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_thread t;
    aglet_mutex_lock(&mu);
    assert_int_equal(aglet_thread_spawn(&t, unlock_it, &mu), 0);
    aglet_thread_join(&t, NULL);
    assert_one("unlock-unheld");
    assert_non_null(strstr(caught.message, "main"));
    aglet_mutex_unlock(&mu);
}

static void destroying_a_held_mutex_is_reported(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_lock(&mu);
    aglet_mutex_unlock(&mu);
    aglet_mutex_lock(&mu);
    aglet_mutex_destroy(&mu);
    assert_one("destroy-held");
}

static void use_after_destroy_is_reported(void **state) {
    (void)state;
    aglet_mutex mu;
    aglet_mutex_init(&mu);
    aglet_mutex_destroy(&mu);
    aglet_mutex_lock(&mu);
    assert_one("uninitialised-lock");
    aglet_mutex_unlock(&mu);
}

static void garbage_for_a_mutex_is_reported(void **state) {
    (void)state;
    aglet_mutex mu;
    memset(&mu, 0x5b, sizeof mu);
    aglet_mutex_lock(&mu);
    assert_one("uninitialised-lock");
}

static void a_copied_mutex_is_reported_and_works(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_lock(&mu);
    aglet_mutex_unlock(&mu);
    aglet_mutex copy = mu;
    aglet_mutex_lock(&copy);
    assert_one("copy");
    aglet_mutex_unlock(&copy);
    assert_int_equal(caught.count, 1);
}

static void a_copy_of_a_held_mutex_is_reported_once(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_lock(&mu);
    aglet_mutex copy = mu, other = mu;
    aglet_mutex_unlock(&copy);
    assert_one("copy");
    aglet_assert_held(&other);
    assert_int_equal(caught.count, 2);
    assert_string_equal(caught.rule, "copy");
    aglet_mutex_unlock(&mu);
    assert_int_equal(caught.count, 2);
}

static void a_mutex_overwritten_while_held_is_reported_when_it_is_taken_again(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_lock(&mu);
    memset(&mu, 0, sizeof mu);
    aglet_mutex_lock(&mu);
    assert_one("uninitialised-lock");
    aglet_mutex_unlock(&mu);
    assert_int_equal(caught.count, 1);
}

static void waiting_with_a_deadline_for_ones_own_mutex_is_reported_and_goes_on(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_lock(&mu);
    assert_int_equal(aglet_mutex_lock_until(&mu, aglet_now()), -ETIMEDOUT); /* a try, no wait */
    assert_int_equal(caught.count, 0);
    assert_int_equal(aglet_mutex_lock_until(&mu, aglet_after_ms(5)), -ETIMEDOUT);
    assert_one("double-lock");
    assert_false(caught.fatal);
    aglet_mutex_unlock(&mu);
    assert_int_equal(caught.count, 1);
}

static void waiting_with_a_deadline_for_ones_own_rwlock_is_reported_and_goes_on(void **state) {
    (void)state;
    aglet_rwlock rw = AGLET_RWLOCK_INIT;
    aglet_rwlock_read(&rw);
    assert_int_equal(aglet_rwlock_write_until(&rw, aglet_after_ms(5)), -ETIMEDOUT);
    assert_one("deadlock");
    assert_false(caught.fatal);
    aglet_rwlock_read_unlock(&rw);
    aglet_rwlock_write(&rw);
    assert_int_equal(aglet_rwlock_read_until(&rw, aglet_after_ms(5)), -ETIMEDOUT);
    assert_int_equal(caught.count, 2);
    assert_string_equal(caught.rule, "double-lock");
    assert_false(caught.fatal);
    aglet_rwlock_write_unlock(&rw);
    assert_int_equal(caught.count, 2);
}

static aglet_mutex a = AGLET_MUTEX_INIT, b = AGLET_MUTEX_INIT, outer = AGLET_MUTEX_INIT;

static void *a_then_b(void *argument) {
    (void)argument;
    AGLET_GUARD(&a);
    AGLET_GUARD(&b);
    return NULL;
}

static void *b_then_a(void *argument) {
    (void)argument;
    AGLET_GUARD(&b);
    AGLET_GUARD(&a);
    return NULL;
}

static void an_inversion_that_did_not_deadlock_is_reported_once(void **state) {
    (void)state;
    aglet_thread t;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(aglet_thread_spawn(&t, a_then_b, NULL), 0);
        aglet_thread_join(&t, NULL);
        assert_int_equal(aglet_thread_spawn(&t, b_then_a, NULL), 0);
        aglet_thread_join(&t, NULL);
    }
    assert_one("lock-order");
    assert_non_null(strstr(caught.message, "potential"));
#ifdef AGLET_HAVE_LIBDW
    assert_non_null(strstr(caught.text, "'a'"));
    assert_non_null(strstr(caught.text, "test_mutex_checked.c"));
#endif
}

static void *outer_around(void *order) {
    aglet_mutex *first = order != NULL ? &a : &b, *second = order != NULL ? &b : &a;
    aglet_mutex_lock(&outer);
    aglet_mutex_lock(first);
    aglet_mutex_lock(second);
    aglet_mutex_unlock(second);
    aglet_mutex_unlock(first);
    aglet_mutex_unlock(&outer);
    return NULL;
}

static void a_common_outer_lock_makes_the_inversion_harmless(void **state) {
    (void)state;
    aglet_mutex_init(&a);
    aglet_mutex_init(&b);
    aglet_thread t;
    assert_int_equal(aglet_thread_spawn(&t, outer_around, &a), 0);
    aglet_thread_join(&t, NULL);
    assert_int_equal(aglet_thread_spawn(&t, outer_around, NULL), 0);
    aglet_thread_join(&t, NULL);
    assert_int_equal(caught.count, 0);
}

enum { RING = 7 };
static aglet_mutex ring[RING];

static void *take_two(void *argument) {
    size_t i = (size_t)(uintptr_t)argument;
    aglet_mutex_lock(&ring[i]);
    aglet_mutex_lock(&ring[(i + 1) % RING]);
    aglet_mutex_unlock(&ring[(i + 1) % RING]);
    aglet_mutex_unlock(&ring[i]);
    return NULL;
}

static void a_circle_of_seven_is_found(void **state) {
    (void)state;
    for (size_t i = 0; i < RING; i++) {
        aglet_thread t;
        assert_int_equal(caught.count, 0);
        assert_int_equal(aglet_thread_spawn(&t, take_two, (void *)(uintptr_t)i), 0);
        aglet_thread_join(&t, NULL);
    }
    assert_one("lock-order");
}

static void a_circle_of_five_thousand_is_found(void **state) {
    (void)state;
    enum { N = 5000 };
    aglet_mutex *many = calloc(N, sizeof *many);
    for (int i = 0; i < N; i++) {
        assert_int_equal(caught.count, 0);
        aglet_mutex_lock(&many[i]);
        aglet_mutex_lock(&many[(i + 1) % N]);
        aglet_mutex_unlock(&many[(i + 1) % N]);
        aglet_mutex_unlock(&many[i]);
    }
    assert_one("lock-order");
    assert_non_null(strstr(caught.message, "a circle of 5000 orders"));
    free(many);
}

static void a_long_circle_under_one_lock_is_none(void **state) {
    (void)state;
    enum { N = 2000 };
    aglet_mutex *many = calloc(N + 1, sizeof *many);
    for (int i = 0; i < N; i++) {
        aglet_mutex_lock(&many[N]);
        aglet_mutex_lock(&many[i]);
        aglet_mutex_lock(&many[(i + 1) % N]);
        aglet_mutex_unlock(&many[(i + 1) % N]);
        aglet_mutex_unlock(&many[i]);
        aglet_mutex_unlock(&many[N]);
    }
    assert_int_equal(caught.count, 0);
    free(many);
}

struct object {
    aglet_mutex mu;
};

static struct object folders[2], files[2];

static void make_objects(struct object *o) {
    for (int i = 0; i < 2; i++)
        aglet_mutex_init_named(&o[i].mu, o == folders ? "folder" : "file");
}

static void nest(aglet_mutex *first, aglet_mutex *second) {
    aglet_mutex_lock(first);
    aglet_mutex_lock(second);
    aglet_mutex_unlock(second);
    aglet_mutex_unlock(first);
}

static void kinds_in_both_orders_with_no_two_locks_to_show_are_a_hint(void **state) {
    (void)state;
    make_objects(folders);
    make_objects(files);
    nest(&folders[0].mu, &files[0].mu);
    assert_int_equal(caught.hints, 0);
    nest(&files[1].mu, &folders[1].mu);
    assert_int_equal(caught.hints, 1);
    assert_int_equal(caught.count, 0);
    assert_non_null(strstr(caught.text, "'folder'"));
    nest(&files[0].mu, &folders[0].mu); /* and now there are two locks to show */
    assert_one("lock-order");
}

static void kinds_by_the_ten_thousand_are_a_hint(void **state) {
    (void)state;
    enum { N = 10000 };
    struct object *held = calloc(N, sizeof *held), *taken = calloc(N, sizeof *taken);
    char(*names)[16] = calloc(N, sizeof *names);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "kind %d", i);
        aglet_mutex_init_named(&held[i].mu, names[i]);
        aglet_mutex_init_named(&taken[i].mu, names[i]);
    }
    for (int i = N; i-- > 0;) { /* the ring's last order first: each comes before all that are there */
        assert_int_equal(caught.hints, 0);
        nest(&held[i].mu, &taken[(i + 1) % N].mu);
    }
    assert_int_equal(caught.hints, 1);
    assert_int_equal(caught.count, 0);
    assert_non_null(strstr(caught.message, "locks of 10000 kinds"));
    assert_non_null(strstr(caught.text, "and so on, over 9992 orders more"));
    free(held);
    free(taken);
    free(names);
}

static void a_try_makes_no_order(void **state) {
    (void)state;
    aglet_mutex x = AGLET_MUTEX_INIT, y = AGLET_MUTEX_INIT;
    aglet_mutex_lock(&x);
    aglet_mutex_lock(&y);
    aglet_mutex_unlock(&y);
    aglet_mutex_unlock(&x);
    aglet_mutex_lock(&y);
    assert_true(aglet_mutex_try_lock(&x));
    aglet_mutex_unlock(&x);
    aglet_mutex_unlock(&y);
    assert_int_equal(caught.count, 0);
}

struct pair {
    aglet_mutex first, second;
    _Atomic int arrived;
};

static void meet(struct pair *p) {
    __atomic_add_fetch((int *)&p->arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n((int *)&p->arrived, __ATOMIC_SEQ_CST) < 2)
        ;
}

static void *other_way(void *argument) {
    struct pair *p = argument;
    aglet_mutex_lock(&p->second);
    meet(p);
    aglet_mutex_lock(&p->first);
    /* If it was this one that the hook let through, the other one waits for this lock. */
    aglet_mutex_unlock(&p->second);
    return NULL;
}

static void a_deadlock_is_reported_before_the_thread_blocks(void **state) {
    (void)state;
    static struct pair p; /* one thread keeps waiting for the other's lock: nothing here goes away */
    aglet_thread t;
    assert_int_equal(aglet_thread_spawn(&t, other_way, &p), 0);
    aglet_mutex_lock(&p.first);
    meet(&p);
    aglet_mutex_lock(&p.second);
    for (int i = 0; i < 1000 && __atomic_load_n(&caught.count, __ATOMIC_SEQ_CST) == 0; i++) {
        aglet_mutex never = AGLET_MUTEX_INIT;
        aglet_mutex_lock(&never);
        aglet_mutex_unlock(&never);
    }
    assert_true(caught.count >= 1);
    assert_string_equal(caught.rule, "deadlock");
    assert_non_null(strstr(caught.text, "has held"));
    aglet_thread_detach(&t);
}

static void asserting_a_lock_that_is_not_held_is_reported(void **state) {
    (void)state;
    aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_lock(&mu);
    aglet_assert_held(&mu);
    assert_int_equal(caught.count, 0);
    aglet_mutex_unlock(&mu);
    aglet_assert_held(&mu);
    assert_one("requires");
}

static void *leave_locked(void *mu) {
    aglet_mutex_lock(mu);
    return NULL;
}

static void a_lock_held_when_its_thread_ends_is_reported(void **state) {
    (void)state;
    static aglet_mutex mu;
    aglet_thread t;
    assert_int_equal(aglet_thread_spawn(&t, leave_locked, &mu), 0);
    aglet_thread_join(&t, NULL);
    assert_one("thread-exit-held");
}

static void five_hundred_locks_are_held_by_one_thread(void **state) {
    (void)state;
    aglet_mutex *many = calloc(500, sizeof *many);
    for (int i = 0; i < 500; i++)
        aglet_mutex_lock(&many[i]);
    for (int i = 0; i < 500; i++)
        aglet_assert_held(&many[i]);
    for (int i = 0; i < 500; i++) /* first in, first out */
        aglet_mutex_unlock(&many[i]);
    assert_int_equal(caught.count, 0);
    free(many);
}

static void ten_thousand_locks_are_told_apart(void **state) {
    (void)state;
    enum { N = 10000 };
    aglet_mutex *many = calloc(N, sizeof *many);
    for (int i = 0; i + 1 < N; i++) {
        aglet_mutex_lock(&many[i]);
        aglet_mutex_lock(&many[i + 1]);
        aglet_mutex_unlock(&many[i + 1]);
        aglet_mutex_unlock(&many[i]);
    }
    assert_int_equal(caught.count, 0);
    aglet_mutex_lock(&many[N - 1]);
    aglet_mutex_lock(&many[N - 2]);
    assert_one("lock-order");
    aglet_mutex_unlock(&many[N - 2]);
    aglet_mutex_unlock(&many[N - 1]);
    free(many);
}

static void json_says_the_same(void **state) {
    (void)state;
    aglet_mutex mu;
    aglet_mutex_init_named(&mu, "a \"quoted\" name");
    aglet_mutex_unlock(&mu);
    assert_one("unlock-unheld");
    assert_non_null(strstr(caught.json, "\"rule\":\"unlock-unheld\""));
    assert_non_null(strstr(caught.json, "a \\\"quoted\\\" name"));
    assert_int_equal(caught.json[strlen(caught.json) - 1], '\n');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(locking_twice_is_reported_and_does_nothing, setup),
        cmocka_unit_test_setup(unlocking_a_free_mutex_is_reported_and_leaves_it_free, setup),
        cmocka_unit_test_setup(unlock_by_other_thread_is_misuse, setup),
        cmocka_unit_test_setup(destroying_a_held_mutex_is_reported, setup),
        cmocka_unit_test_setup(use_after_destroy_is_reported, setup),
        cmocka_unit_test_setup(garbage_for_a_mutex_is_reported, setup),
        cmocka_unit_test_setup(a_copied_mutex_is_reported_and_works, setup),
        cmocka_unit_test_setup(a_copy_of_a_held_mutex_is_reported_once, setup),
        cmocka_unit_test_setup(a_mutex_overwritten_while_held_is_reported_when_it_is_taken_again, setup),
        cmocka_unit_test_setup(waiting_with_a_deadline_for_ones_own_mutex_is_reported_and_goes_on, setup),
        cmocka_unit_test_setup(waiting_with_a_deadline_for_ones_own_rwlock_is_reported_and_goes_on, setup),
        cmocka_unit_test_setup(an_inversion_that_did_not_deadlock_is_reported_once, setup),
        cmocka_unit_test_setup(a_common_outer_lock_makes_the_inversion_harmless, setup),
        cmocka_unit_test_setup(a_circle_of_seven_is_found, setup),
        cmocka_unit_test_setup(a_circle_of_five_thousand_is_found, setup),
        cmocka_unit_test_setup(a_long_circle_under_one_lock_is_none, setup),
        cmocka_unit_test_setup(kinds_in_both_orders_with_no_two_locks_to_show_are_a_hint, setup),
        cmocka_unit_test_setup(kinds_by_the_ten_thousand_are_a_hint, setup),
        cmocka_unit_test_setup(a_try_makes_no_order, setup),
        cmocka_unit_test_setup(asserting_a_lock_that_is_not_held_is_reported, setup),
        cmocka_unit_test_setup(a_lock_held_when_its_thread_ends_is_reported, setup),
        cmocka_unit_test_setup(five_hundred_locks_are_held_by_one_thread, setup),
        cmocka_unit_test_setup(ten_thousand_locks_are_told_apart, setup),
        cmocka_unit_test_setup(json_says_the_same, setup),
        cmocka_unit_test_setup(a_deadlock_is_reported_before_the_thread_blocks, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
