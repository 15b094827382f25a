/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is known on the ways after a hand-off: that it worked, and what locals were set to because it did.
 * Stands on boundary_walker.h. */
#include "boundary_walker.h"

#include "../base/alloc.h"

bool result_agrees(const struct result_when *when, const struct branch_fact *b, bool taken) {
    const int64_t samples[] = {
        when->value - 1, when->value, when->value + 1, b->value - 1, b->value, b->value + 1, -1, 0, 1,
        1000000};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        int64_t v = samples[i];
        bool spawned = when->test == RESULT_ANY  ? true
                       : when->test == RESULT_EQ ? v == when->value
                       : when->test == RESULT_NE ? v != when->value
                       : when->test == RESULT_LT ? v < when->value
                       : when->test == RESULT_LE ? v <= when->value
                       : when->test == RESULT_GT ? v > when->value
                                                 : v >= when->value;
        bool condition = b->test == IR_B_EQ   ? v == b->value
                         : b->test == IR_B_NE ? v != b->value
                         : b->test == IR_B_LT ? v < b->value
                         : b->test == IR_B_LE ? v <= b->value
                         : b->test == IR_B_GT ? v > b->value
                                              : v >= b->value;
        if (spawned && condition == taken)
            return true;
    }
    return false;
}

uint32_t walker_written_var(const struct unit *u, const struct ir_event_rec *r) {
    ir_expr to = r->op == IR_EV_STORE || r->op == IR_EV_CALL ? r->a : r->op == IR_EV_ATOMIC ? r->b : 0;
    return r->op == IR_EV_BEGIN ? r->a : to && u->exprs[to].op == IR_E_VAR ? u->exprs[to].a : 0;
}

static void forget_constant(struct walker *k, uint32_t var) {
    for (uint32_t i = 0; var && i < k->n_constants; i++)
        if (k->constants[i].var == var)
            k->constants[i--] = k->constants[--k->n_constants];
}

/* The place in k->constants of the local that e loads; UINT32_MAX: nothing is known of one. */
static uint32_t loaded_constant(const struct walker *k, const struct ir_expr_rec *e) {
    const struct ir_expr_rec *place = &k->u->exprs[e->op == IR_E_LOAD ? e->a : 0];
    for (uint32_t i = 0; i < k->n_constants && place->op == IR_E_VAR; i++)
        if (place->a == k->constants[i].var)
            return i;
    return UINT32_MAX;
}

/* Which results of the call say that it handed over; NULL: that is not known, or not said by it. */
static const struct result_when *when_handed(const struct walker *k) {
    const struct handoff_spec *spawn = k->w->start->spawn;
    bool here = spawn && (k->w->start->func == k->f->func || spawn->result_known);
    return here && spawn->when.test != RESULT_ANY ? &spawn->when : NULL;
}

static void note_constant(struct walker *k, const struct ir_event_rec *r) {
    uint32_t var = walker_written_var(k->u, r), most = sizeof k->constants / sizeof *k->constants;
    bool result = r->op == IR_EV_CALL && r == &k->u->events[k->w->start->event] && when_handed(k);
    const struct ir_expr_rec *value = r->op == IR_EV_STORE ? &k->u->exprs[ir_uncast(k->u, r->b)] : NULL;
    uint32_t copied = value ? loaded_constant(k, value) : UINT32_MAX;
    int64_t is = value && value->op == IR_E_CONST ? ir_const_value(value) : 0;
    bool known = result || (value && value->op == IR_E_CONST);

    if (copied != UINT32_MAX) {
        known = true;
        result = k->constants[copied].result;
        is = k->constants[copied].is;
    }
    forget_constant(k, var);
    if (!var || !known || k->n_constants == most || (k->u->vars[var].flags & IR_VF_ADDRESSED) ||
        (k->u->vars[var].kind != IR_V_LOCAL && k->u->vars[var].kind != IR_V_TEMP &&
         k->u->vars[var].kind != IR_V_PARAM))
        return;
    k->constants[k->n_constants].var = var;
    k->constants[k->n_constants].result = result;
    k->constants[k->n_constants++].is = is;
}

/* The only block that a way on which the hand-off worked comes to from b; UINT32_MAX: there are several, or none. */
static uint32_t only_next(const struct walker *k, uint32_t b) {
    const struct ir_block_rec *rec = walker_block(k, b);
    const struct branch_fact *fact = &k->f->branches[b];
    const struct handoff_spec *spawn = k->w->start->spawn;
    bool asked = rec->term == IR_TERM_BRANCH && fact->event && fact->event == k->w->start->event && spawn;
    uint32_t next = UINT32_MAX, n = 0;
    for (uint32_t i = 0; i < rec->succs.count; i++)
        if (!asked || result_agrees(&spawn->when, fact, i == 0)) {
            next = walker_successor(k, rec, i);
            n++;
        }
    return n == 1 ? next : UINT32_MAX;
}

void walker_find_constants(struct walker *k, uint32_t start) {
    VEC(uint32_t) work = {0};
    bool *seen = xcalloc(k->fr->blocks.count, sizeof *seen),
         *sure = xcalloc(k->fr->blocks.count, sizeof *sure);
    for (uint32_t b = start; b != UINT32_MAX && !sure[b]; b = only_next(k, b)) {
        struct ir_range events = walker_block(k, b)->events;
        for (ir_event ev = events.first; ev < events.first + events.count; ev++)
            note_constant(k, &k->u->events[ev]);
        sure[b] = true;
    }
    seen[start] = true;
    vec_push(&work, start);
    while (work.n && k->n_constants) {
        uint32_t b = vec_pop(&work);
        struct ir_range events = walker_block(k, b)->events;
        for (ir_event ev = events.first; !sure[b] && ev < events.first + events.count; ev++)
            forget_constant(k, walker_written_var(k->u, &k->u->events[ev]));
        for (uint32_t i = 0; i < walker_block(k, b)->succs.count; i++) {
            uint32_t to = walker_successor(k, walker_block(k, b), i);
            if (!seen[to]) {
                seen[to] = true;
                vec_push(&work, to);
            }
        }
    }
    vec_free(&work);
    free(seen);
    free(sure);
}

static bool constant_of(const struct walker *k, ir_expr e, int64_t *out) {
    const struct ir_expr_rec *r = &k->u->exprs[ir_uncast(k->u, e)];
    if (r->op == IR_E_CONST) {
        *out = ir_const_value(r);
        return true;
    }
    uint32_t i = loaded_constant(k, r);
    if (i == UINT32_MAX || k->constants[i].result)
        return false;
    *out = k->constants[i].is;
    return true;
}

/* if (rc != 0), where rc holds the result of the hand-off. */
static bool result_decides(const struct walker *k, ir_expr tested, uint32_t test, int64_t with, bool *holds) {
    const struct result_when *when = when_handed(k);
    uint32_t i = loaded_constant(k, &k->u->exprs[ir_uncast(k->u, tested)]);
    struct branch_fact fact = {.test = test, .value = with};
    bool next = k->began && k->w->next_turn; /* the call is made again, and may fail */
    if (!when || next || i == UINT32_MAX || !k->constants[i].result)
        return false;
    bool may_hold = result_agrees(when, &fact, true), may_fail = result_agrees(when, &fact, false);
    *holds = may_hold;
    return may_hold != may_fail;
}

bool walker_decides(const struct walker *k, ir_expr condition, bool *holds) {
    const struct ir_expr_rec *r = &k->u->exprs[ir_uncast(k->u, condition)];
    int64_t a, b = 0;
    if (r->op == IR_E_UNARY && r->b == IR_U_LNOT) {
        bool known = walker_decides(k, r->a, holds);
        *holds = !*holds;
        return known;
    }
    uint32_t test = IR_B_NE;
    if (r->op == IR_E_BINARY && r->c >= IR_B_EQ && r->c <= IR_B_GE) {
        test = r->c;
        if (!constant_of(k, r->b, &b))
            return false;
        if (!constant_of(k, r->a, &a))
            return result_decides(k, r->a, test, b, holds);
    } else if (!constant_of(k, condition, &a)) {
        return result_decides(k, condition, test, 0, holds);
    }
    *holds = test == IR_B_EQ   ? a == b
             : test == IR_B_NE ? a != b
             : test == IR_B_LT ? a < b
             : test == IR_B_LE ? a <= b
             : test == IR_B_GT ? a > b
                               : a >= b;
    return true;
}

bool walker_gives_null(const struct walker *k, const struct region_event *e) {
    const struct ir_event_rec *call = &k->u->events[e->event];
    for (uint32_t i = 0; call->op == IR_EV_CALL && i < call->args.count; i++) {
        ir_expr argument = k->u->expr_refs[call->args.first + i];
        int64_t value = 1;
        if (k->u->exprs[ir_uncast(k->u, argument)].op == IR_E_LOAD &&
            region_is_pointer(k->u, k->u->exprs[argument].type) && constant_of(k, argument, &value) &&
            value == 0)
            return true;
    }
    return false;
}
