/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* result-dropped: nobody looks at a result that tells whether the lock was taken, or names the thread that was started.
 *
 * Looks at      calls whose result is dropped: trylocks and timed locks, spawns that return their handle; at the strict level,
 *               every function whose model says its result must be checked.
 * Stays silent  where the result is cast to void.
 * Cannot see    results that are stored and never read. */
#include "handoff.h"

static const char *why_not(const struct model_function *m, uint32_t *level) {
    for (uint32_t i = 0; i < m->n_effects; i++) {
        const struct model_effect *e = &m->effects[i];
        *level = 1;
        if (e->kind == MODEL_ACQUIRES && (e->flags & MODEL_TRY))
            return "only its result tells whether the lock is held";
        if (e->kind == MODEL_SPAWNS && e->c.root == MODEL_RETURN)
            return "its result is the thread's handle: without it nobody can join or release it";
    }
    *level = 2;
    return m->flags & MODEL_FF_MUST_CHECK ? "its result tells whether it worked" : NULL;
}

static void check_function(const struct program *p, const struct linked_func *f, struct report *out) {
    const struct linked_unit *lu = f->unit;
    const struct unit *u = lu->unit;

    for (uint32_t i = 0; i < f->n_edges; i++) {
        const struct call_edge *e = &p->edges.at[f->first_edge + i];
        const struct linked_func *callee = &p->funcs.at[e->callee];
        const struct ir_event_rec *ev = &u->events[e->event];
        uint32_t level = 1;
        if (callee->defined || !callee->model || !(ev->flags & IR_SF_UNUSED) || ev->flags & IR_SF_VOID_CAST ||
            u->exprs[ev->b].op != IR_E_FUNC || lu->funcs[u->exprs[ev->b].a] != e->callee)
            continue;
        const char *why = why_not(callee->model, &level);
        if (!why || level > (uint32_t)p->options.level)
            continue;
        struct position at = program_position(u, ev->loc);
        report_begin(out, "result-dropped", SEVERITY_WARNING, &at, "the result of '%s' is dropped",
                     callee->name);
        report_subject(out, f->name, "%s", callee->name);
        report_level(out, level);
        report_note(out, &at, "%s", why);
    }
}

static void check_result_dropped(const struct program *p, struct report *out) {
    for (size_t i = 1; i < p->funcs.n; i++)
        if (p->funcs.at[i].defined)
            check_function(p, &p->funcs.at[i], out);
}
AGLET_RULE("result-dropped", "a result that must be looked at is dropped", check_result_dropped,
           "CERT-ERR33-C CWE-252")
