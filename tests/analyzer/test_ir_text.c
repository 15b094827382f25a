/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tests of the text form: what is written is what is built, printing gives it back, errors name their place.
 * Stands on cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ir/text.h"

static struct unit *parse(const char *text) {
    char err[300];
    struct unit *u = unit_parse("t", text, strlen(text), err, sizeof err);
    if (!u)
        fail_msg("%s", err);
    assert_null(unit_check(u));
    return u;
}

static char *print(const struct unit *u) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    unit_print(u, out);
    fclose(out);
    return text;
}

/* parse → print → parse → print: both prints are equal. */
static void round_trip(const char *text) {
    struct unit *u = parse(text);
    char *first = print(u);
    struct unit *again = parse(first);
    char *second = print(again);
    assert_string_equal(first, second);
    unit_free(u);
    unit_free(again);
    free(first);
    free(second);
}

static const char stats[] = "unit \"stats.c\"\n"
                            "struct stats { mu: pthread_mutex_t; n: int @guarded_by(mu) }   # types by name\n"
                            "global static g: struct stats\n"
                            "func static get(s: *struct stats) -> int {\n"
                            "  local r: int\n"
                            "  entry:\n"
                            "    call pthread_mutex_lock(&s->mu)   @3:5\n"
                            "    r = s->n   @4:9\n"
                            "    call pthread_mutex_unlock(&s->mu)\n"
                            "    if r goto a else b\n"
                            "  a: return r\n"
                            "  b: return 0\n"
                            "}\n";

static void sugar_means_what_the_page_says(void **state) {
    (void)state;
    struct unit *u = parse(stats);
    struct ir_func_rec *f = &u->funcs[1];
    assert_string_equal(unit_str(u, f->name), "get");
    assert_int_equal(f->flags, IR_FF_STATIC | IR_FF_DEFINED);
    assert_int_equal(f->blocks.count, 3);
    struct ir_event_rec *ev = &u->events[u->blocks[f->blocks.first].events.first];
    assert_int_equal(ev->op, IR_EV_CALL);
    assert_int_equal(u->exprs[ev->b].op, IR_E_FUNC);
    struct ir_expr_rec *e =
        &u->exprs[u->expr_refs[ev->args.first]]; /* &s->mu = ADDR(FIELD(DEREF(LOAD(VAR s)), mu)) */
    assert_int_equal(e->op, IR_E_ADDR);
    e = &u->exprs[e->a];
    assert_int_equal(e->op, IR_E_FIELD);
    assert_string_equal(unit_str(u, u->fields[e->b].name), "mu");
    e = &u->exprs[e->a];
    assert_int_equal(e->op, IR_E_DEREF);
    e = &u->exprs[e->a];
    assert_int_equal(e->op, IR_E_LOAD);
    e = &u->exprs[e->a];
    assert_int_equal(e->op, IR_E_VAR);
    assert_int_equal(e->a, f->params.first);
    assert_int_equal(e->loc, 0);
    e = &u->exprs[u->exprs[u->expr_refs[ev->args.first]].a];
    assert_int_equal(u->locs[e->loc].line, 3);
    ev++; /* r = s->n */
    assert_int_equal(ev->op, IR_EV_STORE);
    assert_int_equal(u->exprs[ev->b].op, IR_E_LOAD);
    assert_string_equal(unit_str(u, u->types[u->exprs[ev->b].type].name), "int");
    struct ir_field_rec *n = &u->fields[u->exprs[u->exprs[ev->b].a].b];
    assert_int_equal(n->annots.count, 1);
    assert_int_equal(u->annots[n->annots.first].kind, IR_A_guarded_by);
    assert_string_equal(unit_str(u, u->annots[n->annots.first].args), "mu");
    unit_free(u);
}

static void printing_gives_back_what_was_written(void **state) {
    (void)state;
    round_trip(stats);
    round_trip("unit \"\"\n");
    round_trip("unit \"/x/a.c\"\ndirectory \"/x\"\ntarget \"t\"\nproducer \"clang 14\"\npointer 4\n"
               "file \"/x/a.c\" main hash 0xffffffffffffffff\nfile \"/usr/include/q.h\" system\n"
               "builtin `__fp16` float size 2\n"
               "enum color size 4 unsigned @2:3:4\n"
               "typedef pthread_mutex_t = union `(anonymous at q.h:3)` @2:9:1-9 macro LOCKS\n"
               "union `(anonymous at q.h:3)` anonymous { a: [40]char; b: long }\n"
               "struct list packed @lock_type() @not_send(\"why (not)\") { next: *struct list at 64; f: int "
               "bits 3; ``: int }\n");
}

/* The first example of the page is what this file tests first. */
static void the_pages_example_parses(void **state) {
    (void)state;
    static char page[1 << 16];
    FILE *in = fopen(SOURCE_ROOT "/docs/text-form.md", "r");
    assert_non_null(in);
    page[fread(page, 1, sizeof page - 1, in)] = 0;
    fclose(in);
    char *start = strstr(page, "```\n"), *end = start ? strstr(start + 4, "```") : NULL;
    assert_non_null(end);
    *end = 0;
    round_trip(start + 4);
    struct unit *u = parse(start + 4);
    assert_string_equal(unit_str(u, u->funcs[1].name), "get");
    unit_free(u);
}

static void every_declaration_is_expressible(void **state) {
    (void)state;
    round_trip("unit \"e.c\"\n"
               "file \"e.c\" main\n"
               "file \"e.h\"\n"
               "struct ops { read: *func(*void, int, ...) -> int @requires(mu)[@1:2 clang]; `end`: int }\n"
               "struct obj { ``: struct ops; ops: *const struct ops; t: [4]struct ops; next: *struct obj; v: "
               "const volatile int }\n"
               "global x: _Atomic int addressed tls\n"
               "extern x#2: va_list\n"
               "global fp: *func() -> void\n"
               "global vec: vector[4] float\n"
               "func noreturn variadic die(fmt: *const char, ...) -> void as \"_die\" @2:1:1\n"
               "func opaque() type ?\n"
               "func gone(a: int) type handler @3:3\n"
               "func weak f(o: *restrict struct obj @owned() @3:2, *void, x: int) -> int @4:4 "
               "@requires(o->ops, x) @no_yield\n"
               "struct ops#2 size 8 incomplete { a: int @unknown\"x\\ny\" }\n"
               "note error \"the annotation is misplaced\" @9:9\n");
}

static void every_event_and_terminator_is_expressible(void **state) {
    (void)state;
    round_trip("unit \"e.c\"\n"
               "struct obj { n: int; next: *struct obj; arr: [4]int; bits: int bits 3 }\n"
               "typedef obj_t = struct obj\n"
               "global x: _Atomic int\n"
               "global arr: [4]struct obj\n"
               "global fp: *func() -> void\n"
               "func unlock(**pthread_mutex_t) -> void\n"
               "func initialisers `(initialisers)`() -> void {\n"
               "  f::s = f !init @1:1\n"
               "}\n"
               "func f(o: *obj_t, x: int) -> int {\n"
               "  static s: *func() -> int\n"
               "  local y: int\n"
               "  local `end`: *pthread_mutex_t cleanup\n"
               "  temp %1: int\n"
               "  begin y @2:3\n"
               "  y = x + ::x * -3 - (x - 1) !init @5:1-9\n"
               "  y = ((o->n + 1)@5:3 | ~y & !x) << 2 !compound !volatile @5:4\n"
               "  *o = (zeroed : struct obj) !init !aggregate\n"
               "  o->arr[x] = (floating as int) @6:1-7:3 macro M\n"
               "  arr[1].next = (&arr[x] : *struct obj)@7:3 @7:1\n"
               "  %1 = call (*fp)@8:1(x, load(o->arr), unknown, label) !void @8:1\n"
               "  call o->next->next->n@8:2() !unused !0x80000\n"
               "  y = atomic compare_exchange(place x, place y, 3) !acq_rel !else_relaxed !weak\n"
               "  atomic fence() !relaxed\n"
               "  atomic rmw(place ::x, 1)\n"
               "  asm(place y, x) !clobbers !volatile\n"
               "  va y\n"
               "  eval o->{struct obj}next@9:1->2[1]\n"
               "  switch y@9:3 {\n"
               "    case -1: a; case 3..9223372036854775807: b\n"
               "    default: c\n"
               "  } @9:4\n"
               "  a: indirect (label : *void) goto a, b, c\n"
               "  b: if x == 3 goto a else c @10:1\n"
               "  c:\n"
               "    call unlock(&`end`) !cleanup\n"
               "    end `end`\n"
               "    end y\n"
               "    return %1 @11:1 ends @12:1\n"
               "} @13:1\n");
}

static void shadowed_and_repeated_names_stay_apart(void **state) {
    (void)state;
    struct unit *u = parse("unit \"n.c\"\nglobal i: int\nfunc f(i: int) -> int {\n local i#2: int\n i#2 = "
                           "i\n ::i = i#2\n return ::i\n}\n");
    struct ir_func_rec *f = &u->funcs[1];
    struct ir_event_rec *ev = &u->events[u->blocks[f->blocks.first].events.first];
    assert_int_equal(u->exprs[ev[0].a].a, f->locals.first);
    assert_int_equal(u->exprs[u->exprs[ev[0].b].a].a, f->params.first);
    assert_int_equal(u->vars[u->exprs[ev[1].a].a].kind, IR_V_GLOBAL);
    assert_string_equal(unit_str(u, u->vars[f->locals.first].name), "i");
    char *text = print(u);
    assert_non_null(strstr(text, "i#2 = i\n"));
    assert_non_null(strstr(text, "::i = i#2\n"));
    free(text);
    unit_free(u);
}

static void unsized_structs_are_laid_out(void **state) {
    (void)state;
    struct unit *u = parse("unit \"n.c\"\nstruct s { a: char; b: int; c: *void; d: struct t; e: [3]short "
                           "}\nstruct t { x: long; y: char }\n");
    assert_int_equal(u->fields[2].bit_offset, 32);
    assert_int_equal(u->fields[3].bit_offset, 64);
    assert_int_equal(u->fields[5].bit_offset, 8 * 32);
    assert_int_equal(u->types[1].size, 40);
    assert_int_equal(u->types[2].size, 16);
    unit_free(u);
}

static void expressions_without_a_position_have_the_lines(void **state) {
    (void)state;
    struct unit *u =
        parse("unit \"n.c\"\nglobal i: int\nfunc f() {\n i = (i@3:7 + i)@3:5 @3:1\n i@4:2 = 1\n}\n");
    struct ir_event_rec *ev = &u->events[1];
    assert_int_equal(u->locs[ev->loc].col, 1);
    assert_int_equal(u->exprs[ev->a].loc, 0); /* a name has none, its use has */
    struct ir_expr_rec *sum = &u->exprs[ev->b];
    assert_int_equal(u->locs[sum->loc].col, 5);
    assert_int_equal(u->locs[u->exprs[sum->a].loc].col, 7);
    assert_int_equal(u->exprs[u->exprs[sum->a].a].loc, 0);
    assert_int_equal(u->locs[u->exprs[sum->b].loc].col, 5);
    assert_int_equal(u->locs[u->exprs[ev[1].a].loc].col, 2);
    unit_free(u);
}

static void a_negated_number_is_not_a_negative_one(void **state) {
    (void)state;
    struct unit *u = parse("unit \"a\"\nfunc f(x: int) {\n x = - 0\n}\n");
    char *text = print(u);
    assert_non_null(strstr(text, "x = - 0"));
    round_trip(text);
    free(text);
    unit_free(u);
}

static void errors_name_their_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"unit 3", "t:1:6: a string is wanted here"},
        {"unit \"a\nb\"", "t:1:8: the \" is not closed on this line"},
        {"unit \"a\"\nstruct s { a: int\n", "t:3:1: a name is wanted here"},
        {"unit \"a\"\nfoo\n", "t:2:1: a declaration is wanted here"},
        {"unit \"a\"\nfunc f() {\n x = 3\n}\n", "t:3:2: nothing is named 'x' here"},
        {"unit \"a\"\nfunc f(p: *struct s) {\n p->x = 3\n}\n",
         "t:3:5: 'x' is asked of something with no fields"},
        {"unit \"a\"\nstruct s { y: int }\nfunc f(p: *struct s) {\n p->x = 3\n}\n",
         "t:4:5: 'x' is no field of 's'"},
        {"unit \"a\"\nfunc f(x: int) {\n 3 = x\n}\n", "t:3:2: a place is wanted here"},
        {"unit \"a\"\nfunc f(x: int) {\n goto q\n}\n", "t:3:7: there is no block 'q'"},
        {"unit \"a\"\nfunc f(x: int) {\n return x\n x = 3\n}\n", "t:4:2: the block has ended"},
        {"unit \"a\"\nfunc f(x: int) {\n switch x { case 1: a }\n a: return\n}\n",
         "t:3:9: a switch has one default"},
        {"unit \"a\"\nfunc f(x: int) -> int {\n", "t:3:1: a { is not closed"},
        {"unit \"a\"\nglobal x: int\nglobal x: int\n", "t:3:8: 'x' is declared twice"},
        {"unit \"a\"\nglobal x: int @nonsense(3)\n", "t:2:15: 'nonsense' is no annotation"},
        {"unit \"a\"\nglobal x: int @7:3:4\n", "t:2:15: there is no file 7"},
        {"unit \"a\"\ntypedef a = b\ntypedef b = a\n", "holds itself"},
        {"unit \"a\"\nstruct a { b: struct a }\n", "contains itself"},
        {"unit \"a\"\nglobal x: long double long\n", "t:2:11: 'long double long' is no builtin type"},
        {"unit \"a\"\nglobal x: int $\n", "t:2:15: the end of the line is wanted here"},
        {"unit \"a\"\n\\\n", "t:2:1: '\\' means nothing here"},
        {"unit \"a\"\nfunc f(x: int) {\n end x\n}\n", "t:3:6: only a local of this function"},
        {"unit \"a\"\npointer 99999999999\n", "t:2:9: a number below"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char err[300] = "";
        struct unit *u = unit_parse("t", cases[i].text, strlen(cases[i].text), err, sizeof err);
        if (u || !strstr(err, cases[i].error))
            fail_msg("case %zu: got '%s', wanted '%s'", i, err, cases[i].error);
    }
}

static void deep_nesting_is_refused_not_followed(void **state) {
    (void)state;
    static const char *const openings[] = {"*", "(", "-", "!", "[3]", "x + (", "x[", "x->"};
    for (size_t k = 0; k < sizeof openings / sizeof *openings; k++) {
        char *text = malloc(2000000), err[300];
        strcpy(text, "unit \"a\"\nfunc f(x: int) {\n x = ");
        char *end = text + strlen(text);
        for (int i = 0; i < 100000; i++)
            end += sprintf(end, "%s", openings[k]);
        assert_null(unit_parse("t", text, (size_t)(end - text), err, sizeof err));
        free(text);
    }
    char *text = malloc(2000000), err[300];
    char *end = text + sprintf(text, "unit \"a\"\nglobal x: ");
    for (int i = 0; i < 100000; i++)
        *end++ = '*';
    assert_null(unit_parse("t", text, (size_t)(end - text), err, sizeof err));
    assert_non_null(strstr(err, "nests more than"));
    free(text);
}

/* The deepest expressions a unit may hold, of each kind that is printed around an operand. */
static void the_deepest_expressions_round_trip(void **state) {
    (void)state;
    static const struct {
        const char *opening, *operand, *closing;
    } kinds[] = {{"*", "p", ""},      {"&*", "p", ""},  {"-", "n", ""},      {"(", "n", " as int)"},
                 {"", "s", "->next"}, {"", "p", "[n]"}, {"(n + ", "n", ")"}, {"load(*", "p", ")"}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (uint32_t deep = IR_MAX_EXPR_DEPTH / 4; deep <= IR_MAX_EXPR_DEPTH;
             deep += IR_MAX_EXPR_DEPTH / 4) {
            char *text = malloc(64 * (size_t)IR_MAX_EXPR_DEPTH);
            char *end = text + sprintf(text, "unit \"a\"\nstruct s { next: *struct s }\n"
                                             "func f(p: *int, n: int, s: *struct s) {\n  entry:\n    n = ");
            for (uint32_t i = 0; i < deep; i++)
                end += sprintf(end, "%s", kinds[k].opening);
            end += sprintf(end, "%s", kinds[k].operand);
            for (uint32_t i = 0; i < deep; i++)
                end += sprintf(end, "%s", kinds[k].closing);
            sprintf(end, "\n    return\n}\n");
            round_trip(text);
            free(text);
        }
}

static void a_short_error_buffer_is_not_overrun(void **state) {
    (void)state;
    char err[8] = "1234567";
    assert_null(unit_parse("name", "foo", 3, err, sizeof err));
    assert_int_equal(strlen(err), 7);
    assert_null(unit_parse("name", "foo", 3, err, 1));
    assert_string_equal(err, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sugar_means_what_the_page_says),
        cmocka_unit_test(printing_gives_back_what_was_written),
        cmocka_unit_test(the_pages_example_parses),
        cmocka_unit_test(every_declaration_is_expressible),
        cmocka_unit_test(every_event_and_terminator_is_expressible),
        cmocka_unit_test(shadowed_and_repeated_names_stay_apart),
        cmocka_unit_test(unsized_structs_are_laid_out),
        cmocka_unit_test(expressions_without_a_position_have_the_lines),
        cmocka_unit_test(a_negated_number_is_not_a_negative_one),
        cmocka_unit_test(errors_name_their_place),
        cmocka_unit_test(deep_nesting_is_refused_not_followed),
        cmocka_unit_test(the_deepest_expressions_round_trip),
        cmocka_unit_test(a_short_error_buffer_is_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
