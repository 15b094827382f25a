/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tests of terms and worlds alone: folding, aliasing, ranges, what a merge keeps.
 * Stands on cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "program/world.h"

static struct term_table t;
static struct arena a;

static int start(void **state) {
    (void)state;
    term_table_clear(&t);
    arena_reset(&a);
    return 0;
}

static term local(uint32_t v) {
    return term_make(&t, TERM_LOCAL, v, 0, 0);
}
static term value(uint32_t v) {
    return term_make(&t, TERM_LOAD, local(v), 0, 0);
}
static term number(int64_t v) {
    return term_const(&t, v);
}

static void equal_terms_have_equal_numbers(void **state) {
    (void)state;
    assert_int_equal(value(1), value(1));
    assert_int_not_equal(value(1), value(2));
    assert_int_equal(term_binary(&t, IR_B_ADD, number(2), number(3)), number(5));
    assert_int_equal(term_binary(&t, IR_B_LT, number(0), value(1)), term_binary(&t, IR_B_GT, value(1), number(0)));
    assert_int_equal(term_unary(&t, IR_U_LNOT, term_binary(&t, IR_B_LT, value(1), number(4))),
                     term_binary(&t, IR_B_GE, value(1), number(4)));
}

static void arithmetic_that_doubles_stays_small(void **state) {
    (void)state;
    const term elsewhere = value(9);
    term x = value(1);
    for (int i = 0; i < 300; i++) {
        x = term_binary(&t, IR_B_ADD, x, term_binary(&t, IR_B_MUL, x, value(2)));
        assert_true(term_at(&t, x)->size <= 64);
    }
    assert_false(term_mentions(&t, x, elsewhere)); /* and ends */
}

static void shapes_look_through_versions_only(void **state) {
    (void)state;
    const term f = term_make(&t, TERM_FIELD, value(1), 7, 0);
    const term before = term_make(&t, TERM_LOAD, f, 0, 0), after = term_make(&t, TERM_LOAD, f, 9, 0);
    assert_int_not_equal(before, after);
    assert_true(term_same_shape(&t, before, after));
    assert_false(term_same_shape(&t, before, term_make(&t, TERM_LOAD, term_make(&t, TERM_FIELD, value(2), 7, 0), 0, 0)));
}

static void a_store_reaches_what_may_be_the_same_place(void **state) {
    (void)state;
    struct world *w = world_new(&a);
    const term p = term_make(&t, TERM_FIELD, value(1), 7, 0), q = term_make(&t, TERM_FIELD, value(2), 7, 0);
    const term other = term_make(&t, TERM_FIELD, value(1), 8, 0);
    world_store(&a, &t, w, p, number(1), 10);
    world_store(&a, &t, w, other, number(5), 11);
    assert_int_equal(world_load(&t, w, p), number(1));
    world_store(&a, &t, w, q, number(2), 12);
    assert_int_equal(world_load(&t, w, q), number(2));
    assert_int_not_equal(world_load(&t, w, p), number(1));     /* q may be p */
    assert_int_equal(world_load(&t, w, other), number(5)); /* another field is not */
}

static void a_branch_narrows_and_the_impossible_ends(void **state) {
    (void)state;
    struct world *w = world_new(&a);
    const term x = value(1);
    assert_true(world_assume(&a, &t, w, term_binary(&t, IR_B_GT, x, number(3)), true));
    assert_true(world_assume(&a, &t, w, term_binary(&t, IR_B_LE, x, number(5)), true));
    assert_int_equal(world_range(&t, w, x).lo, 4);
    assert_int_equal(world_range(&t, w, x).hi, 5);
    assert_false(world_assume(&a, &t, world_copy(&a, w), term_binary(&t, IR_B_EQ, x, number(9)), true));
    assert_false(world_assume(&a, &t, world_copy(&a, w), x, false));
    assert_true(world_assume(&a, &t, w, x, true));
}

static void a_failed_lock_call_drops_its_lock(void **state) {
    (void)state;
    struct world *w = world_new(&a);
    const term result = term_make(&t, TERM_FRESH, 3, 0, 0);
    const struct held h = {.lock = value(1), .mode = HELD_EXCLUSIVE, .count = 1, .when = result, .ok = range_of(0), .event = 3};
    world_add_held(&a, w, &h);
    struct world *failed = world_copy(&a, w);
    assert_true(world_assume(&a, &t, failed, result, true));
    assert_null(world_held(failed, value(1)));
    assert_true(failed->failed);
    assert_true(world_assume(&a, &t, w, result, false));
    assert_non_null(world_held(w, value(1)));
}

static void merging_keeps_what_both_know(void **state) {
    (void)state;
    struct world *x = world_new(&a), *y = world_new(&a);
    world_set(&a, x, local(1), number(0));
    world_set(&a, y, local(1), number(1));
    world_set(&a, x, local(2), number(7));
    world_set(&a, y, local(2), number(7));
    assert_true(world_same_locks(x, y));
    assert_true(world_merge(&a, &t, x, y, 5, false, false));
    assert_int_equal(world_load(&t, x, local(2)), number(7));
    const term phi = world_load(&t, x, local(1));
    assert_int_equal(term_at(&t, phi)->op, TERM_PHI);
    assert_int_equal(world_range(&t, x, phi).lo, 0);
    assert_int_equal(world_range(&t, x, phi).hi, 1);
    assert_false(world_merge(&a, &t, x, y, 5, false, false)); /* nothing new: the fixpoint is reached */
}

static void ownership_ends_with_publication(void **state) {
    (void)state;
    struct world *w = world_new(&a);
    const term object = term_make(&t, TERM_FRESH, 2, 0, TERM_ALLOCATED), field = term_make(&t, TERM_FIELD, object, 7, 0);
    world_own(&a, w, object);
    assert_true(world_owns(&t, w, field));
    world_publish(&a, &t, w, field);
    assert_false(world_owns(&t, w, field));
    assert_true(world_owns(&t, w, term_make(&t, TERM_FIELD, local(4), 7, 0)));
    world_publish(&a, &t, w, local(4));
    assert_false(world_owns(&t, w, local(4)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(equal_terms_have_equal_numbers, start),
        cmocka_unit_test_setup(arithmetic_that_doubles_stays_small, start),
        cmocka_unit_test_setup(shapes_look_through_versions_only, start),
        cmocka_unit_test_setup(a_store_reaches_what_may_be_the_same_place, start),
        cmocka_unit_test_setup(a_branch_narrows_and_the_impossible_ends, start),
        cmocka_unit_test_setup(a_failed_lock_call_drops_its_lock, start),
        cmocka_unit_test_setup(merging_keeps_what_both_know, start),
        cmocka_unit_test_setup(ownership_ends_with_publication, start),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    term_table_free(&t);
    arena_free(&a);
    return failed;
}
