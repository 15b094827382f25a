/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-order: threads take locks in orders that can make them wait for each other for ever.
 *
 * Looks at      the lock graph of the program: every lock waited for while another is held, in callees and
 *               through function pointers too; declared orders. Two objects of one type, in no order that the
 *               program shows, are a hint.
 * Stays silent  where the threads cannot run at the same time, a common outer lock serialises them, only
 *               readers meet, or one end is only tried.
 * Cannot see    locks reached through a call nobody resolved. */
#include "../program/lock_order.h"
#include "rule.h"

static struct position place(const struct program *prog, struct site at) {
    return program_position(prog->funcs.at[at.func].unit->unit, at.loc);
}

/* From the call at the origin down to the lock call itself. */
static void tell_chain(const struct program *prog, struct report *out, const struct order_edge *e) {
    uint32_t at = e->callee, next;
    term lock = e->callee_to;
    struct position pos;
    ir_event event;

    if (!e->inner.loc || e->inner.func == e->origin.func)
        return;
    for (uint32_t depth = 0;
         depth < 20 && at && at != e->inner.func && (next = order_next(prog, at, &lock, &event)); depth++) {
        pos = place(prog, (struct site){at, prog->funcs.at[at].unit->unit->events[event].loc});
        report_note(out, &pos, "'%s' calls '%s'", prog->funcs.at[at].name, prog->funcs.at[next].name);
        at = next;
    }
    pos = place(prog, e->inner);
    report_note(out, &pos, "which takes it here, in '%s'", prog->funcs.at[e->inner.func].name);
}

static void tell_edge(const struct program *prog, struct report *out, const struct order_edge *e,
                      bool with_site) {
    const char *in = prog->funcs.at[e->origin.func].name;
    struct position at;

    if (e->held_at) {
        at = place(prog, (struct site){e->origin.func, e->held_at});
        report_note(out, &at, "'%s' is taken here, in '%s'", e->from_name, in);
    }
    if (with_site) {
        at = place(prog, e->origin);
        report_note(out, &at, "then '%s', in '%s'", e->to_name, in);
    }
    tell_chain(prog, out, e);
    if (e->func != e->origin.func) {
        at = place(prog, (struct site){e->func, prog->funcs.at[e->func].unit->unit->events[e->event].loc});
        report_note(out, &at, "here the two are '%s' and '%s'", e->from_here, e->to_here);
    }
}

/* Hints: which of the two comes first, only their instances could tell. */
static void hint_nestings(const struct program *prog, struct report *out) {
    const struct lock_order *o = prog->lock_order;

    for (size_t i = 0; o && i < o->nestings.n; i++) {
        const struct order_edge *e = o->nestings.at[i].edge, *other = o->nestings.at[i].other;
        const struct position at = place(prog, e->origin);
        if (other)
            report_begin(out, "lock-order", SEVERITY_HINT, &at,
                         "'%s' is waited for with '%s' held, and elsewhere the other way round", e->to_name,
                         e->from_name);
        else
            report_begin(out, "lock-order", SEVERITY_HINT, &at,
                         "'%s' is waited for with '%s' of its kind held, in no order that is seen",
                         e->to_name, e->from_name);
        tell_edge(prog, out, e, false);
        if (other)
            tell_edge(prog, out, other, true);
        report_subject(out, prog->funcs.at[e->origin.func].name, "%s/%s", e->from_name, e->to_name);
    }
}

static void check_lock_order(const struct program *prog, struct report *out) {
    const struct lock_order *o = prog->lock_order;

    for (size_t i = 0; o && i < o->cycles.n; i++) {
        const struct lock_cycle *c = &o->cycles.at[i];
        const struct order_edge *e = c->edges[0];
        const struct position at = place(prog, e->origin);
        if (c->n == 2)
            report_begin(out, "lock-order", SEVERITY_WARNING, &at,
                         "'%s' is waited for with '%s' held, and elsewhere the other way round", e->to_name,
                         e->from_name);
        else
            report_begin(out, "lock-order", SEVERITY_WARNING, &at,
                         "'%s' is waited for with '%s' held: one of a cycle of %u locks", e->to_name,
                         e->from_name, c->n);
        if (c->far)
            report_level(out, 2);
        for (uint32_t k = 0; k < c->n; k++)
            tell_edge(prog, out, c->edges[k], k > 0);
        report_subject(out, prog->funcs.at[e->origin.func].name, "%s/%s", e->from_name, e->to_name);
    }
    for (size_t i = 0; o && i < o->broken.n; i++) {
        const struct order_broken *b = &o->broken.at[i];
        const struct position at = place(prog, b->edge->origin);
        const struct position declared = program_position(b->unit, b->declared);
        report_begin(out, "lock-order", SEVERITY_WARNING, &at,
                     "'%s' is taken after '%s', against the declared order", b->edge->to_name,
                     b->edge->from_name);
        tell_edge(prog, out, b->edge, false);
        report_note(out, &declared, "the order is declared here");
        report_subject(out, prog->funcs.at[b->edge->origin.func].name, "%s/%s", b->edge->from_name,
                       b->edge->to_name);
    }
    hint_nestings(prog, out);
}
AGLET_RULE("lock-order", "threads take locks in conflicting orders", check_lock_order,
           "CERT-CON35-C CERT-POS51-C CWE-833")
