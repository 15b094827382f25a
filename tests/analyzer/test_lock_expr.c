/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Lock expressions: what each spelling names, and the sentence for each that names nothing.
 * Stands on program/lock_expr.h, a unit made by hand, and cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "ir/builder.h"
#include "program/lock_expr.h"

/*  typedef struct { … } mutex;   struct opaque;   struct inner { mutex mu; int deep; };
 *  struct s { mutex mu; mutex *pm; int n; struct inner in; struct s *parent; mutex locks[4];
 *             struct opaque *op; union { mutex anon; int k; }; int (*wake)(struct s *self); };
 *  mutex g; int count;   struct s *f(struct s *a, mutex *m, int i);   AGLET_TOKEN(ui); */
struct fixture {
    struct unit *u;
    struct unit *other; /* completes struct opaque { mutex mu; }; */
    ir_field n, deep, k, wake;
    ir_func f;
    ir_var g;
    ir_type wake_type;
};

static ir_str str(struct unit_builder *b, const char *s)
{
    return build_str(b, s, strlen(s));
}

static ir_type type(struct unit_builder *b, const struct ir_type_rec *rec)
{
    ir_type t = build_type_reserve(b);
    build_type_define(b, t, rec);
    return t;
}

static ir_type mutex_type(struct unit_builder *b)
{
    ir_type s = type(b, &(struct ir_type_rec){.kind = IR_T_STRUCT, .flags = IR_TF_ANONYMOUS, .name = str(b, "mutex")});
    return type(b, &(struct ir_type_rec){.kind = IR_T_TYPEDEF, .name = str(b, "mutex"), .elem = s});
}

static int set_up(void **state)
{
    static struct fixture x;
    struct unit_builder *b = unit_builder_new();
    ir_type i = type(b, &(struct ir_type_rec){.kind = IR_T_INT, .name = str(b, "int"), .size = 4});
    ir_type mutex = mutex_type(b);
    ir_type pm = type(b, &(struct ir_type_rec){.kind = IR_T_POINTER, .elem = mutex});
    ir_type locks = type(b, &(struct ir_type_rec){.kind = IR_T_ARRAY, .elem = mutex, .count = 4});
    ir_type opaque = type(b, &(struct ir_type_rec){.kind = IR_T_STRUCT, .flags = IR_TF_INCOMPLETE, .name = str(b, "opaque")});
    ir_type po = type(b, &(struct ir_type_rec){.kind = IR_T_POINTER, .elem = opaque});
    ir_type inner = build_type_reserve(b), s = build_type_reserve(b), un = build_type_reserve(b);
    ir_type ps = type(b, &(struct ir_type_rec){.kind = IR_T_POINTER, .elem = s});
    struct ir_range inner_fields =
        build_fields(b, inner,
                     (struct ir_field_rec[]){{.name = str(b, "mu"), .type = mutex}, {.name = str(b, "deep"), .type = i}}, 2);
    build_type_define(b, inner, &(struct ir_type_rec){.kind = IR_T_STRUCT, .name = str(b, "inner"), .fields = inner_fields});
    struct ir_range union_fields =
        build_fields(b, un, (struct ir_field_rec[]){{.name = str(b, "anon"), .type = mutex}, {.name = str(b, "k"), .type = i}}, 2);
    build_type_define(b, un, &(struct ir_type_rec){.kind = IR_T_UNION, .flags = IR_TF_ANONYMOUS, .fields = union_fields});
    x.wake_type = build_type_reserve(b);
    struct ir_range wake_params = build_fields(b, x.wake_type, &(struct ir_field_rec){.name = str(b, "self"), .type = ps}, 1);
    build_type_define(b, x.wake_type,
                      &(struct ir_type_rec){.kind = IR_T_FUNCTION, .elem = i, .params = build_type_refs(b, &ps, 1), .fields = wake_params});
    ir_type pw = type(b, &(struct ir_type_rec){.kind = IR_T_POINTER, .elem = x.wake_type});
    struct ir_range fields = build_fields(b, s,
                                          (struct ir_field_rec[]){{.name = str(b, "mu"), .type = mutex},
                                                                  {.name = str(b, "pm"), .type = pm},
                                                                  {.name = str(b, "n"), .type = i},
                                                                  {.name = str(b, "in"), .type = inner},
                                                                  {.name = str(b, "parent"), .type = ps},
                                                                  {.name = str(b, "locks"), .type = locks},
                                                                  {.name = str(b, "op"), .type = po},
                                                                  {.name = 0, .type = un},
                                                                  {.name = str(b, "wake"), .type = pw}},
                                          9);
    build_type_define(b, s, &(struct ir_type_rec){.kind = IR_T_STRUCT, .name = str(b, "s"), .fields = fields});
    struct ir_annot_rec token = {.kind = IR_A_token, .args = str(b, "ui")};
    struct ir_range token_annots = build_annots(b, &token, 1);
    type(b, &(struct ir_type_rec){.kind = IR_T_STRUCT, .flags = IR_TF_INCOMPLETE, .name = str(b, "aglet_token_ui"),
                                  .annots = token_annots});
    x.g = build_global(b, &(struct ir_var_rec){.kind = IR_V_GLOBAL, .name = str(b, "g"), .type = mutex});
    build_global(b, &(struct ir_var_rec){.kind = IR_V_GLOBAL, .name = str(b, "count"), .type = i});
    ir_type params[] = {ps, pm, i};
    ir_type ft = type(b, &(struct ir_type_rec){.kind = IR_T_FUNCTION, .elem = ps, .params = build_type_refs(b, params, 3)});
    x.f = build_function(b, &(struct ir_func_rec){.name = str(b, "f"), .type = ft},
                         (struct ir_var_rec[]){{.kind = IR_V_PARAM, .name = str(b, "a"), .type = ps},
                                               {.kind = IR_V_PARAM, .name = str(b, "m"), .type = pm},
                                               {.kind = IR_V_PARAM, .name = str(b, "i"), .type = i}},
                         3);
    x.deep = inner_fields.first + 1;
    x.n = fields.first + 2;
    x.k = union_fields.first + 1;
    x.wake = fields.first + 8;
    x.u = unit_builder_finish(b);
    b = unit_builder_new();
    ir_type o = build_type_reserve(b), m2 = mutex_type(b);
    struct ir_range of = build_fields(b, o, &(struct ir_field_rec){.name = str(b, "mu"), .type = m2}, 1);
    build_type_define(b, o, &(struct ir_type_rec){.kind = IR_T_STRUCT, .name = str(b, "opaque"), .fields = of});
    x.other = unit_builder_finish(b);
    *state = &x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    unit_free(x->u);
    unit_free(x->other);
    return 0;
}

/* The path as messages print it, or the sentence. */
static const char *said(const struct lock_context *c, const char *text)
{
    static char out[300];
    struct arena arena = {0};
    struct lock_path path;
    const char *why;
    switch (lock_expr_resolve(c, &arena, text, strlen(text), &path, &why)) {
    case LOCK_RESOLVED:
        lock_path_print(&path, NULL, out, sizeof out);
        break;
    case LOCK_PENDING:
        strcpy(out, "pending");
        break;
    case LOCK_WRONG:
        snprintf(out, sizeof out, "%s", why);
        break;
    }
    arena_free(&arena);
    return out;
}

static void a_field_names_siblings_first(void **state)
{
    struct fixture *x = *state;
    struct lock_context c = lock_context_of(x->u, LOCK_IN_FIELD, x->n);
    assert_string_equal(said(&c, "mu"), "mu");
    assert_string_equal(said(&c, "&mu"), "mu");
    assert_string_equal(said(&c, "pm"), "*pm");
    assert_string_equal(said(&c, "*pm"), "*pm");
    assert_string_equal(said(&c, " ( & ( in ) . mu ) "), "in.mu");
    assert_string_equal(said(&c, "(&in).mu"), "'.' is used on an address: write '->'");
    assert_string_equal(said(&c, "(&in)->mu"), "in.mu");
    assert_string_equal(said(&c, "in.mu"), "in.mu");
    assert_string_equal(said(&c, "parent->parent->mu"), "parent->parent->mu");
    assert_string_equal(said(&c, "(*parent).mu"), "parent->mu");
    assert_string_equal(said(&c, "*parent->pm"), "*parent->pm");
    assert_string_equal(said(&c, "anon"), "anon");
    assert_string_equal(said(&c, "locks[2]"), "locks[2]");
    assert_string_equal(said(&c, "locks[n]"), "locks[n]");
    assert_string_equal(said(&c, "locks[n % 4]"), "locks[*]");
    assert_string_equal(said(&c, "locks"), "locks[*]");
    assert_string_equal(said(&c, "g"), "g");
    assert_string_equal(said(&c, "!mu"), "!mu");
    assert_string_equal(said(&c, "ui"), "ui");
}

static void an_enclosing_struct_is_searched_outwards(void **state)
{
    struct fixture *x = *state;
    struct lock_context c = lock_context_of(x->u, LOCK_IN_FIELD, x->deep);
    assert_string_equal(said(&c, "mu"), "mu");
    assert_string_equal(said(&c, "pm"), "*pm");
    struct arena arena = {0};
    struct lock_path inner, outer;
    const char *why;
    assert_int_equal(lock_expr_resolve(&c, &arena, "mu", 2, &inner, &why), LOCK_RESOLVED);
    assert_int_equal(lock_expr_resolve(&c, &arena, "pm", 2, &outer, &why), LOCK_RESOLVED);
    assert_int_equal(inner.root, LOCK_AT_OBJECT);
    assert_string_equal(unit_str(x->u, x->u->types[inner.object].name), "inner");
    assert_string_equal(unit_str(x->u, x->u->types[outer.object].name), "s");
    assert_false(lock_path_equal(&inner, &outer));
    arena_free(&arena);
    c = lock_context_of(x->u, LOCK_IN_FIELD, x->k);
    assert_string_equal(said(&c, "mu"), "mu");
}

static void a_function_names_parameters_and_its_result(void **state)
{
    struct fixture *x = *state;
    struct lock_context c = lock_context_of(x->u, LOCK_IN_FUNCTION, x->f);
    assert_string_equal(said(&c, "a->mu"), "a->mu");
    assert_string_equal(said(&c, "$1->mu"), "a->mu");
    assert_string_equal(said(&c, "m"), "*m");
    assert_string_equal(said(&c, "a[i].mu"), "a[i].mu");
    assert_string_equal(said(&c, "return->mu"), "return->mu");
    assert_string_equal(said(&c, "g"), "g");
    c = lock_context_of(x->u, LOCK_IN_POINTER, x->wake_type);
    c.field = x->wake;
    assert_string_equal(said(&c, "self->mu"), "self->mu");
    assert_string_equal(said(&c, "$1->in.mu"), "self->in.mu");
    assert_string_equal(said(&c, "mu"), "mu");
}

static void what_names_nothing_is_said(void **state)
{
    struct fixture *x = *state;
    struct lock_context c = lock_context_of(x->u, LOCK_IN_FIELD, x->n);
    assert_string_equal(said(&c, "mux"), "'mux' names no lock here; did you mean 'mu'?");
    assert_string_equal(said(&c, "nothing_like_it"), "'nothing_like_it' names no lock here");
    assert_string_equal(said(&c, "in.mi"), "'struct inner' has no member 'mi'; did you mean 'mu'?");
    assert_string_equal(said(&c, "count"), "a value of type 'int' is no lock");
    assert_string_equal(said(&c, "parent.mu"), "'.' is used on a pointer: write '->'");
    assert_string_equal(said(&c, "n->mu"), "'->' is used on something that is no pointer");
    assert_string_equal(said(&c, "get(mu)"), "a call cannot name a lock");
    assert_string_equal(said(&c, ""), "the name of a lock is missing");
    assert_string_equal(said(&c, "locks[1"), "a ']' is missing in '1'");
    assert_string_equal(said(&c, "mu + 1"), "'+ 1' follows where the expression should end");
    assert_string_equal(said(&c, "return"), "'return' has a meaning on functions only");
    c = lock_context_of(x->u, LOCK_IN_FUNCTION, x->f);
    assert_string_equal(said(&c, "b->mu"), "'b' names no lock here; did you mean 'a'?");
    assert_string_equal(said(&c, "$4"), "'f' has no parameter 4");
    char deep[400];
    memset(deep, '*', 399);
    deep[399] = '\0';
    assert_string_equal(said(&c, deep), "the expression is nested too deeply");
}

static const struct unit *find(void *data, const char *tag, ir_type *t)
{
    struct fixture *x = data;
    for (*t = 1; *t < x->other->n_types; ++*t)
        if (x->other->types[*t].kind == IR_T_STRUCT && strcmp(unit_str(x->other, x->other->types[*t].name), tag) == 0)
            return x->other;
    return NULL;
}

static const struct unit *find_nothing(void *data, const char *tag, ir_type *t)
{
    (void)data, (void)tag, (void)t;
    return NULL;
}

static void an_incomplete_type_is_pending_until_the_whole_program(void **state)
{
    struct fixture *x = *state;
    struct lock_context c = lock_context_of(x->u, LOCK_IN_FIELD, x->n);
    assert_string_equal(said(&c, "op->mu"), "pending");
    c.complete = find;
    c.data = x;
    assert_string_equal(said(&c, "op->mu"), "op->mu");
    assert_string_equal(said(&c, "op->mi"), "'struct opaque' has no member 'mi'; did you mean 'mu'?");
    c.complete = find_nothing;
    assert_string_equal(said(&c, "op->mu"), "goes through 'struct opaque', which no analysed file completes");
}

static enum lock_status annotation(struct fixture *x, enum ir_annot_kind kind, const char *args, struct lock_list *out,
                                   const char **why, struct arena *arena)
{
    struct lock_context c = lock_context_of(x->u, LOCK_IN_FUNCTION, x->f);
    struct ir_annot_rec a = {.kind = kind};
    /* The text must stand in the unit's strings: put it at the end. */
    size_t n = strlen(args) + 1;
    if (x->u->n_strings + n > x->u->cap_strings) {
        x->u->cap_strings = x->u->n_strings + (uint32_t)n;
        x->u->strings = realloc(x->u->strings, x->u->cap_strings);
    }
    a.args = x->u->n_strings;
    memcpy(x->u->strings + a.args, args, n);
    x->u->n_strings += (uint32_t)n;
    return lock_expr_annotation(&c, arena, &a, out, why);
}

static void whole_annotations_are_read(void **state)
{
    struct fixture *x = *state;
    struct arena arena = {0};
    struct lock_list list;
    const char *why;
    assert_int_equal(annotation(x, IR_A_requires, "a->mu, m", &list, &why, &arena), LOCK_RESOLVED);
    assert_int_equal(list.n_paths, 2);
    assert_int_equal(list.paths[1].index, 1);
    assert_int_equal(annotation(x, IR_A_try_acquires, "true, a->mu", &list, &why, &arena), LOCK_RESOLVED);
    assert_int_equal(list.when.test, RESULT_NE);
    assert_int_equal(list.n_paths, 1);
    assert_int_equal(annotation(x, IR_A_try_acquires, "-16, m", &list, &why, &arena), LOCK_RESOLVED);
    assert_int_equal(list.when.value, -16);
    assert_int_equal(annotation(x, IR_A_spawns_if, "return != ((void *)0), a->wake, a", &list, &why, &arena), LOCK_RESOLVED);
    assert_int_equal(list.when.test, RESULT_NE);
    assert_int_equal(list.paths[1].n_steps, 0);
    assert_int_equal(annotation(x, IR_A_spawns, "m, a", &list, &why, &arena), LOCK_WRONG);
    assert_string_equal(why, "'m' is no function that could be started");
    assert_int_equal(annotation(x, IR_A_joins, "&a->in", &list, &why, &arena), LOCK_RESOLVED);
    assert_true(list.paths[0].address);
    assert_int_equal(annotation(x, IR_A_spawns, "m", &list, &why, &arena), LOCK_WRONG);
    assert_string_equal(why, "2 arguments are wanted here, 1 given");
    assert_int_equal(annotation(x, IR_A_try_acquires, "yes, m", &list, &why, &arena), LOCK_WRONG);
    assert_string_equal(why, "'yes' is no constant that the function could return");
    assert_int_equal(annotation(x, IR_A_spawns_if, "a, m, a", &list, &why, &arena), LOCK_WRONG);
    assert_string_equal(why, "'a' is no test of the result such as 'return != 0'");
    assert_int_equal(annotation(x, IR_A_requires, "m,", &list, &why, &arena), LOCK_WRONG);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_field_names_siblings_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_enclosing_struct_is_searched_outwards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_function_names_parameters_and_its_result, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_names_nothing_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_incomplete_type_is_pending_until_the_whole_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whole_annotations_are_read, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
