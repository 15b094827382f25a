/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which members decide in this function whether a lock is taken, and so keep their value until it is given back?
 * Stands on solver.h.
 *
 * `if (s->shared) lock(&s->mu); … if (s->shared) unlock(&s->mu);` asks twice, and whatever lies between may write a member of that
 * name: a callee that sets up another object, another thread during a wait. A program of which that were true could not give back
 * its lock, so the member of this object is taken to be as it was, but where the function itself, or a callee that was handed the
 * object, writes it. */
#include "calls.h"

#include <string.h>

#define ARM_MAX 32u /* blocks of the conditional statement that takes the lock */

/* ---- which are they? ---- */
enum { TAKES = 1, GIVES = 2 };

static unsigned lock_calls(const struct solver *s, uint32_t block)
{
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];
    unsigned does = 0;
    uint32_t n;

    for (ir_event e = b->events.first; e < b->events.first + b->events.count; e++) {
        const struct call_edge *edges = s->u->events[e].op == IR_EV_CALL ? program_calls(s->p, s->func, e, &n) : NULL;
        for (uint32_t k = 0; edges && k < n; k++) {
            const struct summary *sum = s->p->funcs.at[edges[k].callee].summary;
            for (uint32_t i = 0; sum && i < sum->n_outcomes; i++)
                for (uint32_t j = 0; j < sum->outcomes[i].n_effects; j++)
                    does |= sum->outcomes[i].effects[j].kind == EFFECT_ACQUIRE ? TAKES : GIVES;
        }
    }
    return does;
}

/* Does the statement between the two blocks take a lock and leave with it held? */
static bool arm_takes(const struct solver *s, uint32_t from, uint32_t join)
{
    uint32_t stack[ARM_MAX], seen[ARM_MAX], n = 0, n_seen = 0;
    bool joins = false;
    unsigned does = 0;

    if (from == join)
        return false;
    stack[n++] = seen[n_seen++] = from;
    while (n) {
        const uint32_t at = stack[--n];
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + at];
        does |= lock_calls(s, at);
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const uint32_t to = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
            bool known = to == join;
            joins |= to == join;
            for (uint32_t k = 0; k < n_seen; k++)
                known |= seen[k] == to;
            if (known)
                continue;
            if (n_seen == ARM_MAX)
                return false;
            stack[n++] = seen[n_seen++] = to;
        }
    }
    return joins && does == TAKES;
}

/* The members and globals whose values the condition reads. */
static void note_read(struct solver *s, ir_expr e, bool drop)
{
    const struct ir_expr_rec *r = &s->u->exprs[e], *place = &s->u->exprs[r->a];
    uint32_t key = 0;

    switch (r->op) {
    case IR_E_CAST: case IR_E_UNARY: note_read(s, r->a, drop); return;
    case IR_E_BINARY:
        note_read(s, r->a, drop);
        note_read(s, r->b, drop);
        return;
    case IR_E_LOAD:
        if (place->op == IR_E_FIELD)
            key = s->lu->fields[place->b] << 2 | 1;
        else if (place->op == IR_E_VAR && s->lu->globals[place->a])
            key = s->lu->globals[place->a] << 2 | 2;
        break;
    default: return;
    }
    for (size_t i = 0; i < s->steady.n; i++)
        if (s->steady.at[i] == key) {
            if (drop)
                s->steady.at[i] = s->steady.at[--s->steady.n];
            return;
        }
    if (key && !drop)
        vec_push(&s->steady, key);
}

static uint32_t key_of_place(const struct linked_unit *lu, const struct unit *u, ir_expr place)
{
    if (u->exprs[place].op == IR_E_FIELD)
        return lu->fields[u->exprs[place].b] << 2 | 1;
    return u->exprs[place].op == IR_E_VAR && lu->globals[u->exprs[place].a] ? lu->globals[u->exprs[place].a] << 2 | 2 : 0;
}

static void drop_key(struct solver *s, uint32_t key)
{
    for (size_t i = 0; i < s->steady.n; i++)
        if (s->steady.at[i] == key)
            s->steady.at[i] = s->steady.at[--s->steady.n];
}

/* What the function writes itself, or tests to leave a loop: that is to change. */
static void drop_changing(struct solver *s)
{
    for (uint32_t i = 0; i < s->n_order; i++) {
        const uint32_t block = s->by_order[i];
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];
        for (ir_event e = b->events.first; e < b->events.first + b->events.count; e++) {
            const struct ir_event_rec *ev = &s->u->events[e];
            if (ev->a && (ev->op == IR_EV_STORE || ev->op == IR_EV_CALL || ev->op == IR_EV_ATOMIC))
                drop_key(s, key_of_place(s->lu, s->u, ev->a));
            for (uint32_t k = 0; k < ev->args.count; k++) {
                const ir_expr arg = ir_uncast(s->u, s->u->expr_refs[ev->args.first + k]);
                if (s->u->exprs[arg].op == IR_E_ADDR)
                    drop_key(s, key_of_place(s->lu, s->u, s->u->exprs[arg].a));
            }
        }
        for (uint32_t head = 0; b->cond && b->succs.count > 1 && head < s->n_blocks; head++)
            for (uint32_t k = 0; in_set(s->blocks[head].loop, block) && k < b->succs.count; k++)
                if (!in_set(s->blocks[head].loop, s->u->succs[b->succs.first + k].block - s->fr->blocks.first))
                    note_read(s, b->cond, true);
    }
}

void find_steady(struct solver *s)
{
    for (uint32_t i = 0; i < s->n_order; i++) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + s->by_order[i]];
        uint32_t to[2];
        if (b->term != IR_TERM_BRANCH || b->succs.count != 2 || !b->cond)
            continue;
        for (uint32_t k = 0; k < 2; k++)
            to[k] = s->u->succs[b->succs.first + k].block - s->fr->blocks.first;
        if (arm_takes(s, to[0], to[1]) || arm_takes(s, to[1], to[0]))
            note_read(s, b->cond, false);
    }
    if (s->steady.n)
        drop_changing(s);
}

/* ---- who writes them? ---- */
static bool mentions_reached(const struct unit *u, const bool *reached, ir_var first, uint32_t n, ir_expr e)
{
    while (u->exprs[e].op != IR_E_VAR)
        switch (u->exprs[e].op) {
        case IR_E_FIELD: case IR_E_INDEX: case IR_E_DEREF: case IR_E_LOAD: case IR_E_ADDR: case IR_E_CAST: case IR_E_BINARY:
            e = u->exprs[e].a;
            break;
        default: return false;
        }
    return u->exprs[e].a - first < n && reached[u->exprs[e].a - first];
}

/* Does the function, or one that it hands this on to, write the member in what its parameter leads to? */
static bool sets(struct solver *s, uint32_t func, uint32_t param, uint32_t key)
{
    const struct linked_func *f = &s->p->funcs.at[func];
    const struct unit *u = f->unit ? f->unit->unit : NULL;
    const struct ir_func_rec *fr = u ? &u->funcs[f->func] : NULL;
    bool fresh, changed = true, any = false;

    if (!f->summary || !f->defined)
        return f->summary && f->summary->writes >> param & 1;
    if (!fr->params.count || param >= fr->params.count || !mods_has(f->summary->mods, MOD_FIELD(key >> 2)))
        return false;
    uint32_t *known = map64_place(&s->setters, hash_add(key_pair(func, param), key), &fresh);
    if (!fresh)
        return *known == 2; /* 1: no, or being asked */
    *known = 1;
    const ir_var first = fr->params.first;
    const uint32_t n = fr->locals.count ? fr->locals.first + fr->locals.count - first : fr->params.count;
    bool *reached = arena_array(&s->arena, bool, n + 1);
    reached[param] = true;
    for (int round = 0; changed && round < 4; round++) {
        changed = false;
        for (uint32_t b = fr->blocks.first; !any && b < fr->blocks.first + fr->blocks.count; b++)
            for (ir_event e = u->blocks[b].events.first; e < u->blocks[b].events.first + u->blocks[b].events.count; e++) {
                const struct ir_event_rec *ev = &u->events[e];
                uint32_t n_edges = 0;
                if (ev->op != IR_EV_STORE && ev->op != IR_EV_CALL && ev->op != IR_EV_ATOMIC)
                    continue;
                if (ev->a && mentions_reached(u, reached, first, n, ev->a))
                    any |= ev->flags & IR_SF_AGGREGATE || key_of_place(f->unit, u, ev->a) == key;
                if (ev->op == IR_EV_STORE && u->exprs[ev->a].op == IR_E_VAR && u->exprs[ev->a].a - first < n &&
                    !reached[u->exprs[ev->a].a - first] && mentions_reached(u, reached, first, n, ev->b))
                    reached[u->exprs[ev->a].a - first] = changed = true;
                const struct call_edge *edges = ev->op == IR_EV_CALL ? program_calls(s->p, func, e, &n_edges) : NULL;
                for (uint32_t k = 0; k < n_edges; k++)
                    for (uint32_t i = 0; !edges[k].callback && i < ev->args.count && i < 64; i++)
                        any = any || (mentions_reached(u, reached, first, n, u->expr_refs[ev->args.first + i]) &&
                                      sets(s, edges[k].callee, i, key));
            }
    }
    if (any)
        *map64_place(&s->setters, hash_add(key_pair(func, param), key), &fresh) = 2;
    return any;
}

bool stays_steady(const struct call *c, uint32_t key)
{
    struct solver *s = c->s;

    if ((key & 3) != 1 || !term_in(s->steady.at, s->steady.n, key))
        return false;
    for (uint32_t i = 0; i < c->ev->args.count && i < 64; i++)
        if (c->args[i] && sets(s, c->callee, i, key))
            return false;
    return true;
}
