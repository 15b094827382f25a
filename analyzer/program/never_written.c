/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which globals keep what they are initialised with? `static pthread_mutex_t *mu = &the_mutex;`: read again after a wait it is the same.
 * Stands on linked.h. Whatever has its address taken, or can be named by files that are not here, may be written. */
#include "linked.h"

/* The global that a place is, or lies in; 0: none. */
static uint32_t global_of(const struct linked_unit *lu, ir_expr place) {
    const struct unit *u = lu->unit;

    while (u->exprs[place].op == IR_E_FIELD || u->exprs[place].op == IR_E_INDEX ||
           u->exprs[place].op == IR_E_ADDR || u->exprs[place].op == IR_E_CAST)
        place = u->exprs[place].a;
    return u->exprs[place].op == IR_E_VAR ? lu->globals[u->exprs[place].a] : 0;
}

void note_written_outside(struct program *p) {
    p->written = arena_array(&p->arena, bool, p->globals.n + 1);
    for (size_t i = 0; i < p->units.n; i++)
        for (ir_var v = 1; v < p->units.at[i].unit->n_vars; v++)
            if (p->units.at[i].unit->vars[v].flags & IR_VF_ADDRESSED)
                p->written[p->units.at[i].globals[v]] = true;
    for (size_t g = 1; g < p->globals.n; g++)
        p->written[g] |= !p->globals.at[g].internal && !p->options.whole;
}

void note_written(struct program *p, uint32_t func, const struct ir_event_rec *ev) {
    const struct linked_unit *lu = p->funcs.at[func].unit;
    const struct unit *u = lu->unit;

    if (u->funcs[p->funcs.at[func].func].flags & IR_FF_INITIALISERS)
        return;
    if (ev->a && (ev->op == IR_EV_STORE || ev->op == IR_EV_CALL || ev->op == IR_EV_ATOMIC))
        p->written[global_of(lu, ev->a)] = true;
    if (ev->b && ev->op == IR_EV_ATOMIC)
        p->written[global_of(lu, ev->b)] = true;
    for (uint32_t k = 0; ev->op == IR_EV_ASM && k < ev->args.count; k++)
        p->written[global_of(lu, u->expr_refs[ev->args.first + k])] = true;
}

bool never_written(const struct program *p, uint32_t global) {
    return !p->written[global];
}
