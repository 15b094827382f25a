/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* By which flags of its callers does a function give a lock back, or leave it held?
 * Stands on solver.h and ways.h.
 *
 * `if (!(flags & KEEP_LOCKED)) unlock(mu);` at the end is asked of worlds that met since: what one of them knew of the flags is lost,
 * and with it that nobody asks for this way with the lock kept. So worlds that know different things of such flags are kept apart from
 * the beginning, and those that no caller asks for end at that branch (passed_constants.c). */
#include "solver.h"
#include "ways.h"

#define MAX_FLAGS 4u

/* Does the condition read nothing but arguments, as they were passed? */
static bool asks_arguments(const struct solver *s, ir_expr e, bool *some) {
    const struct ir_expr_rec *r = &s->u->exprs[e];
    uint32_t param;

    switch (r->op) {
    case IR_E_CONST: return true;
    case IR_E_CAST:
    case IR_E_UNARY: return asks_arguments(s, r->a, some);
    case IR_E_BINARY: return asks_arguments(s, r->a, some) && asks_arguments(s, r->b, some);
    case IR_E_LOAD:
        param = s->u->exprs[r->a].op == IR_E_VAR ? s->u->exprs[r->a].a - s->fr->params.first : UINT32_MAX;
        return *some = param < s->fr->params.count && param_keeps_value(s->u, s->fr, param);
    default: return false;
    }
}

/* Does one way at the block's end give a lock back at once, and the other not? */
static bool decides_release(const struct solver *s, const struct ir_block_rec *b) {
    const struct ir_succ_rec *to = &s->u->succs[b->succs.first];

    return b->term == IR_TERM_BRANCH && b->succs.count == 2 &&
           (block_lock_calls(s->p, s->func, to[0].block) == BLOCK_GIVES) !=
               (block_lock_calls(s->p, s->func, to[1].block) == BLOCK_GIVES);
}

void find_flags(struct solver *s, struct world *entry) {
    s->asks_flags = arena_array(&s->arena, bool, s->n_blocks);
    for (uint32_t i = 0; i < s->n_order && s->decisive.n < MAX_FLAGS; i++) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + s->by_order[i]];
        bool some = false;
        int64_t v;
        if (!b->cond || !asks_arguments(s, b->cond, &some) || !some || !decides_release(s, b))
            continue;
        s->asks_flags[s->by_order[i]] = true;
        s->most_worlds = MAX_WORLDS_BY_FLAGS;
        s->most_apart = MAX_WORLDS_BY_FLAGS - 2;
        const term asked = eval(s, entry, b->cond, s->first_event);
        const struct term_rec r = s->t.recs[asked];
        const term flag =
            r.op == TERM_BINARY && r.c >= IR_B_EQ && r.c <= IR_B_GE && term_is_const(&s->t, r.b, &v) ? r.a
            : r.op == TERM_UNARY && r.b == IR_U_LNOT                                                 ? r.a
                                                                                                     : asked;
        if (!term_in(s->decisive.at, s->decisive.n, flag))
            vec_push(&s->decisive, flag);
    }
}
