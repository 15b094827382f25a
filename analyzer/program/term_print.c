/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Terms as C would spell them. Stands on term.h and the linked program for names. */
#include <stdio.h>
#include "linked.h"
#include "term.h"

enum { BINDS_PREFIX = 9, BINDS_POSTFIX };

struct printer {
    const struct term_table *t;
    const struct program *p;
    const struct linked_unit *u;
    term_hint *hint;
    const void *data;
    char *out;
    size_t size, n;
    int depth;
    bool some;        /* inside TERM_SOME: any element is meant */
    term skip, go_on; /* of a long way of pointers: instead of the one, "…" behind the other */
};

static void put(struct printer *pr, const char *s) {
    while (*s) {
        if (pr->n + 1 < pr->size)
            pr->out[pr->n] = *s;
        pr->n++;
        s++;
    }
}

static void print_value(struct printer *pr, term x);
static void print_operand(struct printer *pr, term x, int binds);

/* The type of the global, local or member at x; 0: it is none of these. */
static ir_type type_at(const struct printer *pr, term x, const struct unit **u) {
    const struct term_rec *r = &pr->t->recs[x];

    switch (r->op) {
    case TERM_LOCAL: *u = pr->u->unit; return (*u)->vars[r->a].type;
    case TERM_GLOBAL:
        *u = pr->p->globals.at[r->a].unit->unit;
        return (*u)->vars[pr->p->globals.at[r->a].var].type;
    case TERM_FIELD:
        *u = pr->p->fields.at[r->b].unit->unit;
        return (*u)->fields[pr->p->fields.at[r->b].field].type;
    default: return 0;
    }
}

/* Where an array is named and its first element is meant, which has the array's own address. */
static void put_first(struct printer *pr, term x) {
    const struct unit *u = NULL;
    const ir_type t = type_at(pr, x, &u);

    if (t && u->types[type_plain(u, t)].kind == IR_T_ARRAY)
        put(pr, pr->some ? "[…]" : "[0]");
}

/* The member that lies that far in the struct of the other one; or NULL. */
static const char *member_at(const struct printer *pr, uint32_t field, int64_t offset) {
    const struct linked_struct *st = &pr->p->structs.at[pr->p->fields.at[field].parent];

    for (uint32_t i = st->first_field; i < st->first_field + st->n_fields; i++) {
        const struct linked_field *f = &pr->p->fields.at[i];
        if (f->unit->unit->fields[f->field].bit_offset == (uint64_t)offset * 8 && *f->name)
            return f->name;
    }
    return NULL;
}

/* What a member is in, by a pointer to another member of it: container_of(link, job). */
static bool print_container(struct printer *pr, term base, uint32_t field) {
    const struct term_rec *r = &pr->t->recs[base];
    const char *member;
    int64_t offset;

    if (r->op != TERM_BINARY || r->c != IR_B_ADD || !term_is_const(pr->t, r->b, &offset) || offset >= 0 ||
        !(member = member_at(pr, field, -offset)))
        return false;
    put(pr, "container_of(");
    print_value(pr, r->a);
    put(pr, ", ");
    put(pr, member);
    put(pr, ")");
    return true;
}

static bool points_to(const struct unit *u, ir_type t, enum ir_type_kind kind) {
    t = type_plain(u, t);
    return u->types[t].kind == IR_T_POINTER && u->types[type_plain(u, u->types[t].elem)].kind == kind;
}

/* Is it set from `var` and from nothing else, `var` itself never? */
static bool is_only(const struct unit *u, const struct ir_func_rec *f, ir_var alias, ir_var var) {
    for (ir_block b = f->blocks.first; b < f->blocks.first + f->blocks.count; b++)
        for (uint32_t i = 0; i < u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + i];
            const struct ir_expr_rec *place = &u->exprs[ev->a];
            if (ev->op == IR_EV_STORE && place->op == IR_E_VAR &&
                (place->a == var || (place->a == alias && !ir_mentions(u, ev->b, var))))
                return false;
        }
    return true;
}

/* No member can be had of a `void *argument` by that name; people say `struct job *job = argument;` and go on. Returns `job`, else var. */
static ir_var typed_name(const struct unit *u, ir_var var) {
    const struct ir_func_rec *f = NULL;

    for (uint32_t i = 1; i < u->n_funcs && !f && points_to(u, u->vars[var].type, IR_T_VOID); i++)
        f = var - u->funcs[i].params.first < u->funcs[i].params.count ? &u->funcs[i] : NULL;
    for (ir_block b = f ? f->blocks.first : 0; f && b < f->blocks.first + f->blocks.count; b++)
        for (uint32_t i = 0; i < u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + i];
            const struct ir_expr_rec *place = &u->exprs[ev->op == IR_EV_STORE ? ev->a : 0];
            const struct ir_expr_rec *value = &u->exprs[ir_uncast(u, ev->op == IR_EV_STORE ? ev->b : 0)];
            if (place->op == IR_E_VAR && value->op == IR_E_LOAD && u->exprs[value->a].op == IR_E_VAR &&
                u->exprs[value->a].a == var && *unit_str(u, u->vars[place->a].name) &&
                points_to(u, u->vars[place->a].type, IR_T_STRUCT) && is_only(u, f, place->a, var))
                return place->a;
        }
    return var;
}

/* What a member is had of. */
static void print_owner(struct printer *pr, term pointer) {
    const struct term_rec *r = &pr->t->recs[pointer], *at = &pr->t->recs[r->op == TERM_LOAD ? r->a : 0];
    const ir_var var = at->op == TERM_LOCAL ? typed_name(pr->u->unit, at->a) : 0;

    if (var && var != at->a)
        put(pr, unit_str(pr->u->unit, pr->u->unit->vars[var].name));
    else
        print_operand(pr, pointer, BINDS_POSTFIX);
}

static void print_place(struct printer *pr, term x) {
    const struct term_rec *r = &pr->t->recs[x];
    const char *name;

    switch (r->op) {
    case TERM_LOCAL:
        name = unit_str(pr->u->unit, pr->u->unit->vars[r->a].name);
        put(pr, *name ? name : "…");
        break;
    case TERM_GLOBAL: put(pr, pr->p->globals.at[r->a].name); break;
    case TERM_TOKEN: put(pr, intern_text(&pr->p->names, r->a)); break;
    case TERM_FIELD:
        name = pr->p->fields.at[r->b].name;
        if (term_is_place(pr->t, r->a)) {
            print_place(pr, r->a);
            put_first(pr, r->a);
        } else if (!print_container(pr, r->a, r->b)) {
            print_owner(pr, r->a);
        }
        if (*name) {
            put(pr, term_is_place(pr->t, r->a) || pr->t->recs[r->a].op == TERM_SOME ? "." : "->");
            put(pr, name);
        }
        break;
    case TERM_INDEX:
        if (term_is_place(pr->t, r->a))
            print_place(pr, r->a);
        else
            print_operand(pr, r->a, BINDS_POSTFIX);
        put(pr, "[");
        if (pr->some)
            put(pr, "…");
        else
            print_value(pr, r->b);
        put(pr, "]");
        break;
    case TERM_SOME:
        pr->some = true;
        print_place(pr, r->a);
        if (pr->t->recs[r->a].op == TERM_GLOBAL || pr->t->recs[r->a].op == TERM_FIELD)
            put_first(pr, r->a);
        pr->some = false;
        break;
    default: put(pr, "*"); print_operand(pr, x, BINDS_PREFIX);
    }
}

/* The value that was born at that event, as the call it is the result of. */
static void print_call(struct printer *pr, uint32_t event) {
    const uint32_t number = map64_get(&pr->t->call_of, event, 0);

    if (!number) {
        put(pr, "…");
        return;
    }
    put(pr, pr->p->funcs.at[pr->t->calls.at[number].func].name);
    put(pr, "(");
    for (uint32_t i = 0; i < pr->t->calls.at[number].n_args; i++) {
        put(pr, i ? ", " : "");
        print_value(pr, pr->t->calls.at[number].args[i]);
    }
    put(pr, ")");
}

/* How tightly C binds a value's outermost operator. */
static int binds(const struct printer *pr, term x) {
    const struct term_rec *r = &pr->t->recs[x];
    static const uint8_t of_operators[] = {
        [IR_B_ADD] = 7, [IR_B_SUB] = 7, [IR_B_MUL] = 8, [IR_B_DIV] = 8, [IR_B_REM] = 8, [IR_B_SHL] = 6,
        [IR_B_SHR] = 6, [IR_B_AND] = 3, [IR_B_OR] = 1,  [IR_B_XOR] = 2, [IR_B_EQ] = 4,  [IR_B_NE] = 4,
        [IR_B_LT] = 5,  [IR_B_LE] = 5,  [IR_B_GT] = 5,  [IR_B_GE] = 5};
    int64_t v;

    if (r->op == TERM_BINARY)
        return of_operators[r->c];
    if (r->op == TERM_UNARY || (!term_is_const(pr->t, x, &v) && term_is_place(pr->t, x)))
        return BINDS_PREFIX;
    return BINDS_POSTFIX;
}

static void print_operand(struct printer *pr, term x, int at_least) {
    const bool open = binds(pr, x) < at_least;

    put(pr, open ? "(" : "");
    print_value(pr, x);
    put(pr, open ? ")" : "");
}

/* What a function gives for what it reads (call_predicate.c); or 0. */
static term asked_of(const struct term_table *t, term x) {
    while (t->recs[x].op == TERM_BINARY && t->recs[x].c == IR_B_DIV)
        x = t->recs[x].a;
    return t->recs[x].op == TERM_FUNC ? x : 0;
}

static void print_binary(struct printer *pr, term x) {
    static const char *const operators[] = {" + ", " - ", " * ",  " / ",  " % ", " << ", " >> ", " & ",
                                            " | ", " ^ ", " == ", " != ", " < ", " <= ", " > ",  " >= "};
    const struct term_rec *r = &pr->t->recs[x];
    const int mine = binds(pr, x);
    char number[32];
    const term asked = asked_of(pr->t, x);
    int64_t v;

    if (asked) {
        put(pr, pr->p->funcs.at[pr->t->recs[asked].a].name);
        put(pr, "(…)");
        return;
    }
    print_operand(pr, r->a, mine);
    if (r->c == IR_B_ADD && term_is_const(pr->t, r->b, &v) && v < 0 && v != INT64_MIN) { /* x - 1 */
        snprintf(number, sizeof number, " - %lld", (long long)-v);
        put(pr, number);
        return;
    }
    put(pr, operators[r->c]);
    print_operand(pr, r->b, mine + 1);
}

static void print_value(struct printer *pr, term x) {
    const struct term_rec *r = &pr->t->recs[x];
    char number[32];
    int64_t v = 0;
    term cell;

    if (++pr->depth > 24) {
        put(pr, "…");
        return;
    }
    if (x == pr->skip) {
        pr->skip = 0;
        print_value(pr, pr->go_on);
        put(pr, "->…");
        pr->depth--;
        return;
    }
    switch (r->op) {
    case TERM_CONST:
        term_is_const(pr->t, x, &v);
        snprintf(number, sizeof number, "%lld", (long long)v);
        put(pr, number);
        break;
    case TERM_FUNC: put(pr, pr->p->funcs.at[r->a].name); break;
    case TERM_LOCAL:
    case TERM_GLOBAL:
    case TERM_FIELD:
    case TERM_INDEX:
        put(pr, "&");
        print_place(pr, x);
        break;
    case TERM_LOAD:
        print_place(pr, r->a);
        put_first(pr, r->a);
        break;
    case TERM_PHI: print_place(pr, r->b); break;
    case TERM_SOME: print_value(pr, r->a); break;
    case TERM_PARAM: put(pr, "…"); break;
    case TERM_UNARY:
        put(pr, r->b == IR_U_NEG ? "-" : "~");
        print_operand(pr, r->a, BINDS_PREFIX);
        break;
    case TERM_BINARY: print_binary(pr, x); break;
    default:
        cell = pr->hint ? pr->hint(pr->data, x) : 0;
        if (cell && !term_mentions(pr->t, cell, x))
            print_place(pr, cell);
        else if (r->op == TERM_FRESH && !r->b)
            print_call(pr, r->a);
        else
            put(pr, "…");
    }
    pr->depth--;
}

/* `p->a->…->y->z`: a way of more pointers says no more for being long. */
enum { POINTERS_MAX = 7, POINTERS_FIRST = 2, POINTERS_LAST = 2 };

static void shorten(struct printer *pr, term x) {
    term pointers[64];
    uint32_t n = 0;

    for (;;) {
        const struct term_rec *r = &pr->t->recs[x];
        if (r->op != TERM_LOAD && r->op != TERM_FIELD && r->op != TERM_INDEX && r->op != TERM_SOME)
            break;
        if (r->op == TERM_LOAD && n < 64)
            pointers[n++] = x;
        x = r->a;
    }
    if (n > POINTERS_MAX) {
        pr->skip = pointers[POINTERS_LAST];
        pr->go_on = pointers[n - POINTERS_FIRST];
    }
}

int term_print_place(const struct term_table *t, const struct program *p, const struct linked_unit *u,
                     term_hint *hint, const void *data, term x, char *out, size_t size) {
    struct printer pr = {t, p, u, hint, data, out, size, 0, 0, false, 0, 0};
    const struct term_rec *r = &t->recs[x];

    shorten(&pr, x);

    /* A lock known only as a pointer value reads best as that pointer: `m`, not `*m`. */
    if (term_is_place(t, x) || r->op == TERM_TOKEN || r->op == TERM_SOME) {
        print_place(&pr, x);
        if ((r->op == TERM_GLOBAL && p->globals.at[r->a].lock.lock) ||
            (r->op == TERM_FIELD && p->fields.at[r->b].lock.lock))
            put_first(&pr, x);
    } else {
        print_value(&pr, x);
    }
    if (size)
        out[pr.n < size ? pr.n : size - 1] = 0;
    return (int)pr.n;
}
