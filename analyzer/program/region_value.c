/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What each local points to at one point of a function, and what that makes of an expression: the place it names, the value
 * it has.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include <string.h>
#include "../base/alloc.h"

void region_state_init(struct state *s, uint32_t n_vars) {
    memset(s, 0, sizeof *s);
    s->vars = xcalloc((size_t)n_vars + 1, sizeof *s->vars);
}

void region_state_free(struct state *s) {
    free(s->vars);
    vec_free(&s->cells);
    vec_free(&s->kept);
}

void region_state_copy(const struct solve *x, struct state *to, const struct state *from) {
    memcpy(to->vars, from->vars, x->n_shared * sizeof *to->vars);
    vec_clear(&to->cells);
    vec_append(&to->cells, from->cells.at, from->cells.n);
    vec_clear(&to->kept);
    vec_append(&to->kept, from->kept.at, from->kept.n);
    to->dropped = from->dropped;
    to->locks = from->locks;
    to->acquired = from->acquired;
    to->reached = from->reached;
    to->stays = from->stays;
}

static void note_source(struct region_flow *f, place_id phi, place_id source) {
    enum { MOST = 1000 };
    if (phi == source || f->phis.n == MOST)
        return;
    for (size_t i = 0; i < f->phis.n; i++)
        if (f->phis.at[i].phi == phi && f->phis.at[i].source == source)
            return;
    struct phi_source s = {phi, source};
    vec_push(&f->phis, s);
}

/* What was stored on either way; true when that is more. */
static bool merge_kept(struct state *into, const struct state *from) {
    enum { MOST = 16 };
    size_t before = into->kept.n;
    for (size_t i = 0; i < from->kept.n; i++) {
        const struct kept *k = &from->kept.at[i];
        size_t j = 0;
        while (j < into->kept.n && (into->kept.at[j].value != k->value || into->kept.at[j].into != k->into))
            j++;
        if (j == into->kept.n && j < MOST)
            vec_push(&into->kept, *k);
    }
    return into->kept.n != before;
}

static region_value merged(struct solve *x, region_value a, region_value b, uint32_t var, uint32_t block) {
    if (a == b)
        return a;
    if (VALUE_KIND(a) == VALUE_ZERO && VALUE_KIND(b) == VALUE_POINTER)
        return b;
    if (VALUE_KIND(b) == VALUE_ZERO && VALUE_KIND(a) == VALUE_POINTER)
        return a;
    if (VALUE_KIND(a) == VALUE_POINTER && VALUE_KIND(b) == VALUE_POINTER) {
        place_id phi = place_make(x->f, PLACE_PHI, block, var);
        note_source(x->f, phi, VALUE_ITEM(a));
        note_source(x->f, phi, VALUE_ITEM(b));
        return VALUE_OF(VALUE_POINTER, phi);
    }
    return 0;
}

bool region_state_merge(struct solve *x, struct state *into, const struct state *from, uint32_t block) {
    enum { AT_ONCE = 16 }; /* most variables are equal */
    if (!into->reached) {
        region_state_copy(x, into, from);
        return true;
    }
    bool changed = false;
    bool same_vars = memcmp(into->vars, from->vars, x->n_shared * sizeof *into->vars) == 0;
    for (uint32_t i = 0; i < x->n_shared && !same_vars; i++) {
        if (i % AT_ONCE == 0 && i + AT_ONCE <= x->n_shared &&
            !memcmp(into->vars + i, from->vars + i, AT_ONCE * sizeof *into->vars))
            i += AT_ONCE - 1;
        if (into->vars[i] == from->vars[i])
            continue;
        region_value v = merged(x, into->vars[i], from->vars[i], x->in_slot[i], block);
        changed |= v != into->vars[i];
        into->vars[i] = v;
    }
    size_t kept = 0;
    bool same_cells = into->cells.n == from->cells.n &&
                      (!into->cells.n ||
                       memcmp(into->cells.at, from->cells.at, into->cells.n * sizeof *into->cells.at) == 0);
    if (same_cells)
        kept = into->cells.n;
    for (size_t i = 0; i < into->cells.n && !same_cells; i++)
        for (size_t j = 0; j < from->cells.n; j++)
            if (from->cells.at[j].at == into->cells.at[i].at &&
                from->cells.at[j].value == into->cells.at[i].value) {
                into->cells.at[kept++] = into->cells.at[i];
                break;
            }
    changed |= kept != into->cells.n || (from->locks & ~into->locks) || (from->acquired & ~into->acquired);
    into->cells.n = kept;
    into->locks |= from->locks;
    into->acquired |= from->acquired;
    changed |= (into->dropped & ~from->dropped) != 0;
    into->dropped &= from->dropped;
    changed |= merge_kept(into, from);
    return changed;
}

/* The variable names another element from now on. */
static void forget_elements(struct solve *x, uint32_t var) {
    size_t kept = 0;
    for (size_t i = 0; i < x->s->cells.n; i++) {
        place_id p = x->s->cells.at[i].at;
        while (p && (x->f->places[p].op == PLACE_FIELD ||
                     (x->f->places[p].op == PLACE_INDEX && x->f->places[p].b != (PLACE_BY_VAR | var))))
            p = x->f->places[p].a;
        if (x->f->places[p].op != PLACE_INDEX)
            x->s->cells.at[kept++] = x->s->cells.at[i];
    }
    x->s->cells.n = kept;
}

void region_set(struct solve *x, place_id at, region_value value) {
    struct region_flow *f = x->f;
    if (f->places[at].op == PLACE_LOCAL) {
        uint32_t slot = region_var_slot(x, f->places[at].a);
        if (slot != UINT32_MAX)
            x->s->vars[slot] = value;
        forget_elements(x, f->places[at].a);
        if (VALUE_KIND(value) == VALUE_POINTER && *unit_str(x->u, x->u->vars[f->places[at].a].name)) {
            uint32_t op = f->places[VALUE_ITEM(value)].op;
            bool nameless = op == PLACE_HEAP || op == PLACE_RESULT || op == PLACE_LOADED;
            if (nameless && !map64_find(&f->names, VALUE_ITEM(value)))
                map64_put(&f->names, VALUE_ITEM(value), f->places[at].a + 1);
        }
        return;
    }
    enum place_op root = (enum place_op)f->places[place_object(f, at)].op;
    if (root != PLACE_LOCAL && root != PLACE_HEAP &&
        root != PLACE_PARAM) /* a parameter's are stored, and told to threads only */
        return;
    for (size_t i = 0; i < x->s->cells.n; i++)
        if (x->s->cells.at[i].at == at) {
            x->s->cells.at[i].value = value;
            return;
        }
    if (x->s->cells.n < 64) {
        struct cell_value c = {at, value};
        vec_push(&x->s->cells, c);
    }
}

/* Whatever lies in the object may have changed. */
void region_forget(struct solve *x, place_id object) {
    if (x->f->places[object].op == PLACE_LOCAL) {
        uint32_t slot = region_var_slot(x, x->f->places[object].a);
        if (slot != UINT32_MAX)
            x->s->vars[slot] = 0;
    }
    size_t kept = 0;
    for (size_t i = 0; i < x->s->cells.n; i++)
        if (place_object(x->f, x->s->cells.at[i].at) != object)
            x->s->cells.at[kept++] = x->s->cells.at[i];
    x->s->cells.n = kept;
}

bool region_is_pointer(const struct unit *u, ir_type t) {
    t = type_plain(u, t);
    while (u->types[t].kind == IR_T_ATOMIC)
        t = type_plain(u, u->types[t].elem);
    return u->types[t].kind == IR_T_POINTER;
}

/* Does the pointer in this place stay the same all through the function? */
static bool stable(const struct solve *x, place_id at) {
    const struct place *p = &x->f->places[at];
    const struct summary *s = x->p->funcs.at[x->f->func].summary;
    if (!s)
        return false;
    if (p->op == PLACE_FIELD)
        return !mods_has(s->mods, MOD_FIELD(p->b));
    if (p->op == PLACE_GLOBAL)
        return !mods_has(s->mods, MOD_GLOBAL(x->p, p->a));
    return false;
}

static region_value load(struct solve *x, place_id at, ir_type type) {
    if (!at)
        return 0;
    if (x->f->places[at].op == PLACE_LOCAL) {
        uint32_t slot = region_var_slot(x, x->f->places[at].a);
        if (slot != UINT32_MAX && x->s->vars[slot])
            return x->s->vars[slot];
    } else {
        for (size_t i = 0; i < x->s->cells.n; i++)
            if (x->s->cells.at[i].at == at && x->f->places[place_object(x->f, at)].op != PLACE_PARAM)
                return x->s->cells.at[i].value;
    }
    if (!region_is_pointer(x->u, type))
        return 0;
    place_id target =
        stable(x, at) ? place_make(x->f, PLACE_DEREF, at, 0) : place_make(x->f, PLACE_LOADED, at, x->event);
    return VALUE_OF(VALUE_POINTER, target);
}

static place_id element(struct solve *x, place_id array, region_value index, ir_expr index_expr) {
    const struct ir_expr_rec *e = &x->u->exprs[index_expr];
    (void)index;
    if (x->f->places[array].op == PLACE_INDEX)
        array = x->f->places[array].a;
    uint32_t which = e->op == IR_E_CONST && !e->b && e->a < 0xfffffff ? e->a + 1 : 0;
    const ir_expr named = ir_uncast(x->u, index_expr);
    const struct ir_expr_rec *var =
        x->u->exprs[named].op == IR_E_LOAD ? &x->u->exprs[x->u->exprs[named].a] : NULL;
    if (var && var->op == IR_E_VAR && region_var_slot(x, var->a) != UINT32_MAX &&
        !(x->u->vars[var->a].flags & IR_VF_ADDRESSED))
        which = PLACE_BY_VAR | var->a;
    return place_make(x->f, PLACE_INDEX, array, which);
}

place_id region_place(struct solve *x, ir_expr e) {
    const struct ir_expr_rec *r = &x->u->exprs[e];
    region_value v;
    place_id a;
    if (++x->nesting > 200) {
        x->nesting--;
        return 0;
    }
    place_id out = 0;
    switch ((enum ir_expr_op)r->op) {
    case IR_E_VAR:
        out = x->f->unit->globals[r->a] ? place_make(x->f, PLACE_GLOBAL, x->f->unit->globals[r->a], 0)
                                        : place_make(x->f, PLACE_LOCAL, r->a, 0);
        break;
    case IR_E_DEREF:
        v = region_eval(x, r->a);
        out = VALUE_KIND(v) == VALUE_POINTER ? VALUE_ITEM(v) : 0;
        break;
    case IR_E_FIELD:
        a = region_place(x, r->a);
        out = a && x->f->unit->fields[r->b] ? place_make(x->f, PLACE_FIELD, a, x->f->unit->fields[r->b]) : 0;
        break;
    case IR_E_INDEX:
        v = region_eval(x, r->a);
        out = VALUE_KIND(v) == VALUE_POINTER ? element(x, VALUE_ITEM(v), 0, r->b) : 0;
        break;
    default: break;
    }
    x->nesting--;
    return out;
}

/* (void *)(long)i: an integer of which nothing says that it was ever an address. */
static bool is_number(const struct solve *x, ir_expr e) {
    const struct ir_expr_rec *r = &x->u->exprs[e];
    const struct ir_type_rec *t = &x->u->types[type_plain(x->u, r->type)];
    const struct ir_expr_rec *from = r->op == IR_E_LOAD ? &x->u->exprs[r->a] : NULL;
    bool local = from && from->op == IR_E_VAR && x->u->vars[from->a].kind == IR_V_LOCAL &&
                 !(x->u->vars[from->a].flags & IR_VF_ADDRESSED);
    return (t->kind == IR_T_INT || t->kind == IR_T_ENUM) &&
           (local || (t->size && t->size < x->u->pointer_size));
}

region_value region_eval(struct solve *x, ir_expr e) {
    const struct ir_expr_rec *r = &x->u->exprs[e];
    place_id at;
    region_value v;
    if (++x->nesting > 200) {
        x->nesting--;
        return 0;
    }
    region_value out = 0;
    switch ((enum ir_expr_op)r->op) {
    case IR_E_CONST: out = !r->a && !r->b ? VALUE_OF(VALUE_ZERO, 0) : 0; break;
    case IR_E_FUNC: out = VALUE_OF(VALUE_FUNC, x->f->unit->funcs[r->a]); break;
    case IR_E_LOAD: out = load(x, region_place(x, r->a), r->type ? r->type : x->u->exprs[r->a].type); break;
    case IR_E_ADDR:
        at = region_place(x, r->a);
        out = at ? VALUE_OF(VALUE_POINTER, at) : 0;
        break;
    case IR_E_CAST:
        out = region_eval(x, r->a);
        if (!out && region_is_pointer(x->u, r->type) && is_number(x, ir_uncast(x->u, e)))
            out = VALUE_OF(VALUE_NUMBER, 0);
        break;
    case IR_E_BINARY:
        if (r->c != IR_B_ADD && r->c != IR_B_SUB)
            break;
        v = region_eval(x, r->a);
        if (VALUE_KIND(v) != VALUE_POINTER && r->c == IR_B_ADD) {
            v = region_eval(x, r->b);
            if (VALUE_KIND(v) == VALUE_POINTER)
                out = VALUE_OF(VALUE_POINTER, element(x, VALUE_ITEM(v), 0, r->a));
        } else if (VALUE_KIND(v) == VALUE_POINTER) {
            out = VALUE_OF(VALUE_POINTER, element(x, VALUE_ITEM(v), 0, r->c == IR_B_ADD ? r->b : 0));
        }
        break;
    default: break;
    }
    x->nesting--;
    return out;
}
