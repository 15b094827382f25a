/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* unit_check: may every analysis read this unit without a bounds check?
 * Stands on unit.h. Linear in the tables but for the depth-first walks over types and graphs, which are
 * linear too. */
#include "unit.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "../base/alloc.h"
#include <stdlib.h>

static _Thread_local char sentence[300];

static const char *wrong(const char *table, uint32_t i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static const char *wrong(const char *table, uint32_t i, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    int n = snprintf(sentence, sizeof sentence, "%s[%u]: ", table, i);
    vsnprintf(sentence + n, sizeof sentence - (size_t)n, format, ap);
    va_end(ap);
    return sentence;
}

#define REF(table, i, value, into)                                                                           \
    do {                                                                                                     \
        if ((value) >= u->n_##into)                                                                          \
            return wrong(#table, (i), "%s is %u of %u " #into, #value, (unsigned)(value), u->n_##into);      \
    } while (0)
#define RUN(table, i, range, into)                                                                           \
    do {                                                                                                     \
        if ((range).first > u->n_##into || (range).count > u->n_##into - (range).first ||                    \
            ((range).count && !(range).first))                                                               \
            return wrong(#table, (i), "%s is the run %u+%u of %u " #into, #range, (range).first,             \
                         (range).count, u->n_##into);                                                        \
    } while (0)
#define BELOW(table, i, value, limit)                                                                        \
    do {                                                                                                     \
        if ((value) >= (limit))                                                                              \
            return wrong(#table, (i), "%s is %u, which is none of " #limit, #value, (unsigned)(value));      \
    } while (0)

static const char *check_frame(const struct unit *u) {
    if (!u->n_strings || !u->strings || u->strings[0] || u->strings[u->n_strings - 1])
        return wrong("strings", 0, "does not begin with \"\" and end in NUL");
#define X(type, name)                                                                                        \
    {                                                                                                        \
        static const type none;                                                                              \
        if (!u->n_##name || !u->name || memcmp(&u->name[0], &none, sizeof none))                             \
            return wrong(#name, 0, "is not the empty record");                                               \
    }
    IR_TABLES(X)
#undef X
    REF(unit, 0, u->main_file, strings);
    REF(unit, 0, u->directory, strings);
    REF(unit, 0, u->target, strings);
    REF(unit, 0, u->producer, strings);
    return NULL;
}

static const char *check_small(const struct unit *u) {
    for (uint32_t i = 1; i < u->n_files; i++)
        REF(files, i, u->files[i].path, strings);
    for (uint32_t i = 1; i < u->n_locs; i++) {
        REF(locs, i, u->locs[i].file, files);
        REF(locs, i, u->locs[i].macro, strings);
    }
    for (uint32_t i = 1; i < u->n_annots; i++) {
        BELOW(annots, i, u->annots[i].kind, IR_A_KINDS);
        REF(annots, i, u->annots[i].args, strings);
        REF(annots, i, u->annots[i].loc, locs);
    }
    for (uint32_t i = 1; i < u->n_notes; i++) {
        BELOW(notes, i, u->notes[i].kind, IR_N_KINDS);
        REF(notes, i, u->notes[i].text, strings);
        REF(notes, i, u->notes[i].loc, locs);
    }
    for (uint32_t i = 1; i < u->n_type_refs; i++)
        REF(type_refs, i, u->type_refs[i], types);
    for (uint32_t i = 1; i < u->n_expr_refs; i++)
        REF(expr_refs, i, u->expr_refs[i], exprs);
    return NULL;
}

/* ---- types ---- */

static bool has_elem(uint32_t kind) {
    return kind == IR_T_POINTER || kind == IR_T_ARRAY || kind == IR_T_FUNCTION || kind == IR_T_ATOMIC ||
           kind == IR_T_TYPEDEF || kind == IR_T_QUALIFIED || kind == IR_T_VECTOR;
}

/* Types nest without a cycle but through the fields of a struct or union: depth first with an explicit stack,
 * each type once, its depth and node count made of those of its parts. */
static const char *check_type_nesting(const struct unit *u) {
    struct shape {
        uint32_t depth, nodes,
            next; /* depth 0: not yet left; next: parts seen + 1 while it is on the stack */
    } *shape = xcalloc(u->n_types, sizeof *shape);
    uint32_t *stack = xcalloc(u->n_types, sizeof *stack), n = 0;
    const char *bad = NULL;
    for (ir_type root = 1; root < u->n_types && !bad; root++) {
        if (shape[root].depth)
            continue;
        stack[n++] = root;
        while (n && !bad) {
            ir_type t = stack[n - 1];
            const struct ir_type_rec *r = &u->types[t];
            uint32_t parts = (has_elem(r->kind) ? 1 : 0) + r->params.count, at = shape[t].next++;
            if (at == 0)
                shape[t].nodes = 1;
            if (at == parts) {
                shape[t].depth++;
                if (r->kind == IR_T_TYPEDEF)
                    shape[t].nodes = 1;
                if (shape[t].depth > IR_MAX_TYPE_DEPTH || shape[t].nodes > IR_MAX_TYPE_NODES)
                    bad = wrong("types", t, "nests %u deep in %u nodes", shape[t].depth, shape[t].nodes);
                n--;
                if (n) {
                    struct shape *up = &shape[stack[n - 1]];
                    if (shape[t].depth > up->depth)
                        up->depth = shape[t].depth;
                    up->nodes += shape[t].nodes;
                    if (up->nodes > IR_MAX_TYPE_NODES)
                        bad = wrong("types", stack[n - 1], "has more than %u nodes", IR_MAX_TYPE_NODES);
                }
                shape[t].next = UINT32_MAX;
                continue;
            }
            ir_type part = has_elem(r->kind) && at == 0
                               ? r->elem
                               : u->type_refs[r->params.first + at - (has_elem(r->kind) ? 1 : 0)];
            if (part == 0)
                continue;
            if (shape[part].next == UINT32_MAX) {
                if (shape[part].depth > shape[t].depth)
                    shape[t].depth = shape[part].depth;
                shape[t].nodes += shape[part].nodes;
                if (shape[t].nodes > IR_MAX_TYPE_NODES)
                    bad = wrong("types", t, "has more than %u nodes", IR_MAX_TYPE_NODES);
            } else if (shape[part].next) {
                bad = wrong("types", t, "holds itself");
            } else {
                stack[n++] = part;
            }
        }
        n = 0;
    }
    free(stack);
    free(shape);
    return bad;
}

static const char *check_types(const struct unit *u) {
    for (ir_type i = 1; i < u->n_types; i++) {
        const struct ir_type_rec *t = &u->types[i];
        BELOW(types, i, t->kind, IR_T_KINDS);
        REF(types, i, t->name, strings);
        REF(types, i, t->elem, types);
        REF(types, i, t->loc, locs);
        RUN(types, i, t->fields, fields);
        RUN(types, i, t->params, type_refs);
        RUN(types, i, t->annots, annots);
        if (t->fields.count && t->kind != IR_T_STRUCT && t->kind != IR_T_UNION && t->kind != IR_T_FUNCTION)
            return wrong("types", i, "has fields and is no struct, union or function");
        if (t->params.count && t->kind != IR_T_FUNCTION)
            return wrong("types", i, "has parameters and is no function");
        for (uint32_t f = 0; f < t->fields.count; f++)
            if (u->fields[t->fields.first + f].parent != i)
                return wrong("types", i, "has field %u of another type", t->fields.first + f);
    }
    for (ir_field i = 1; i < u->n_fields; i++) {
        const struct ir_field_rec *f = &u->fields[i];
        REF(fields, i, f->name, strings);
        REF(fields, i, f->type, types);
        REF(fields, i, f->parent, types);
        REF(fields, i, f->loc, locs);
        RUN(fields, i, f->annots, annots);
        struct ir_range of = u->types[f->parent].fields;
        if (i < of.first || i - of.first >= of.count)
            return wrong("fields", i, "is not among the fields of its parent, types[%u]", f->parent);
    }
    return check_type_nesting(u);
}

/* A struct may hold itself only through a pointer; its fields by value must end. */
static const char *check_containment(const struct unit *u) {
    enum { NEW, ON_PATH, LEFT };
    struct step {
        ir_type type;
        uint32_t next;
    } *stack = xcalloc((size_t)u->n_types + 1, sizeof *stack);
    unsigned char *state = xcalloc(u->n_types, 1);
    const char *bad = NULL;
    for (ir_type root = 1; root < u->n_types && !bad; root++) {
        uint32_t n = 0;
        if (state[root] == NEW) {
            stack[n++] = (struct step){root, 0};
            state[root] = ON_PATH;
        }
        while (n && !bad) {
            struct step *top = &stack[n - 1];
            const struct ir_type_rec *t = &u->types[top->type];
            ir_type part = 0;
            if (t->kind == IR_T_STRUCT || t->kind == IR_T_UNION)
                part = top->next < t->fields.count ? u->fields[t->fields.first + top->next].type : 0;
            else if (has_elem(t->kind) && t->kind != IR_T_POINTER && t->kind != IR_T_FUNCTION && !top->next)
                part = t->elem;
            bool done = t->kind == IR_T_STRUCT || t->kind == IR_T_UNION ? top->next >= t->fields.count
                                                                        : top->next > 0;
            top->next++;
            if (done) {
                state[top->type] = LEFT;
                n--;
            } else if (part && state[part] == ON_PATH) {
                bad = wrong("types", part, "contains itself");
            } else if (part && state[part] == NEW) {
                state[part] = ON_PATH;
                stack[n++] = (struct step){part, 0};
            }
        }
    }
    free(stack);
    free(state);
    return bad;
}

/* ---- variables and functions ---- */

static const char *check_vars(const struct unit *u) {
    for (ir_var i = 1; i < u->n_vars; i++) {
        const struct ir_var_rec *v = &u->vars[i];
        BELOW(vars, i, v->kind, IR_V_KINDS);
        REF(vars, i, v->name, strings);
        REF(vars, i, v->type, types);
        REF(vars, i, v->func, funcs);
        REF(vars, i, v->loc, locs);
        RUN(vars, i, v->annots, annots);
        if (v->kind == IR_V_NONE)
            return wrong("vars", i, "has no kind");
        if ((v->kind == IR_V_GLOBAL) != (v->func == 0))
            return wrong("vars", i, "is a global of a function or a local of none ('%s')",
                         unit_str(u, v->name));
        if (!v->func)
            continue;
        struct ir_range of = v->kind == IR_V_PARAM ? u->funcs[v->func].params : u->funcs[v->func].locals;
        if (i < of.first || i - of.first >= of.count)
            return wrong("vars", i, "is not in the run of its function, funcs[%u]", v->func);
    }
    for (ir_func i = 1; i < u->n_funcs; i++) {
        const struct ir_func_rec *f = &u->funcs[i];
        REF(funcs, i, f->name, strings);
        REF(funcs, i, f->type, types);
        REF(funcs, i, f->asm_name, strings);
        REF(funcs, i, f->loc, locs);
        REF(funcs, i, f->body_end, locs);
        RUN(funcs, i, f->params, vars);
        RUN(funcs, i, f->locals, vars);
        RUN(funcs, i, f->blocks, blocks);
        RUN(funcs, i, f->annots, annots);
        for (uint32_t k = 0; k < f->params.count; k++)
            if (u->vars[f->params.first + k].kind != IR_V_PARAM || u->vars[f->params.first + k].func != i)
                return wrong("funcs", i, "has vars[%u] for a parameter", f->params.first + k);
        for (uint32_t k = 0; k < f->locals.count; k++)
            if (u->vars[f->locals.first + k].kind == IR_V_PARAM || u->vars[f->locals.first + k].func != i)
                return wrong("funcs", i, "has vars[%u] for a local", f->locals.first + k);
        for (uint32_t k = 0; k < f->blocks.count; k++)
            if (u->blocks[f->blocks.first + k].func != i)
                return wrong("funcs", i, "has blocks[%u] of another function", f->blocks.first + k);
        if (!(f->flags & IR_FF_DEFINED) != !f->blocks.count)
            return wrong("funcs", i, "'%s' is defined and has no graph, or the other way",
                         unit_str(u, f->name));
    }
    return NULL;
}

/* ---- expressions ---- */

struct expr_shape {
    uint32_t depth, nodes;
    ir_func owner; /* whose automatic variables it names; 0: nobody's */
};

static const char *check_expr(const struct unit *u, ir_expr i, struct expr_shape *shape) {
    const struct ir_expr_rec *e = &u->exprs[i];
    BELOW(exprs, i, e->op, IR_E_OPS);
    REF(exprs, i, e->type, types);
    REF(exprs, i, e->loc, locs);
    struct expr_shape mine = {1, 1, 0};
    unsigned uses = ir_operands(e->op);
    for (unsigned k = 0; k < 2; k++) {
        if (!(uses & 1u << k))
            continue;
        ir_expr of = k ? e->b : e->a;
        if (!of || of >= i)
            return wrong("exprs", i, "has operand %u, which does not stand before it", of);
        bool place = ir_is_place(u->exprs[of].op),
             wants = e->op == IR_E_FIELD || e->op == IR_E_LOAD || e->op == IR_E_ADDR;
        if (place != wants)
            return wrong("exprs", i, "wants a %s in exprs[%u]", wants ? "place" : "value", of);
        if (shape[of].depth >= mine.depth)
            mine.depth = shape[of].depth + 1;
        mine.nodes += shape[of].nodes;
        if (mine.owner && shape[of].owner && mine.owner != shape[of].owner)
            return wrong("exprs", i, "names variables of two functions");
        if (!mine.owner)
            mine.owner = shape[of].owner;
    }
    if (mine.depth > IR_MAX_EXPR_DEPTH || mine.nodes > IR_MAX_EXPR_NODES)
        return wrong("exprs", i, "is %u deep, with %u nodes", mine.depth, mine.nodes);
    switch (e->op) {
    case IR_E_STRING: REF(exprs, i, e->a, strings); break;
    case IR_E_FUNC:
        REF(exprs, i, e->a, funcs);
        if (!e->a)
            return wrong("exprs", i, "is the address of no function");
        break;
    case IR_E_VAR:
        REF(exprs, i, e->a, vars);
        if (!e->a)
            return wrong("exprs", i, "names no variable");
        if (u->vars[e->a].kind != IR_V_STATIC_LOCAL)
            mine.owner = u->vars[e->a].func;
        break;
    case IR_E_FIELD:
        REF(exprs, i, e->b, fields);
        if (!e->b)
            return wrong("exprs", i, "names no field");
        break;
    case IR_E_UNARY: BELOW(exprs, i, e->b, IR_U_OPS); break;
    case IR_E_BINARY: BELOW(exprs, i, e->c, IR_B_OPS); break;
    default: break;
    }
    shape[i] = mine;
    return NULL;
}

enum want { ANY, PLACE, VALUE };

static const char *check_use(const struct unit *u, const struct expr_shape *shape, const char *table,
                             uint32_t i, ir_func f, ir_expr e, enum want want, bool may_be_none) {
    if (e >= u->n_exprs)
        return wrong(table, i, "names expression %u of %u", e, u->n_exprs);
    if (!e)
        return may_be_none ? NULL : wrong(table, i, "lacks an expression");
    if (want != ANY && ir_is_place(u->exprs[e].op) != (want == PLACE))
        return wrong(table, i, "wants a %s in exprs[%u]", want == PLACE ? "place" : "value", e);
    if (shape[e].owner && shape[e].owner != f)
        return wrong(table, i, "names a variable of '%s' in '%s'", unit_str(u, u->funcs[shape[e].owner].name),
                     unit_str(u, u->funcs[f].name));
    return NULL;
}

static const char *check_event(const struct unit *u, const struct expr_shape *shape, ir_event i, ir_func f) {
    const struct ir_event_rec *ev = &u->events[i];
    BELOW(events, i, ev->op, IR_EV_OPS);
    REF(events, i, ev->loc, locs);
    RUN(events, i, ev->args, expr_refs);
#define USE(e, want, none)                                                                                   \
    do {                                                                                                     \
        const char *bad_ = check_use(u, shape, "events", i, f, (e), (want), (none));                         \
        if (bad_)                                                                                            \
            return bad_;                                                                                     \
    } while (0)
    bool call = ev->op == IR_EV_CALL, atomic = ev->op == IR_EV_ATOMIC, code = ev->op == IR_EV_ASM;
    if (ev->args.count && !call && !atomic && !code)
        return wrong("events", i, "has arguments and is no call, atomic or asm");
    for (uint32_t k = 0; k < ev->args.count; k++)
        USE(u->expr_refs[ev->args.first + k], call ? VALUE : ANY, false);
    switch (ev->op) {
    case IR_EV_NONE: return wrong("events", i, "does nothing");
    case IR_EV_EVAL: USE(ev->a, VALUE, false); break;
    case IR_EV_STORE:
        USE(ev->a, PLACE, false);
        USE(ev->b, VALUE, false);
        break;
    case IR_EV_CALL:
        USE(ev->a, PLACE, true);
        USE(ev->b, VALUE, false);
        break;
    case IR_EV_ATOMIC:
        BELOW(events, i, ev->c, IR_AT_KINDS);
        USE(ev->a, PLACE, ev->c == IR_AT_FENCE);
        USE(ev->b, PLACE, true);
        break;
    case IR_EV_BEGIN:
    case IR_EV_END:
        REF(events, i, ev->a, vars);
        if (u->vars[ev->a].func != f || u->vars[ev->a].kind == IR_V_PARAM)
            return wrong("events", i, "speaks of the life of vars[%u], no local of '%s'", ev->a,
                         unit_str(u, u->funcs[f].name));
        break;
    case IR_EV_RETURN: USE(ev->a, VALUE, true); break;
    case IR_EV_VA: USE(ev->a, PLACE, false); break;
    default: break;
    }
#undef USE
    return NULL;
}

static const char *check_block(const struct unit *u, const struct expr_shape *shape, ir_block i,
                               uint32_t *next_event, uint32_t *next_succ) {
    const struct ir_block_rec *b = &u->blocks[i];
    REF(blocks, i, b->func, funcs);
    REF(blocks, i, b->loc, locs);
    RUN(blocks, i, b->events, events);
    RUN(blocks, i, b->succs, succs);
    BELOW(blocks, i, b->term, IR_TERM_KINDS);
    struct ir_range of = u->funcs[b->func].blocks;
    if (!b->func || i < of.first || i - of.first >= of.count)
        return wrong("blocks", i, "is not in the run of its function, funcs[%u]", b->func);
    if ((b->events.count && b->events.first != *next_event) ||
        (b->succs.count && b->succs.first != *next_succ))
        return wrong("blocks", i, "does not follow the block before it");
    *next_event += b->events.count;
    *next_succ += b->succs.count;
    for (uint32_t k = 0; k < b->events.count; k++) {
        const char *bad = check_event(u, shape, b->events.first + k, b->func);
        if (bad)
            return bad;
        if (u->events[b->events.first + k].op == IR_EV_RETURN &&
            (b->term != IR_TERM_RETURN || k + 1 < b->events.count))
            return wrong("events", b->events.first + k, "returns, and its block goes on");
    }
    bool cond = b->term == IR_TERM_BRANCH || b->term == IR_TERM_SWITCH || b->term == IR_TERM_INDIRECT;
    if (!cond && b->cond)
        return wrong("blocks", i, "has a condition and does not branch");
    const char *bad =
        cond ? check_use(u, shape, "blocks", i, b->func, b->cond, VALUE, b->term == IR_TERM_INDIRECT) : NULL;
    if (bad)
        return bad;
    static const uint32_t exact[IR_TERM_KINDS] = {[IR_TERM_GOTO] = 1, [IR_TERM_BRANCH] = 2};
    if (b->term != IR_TERM_SWITCH && b->term != IR_TERM_INDIRECT && b->succs.count != exact[b->term])
        return wrong("blocks", i, "has %u successors", b->succs.count);
    uint32_t defaults = 0;
    for (uint32_t k = 0; k < b->succs.count; k++) {
        const struct ir_succ_rec *s = &u->succs[b->succs.first + k];
        if (s->block < of.first || s->block - of.first >= of.count)
            return wrong("blocks", i, "goes to blocks[%u] of another function", s->block);
        if (s->flags & IR_SUCC_DEFAULT)
            defaults++;
    }
    if (b->term == IR_TERM_SWITCH && defaults != 1)
        return wrong("blocks", i, "is a switch with %u defaults", defaults);
    if (b->term == IR_TERM_RETURN &&
        (!b->events.count || u->events[b->events.first + b->events.count - 1].op != IR_EV_RETURN))
        return wrong("blocks", i, "returns without a return event at its end");
    return NULL;
}

static const char *check_graphs(const struct unit *u, struct expr_shape *shape) {
    const char *bad = NULL;
    for (ir_expr i = 1; i < u->n_exprs && !bad; i++)
        bad = check_expr(u, i, shape);
    uint32_t next_event = 1, next_succ = 1;
    for (ir_block i = 1; i < u->n_blocks && !bad; i++)
        bad = check_block(u, shape, i, &next_event, &next_succ);
    if (!bad && (next_event != u->n_events || next_succ != u->n_succs))
        bad = wrong("blocks", u->n_blocks, "the last block leaves events or successors over");
    return bad;
}

const char *unit_check(const struct unit *u) {
    const char *bad = check_frame(u);
    if (!bad)
        bad = check_small(u);
    if (!bad)
        bad = check_types(u);
    if (!bad)
        bad = check_containment(u);
    if (!bad)
        bad = check_vars(u);
    if (!bad) {
        struct expr_shape *shape = xcalloc(u->n_exprs, sizeof *shape);
        bad = check_graphs(u, shape);
        free(shape);
    }
    return bad;
}
