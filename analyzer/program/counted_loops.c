/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is a loop's counter when the loop has run out? The limit, not just anything from there on.
 * Stands on solver.h. `for (i = 0; i < n; i++) if (trylock(m) == 0) break;` is asked with `i == n` how it was left. A limit below
 * where the counting begins, with which the loop is not entered, is not thought of. */
#include "solver.h"

enum { NOT_ASKED, COUNTS, COUNTS_NOT };

static bool is_load_of(const struct unit *u, ir_expr e, ir_var var) {
    e = ir_uncast(u, e);
    return u->exprs[e].op == IR_E_LOAD && u->exprs[u->exprs[e].a].op == IR_E_VAR &&
           u->exprs[u->exprs[e].a].a == var;
}

static bool is_constant(const struct unit *u, ir_expr e, uint32_t v) {
    e = ir_uncast(u, e);
    return u->exprs[e].op == IR_E_CONST && u->exprs[e].a == v && !u->exprs[e].b;
}

/* Is the variable counted up by one in the loop, and set to nothing but zero elsewhere? */
static bool counts_up(const struct solver *s, const uint64_t *loop, ir_var var) {
    const struct unit *u = s->u;
    bool up = false;

    if (s->lu->globals[var] || u->vars[var].flags & IR_VF_ADDRESSED)
        return false;
    for (uint32_t block = 0; block < s->n_blocks; block++) {
        const struct ir_block_rec *b = &u->blocks[s->fr->blocks.first + block];
        for (ir_event e = b->events.first; e < b->events.first + b->events.count; e++) {
            const struct ir_event_rec *ev = &u->events[e];
            if ((ev->op != IR_EV_STORE && ev->op != IR_EV_CALL) || !ev->a || u->exprs[ev->a].op != IR_E_VAR ||
                u->exprs[ev->a].a != var)
                continue;
            const struct ir_expr_rec *value = &u->exprs[ir_uncast(u, ev->b)];
            const bool adds = ev->op == IR_EV_STORE && value->op == IR_E_BINARY && value->c == IR_B_ADD &&
                              is_load_of(u, value->a, var) && is_constant(u, value->b, 1);
            if (in_set(loop, block) ? !adds : ev->op != IR_EV_STORE || !is_constant(u, ev->b, 0))
                return false;
            up |= adds;
        }
    }
    return up;
}

static bool ends_counting(const struct solver *s, uint32_t from, ir_expr cond) {
    const struct unit *u = s->u;
    const struct ir_block_rec *b = &u->blocks[s->fr->blocks.first + from];
    const uint32_t to = u->succs[b->succs.first + 1].block - s->fr->blocks.first;
    const ir_expr left = ir_uncast(u, u->exprs[cond].a);

    if (u->exprs[cond].op != IR_E_BINARY || u->exprs[cond].c != IR_B_LT || u->exprs[left].op != IR_E_LOAD ||
        u->exprs[u->exprs[left].a].op != IR_E_VAR)
        return false;
    for (uint32_t head = 0; head < s->n_blocks; head++)
        if (in_set(s->blocks[head].loop, from) && !in_set(s->blocks[head].loop, to) &&
            counts_up(s, s->blocks[head].loop, u->exprs[u->exprs[left].a].a))
            return true;
    return false;
}

void end_counting(struct solver *s, uint32_t from, struct world *w) {
    const ir_block block = s->fr->blocks.first + from;
    const ir_expr cond = s->u->blocks[block].cond;
    uint8_t *counts = &s->blocks[from].counts;

    if (*counts == NOT_ASKED)
        *counts = ends_counting(s, from, cond) ? COUNTS : COUNTS_NOT;
    if (*counts == COUNTS_NOT)
        return;
    const struct ir_expr_rec *r = &s->u->exprs[cond];
    const term counter = eval_place(s, w, s->u->exprs[ir_uncast(s->u, r->a)].a, s->now_at);
    world_set(&s->scratch, w, counter, eval(s, w, r->b, s->now_at));
}
