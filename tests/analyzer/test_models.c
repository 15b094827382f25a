/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Models: what the shipped ones say, how the user's stand above them, what is said of a wrong one.
 * Stands on program/models.h and cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "program/models.h"

static const struct model_effect *effect(const char *function, enum model_effect_kind kind)
{
    const struct model_function *f = models_find(models_builtin(), function);
    assert_non_null(f);
    for (uint32_t i = 0; i < f->n_effects; i++)
        if (f->effects[i].kind == kind)
            return &f->effects[i];
    return NULL;
}

static void a_mutex_lock_holds_its_argument_when_it_returns_zero(void **state)
{
    (void)state;
    const struct model_effect *e = effect("pthread_mutex_lock", MODEL_ACQUIRES);
    assert_non_null(e);
    assert_int_equal(e->a.root, MODEL_PARAM);
    assert_int_equal(e->a.index, 0);
    assert_int_equal(e->when.test, RESULT_EQ);
    assert_int_equal(e->when.value, 0);
    assert_int_equal(e->flags, 0);
    e = effect("pthread_rwlock_tryrdlock", MODEL_ACQUIRES);
    assert_int_equal(e->flags, MODEL_TRY | MODEL_SHARED);
    assert_null(models_find(models_builtin(), "pthread_mutex_look"));
}

static void a_spawn_names_entry_argument_and_handle(void **state)
{
    (void)state;
    const struct model_effect *e = effect("pthread_create", MODEL_SPAWNS);
    assert_int_equal(e->a.index, 2);
    assert_int_equal(e->b.index, 3);
    assert_int_equal(e->c.root, MODEL_OUT);
    assert_int_equal(e->c.index, 0);
    assert_non_null(effect("thrd_create", MODEL_SPAWNS));
    assert_non_null(effect("pthread_join", MODEL_JOINS));
}

static void conditions_on_parameters_are_kept(void **state)
{
    (void)state;
    const struct model_effect *e = effect("poll", MODEL_BLOCKS);
    assert_int_equal(e->only.test, MODEL_NE);
    assert_int_equal(e->only.index, 2);
    e = effect("recv", MODEL_BLOCKS);
    assert_int_equal(e->only.test, MODEL_LACKS);
    assert_int_equal(e->only.value, 64);
}

static void compiler_spellings_are_the_function(void **state)
{
    (void)state;
    const struct model_function *plain = models_find(models_builtin(), "memcpy");
    assert_ptr_equal(models_find(models_builtin(), "__builtin_memcpy"), plain);
    assert_ptr_equal(models_find(models_builtin(), "__builtin___memcpy_chk"), plain);
    assert_ptr_equal(models_find(models_builtin(), "__memcpy_chk"), plain);
    assert_null(models_find(models_builtin(), "__memcpy"));
    assert_null(models_find(models_builtin(), "__builtin_"));
}

static void lock_types_are_shared_and_not_copied(void **state)
{
    (void)state;
    const struct model_type *t = models_find_type(models_builtin(), "pthread_mutex_t");
    assert_non_null(t);
    assert_int_equal(t->flags, MODEL_TF_LOCK | MODEL_TF_NO_COPY);
    assert_int_equal(t->sync, MODEL_YES);
    t = models_find_type(models_builtin(), "jmp_buf");
    assert_int_equal(t->send, MODEL_NO);
    assert_string_equal(t->why, "it names a place on one thread's stack");
}

static void the_users_model_stands_above_the_shipped(void **state)
{
    (void)state;
    static const char text[] = "functions:\n"
                               "  my_lock, my_lock2:\n"
                               "    acquires: $1->mu\n"
                               "  malloc: nothing\n"
                               "  enqueue: {sends: '$2, $1', reads: [$1, $2]}\n"
                               "types:\n"
                               "  my_mutex: lock recursive\n";
    struct models *m = models_new();
    char err[200];
    uint64_t before = models_hash(m);
    assert_true(models_add(m, "mine.yml", text, strlen(text), err, sizeof err));
    assert_true(models_hash(m) != before);
    const struct model_function *f = models_find(m, "my_lock2");
    assert_int_equal(f->n_effects, 1);
    assert_string_equal(f->effects[0].a.text, "->mu");
    assert_int_equal(models_find(m, "malloc")->n_effects, 0);
    assert_int_equal(models_find(m, "enqueue")->n_effects, 3);
    assert_int_equal(models_find(m, "enqueue")->effects[0].b.index, 0);
    assert_true(models_find_type(m, "my_mutex")->flags & MODEL_TF_RECURSIVE);
    assert_non_null(models_find(m, "free"));
    models_free(m);
}

static void a_wrong_model_is_said_with_its_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"functions:\n  f: aquires $1\n", "m.yml:2:6: 'aquires' is no word of a model"},
        {"functions:\n  f: acquires $0\n", "m.yml:2:15: after '$' a parameter's number (1 to 32) or 'return' is wanted"},
        {"functions:\n  f: acquires $1 when $1 == 0\n", "m.yml:2:23: after 'when' comes '$return' and a comparison"},
        {"functions:\n  f: try_acquires $1\n", "m.yml:2:19: a number is wanted here"},
        {"functions:\n  f: spawns $1\n", "m.yml:2:15: 'spawns' takes another argument: a comma is wanted here"},
        {"functions:\n  f: acquires $1 $2\n", "m.yml:2:18: nothing more is wanted here, but '$2' follows"},
        {"functions:\n  f: {acquires: [a, [b]]}\n", "m.yml:2:21: what the word is about, such as '$1', wanted here"},
        {"functions:\n  f: ''\n", "m.yml:2:7: a word such as 'acquires' is wanted here"},
        {"functions: [f]\n", "m.yml:1:12: under 'functions' stand names and what they do"},
        {"function:\n  f: nothing\n", "m.yml:1:1: 'function' is no key of a model file: 'functions' or 'types'"},
        {"types:\n  t: locked\n", "m.yml:2:6: 'locked' is no word of a type's model"},
        {"types:\n  t: send maybe\n", "m.yml:2:11: 'yes', 'no' or 'unknown' is wanted here"},
        {"- a\n", "m.yml:1:1: a model file has the keys 'functions' and 'types'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct models *m = models_new();
        char err[200];
        assert_false(models_add(m, "m.yml", cases[i].text, strlen(cases[i].text), err, sizeof err));
        assert_string_equal(err, cases[i].message);
        assert_null(models_find(m, "f"));
        models_free(m);
    }
    struct models *m = models_new();
    char err[200];
    assert_false(models_add(m, "m.yml", "functions:\n  f: {a\n", 18, err, sizeof err));
    assert_memory_equal(err, "m.yml:3:1: not YAML: ", 21);
    assert_false(models_add_file(m, "/nonexistent/m.yml", err, sizeof err));
    assert_string_equal(err, "/nonexistent/m.yml: cannot be read: No such file or directory");
    models_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mutex_lock_holds_its_argument_when_it_returns_zero),
        cmocka_unit_test(a_spawn_names_entry_argument_and_handle),
        cmocka_unit_test(conditions_on_parameters_are_kept),
        cmocka_unit_test(compiler_spellings_are_the_function),
        cmocka_unit_test(lock_types_are_shared_and_not_copied),
        cmocka_unit_test(the_users_model_stands_above_the_shipped),
        cmocka_unit_test(a_wrong_model_is_said_with_its_line_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
