/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What does a world know of a value behind a switch over it?
 * Stands on solver.h. Cases that lead to one place meet there, and what is left of two numbers is the range between them. So it is
 * remembered, too, that the value is one of these: the next switch or test of the kind is then no riddle. */
#include "solver.h"

static int64_t case_value(const uint32_t v[2]) {
    return (int64_t)((uint64_t)v[1] << 32 | v[0]);
}

/* Is the value of no signed type, whatever it was promoted to? */
static bool never_negative(const struct unit *u, ir_expr e) {
    ir_type t = type_plain(u, u->exprs[ir_uncast(u, e)].type);

    if (u->types[t].kind == IR_T_ENUM)
        t = type_plain(u, u->types[t].elem);
    return u->types[t].kind == IR_T_INT && u->types[t].flags & IR_TF_UNSIGNED;
}

enum { MAX_CASES_TOLD = 8 };

/* Is the value one of the cases that lead where this one does? 0: there is no other such case. */
static term case_group(struct solver *s, const struct ir_block_rec *b, const struct ir_succ_rec *c,
                       term value) {
    int64_t cases[MAX_CASES_TOLD];
    uint32_t n = 0;
    term any = 0;

    for (uint32_t i = 0; i < b->succs.count; i++) {
        const struct ir_succ_rec *other = &s->u->succs[b->succs.first + i];
        const int64_t v = case_value(other->lo);
        uint32_t at = n;
        if (other->block != c->block || other->flags & IR_SUCC_DEFAULT || v != case_value(other->hi))
            continue;
        for (n++; at && cases[at - 1] > v; at--)
            cases[at] = cases[at - 1];
        cases[at] = v;
    }
    for (uint32_t i = 0; n > 1 && i < n; i++) {
        const term one = term_binary(&s->t, IR_B_EQ, value, term_const(&s->t, cases[i]));
        any = any ? term_binary(&s->t, IR_B_OR, any, one) : one;
    }
    return any;
}

/* Of few cases it is remembered which was taken and which not, as if they had been asked one by one. */
static bool told_case(struct solver *s, struct world *w, const struct ir_block_rec *b,
                      const struct ir_succ_rec *c, term value, bool taken) {
    const int64_t v = case_value(c->lo);
    term group;

    if (v != case_value(c->hi) || b->succs.count > MAX_CASES_TOLD)
        return true;
    group = case_group(s, b, c, value);
    return world_assume(&s->scratch, &s->t, w, term_binary(&s->t, IR_B_EQ, value, term_const(&s->t, v)),
                        taken) &&
           (!group || world_assume(&s->scratch, &s->t, w, group, taken));
}

/* The value is none of the cases. Of many, what is left between them is not kept, only what is left below and above them. */
static bool take_default(struct solver *s, struct world *w, const struct ir_block_rec *b, term value) {
    struct range left = world_range(&s->t, w, value);
    bool again = true;

    if (callers_pass_cases(s, b, value))
        return false;
    if (left.lo < 0 && never_negative(s->u, b->cond))
        left.lo = 0;
    while (again && left.lo <= left.hi) {
        again = false;
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const struct ir_succ_rec *c = &s->u->succs[b->succs.first + i];
            const int64_t lo = case_value(c->lo), hi = case_value(c->hi);
            if (c->flags & IR_SUCC_DEFAULT)
                continue;
            if (lo <= left.lo && hi >= left.hi)
                return false;
            if (lo <= left.lo && hi >= left.lo) {
                left.lo = hi + 1;
                again = true;
            } else if (lo <= left.hi && hi >= left.hi) {
                left.hi = lo - 1;
                again = true;
            } else if (lo <= 0 && hi >= 0) {
                left.nonzero = true;
            }
        }
    }
    for (uint32_t i = 0; i < b->succs.count; i++) {
        const struct ir_succ_rec *c = &s->u->succs[b->succs.first + i];
        if (!(c->flags & IR_SUCC_DEFAULT) && case_value(c->lo) == case_value(c->hi))
            world_exclude(w, value, case_value(c->lo));
        if (!(c->flags & IR_SUCC_DEFAULT) && !told_case(s, w, b, c, value, false))
            return false;
    }
    left.nonzero |= left.lo > 0 || left.hi < 0;
    return range_is_all(left) || world_narrow(&s->scratch, &s->t, w, value, left);
}

bool take_case(struct solver *s, struct world *w, const struct ir_block_rec *b, uint32_t succ, term value) {
    const struct ir_succ_rec *sr = &s->u->succs[b->succs.first + succ];

    if (sr->flags & IR_SUCC_DEFAULT)
        return take_default(s, w, b, value);
    return told_case(s, w, b, sr, value, true) &&
           world_narrow(&s->scratch, &s->t, w, value,
                        (struct range){case_value(sr->lo), case_value(sr->hi), case_value(sr->lo) > 0});
}
