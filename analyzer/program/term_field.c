/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Members: one place has one term, by whatever casts it was come to.
 * Stands on term.h and the linked program for types and offsets. */
#include "linked.h"
#include "term.h"

/* The struct that the pointer is declared to point to; 0: it cannot be told. */
static uint32_t declared_struct(const struct term_table *t, const struct program *p, term pointer) {
    const struct term_rec *r = &t->recs[pointer], *at = &t->recs[r->op == TERM_LOAD ? r->a : 0];
    const struct linked_unit *lu = t->unit;
    ir_type type = 0;

    if (at->op == TERM_LOCAL && lu) {
        type = lu->unit->vars[at->a].type;
    } else if (at->op == TERM_FIELD) {
        lu = p->fields.at[at->b].unit;
        type = lu->unit->fields[p->fields.at[at->b].field].type;
    } else if (at->op == TERM_GLOBAL) {
        lu = p->globals.at[at->a].unit;
        type = lu->unit->vars[p->globals.at[at->a].var].type;
    }
    if (!type)
        return 0;
    type = type_plain(lu->unit, type);
    type = lu->unit->types[type].kind == IR_T_POINTER ? type_struct(lu->unit, lu->unit->types[type].elem) : 0;
    return type ? lu->structs[type] : 0;
}

/* What the struct begins with, where that is a struct; field 0 and struct 0 else. */
static uint32_t first_member(const struct program *p, uint32_t of, uint32_t *field) {
    const struct linked_struct *ls = &p->structs.at[of];
    const struct linked_field *f = &p->fields.at[ *field = ls->n_fields ? ls->first_field : 0];
    ir_type st = 0;

    if (!*field || f->unit->unit->fields[f->field].bit_offset)
        return 0;
    st = type_struct(f->unit->unit, f->unit->unit->fields[f->field].type);
    return st ? f->unit->structs[st] : 0;
}

/* A struct and what it begins with have one address, and a cast leads from one to the other. `((struct base *)derived)->mu` is
 * `derived->base.mu`: returns what `field` is a member of. */
static term upcast(struct term_table *t, const struct program *p, term base, uint32_t field) {
    enum { DEEP = 4 };
    const uint32_t wanted = p->fields.at[field].parent;
    uint32_t in = declared_struct(t, p, base), path[DEEP], n = 0;

    for (; n < DEEP && in && in != wanted; n++)
        in = first_member(p, in, &path[n]);
    for (uint32_t i = 0; in && in == wanted && i < n; i++)
        base = term_make(t, TERM_FIELD, base, path[i], 0);
    return base;
}

/* … `((struct derived *)base)->base` is where `base` points. Returns that, or 0. */
static term downcast(const struct term_table *t, const struct program *p, term base, uint32_t field) {
    const struct linked_field *f = &p->fields.at[field];
    uint32_t first, own;

    if (f->unit->unit->fields[f->field].bit_offset)
        return 0;
    own = first_member(p, f->parent, &first);
    while (own && first == field && t->recs[base].op == TERM_FIELD) {
        (void)first_member(p, p->fields.at[t->recs[base].b].parent, &first);
        if (first != t->recs[base].b)
            return 0;
        base = t->recs[base].a;
        first = field;
    }
    return own && first == field && t->recs[base].op == TERM_LOAD && declared_struct(t, p, base) == own ? base
                                                                                                        : 0;
}

term term_field(struct term_table *t, const struct program *p, term base, uint32_t field) {
    const struct term_rec *r = &t->recs[base];
    const term there = r->op == TERM_LOAD || r->op == TERM_FIELD ? downcast(t, p, base, field) : 0;
    int64_t offset;

    if (there)
        return there;
    if (r->op == TERM_LOAD) {
        base = upcast(t, p, base, field);
        r = &t->recs[base];
    }

    /* container_of: (char *)ptr - offsetof(field), then .field. */
    if (base && r->op == TERM_BINARY && r->c == IR_B_ADD && term_is_const(t, r->b, &offset)) {
        const struct linked_field *f = &p->fields.at[field];
        const struct ir_field_rec *fr = &f->unit->unit->fields[f->field];
        if (offset < 0 && fr->bit_offset % 8 == 0 && (uint64_t)-offset == fr->bit_offset / 8)
            return r->a;
    }
    return term_make(t, TERM_FIELD, base, field, 0);
}
