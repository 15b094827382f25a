/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/arc.h, as its contract says. Stands on cmocka and the installed headers. */
#include "cmocka_main.h"
#include "misuse_catcher.h"

#include "aglet/arc.h"
#include "aglet/thread.h"

struct config {
    long value;
};

static int dropped;

static void drop_config(struct config *c) {
    if (c->value == 42)
        __atomic_add_fetch(&dropped, 1, __ATOMIC_RELAXED);
}

static void the_last_drop_frees(void **state) {
    (void)state;
    dropped = 0;
    struct config *c = AGLET_ARC_NEW(struct config, drop_config);
    assert_non_null(c);
    assert_int_equal(c->value, 0);
    assert_int_equal((uintptr_t)c % _Alignof(max_align_t), 0);
    c->value = 42;
    struct config *other = AGLET_ARC_KEEP(c);
    assert_ptr_equal(other, c);
    assert_int_equal(aglet_arc_count(c), 2);
    AGLET_ARC_DROP(c);
    assert_null(c);
    assert_int_equal(dropped, 0);
    AGLET_ARC_DROP(other);
    assert_int_equal(dropped, 1);
    aglet_arc_drop(NULL);
}

static void *keep_and_drop(void *argument) {
    struct config *c = argument;
    aglet_weak *w = aglet_arc_weak(c);
    for (int i = 0; i < 20000; i++) {
        AGLET_ARC_SCOPED struct config *mine = aglet_weak_get(w);
        if (mine == NULL || mine->value != 42)
            return NULL;
    }
    aglet_weak_drop(w);
    aglet_arc_drop(c);
    return (void *)1;
}

static void threads_keep_and_drop_at_once(void **state) {
    (void)state;
    dropped = 0;
    struct config *c = AGLET_ARC_NEW(struct config, drop_config);
    c->value = 42;
    aglet_thread t[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(aglet_thread_spawn(&t[i], keep_and_drop, AGLET_ARC_KEEP(c)), 0);
    aglet_weak *w = aglet_arc_weak(c);
    AGLET_ARC_DROP(c);
    for (int i = 0; i < 4; i++) {
        void *good;
        assert_int_equal(aglet_thread_join(&t[i], &good), 0);
        assert_non_null(good);
    }
    assert_int_equal(dropped, 1);
    assert_null(aglet_weak_get(w));
    aglet_weak_drop(w);
}

static void the_single_thread_twin_counts_alike(void **state) {
    (void)state;
    dropped = 0;
    struct config *c = AGLET_RC_NEW(struct config, drop_config);
    c->value = 42;
    struct config *other = AGLET_RC_KEEP(c);
    assert_int_equal(aglet_rc_count(c), 2);
    AGLET_RC_DROP(c);
    AGLET_RC_DROP(other);
    assert_int_equal(dropped, 1);
}

static void a_drop_too_many_is_reported(void **state) {
    (void)state;
    if (!aglet_is_checked())
        skip();
    start_catching();
    struct config *c = AGLET_ARC_NEW(struct config, NULL);
    aglet_arc_drop(c);
    aglet_arc_drop(c);
    assert_int_equal(caught.count, 1);
    assert_string_equal(caught.rule, "arc-count");
    aglet_arc_keep(c);
    assert_int_equal(caught.count, 2);
    aglet_on_misuse(NULL, NULL);
}

static void *touch(void *rc) {
    aglet_rc_keep(rc);
    return NULL;
}

static void a_count_that_is_not_atomic_stays_on_its_thread(void **state) {
    (void)state;
    if (!aglet_is_checked())
        skip();
    start_catching();
    struct config *c = AGLET_RC_NEW(struct config, NULL);
    aglet_thread t;
    assert_int_equal(aglet_thread_spawn(&t, touch, c), 0);
    aglet_thread_join(&t, NULL);
    assert_int_equal(caught.count, 1);
    assert_string_equal(caught.rule, "affinity");
    aglet_on_misuse(NULL, NULL);
}

static void nothing_is_made_of_null(void **state) {
    (void)state;
    assert_null(aglet_arc_weak(NULL));
    assert_null(aglet_weak_keep(NULL));
    assert_null(aglet_weak_get(NULL));
    aglet_weak_drop(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_drop_frees),
        cmocka_unit_test(threads_keep_and_drop_at_once),
        cmocka_unit_test(the_single_thread_twin_counts_alike),
        cmocka_unit_test(a_drop_too_many_is_reported),
        cmocka_unit_test(a_count_that_is_not_atomic_stays_on_its_thread),
        cmocka_unit_test(nothing_is_made_of_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
