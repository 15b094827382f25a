/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Do all callers pass one of a switch's cases? Then its default is no way through a function that has none.
 * Stands on solver.h. Asks the calls themselves: constants only, not what is handed on. */
#include "solver.h"

static bool is_a_case(const struct solver *s, const struct ir_block_rec *b, int64_t v)
{
    for (uint32_t i = 0; i < b->succs.count; i++) {
        const struct ir_succ_rec *c = &s->u->succs[b->succs.first + i];
        const int64_t lo = (int64_t)((uint64_t)c->lo[1] << 32 | c->lo[0]), hi = (int64_t)((uint64_t)c->hi[1] << 32 | c->hi[0]);
        if (!(c->flags & IR_SUCC_DEFAULT) && v >= lo && v <= hi)
            return true;
    }
    return false;
}

bool callers_pass_cases(const struct solver *s, const struct ir_block_rec *b, term value)
{
    const struct term_rec r = s->t.recs[value], at = s->t.recs[r.op == TERM_LOAD ? r.a : 0];
    const uint32_t index = at.a - s->fr->params.first;

    if (r.op != TERM_LOAD || r.b || at.op != TERM_LOCAL || index >= s->fr->params.count || !defers_to_callers(s) || s->lf->address_taken)
        return false;
    for (uint32_t i = 0; i < s->lf->n_callers; i++) {
        const struct call_edge *e = &s->p->edges.at[s->lf->callers[i]];
        const struct unit *u = s->p->funcs.at[e->caller].unit->unit;
        int64_t v;
        if (e->callback || !call_arg_const(u, &u->events[e->event], index, &v) || !is_a_case(s, b, v))
            return false;
    }
    return true;
}
