/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tests of the engine on units in the text form: which rule speaks on which line of a small program.
 * Stands on cmocka, the text form and the shipped models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ir/text.h"
#include "program/program.h"

#define TYPES                                                                                                          \
    "unit \"t.c\"\n"                                                                                                   \
    "struct box { mu: pthread_mutex_t; rw: pthread_rwlock_t; cv: pthread_cond_t; n: int @guarded_by(mu); m: int; "     \
    "next: *struct box; flags: int }\n"                                                                                \
    "global static g: pthread_mutex_t\n"                                                                               \
    "func pthread_mutex_lock(m: *pthread_mutex_t) -> int\n"                                                            \
    "func pthread_mutex_trylock(m: *pthread_mutex_t) -> int\n"                                                         \
    "func pthread_mutex_unlock(m: *pthread_mutex_t) -> int\n"                                                          \
    "func pthread_rwlock_rdlock(m: *pthread_rwlock_t) -> int\n"                                                        \
    "func pthread_rwlock_wrlock(m: *pthread_rwlock_t) -> int\n"                                                        \
    "func pthread_rwlock_unlock(m: *pthread_rwlock_t) -> int\n"                                                        \
    "func pthread_cond_wait(c: *pthread_cond_t, m: *pthread_mutex_t) -> int\n"                                         \
    "func pthread_mutex_init(m: *pthread_mutex_t, a: *void) -> int\n"                                                  \
    "func pthread_mutex_destroy(m: *pthread_mutex_t) -> int\n"                                                         \
    "func malloc(n: unsigned long) -> *void\n"                                                                         \
    "func work() -> int\n"

#define LOCK(x) "call pthread_mutex_lock(&" x "->mu) !unused "
#define UNLOCK(x) "call pthread_mutex_unlock(&" x "->mu) !unused "

/* Every finding as "rule:line ", hints left out, in the order of lines. */
static char *findings(const char *text, bool whole) {
    struct program_options options = {.level = 1, .whole = whole};
    struct program *p = program_new(&options);
    struct report *r = report_new();
    char err[300], *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);
    struct unit *u = unit_parse("t", text, strlen(text), err, sizeof err);
    if (!u)
        fail_msg("%s", err);
    program_add(p, u);
    program_solve(p);
    program_check(p, r);
    report_sort(r);
    for (size_t i = 0; i < report_count(r); i++)
        if (report_at(r, i)->severity != SEVERITY_HINT)
            fprintf(f, "%s:%u ", report_at(r, i)->rule, report_at(r, i)->at.line);
    fclose(f);
    report_free(r);
    program_free(p);
    return out;
}

static void expect_in(const char *body, bool whole, const char *wanted) {
    char *text = malloc(strlen(TYPES) + strlen(body) + 1), *got;
    strcat(strcpy(text, TYPES), body);
    got = findings(text, whole);
    assert_string_equal(got, wanted);
    free(text);
    free(got);
}
#define quiet(body) expect_in(body, false, "")
#define draws(body, wanted) expect_in(body, false, wanted)

static void guarded_data_wants_its_own_lock(void **state) {
    (void)state;
    quiet("func f(b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n b->n = 1 @2:1\n" UNLOCK("b") "@3:1\n return @4:1\n}\n");
    draws("func f(b: *struct box) -> void {\n entry:\n b->n = 1 @2:1\n return @4:1\n}\n", "guarded-by:2 ");
    draws("func f(a: *struct box, b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n a->n = 1 @2:1\n" UNLOCK("b") "@3:1\n return @4:1\n}\n",
          "guarded-by:2 ");
}

static void an_alias_of_the_lock_is_the_lock(void **state) {
    (void)state;
    quiet("func f(b: *struct box) -> void {\n local m: *pthread_mutex_t\n entry:\n m = &b->mu @1:1\n call pthread_mutex_lock(m) !unused @2:1\n"
          " b->n = 1 @3:1\n call pthread_mutex_unlock(m) !unused @4:1\n return @5:1\n}\n");
}

static void a_helper_hands_its_need_to_its_callers(void **state) {
    (void)state;
    const char *helper = "func static h(b: *struct box) -> int {\n entry:\n return b->n @1:1\n}\n";
    char text[2000];
    snprintf(text, sizeof text, "%sfunc f(b: *struct box) -> void {\n temp %%1: int\n entry:\n" LOCK("b") "@2:1\n %%1 = call h(b) @3:1\n" UNLOCK("b") "@4:1\n return @5:1\n}\n", helper);
    quiet(text);
    snprintf(text, sizeof text, "%sfunc f(b: *struct box) -> void {\n temp %%1: int\n entry:\n %%1 = call h(b) @3:1\n return @5:1\n}\n", helper);
    draws(text, "guarded-by:3 ");
}

static void the_owner_needs_no_lock(void **state) {
    (void)state;
    quiet("func f() -> *struct box {\n local b: *struct box\n entry:\n b = call malloc(64) @1:1\n b->n = 0 @2:1\n"
          " call pthread_mutex_init(&b->mu, null) !unused @3:1\n return b @4:1\n}\n");
    quiet("func f(b: *struct box) -> void {\n entry:\n b->n = 0 @1:1\n call pthread_mutex_destroy(&b->mu) !unused @2:1\n return @3:1\n}\n");
}

static void a_return_under_the_lock_is_a_leak_on_that_way_only(void **state) {
    (void)state;
    draws("func f(b: *struct box, x: int) -> int {\n entry:\n" LOCK("b") "@1:1\n if x goto bad else good @2:1\n bad: return -1 @3:1\n"
          " good:\n" UNLOCK("b") "@4:1\n return 0 @5:1\n}\n", "lock-leak:3 ");
}

static void correlated_conditions_are_one_way(void **state) {
    (void)state;
    quiet("func f(b: *struct box, x: int) -> void {\n entry: if x goto l else w @1:1\n l:\n" LOCK("b") "@2:1\n goto w\n"
          " w: if x goto u else e @3:1\n u:\n" UNLOCK("b") "@4:1\n goto e\n e: return @5:1\n}\n");
    draws("func f(b: *struct box, x: int, y: int) -> void {\n entry: if x goto l else w @1:1\n l:\n" LOCK("b") "@2:1\n goto w\n"
          " w: if y goto u else e @3:1\n u:\n" UNLOCK("b") "@4:1\n goto e\n e: return @5:1\n}\n", "lock-mismatch:4 ");
}

static void a_trylock_result_may_be_kept(void **state) {
    (void)state;
    quiet("func f(b: *struct box) -> void {\n local r: int\n entry:\n r = call pthread_mutex_trylock(&b->mu) @1:1\n"
          " if r == 0 goto l else e @2:1\n l: b->n = 1 @3:1\n" UNLOCK("b") "@4:1\n goto e\n e: return @5:1\n}\n");
    draws("func f(b: *struct box) -> void {\n local r: int\n entry:\n r = call pthread_mutex_trylock(&b->mu) @1:1\n"
          " if r == 0 goto e else l @2:1\n l: \n" UNLOCK("b") "@4:1\n return @5:1\n e:\n" UNLOCK("b") "@6:1\n return @7:1\n}\n",
          "unlock-unheld:4 ");
}

static void a_failed_lock_is_not_held(void **state) {
    (void)state;
    quiet("func f(b: *struct box) -> int {\n local r: int\n entry:\n r = call pthread_mutex_lock(&b->mu) @1:1\n"
          " if r goto bad else ok @2:1\n bad: return r @3:1\n ok: b->n = 1 @4:1\n" UNLOCK("b") "@5:1\n return 0 @6:1\n}\n");
}

static void twice_is_once_too_often(void **state) {
    (void)state;
    draws("func f(b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n" LOCK("b") "@2:1\n" UNLOCK("b") "@3:1\n return @4:1\n}\n", "double-lock:2 ");
    draws("func f(b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n" UNLOCK("b") "@2:1\n" UNLOCK("b") "@3:1\n return @4:1\n}\n", "unlock-unheld:3 ");
    quiet("func f(b: *struct box) -> void {\n entry:\n call pthread_rwlock_rdlock(&b->rw) !unused @1:1\n call pthread_rwlock_rdlock(&b->rw) !unused @2:1\n"
          " call pthread_rwlock_unlock(&b->rw) !unused @3:1\n call pthread_rwlock_unlock(&b->rw) !unused @4:1\n return @5:1\n}\n");
    draws("func f(b: *struct box) -> void {\n entry:\n call pthread_rwlock_rdlock(&b->rw) !unused @1:1\n call pthread_rwlock_wrlock(&b->rw) !unused @2:1\n"
          " call pthread_rwlock_unlock(&b->rw) !unused @3:1\n return @5:1\n}\n", "double-lock:2 ");
}

#define WRAPPERS                                                                                                       \
    "func static take(b: *struct box) -> void {\n entry:\n" LOCK("b") "@101:1\n return @102:1\n}\n"                     \
    "func static give(b: *struct box) -> void {\n entry:\n" UNLOCK("b") "@103:1\n return @104:1\n}\n"

static void wrappers_are_inferred_and_their_users_checked(void **state) {
    (void)state;
    quiet(WRAPPERS "func f(b: *struct box) -> void {\n entry:\n call take(b) @1:1\n b->n = 1 @2:1\n call give(b) @3:1\n return @4:1\n}\n");
    draws(WRAPPERS "func f(b: *struct box) -> void {\n entry:\n call take(b) @1:1\n call give(b) @3:1\n b->n = 1 @4:1\n return @5:1\n}\n"
          "func ok(b: *struct box) -> void {\n entry:\n call take(b) @11:1\n call give(b) @13:1\n return @14:1\n}\n", "guarded-by:4 ");
    draws(WRAPPERS "func ok(b: *struct box) -> void {\n entry:\n call take(b) @1:1\n call give(b) @3:1\n return @4:1\n}\n"
          "func f(b: *struct box, x: int) -> int {\n entry:\n call take(b) @5:1\n if x goto a else c @6:1\n a: return 1 @7:1\n c:\n call give(b) @8:1\n return 0 @9:1\n}\n",
          "lock-leak:7 ");
}

static void a_forgotten_unlock_is_said_once(void **state) {
    (void)state;
    /* h forgets; its callers, which lock for themselves, are not accused of locking twice */
    draws("func static h(b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n b->n = 1 @2:1\n return @3:1\n}\n"
          "func f(b: *struct box) -> void {\n entry:\n call h(b) @4:1\n" LOCK("b") "@5:1\n" UNLOCK("b") "@6:1\n return @7:1\n}\n", "lock-leak:3 ");
}

static void a_wrapper_with_one_good_user_is_one(void **state) {
    (void)state;
    /* its other users leak, release too much or lock twice, and that is said of them */
    static const char box[] = "func static box_lock(b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n return @2:1\n}\n"
                              "func static box_unlock(b: *struct box) -> void {\n entry:\n" UNLOCK("b") "@3:1\n return @4:1\n}\n"
                              "func good(b: *struct box) -> void {\n entry: call box_lock(b) @5:1\n b->n = 1 @6:1\n call box_unlock(b) @7:1\n return @8:1\n}\n";
    char text[2000];
    snprintf(text, sizeof text, "%s%s", box,
             "func f(b: *struct box) -> void {\n entry: call box_lock(b) @9:1\n b->n = 1 @10:1\n return @11:1\n}\n"
             "func other(b: *struct box) -> void {\n entry: call box_lock(b) @12:1\n return @13:1\n}\n");
    expect_in(text, true, "lock-leak:11 lock-leak:13 ");
    snprintf(text, sizeof text, "%s%s", box,
             "func f(b: *struct box) -> void {\n entry: call box_unlock(b) @9:1\n return @10:1\n}\n"
             "func other(b: *struct box) -> void {\n entry: call box_unlock(b) @11:1\n return @12:1\n}\n");
    expect_in(text, true, "unlock-unheld:9 unlock-unheld:11 ");
    snprintf(text, sizeof text, "%s%s", box,
             "func f(b: *struct box) -> void {\n entry: call box_lock(b) @9:1\n b->n = 1 @10:1\n call box_lock(b) @11:1\n return @12:1\n}\n");
    expect_in(text, true, "double-lock:11 ");
    /* of one whose name does not say so, as many have to live with it */
    expect_in("func static up(b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n return @2:1\n}\n"
          "func f(b: *struct box) -> void {\n entry: call up(b) @3:1\n" UNLOCK("b") "@4:1\n return @5:1\n}\n"
          "func other(b: *struct box) -> void {\n entry: call up(b) @6:1\n return @7:1\n}\n", true, "lock-leak:7 ");
}

static void locks_of_a_loop_are_a_collection(void **state) {
    (void)state;
    quiet("func f(b: *struct box, n: int) -> void {\n local i: int\n entry: i = 0 @1:1\n goto h\n h: if i < n goto l else d @2:1\n"
          " l: call pthread_mutex_lock(&b[i].mu) !unused @3:1\n i = i + 1 @4:1\n goto h\n"
          " d: i = 0 @5:1\n goto k\n k: if i < n goto u else e @6:1\n u: call pthread_mutex_unlock(&b[i].mu) !unused @7:1\n i = i + 1 @8:1\n goto k\n e: return @9:1\n}\n");
}

static void hand_over_hand_moves_the_lock(void **state) {
    (void)state;
    quiet("func f(b: *struct box) -> void {\n local x: *struct box\n entry:\n" LOCK("b") "@1:1\n goto h\n h: x = b->next @2:1\n if x goto l else e @3:1\n"
          " l:\n" LOCK("x") "@4:1\n" UNLOCK("b") "@5:1\n b = x @6:1\n goto h\n e:\n" UNLOCK("b") "@7:1\n return @8:1\n}\n");
}

static void a_wait_belongs_in_a_loop(void **state) {
    (void)state;
    draws("func f(b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n if b->n goto e else w @2:1\n w: call pthread_cond_wait(&b->cv, &b->mu) !unused @3:1\n goto e\n"
          " e:\n" UNLOCK("b") "@4:1\n return @5:1\n}\n", "cond-wait:3 ");
    quiet("func f(b: *struct box) -> void {\n entry:\n" LOCK("b") "@1:1\n goto h\n h: if b->n goto e else w @2:1\n w: call pthread_cond_wait(&b->cv, &b->mu) !unused @3:1\n goto h\n"
          " e:\n" UNLOCK("b") "@4:1\n return @5:1\n}\n");
}

static void a_table_of_functions_is_followed(void **state) {
    (void)state;
    draws("struct ops { get: *func(*struct box) -> int }\nglobal static table: struct ops\n"
          "func static read(b: *struct box) -> int {\n entry: return b->n @1:1\n}\n"
          "func set() -> void {\n entry: table.get = read @2:1\n return @3:1\n}\n"
          "func f(b: *struct box) -> int {\n temp %1: int\n entry: %1 = call (table.get)(b) @4:1\n return %1 @5:1\n}\n", "guarded-by:4 ");
}

static void solving_ends_on_a_function_of_many_branches(void **state) {
    (void)state;
    char *text = malloc(400000), *at = text;
    at += sprintf(at, "%s", TYPES "func f(b: *struct box, x: int) -> void {\n entry: goto b0\n");
    for (int i = 0; i < 800; i++)
        at += sprintf(at, " b%d: if x == %d goto l%d else b%d @%d:1\n l%d:\n call pthread_mutex_trylock(&b[%d].mu) !unused @%d:1\n goto b%d\n",
                      i, i, i, i + 1, i + 1, i, i, i + 1, i + 1);
    at += sprintf(at, " b800: goto b0\n}\n");
    free(findings(text, true));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guarded_data_wants_its_own_lock),
        cmocka_unit_test(an_alias_of_the_lock_is_the_lock),
        cmocka_unit_test(a_helper_hands_its_need_to_its_callers),
        cmocka_unit_test(the_owner_needs_no_lock),
        cmocka_unit_test(a_return_under_the_lock_is_a_leak_on_that_way_only),
        cmocka_unit_test(correlated_conditions_are_one_way),
        cmocka_unit_test(a_trylock_result_may_be_kept),
        cmocka_unit_test(a_failed_lock_is_not_held),
        cmocka_unit_test(twice_is_once_too_often),
        cmocka_unit_test(wrappers_are_inferred_and_their_users_checked),
        cmocka_unit_test(a_forgotten_unlock_is_said_once),
        cmocka_unit_test(a_wrapper_with_one_good_user_is_one),
        cmocka_unit_test(locks_of_a_loop_are_a_collection),
        cmocka_unit_test(hand_over_hand_moves_the_lock),
        cmocka_unit_test(a_wait_belongs_in_a_loop),
        cmocka_unit_test(a_table_of_functions_is_followed),
        cmocka_unit_test(solving_ends_on_a_function_of_many_branches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
