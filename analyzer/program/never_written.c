/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which globals keep what they are initialised with? `static pthread_mutex_t *mu = &the_mutex;`: read again after a wait it is the same.
 * Stands on solver.h. Whatever has its address taken, or can be named by files that are not here, may be written. */
#include "solver.h"

/* The global that a place is, or lies in; 0: none. */
static uint32_t global_of(const struct linked_unit *lu, ir_expr place) {
    const struct unit *u = lu->unit;

    while (u->exprs[place].op == IR_E_FIELD || u->exprs[place].op == IR_E_INDEX ||
           u->exprs[place].op == IR_E_ADDR || u->exprs[place].op == IR_E_CAST)
        place = u->exprs[place].a;
    return u->exprs[place].op == IR_E_VAR ? lu->globals[u->exprs[place].a] : 0;
}

static bool *written_globals(const struct program *p, struct arena *arena) {
    bool *written = arena_array(arena, bool, p->globals.n + 1);

    for (size_t i = 0; i < p->units.n; i++)
        for (ir_var v = 1; v < p->units.at[i].unit->n_vars; v++)
            if (p->units.at[i].unit->vars[v].flags & IR_VF_ADDRESSED)
                written[p->units.at[i].globals[v]] = true;
    for (size_t g = 1; g < p->globals.n; g++)
        written[g] |= !p->globals.at[g].internal && !p->options.whole;
    for (size_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        if (!lf->defined || lf->unit->unit->funcs[lf->func].flags & IR_FF_INITIALISERS)
            continue;
        const struct unit *u = lf->unit->unit;
        const struct ir_range events = func_events(u, &u->funcs[lf->func]);
        for (ir_event e = events.first; e < events.first + events.count; e++) {
            const struct ir_event_rec *ev = &u->events[e];
            if (ev->a && (ev->op == IR_EV_STORE || ev->op == IR_EV_CALL || ev->op == IR_EV_ATOMIC))
                written[global_of(lf->unit, ev->a)] = true;
            if (ev->b && ev->op == IR_EV_ATOMIC)
                written[global_of(lf->unit, ev->b)] = true;
            for (uint32_t k = 0; ev->op == IR_EV_ASM && k < ev->args.count; k++)
                written[global_of(lf->unit, u->expr_refs[ev->args.first + k])] = true;
        }
    }
    return written;
}

bool never_written(struct program *p, uint32_t global) {
    if (!p->written)
        p->written = written_globals(p, &p->arena);
    return !p->written[global];
}
