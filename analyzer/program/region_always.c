/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What holds on every way through a function that is solved: which parameters it always frees, what it may release later.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include "../base/alloc.h"

/* The successor that a branch takes when parameter i is null: 0 or 1; 2 when it asks something else. */
static uint32_t null_side(const struct solve *x, const struct ir_block_rec *b, uint32_t param)
{
    if (b->term != IR_TERM_BRANCH)
        return 2;
    ir_expr e = region_uncast(x->u, b->cond);
    uint32_t side = 1;
    for (;;) {
        const struct ir_expr_rec *r = &x->u->exprs[e];
        bool zero = r->op == IR_E_BINARY && (r->c == IR_B_EQ || r->c == IR_B_NE) && x->u->exprs[region_uncast(x->u, r->b)].op == IR_E_CONST &&
                    !x->u->exprs[region_uncast(x->u, r->b)].a;
        if (r->op == IR_E_UNARY && r->b == IR_U_LNOT)
            side = !side;
        else if (zero)
            side = r->c == IR_B_EQ ? !side : side;
        else
            break;
        e = region_uncast(x->u, r->a);
    }
    const struct ir_expr_rec *r = &x->u->exprs[e];
    bool asks = r->op == IR_E_LOAD && x->u->exprs[r->a].op == IR_E_VAR && x->u->exprs[r->a].a == x->first_param + param;
    return asks ? side : 2;
}

/* Is there no way from the entry to a return that meets no FREE of parameter i's object, but those on which it is null? */
bool region_freed_always(const struct solve *x, uint32_t param)
{
    const struct region_flow *f = x->f;
    VEC(uint32_t) work = {0};
    bool *seen = xcalloc(x->n_blocks, 1), escaped = false, freed = false;
    vec_push(&work, 0);
    seen[0] = true;
    while (work.n && !escaped) {
        uint32_t b = vec_pop(&work);
        const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
        bool stop = false;
        for (size_t i = 0; i < f->n_events && !stop; i++)
            stop = f->events[i].op == REGION_FREE && !(f->events[i].flags & REGION_MAYBE) && f->events[i].event >= rec->events.first &&
                   f->events[i].event - rec->events.first < rec->events.count &&
                   f->places[f->events[i].place].op == PLACE_PARAM && f->places[f->events[i].place].a == param;
        freed |= stop;
        if (stop)
            continue;
        escaped = rec->term == IR_TERM_RETURN;
        uint32_t null = null_side(x, rec, param);
        for (uint32_t i = 0; i < rec->succs.count; i++) {
            uint32_t to = x->u->succs[rec->succs.first + i].block - x->first_block;
            if (!seen[to] && i != null) {
                seen[to] = true;
                vec_push(&work, to);
            }
        }
    }
    vec_free(&work);
    free(seen);
    return freed && !escaped;
}

/* What may be released to after each event: backwards over blocks to a fixpoint, then over each block's events. Events of
 * one call stand beside each other: those lifted from the callee know what it gives after them. */
void region_find_released(struct solve *x)
{
    struct region_flow *f = x->f;
    uint64_t *after = xcalloc(x->n_blocks, sizeof *after), *inside = xcalloc(x->n_blocks, sizeof *inside);
    for (uint32_t b = 0; b < x->n_blocks; b++) {
        struct ir_range ev = x->u->blocks[x->first_block + b].events;
        if (ev.count)
            for (uint32_t i = f->first[ev.first - f->first_event]; i < f->first[ev.first + ev.count - f->first_event]; i++)
                inside[b] |= f->events[i].gives;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = x->n_blocks; b-- > 0;) {
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            uint64_t mask = after[b];
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                uint32_t to = x->u->succs[rec->succs.first + i].block - x->first_block;
                mask |= after[to] | inside[to];
            }
            changed |= mask != after[b];
            after[b] = mask;
        }
    }
    for (uint32_t b = 0; b < x->n_blocks; b++) {
        struct ir_range ev = x->u->blocks[x->first_block + b].events;
        uint64_t running = after[b];
        for (uint32_t k = ev.count; k-- > 0;) {
            uint32_t from = f->first[ev.first + k - f->first_event], to = f->first[ev.first + k + 1 - f->first_event];
            uint64_t here = 0;
            for (uint32_t i = from; i < to; i++)
                here |= f->events[i].gives;
            for (uint32_t i = from; i < to; i++)
                f->events[i].released |= running | (f->events[i].flags & REGION_LIFTED ? 0 : here);
            running |= here;
        }
    }
    free(after);
    free(inside);
}
