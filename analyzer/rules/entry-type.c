/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* entry-type: the entry function takes its void * for another type than was passed.
 *
 * Looks at      what each hand-off's argument points to, where its type is last seen, and the one type that the entry function
 *               casts it to.
 * Stays silent  when one struct begins with the other, where either side is a buffer of char, or the entry casts to several types.
 * Cannot see    arguments whose type is hidden before the hand-off, and entries that hand theirs on as a void *. */
#include <string.h>
#include "handoff.h"

/* What an entry function takes its argument for. */
struct taken {
    ir_type type; /* that it points to; 0: nothing was seen yet */
    bool number;  /* it is no pointer, but a number too small for an address */
    bool unclear;
    ir_loc where;
};

static ir_type pointee(const struct unit *u, ir_type t) {
    t = type_plain(u, t);
    return u->types[t].kind == IR_T_POINTER ? u->types[t].elem : 0;
}

static const struct ir_type_rec *plain(const struct unit *u, ir_type t) {
    return &u->types[type_plain(u, t)];
}

static bool is_char(const struct ir_type_rec *t) {
    return t->kind == IR_T_INT && t->size == 1;
}

static void note_type(const struct unit *u, ir_type to, ir_loc where, struct taken *t) {
    if (t->number || is_char(plain(u, to)) || (t->type && type_plain(u, t->type) != type_plain(u, to)))
        t->unclear = true;
    if (!t->type)
        t->where = where;
    t->type = to;
}

/* The casts around the entry's parameter: to a pointer, or to a number. */
static void note_casts(const struct unit *u, ir_expr e, ir_loc where, struct taken *t) {
    for (; u->exprs[e].op == IR_E_CAST; e = u->exprs[e].a) {
        ir_type to = pointee(u, u->exprs[e].type);
        const struct ir_type_rec *kind = plain(u, u->exprs[e].type);
        if (to && plain(u, to)->kind != IR_T_VOID) {
            note_type(u, to, where, t);
            return;
        }
        if (kind->kind == IR_T_INT && kind->size && kind->size < u->pointer_size && kind->size > 1) {
            t->unclear |= t->type != 0;
            t->number = true;
            t->where = where;
            return;
        }
    }
}

static void look(const struct unit *u, ir_expr e, ir_var parameter, ir_loc where, struct taken *t,
                 unsigned depth) {
    const struct ir_expr_rec *r = &u->exprs[e];
    const struct ir_expr_rec *inner = &u->exprs[ir_uncast(u, e)];
    unsigned operands = depth < 200 ? ir_operands(r->op) : 0;
    if (r->op == IR_E_CAST && inner->op == IR_E_LOAD && u->exprs[inner->a].op == IR_E_VAR &&
        u->exprs[inner->a].a == parameter) {
        note_casts(u, e, r->loc ? r->loc : where, t);
        return;
    }
    if (operands & 1)
        look(u, r->a, parameter, where, t, depth + 1);
    if (operands & 2)
        look(u, r->b, parameter, where, t, depth + 1);
}

/* The one thing that the function takes the parameter for. */
static struct taken taken_for(const struct unit *u, const struct ir_func_rec *fr, uint32_t number) {
    struct taken t = {0};
    ir_var parameter = fr->params.first + number;
    for (uint32_t b = 0; number < fr->params.count && b < fr->blocks.count; b++) {
        const struct ir_block_rec *block = &u->blocks[fr->blocks.first + b];
        for (uint32_t i = 0; i < block->events.count; i++) {
            const struct ir_event_rec *ev = &u->events[block->events.first + i];
            bool two = ev->op == IR_EV_STORE || ev->op == IR_EV_CALL;
            if (two || ev->op == IR_EV_EVAL || ev->op == IR_EV_RETURN || ev->op == IR_EV_ATOMIC)
                look(u, ev->a, parameter, ev->loc, &t, 0);
            if (two)
                look(u, ev->b, parameter, ev->loc, &t, 0);
            for (uint32_t k = 0; k < ev->args.count; k++)
                look(u, u->expr_refs[ev->args.first + k], parameter, ev->loc, &t, 0);
        }
        if (block->cond)
            look(u, block->cond, parameter, block->loc, &t, 0);
    }
    return t;
}

/* Does a begin with b, at any depth? */
static bool begins_with(const struct unit *u, ir_type a, const struct unit *v, ir_type b) {
    for (unsigned depth = 0; a && depth < 16; depth++) {
        if (strcmp(unit_str(u, u->types[a].name), unit_str(v, v->types[b].name)) == 0)
            return true;
        if ((u->types[a].flags & IR_TF_INCOMPLETE) || !u->types[a].fields.count)
            return u->types[a].flags & IR_TF_INCOMPLETE;
        a = type_struct(u, u->fields[u->types[a].fields.first].type);
    }
    return false;
}

/* The first thing in a type that is no struct, union or array; NULL where it cannot be told. */
static const struct ir_type_rec *first_inside(const struct unit *u, ir_type t) {
    for (unsigned depth = 0; depth < 64; depth++) {
        const struct ir_type_rec *r = plain(u, t);
        if (r->kind == IR_T_ARRAY || r->kind == IR_T_ATOMIC)
            t = r->elem;
        else if (r->kind == IR_T_STRUCT && r->fields.count && !(r->flags & IR_TF_INCOMPLETE))
            t = u->fields[r->fields.first].type;
        else
            return r->kind == IR_T_INT || r->kind == IR_T_FLOAT || r->kind == IR_T_ENUM ||
                           r->kind == IR_T_POINTER
                       ? r
                       : NULL;
    }
    return NULL;
}

/* Can memory that holds a `passed` be taken for a `taken`, or be the beginning of one? */
static bool fits(const struct unit *u, ir_type passed, const struct unit *v, ir_type taken) {
    ir_type one = type_struct(u, passed), two = type_struct(v, taken);
    if (one && two)
        return begins_with(u, one, v, two) || begins_with(v, two, u, one);
    const struct ir_type_rec *a = first_inside(u, passed), *b = first_inside(v, taken);
    if (!a || !b || is_char(a) || is_char(b))
        return true;
    return (a->kind == IR_T_POINTER) == (b->kind == IR_T_POINTER) &&
           (!a->size || !b->size || a->size == b->size || one || two);
}

static void report_taken(const struct handoff *h, const struct linked_func *e, const struct taken *t,
                         struct report *out) {
    const struct handoff_spec *s = h->at->spawn;
    const struct unit *u = h->flow->unit->unit, *v = e->unit->unit;
    struct position at = handoff_position(h->flow, h->at), cast = program_position(v, t->where);
    char one[150], two[150];
    type_spelling(u, s->type, one, sizeof one);
    type_spelling(v, t->type, two, sizeof two);
    const char *star = plain(u, s->type)->kind == IR_T_POINTER ? "" : " ";
    if (s->number)
        report_begin(out, "entry-type", SEVERITY_WARNING, &at,
                     "'%s' is passed a number, and takes it for an address", e->name);
    else if (t->number)
        report_begin(out, "entry-type", SEVERITY_WARNING, &at,
                     "'%s' is passed a '%s%s*', and takes it for a number", e->name, one, star);
    else
        report_begin(out, "entry-type", SEVERITY_WARNING, &at,
                     "'%s' is passed a '%s%s*', and takes it for another type", e->name, one, star);
    report_subject(out, handoff_function(h), "%s %s", e->name, s->number ? "number" : one);
    if (t->number)
        report_note(out, &cast, "taken for a number here");
    else
        report_note(out, &cast, "taken for a '%s%s*' here", two,
                    plain(v, t->type)->kind == IR_T_POINTER ? "" : " ");
    ir_type behind = s->type ? pointee(u, s->type) : 0;
    bool once_too_often = behind && t->type && fits(u, behind, v, t->type);
    report_note(out, &at,
                once_too_often ? "remedy: pass the pointer itself, not its address"
                               : "remedy: let both sides name one type");
}

static void check_entry_type(const struct program *p, struct report *out) {
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        const struct handoff *h = &p->boundaries->handoffs.at[i];
        const struct handoff_spec *s = h->at->spawn;
        if (h->at->op != REGION_SPAWN || (!s->type && !s->number) || s->typed_in != h->func)
            continue;
        for (uint32_t k = 0; k < s->n_entries; k++) {
            const struct linked_func *e = &p->funcs.at[s->entries[k]];
            struct taken t = {0};
            if (e->defined)
                t = taken_for(e->unit->unit, &e->unit->unit->funcs[e->func], s->parameter);
            bool wrong = s->number ? t.type != 0
                                   : t.number || (t.type &&
                                                  !fits(h->flow->unit->unit, s->type, e->unit->unit, t.type));
            if (wrong && !t.unclear)
                report_taken(h, e, &t, out);
        }
    }
}
AGLET_RULE("entry-type", "a thread's entry function takes its argument for another type", check_entry_type,
           "CWE-843 CERT-EXP36-C")
