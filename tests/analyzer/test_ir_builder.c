/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tests of the builder and of unit_check: what is shared, what is put in order, what is refused.
 * Stands on cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "ir/builder.h"

static ir_str name(struct unit_builder *b, const char *s) {
    return build_str(b, s, strlen(s));
}

static void equal_records_share_an_index(void **state) {
    (void)state;
    struct unit_builder *b = unit_builder_new();
    assert_int_equal(name(b, ""), 0);
    assert_int_equal(name(b, "mu"), build_str(b, "mutex", 2));
    assert_int_equal(build_file(b, "/a.c", 0, 1), build_file(b, "/a.c", IR_FILE_MAIN, 1));
    assert_int_equal(unit_builder_unit(b)->files[1].flags, IR_FILE_MAIN);
    struct ir_loc_rec l = {.file = 1, .line = 3, .col = 4};
    assert_int_equal(build_loc(b, &l), build_loc(b, &l));
    assert_int_equal(build_loc(b, &(struct ir_loc_rec){0}), 0);
    struct ir_expr_rec c = {.op = IR_E_CONST, .a = 7};
    assert_int_equal(build_expr(b, &c), build_expr(b, &c));
    unit_builder_free(b);
}

/* A function whose branches come out of order, with a dead block, a loop, and a global met in the middle. */
static struct unit *small_unit(void) {
    struct unit_builder *b = unit_builder_new();
    unit_builder_set_origin(b, "/x.c", "/", "t", "p", 8);
    ir_func f = build_function(b, &(struct ir_func_rec){.name = name(b, "f")},
                               &(struct ir_var_rec){.name = name(b, "p")}, 1);
    graph_begin(b, f);
    ir_var x = graph_local(b, &(struct ir_var_rec){.kind = IR_V_LOCAL, .name = name(b, "x")});
    ir_var g = build_global(b, &(struct ir_var_rec){.name = name(b, "g")});
    ir_var y = graph_local(b, &(struct ir_var_rec){.kind = IR_V_LOCAL, .name = name(b, "y")});
    uint32_t entry = graph_block(b), dead = graph_block(b), loop = graph_block(b), out = graph_block(b);
    ir_expr px = build_expr(b, &(struct ir_expr_rec){.op = IR_E_VAR, .a = x});
    ir_expr pg = build_expr(b, &(struct ir_expr_rec){.op = IR_E_VAR, .a = g});
    ir_expr lg = build_expr(b, &(struct ir_expr_rec){.op = IR_E_LOAD, .a = pg});
    graph_event(b, out, &(struct ir_event_rec){.op = IR_EV_RETURN});
    graph_event(b, loop, &(struct ir_event_rec){.op = IR_EV_STORE, .a = px, .b = lg});
    graph_event(b, entry, &(struct ir_event_rec){.op = IR_EV_BEGIN, .a = y});
    graph_event(b, dead, &(struct ir_event_rec){.op = IR_EV_EVAL, .a = lg});
    graph_event(b, loop, &(struct ir_event_rec){.op = IR_EV_EVAL, .a = lg});
    struct ir_succ_rec to_loop = {.block = loop}, both[2] = {{.block = loop}, {.block = out}};
    graph_terminate(b, entry, IR_TERM_GOTO, 0, &to_loop, 1, 0);
    graph_terminate(b, dead, IR_TERM_GOTO, 0, &to_loop, 1, 0);
    graph_terminate(b, loop, IR_TERM_BRANCH, lg, both, 2, 0);
    graph_terminate(b, out, IR_TERM_RETURN, 0, NULL, 0, 0);
    assert_true(graph_terminated(b, out));
    graph_end(b);
    return unit_builder_finish(b);
}

static void graph_is_put_in_order_and_dead_blocks_are_dropped(void **state) {
    (void)state;
    struct unit *u = small_unit();
    struct ir_func_rec *f = &u->funcs[1];
    assert_int_equal(f->blocks.count, 3);
    assert_int_equal(f->locals.count, 2);
    assert_string_equal(unit_str(u, u->vars[f->locals.first].name), "x");
    assert_string_equal(unit_str(u, u->vars[f->locals.first + 1].name), "y");
    assert_string_equal(unit_str(u, u->vars[f->params.first].name), "p");
    struct ir_block_rec *b = &u->blocks[f->blocks.first];
    assert_int_equal(b[0].events.count, 1);
    assert_int_equal(u->events[b[0].events.first].op, IR_EV_BEGIN);
    assert_int_equal(u->events[b[0].events.first].a, f->locals.first + 1);
    assert_int_equal(b[1].events.count, 2);
    assert_int_equal(u->events[b[1].events.first].op, IR_EV_STORE);
    assert_int_equal(u->exprs[u->events[b[1].events.first].a].a, f->locals.first);
    assert_int_equal(u->succs[b[1].succs.first].flags, IR_SUCC_BACK);
    assert_int_equal(u->succs[b[1].succs.first + 1].flags, 0);
    assert_int_equal(b[2].term, IR_TERM_RETURN);
    assert_true(f->flags & IR_FF_DEFINED);
    unit_free(u);
}

static void too_deep_an_expression_ends_in_an_unknown_one(void **state) {
    (void)state;
    struct unit_builder *b = unit_builder_new();
    ir_expr e = build_expr(b, &(struct ir_expr_rec){.op = IR_E_CONST});
    for (uint32_t i = 0; i < 3 * IR_MAX_EXPR_DEPTH; i++)
        e = build_expr(b, &(struct ir_expr_rec){.op = IR_E_BINARY, .a = e, .b = e, .type = 0});
    ir_expr p = e;
    for (uint32_t i = 0; i < 3 * IR_MAX_EXPR_DEPTH; i++) {
        p = build_expr(b, &(struct ir_expr_rec){.op = IR_E_DEREF, .a = p});
        assert_true(ir_is_place(unit_builder_unit(b)->exprs[p].op));
        p = build_expr(b, &(struct ir_expr_rec){.op = IR_E_LOAD, .a = p});
    }
    struct unit *u = unit_builder_finish(b);
    assert_null(unit_check(u));
    unit_free(u);
}

/* Spoil one word of every record of a good unit at a time: the check must say so or the change must be
 * harmless; what matters here is that neither the check nor a walk over what it passed reads outside (run
 * under AddressSanitizer). */
static void spoiled_units_are_refused_or_harmless(void **state) {
    (void)state;
    struct unit *u = small_unit();
    uint32_t refused = 0;
#define X(type, table)                                                                                       \
    for (size_t w = 0; w < u->n_##table * sizeof(type) / 4; w++) {                                           \
        uint32_t *word = (uint32_t *)u->table + w, was = *word;                                              \
        static const uint32_t spoils[] = {1, 2, 1000, 0x7fffffff, 0xffffffff};                               \
        for (size_t s = 0; s < sizeof spoils / sizeof *spoils; s++) {                                        \
            *word = spoils[s];                                                                               \
            const char *bad = unit_check(u);                                                                 \
            if (bad)                                                                                         \
                refused++;                                                                                   \
        }                                                                                                    \
        *word = was;                                                                                         \
    }
    IR_TABLES(X)
#undef X
    assert_true(refused > 300);
    assert_null(unit_check(u));
    unit_free(u);
}

static void each_broken_promise_is_named(void **state) {
    (void)state;
    struct unit *u = small_unit();
    struct ir_block_rec *b = &u->blocks[u->funcs[1].blocks.first];
#define REFUSED(lvalue, value, part)                                                                         \
    do {                                                                                                     \
        uint32_t was_ = (lvalue);                                                                            \
        (lvalue) = (value);                                                                                  \
        const char *bad_ = unit_check(u);                                                                    \
        assert_non_null(bad_);                                                                               \
        if (!strstr(bad_, part))                                                                             \
            fail_msg("'%s' does not say '%s'", bad_, part);                                                  \
        (lvalue) = was_;                                                                                     \
    } while (0)
    REFUSED(b[1].cond, 1, "wants a value");
    REFUSED(b[1].succs.count, 1, "has 1 successors");
    REFUSED(u->succs[1].block, 99, "goes to blocks[99]");
    REFUSED(u->exprs[2].a, 77, "77 of");
    REFUSED(u->exprs[3].a, 3, "does not stand before it");
    REFUSED(u->events[1].a, u->funcs[1].params.first, "no local of 'f'");
    REFUSED(u->funcs[1].flags, 0, "has no graph");
    REFUSED(u->strings[u->n_strings - 1], 'x', "end in NUL");
    assert_null(unit_check(u));
    unit_free(u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_records_share_an_index),
        cmocka_unit_test(graph_is_put_in_order_and_dead_blocks_are_dropped),
        cmocka_unit_test(too_deep_an_expression_ends_in_an_unknown_one),
        cmocka_unit_test(spoiled_units_are_refused_or_harmless),
        cmocka_unit_test(each_broken_promise_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
