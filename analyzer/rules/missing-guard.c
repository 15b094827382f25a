/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* missing-guard: a field or global is nearly always touched with one lock held, and here it is not. A hint.
 *
 * Looks at      fields of structs with a lock in them, and globals of files that define one, over the whole program, and what
 *               callers hold on entry.
 * Stays silent  where the object is fresh, initialised or destroyed, where main is alone, and below four in five.
 * Cannot see    locks kept in another object. */
#include <stdio.h>
#include "../program/habits.h"
#include "rule.h"

static void propose(const struct program *prog, struct report *out, const struct habit *h) {
    const struct linked_field *f = h->item & ITEM_GLOBAL ? NULL : &prog->fields.at[h->item];
    const struct linked_global *g = f ? NULL : &prog->globals.at[h->item & ~ITEM_GLOBAL];
    const struct unit *u;
    const ir_loc loc = item_loc(prog, h->item, &u);
    struct position at = program_position(u, loc);
    char text[160], lock[120];

    if (u->types[type_plain(u, f ? u->fields[f->field].type : u->vars[g->var].type)].kind == IR_T_ARRAY ||
        (f && u->fields[f->field].bit_width) || at.macro)
        return; /* the annotation would not stand right after the name */
    at.line = at.end_line;
    at.col = at.end_col;
    item_lock_text(prog, h->lock, lock, sizeof lock);
    snprintf(text, sizeof text, " AGLET_GUARDED_BY(%s)", lock);
    report_fixit(out, &at, text);
}

/* One call that forgets the lock is said once, whatever its callee touches. */
static bool told_before(const struct habits *all, size_t n, const struct habit *h,
                        const struct habit_exception *a) {
    for (size_t i = 0; a->callee && i < n; i++)
        for (uint32_t k = 0; k < all->found[i].n_out; k++) {
            const struct habit_exception *b = &all->found[i].out[k];
            if (all->found[i].lock == h->lock && b->func == a->func && b->loc == a->loc &&
                b->callee == a->callee)
                return true;
        }
    return false;
}

/* Is it a mistake there already that the lock is not held? What else is missed there follows. */
static bool is_found(const struct program *prog, const struct habit_exception *a) {
    const struct lock_problem *pr;

    for (size_t i = 0; a->callee && (pr = lock_problem_next(prog, PROBLEM_UNHELD, &i));)
        if (pr->func == a->func && pr->at == a->loc)
            return true;
    return false;
}

static void check_missing_guard(const struct program *prog, struct report *out) {
    for (size_t i = 0; prog->habits && i < prog->habits->n_found; i++) {
        const struct habit *h = &prog->habits->found[i];
        const char *name = item_name(prog, h->item), *lock = item_name(prog, h->lock);
        const struct unit *u;
        const ir_loc loc = item_loc(prog, h->item, &u);
        const struct position declared = program_position(u, loc);
        char guard[120];
        item_lock_text(prog, h->lock, guard, sizeof guard);
        for (uint32_t k = 0; k < h->n_out; k++) {
            const struct habit_exception *a = &h->out[k];
            const struct linked_func *in = &prog->funcs.at[a->func];
            const struct position at = program_position(in->unit->unit, a->loc);
            if (in->unchecked || told_before(prog->habits, i, h, a) || is_found(prog, a))
                continue;
            /* the counts stand in the note: an edit elsewhere changes them, and must not make this another finding */
            if (a->callee)
                report_begin(out, "missing-guard", SEVERITY_HINT, &at,
                             "'%s', which touches '%s', is called without '%s' held, unlike elsewhere",
                             prog->funcs.at[a->callee].name, name, lock);
            else
                report_begin(out, "missing-guard", SEVERITY_HINT, &at,
                             "'%s' is touched without '%s' held, unlike elsewhere", name, lock);
            report_note(out, &declared,
                        "'%s' is held at %u of its %u uses; AGLET_GUARDED_BY(%s) would make it a rule", lock,
                        h->held, h->total, guard);
            if (k == 0)
                propose(prog, out, h);
            report_subject(out, in->name, "%s/%s", name, lock);
        }
    }
}
AGLET_RULE("missing-guard", "data is nearly always touched with a lock held, and here it is not",
           check_missing_guard, "CWE-820")
