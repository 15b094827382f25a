/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What goes into solving a function's flow from elsewhere? What its callees tell, as numbers that are the same in every program.
 * Stands on region_memo.h.
 *
 * The function's own unit is in the key as a whole, and so is what that unit's functions, members and globals are in the program. Of
 * each callee: what its declaration says, its model, what is known of its result, and its flow as callers see it. */
#include "region_memo.h"

#include "../base/alloc.h"
#include "summary.h"
#include "ways.h"

ir_event region_event_base(const struct program *p, uint32_t func) {
    const struct linked_func *lf = &p->funcs.at[func];
    const struct ir_range blocks = func ? lf->unit->unit->funcs[lf->func].blocks : (struct ir_range){0, 0};

    return blocks.count ? lf->unit->unit->blocks[blocks.first].events.first : 0;
}

static uint64_t symbol_of_slot(const struct program *p, uint32_t slot) {
    return slot ? symbol_of_item(p, slot_item(slot)) : 0;
}

/* ---- a flow, as callers see it ---- */

/* Numbers of the function's events and variables count from its first: an edit above it changes nothing. */
static uint64_t add_place(const struct region_flow *f, uint64_t h, place_id p) {
    const uint32_t first_var = f->unit->unit->funcs[f->p->funcs.at[f->func].func].params.first;

    while (p) {
        const struct place *at = &f->places[p];
        h = hash_add(h, at->op);
        switch ((enum place_op)at->op) {
        case PLACE_FIELD:
            h = hash_add(h, symbol_of_item(f->p, at->b));
            p = at->a;
            continue;
        case PLACE_INDEX:
            h = hash_add(h,
                         at->b & PLACE_BY_VAR ? PLACE_BY_VAR | ((at->b & ~PLACE_BY_VAR) - first_var) : at->b);
            p = at->a;
            continue;
        case PLACE_DEREF: p = at->a; continue;
        case PLACE_LOADED:
            h = hash_add(h, at->b - f->first_event);
            p = at->a;
            continue;
        case PLACE_GLOBAL: return hash_add(h, symbol_of_item(f->p, at->a | ITEM_GLOBAL));
        case PLACE_HEAP:
        case PLACE_RESULT: return hash_add(h, key_pair(at->a - f->first_event, at->b));
        case PLACE_LOCAL: return hash_add(h, at->a - first_var);
        case PLACE_PHI: return hash_add(h, key_pair(at->a, at->b - first_var));
        case PLACE_NONE:
        case PLACE_PARAM:
        case PLACE_ARG: return hash_add(h, key_pair(at->a, at->b));
        }
    }
    return hash_add(h, 0);
}

static uint64_t add_when(uint64_t h, const struct result_when *when) {
    return hash_add(hash_add(h, when->test), (uint64_t)when->value);
}

static uint64_t add_spec(const struct region_flow *f, uint64_t h, const struct handoff_spec *s) {
    const struct program *p = f->p;
    const uint32_t bits = (uint32_t)s->result_known | (uint32_t)s->task << 1 | (uint32_t)s->lent << 2 |
                          (uint32_t)s->moves << 3 | (uint32_t)s->nothing << 4 |
                          (uint32_t)s->pointer_handle << 5 | (uint32_t)s->has_attributes << 6 |
                          (uint32_t)s->number << 7;
    h = hash_add(h, key_pair(s->n_entries, s->n_handles));
    for (uint32_t i = 0; i < s->n_entries; i++)
        h = hash_add(h, symbol_of_func(p, s->entries[i]));
    for (uint32_t i = 0; i < s->n_handles; i++)
        h = add_place(f, h, s->handles[i]);
    for (uint32_t i = 0; i < s->n_functions; i++)
        h = hash_add(hash_add(h, symbol_of_slot(p, s->functions[i].field)),
                     hash_add(symbol_of_func(p, s->functions[i].func), s->functions[i].param));
    h = add_when(h, &s->when);
    h = hash_add(h, key_pair(s->parameter, s->entry_param));
    h = hash_add(h, key_pair(bits, s->type));
    h = hash_add(hash_add(h, symbol_of_func(p, s->typed_in)), symbol_of_func(p, s->func));
    h = hash_add(h, s->event - region_event_base(p, s->func));
    h = hash_add(hash_add(h, symbol_of_slot(p, s->slot)), symbol_of_slot(p, s->inner));
    return hash_add(hash_add(h, symbol_of_func(p, s->starter)), s->locks);
}

/* Where one event of a block lies on a way, the others do. */
struct null_answers {
    uint32_t block; /* + 1 */
    uint64_t reached;
};

/* What else callers ask of a hand-off: whether the results tell of it, and which null arguments rule it out (region_call.c). Both follow
 * from the function's own graph, which only its callers' keys need to say. */
static uint64_t add_answers(const struct region_flow *f, uint64_t h, const struct region_event *e,
                            struct null_answers *before) {
    enum { MOST = 16 };
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->p->funcs.at[f->func].func];

    h = hash_add(h, e->spawn->told);
    if (e->spawn->told == TELLS)
        h = add_when(h, &e->spawn->told_when);
    if (e->op != REGION_PUT && e->op != REGION_SPAWN && e->op != REGION_SEND)
        return h;
    const uint32_t block = block_with(u, fr, e->event);
    if (before->block == block + 1)
        return hash_add(h, before->reached);
    *before = (struct null_answers){block + 1, 0};
    for (uint32_t i = 0; i < fr->params.count && i < MOST; i++)
        before->reached |= (uint64_t)reached_where_null(u, fr, i, block) << i;
    return hash_add(h, before->reached);
}

uint64_t region_seen(const struct region_flow *f) {
    struct null_answers before = {0, 0};
    if (f->failed)
        return 1; /* nothing is known of it, as region_key says */
    uint64_t h = key_pair(2, (uint32_t)f->lives << 2 | (uint32_t)f->returns << 1 | f->overflow);
    const uint64_t masks[] = {f->takes,    f->gives,        f->waits, f->adds,    f->drops,
                              f->may_drop, f->frees_always, f->loses, f->may_free};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        h = hash_add(h, masks[i]);
    for (size_t i = 0; i < f->control.n; i++) {
        const struct region_event *e = &f->events[f->control.at[i]];
        const uint64_t said[] = {e->locks, e->acquired, e->released,     e->takes,
                                 e->gives, e->waits,    e->awaited_after};
        h = add_place(f, hash_add(h, key_pair(e->op, e->flags)), e->place);
        h = hash_add(add_place(f, h, e->into), symbol_of_func(f->p, e->func));
        h = hash_add(hash_add(h, (uint64_t)memo_place(f->p, e->func, e->loc)), e->event - f->first_event);
        for (size_t k = 0; k < sizeof said / sizeof *said; k++)
            h = hash_add(h, said[k]);
        if (e->spawn)
            h = add_spec(f, h, e->spawn);
        if (e->spawn && f->p->memo)
            h = add_answers(f, h, e, &before);
    }
    return h ? h : 1;
}

/* ---- what is said of a callee ---- */

static uint64_t add_path(const struct program *p, uint64_t h, const struct lock_path *path) {
    h = hash_add(h, key_pair(path->root, path->index));
    if (path->root == LOCK_AT_VAR)
        h = hash_add(h, symbol_of_slot(p, program_unit(p, path->unit)->globals[path->var] | SLOT_GLOBAL));
    for (uint32_t i = 0; i < path->n_steps; i++) {
        const struct lock_step *s = &path->steps[i];
        h = hash_add(h, s->kind);
        if (s->kind == LOCK_STEP_FIELD)
            h = hash_add(h, symbol_of_slot(p, program_unit(p, s->unit)->fields[s->field]));
    }
    return h;
}

/* One annotation, and what it names. */
static uint64_t add_annotation(struct program *p, uint64_t h, const struct lock_context *context,
                               const struct ir_annot_rec *a) {
    struct lock_list list = {.when = {RESULT_ANY, 0}};
    const char *why;
    const bool names = a->kind == IR_A_acquires || a->kind == IR_A_acquires_shared ||
                       a->kind == IR_A_try_acquires || a->kind == IR_A_try_acquires_shared ||
                       a->kind == IR_A_releases || a->kind == IR_A_spawns || a->kind == IR_A_spawns_if ||
                       a->kind == IR_A_joins || a->kind == IR_A_sending_if;
    const bool resolved = names && lock_expr_annotation(context, &p->arena, a, &list, &why) == LOCK_RESOLVED;

    h = hash_add(h, key_pair(a->kind, resolved));
    h = hash_add(h, hash_string(unit_str(context->unit, a->args)));
    for (uint32_t i = 0; resolved && i < list.n_paths; i++)
        h = add_path(p, h, &list.paths[i]);
    return resolved ? add_when(h, &list.when) : h;
}

static uint64_t hash_annotations(struct program *p, const struct linked_func *lf) {
    const struct unit *u = lf->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[lf->func];
    struct lock_context context = lock_context_of(u, LOCK_IN_FUNCTION, lf->func);
    uint64_t h = fr->params.count;

    for (uint32_t i = 0; i < fr->annots.count; i++)
        h = add_annotation(p, h, &context, &u->annots[fr->annots.first + i]);
    for (uint32_t k = 0; k < fr->params.count; k++) {
        const struct ir_var_rec *param = &u->vars[fr->params.first + k];
        const struct ir_type_rec *t = &u->types[type_plain(u, param->type)];
        h = hash_add(h, t->kind == IR_T_POINTER && region_is_pointer(u, t->elem));
        for (uint32_t i = 0; i < param->annots.count; i++)
            h = add_annotation(p, h, &context, &u->annots[param->annots.first + i]);
    }
    return h;
}

static uint64_t said_of(struct regions *r, uint32_t func) {
    struct program *p = r->p;
    const struct linked_func *lf = &p->funcs.at[func];
    if (r->said[func])
        return r->said[func];
    uint64_t h = hash_add(symbol_of_func(p, func), lf->defined);
    h = hash_add(h, lf->model ? hash_string(lf->model->name) : 0);
    h = hash_add(h, hash_annotations(p, lf));
    if (lf->summary) {
        const struct term_rec *t = lf->summary->returns ? term_at(&p->paths, lf->summary->returns) : NULL;
        h = hash_add(h, key_pair(lf->summary->fresh, t && t->op == TERM_PARAM ? t->a + 1 : 0));
    }
    return r->said[func] = h ? h : 1;
}

/* What regions_callee would tell of it now. */
static uint64_t state_of(const struct regions *r, uint32_t func) {
    enum { FAILED = 1, NO_FLOW, UNSOLVED, WITHIN };
    const struct region_flow *f = r->flows.at[func];
    const bool within = r->component[func] == r->now;

    return hash_add(within ? WITHIN : 0, f        ? (f->failed ? FAILED : r->hashes[func])
                                         : within ? UNSOLVED
                                                  : NO_FLOW);
}

/* What the unit's functions, members and globals are in the program. */
static uint64_t links_of(struct regions *r, const struct linked_unit *lu) {
    const struct program *p = r->p;
    const struct unit *u = lu->unit;
    uint64_t *known = &r->links[lu - p->units.at], h = 1;
    const uint64_t times = UINT64_C(0x9e3779b97f4a7c15);

    if (*known)
        return *known;
    for (uint32_t i = 1; i < u->n_funcs; i++)
        h = h * times + symbol_of_func(p, lu->funcs[i]);
    for (uint32_t i = 1; i < u->n_fields; i++)
        h = h * times + (lu->fields[i] ? symbol_of_item(p, lu->fields[i]) : 0);
    for (uint32_t i = 1; i < u->n_vars; i++)
        if (lu->globals[i])
            h = h * times + symbol_of_item(p, lu->globals[i] | ITEM_GLOBAL);
    h = hash_mix(h);
    return *known = h ? h : 1;
}

uint64_t region_key(struct regions *r, uint32_t func) {
    const struct program *p = r->p;
    const struct linked_func *lf = &p->funcs.at[func];
    if (!p->memo || !lf->unit->id)
        return 0;
    uint64_t h = hash_add(hash_string("flow"), p->environment);
    h = hash_add(hash_add(h, lf->unit->id), links_of(r, lf->unit));
    h = hash_add(h, key_pair(lf->func, lf->summary != NULL));
    for (uint32_t i = lf->first_edge; i < lf->first_edge + lf->n_edges; i++) {
        const struct call_edge *e = &p->edges.at[i];
        h = hash_add(h, key_pair(e->event, (uint32_t)e->indirect << 1 | e->callback));
        if (!e->callback)
            h = hash_add(hash_add(h, said_of(r, e->callee)), state_of(r, e->callee));
    }
    return h;
}
