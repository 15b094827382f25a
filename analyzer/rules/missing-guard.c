/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* missing-guard: a field is nearly always touched with one lock held, and here it is not. A hint.
 *
 * Looks at      fields of structs with a lock in them, over the whole program, and what callers hold on entry.
 * Stays silent  where the object is fresh, initialised or destroyed, and below four in five.
 * Cannot see    locks kept in another object. */
#include <stdio.h>
#include "../program/habits.h"
#include "rule.h"

static void propose(const struct program *prog, struct report *out, const struct habit *h)
{
    const struct linked_field *f = &prog->fields.at[h->field];
    const struct unit *u = f->unit->unit;
    const struct ir_field_rec *fr = &u->fields[f->field];
    struct position at = program_position(u, fr->loc);
    char text[160];

    if (u->types[type_plain(u, fr->type)].kind == IR_T_ARRAY || fr->bit_width || at.macro)
        return; /* the annotation would not stand right after the name */
    at.line = at.end_line;
    at.col = at.end_col;
    snprintf(text, sizeof text, " AGLET_GUARDED_BY(%s)", prog->fields.at[h->lock].name);
    report_fixit(out, &at, text);
}

/* One call that forgets the lock is said once, whatever its callee touches. */
static bool told_before(const struct habits *all, size_t n, const struct habit *h, const struct habit_exception *a)
{
    for (size_t i = 0; a->callee && i < n; i++)
        for (uint32_t k = 0; k < all->found[i].n_out; k++) {
            const struct habit_exception *b = &all->found[i].out[k];
            if (all->found[i].lock == h->lock && b->func == a->func && b->loc == a->loc && b->callee == a->callee)
                return true;
        }
    return false;
}

static void check_missing_guard(const struct program *prog, struct report *out)
{
    for (size_t i = 0; prog->habits && i < prog->habits->n_found; i++) {
        const struct habit *h = &prog->habits->found[i];
        const struct linked_field *f = &prog->fields.at[h->field];
        const struct position declared = program_position(f->unit->unit, f->unit->unit->fields[f->field].loc);
        for (uint32_t k = 0; k < h->n_out; k++) {
            const struct habit_exception *a = &h->out[k];
            const struct linked_func *in = &prog->funcs.at[a->func];
            const struct position at = program_position(in->unit->unit, a->loc);
            if (in->unchecked || told_before(prog->habits, i, h, a))
                continue;
            /* the counts stand in the note: an edit elsewhere changes them, and must not make this another finding */
            if (a->callee)
                report_begin(out, "missing-guard", SEVERITY_HINT, &at, "'%s', which touches '%s', is called without '%s' held, unlike elsewhere",
                             prog->funcs.at[a->callee].name, f->name, prog->fields.at[h->lock].name);
            else
                report_begin(out, "missing-guard", SEVERITY_HINT, &at, "'%s' is touched without '%s' held, unlike elsewhere", f->name,
                             prog->fields.at[h->lock].name);
            report_note(out, &declared, "'%s' is held at %u of its %u uses; AGLET_GUARDED_BY(%s) would make it a rule",
                        prog->fields.at[h->lock].name, h->held, h->total, prog->fields.at[h->lock].name);
            if (k == 0)
                propose(prog, out, h);
            report_subject(out, in->name, "%s/%s", f->name, prog->fields.at[h->lock].name);
        }
    }
}
AGLET_RULE("missing-guard", "a field is nearly always touched with a lock held, and here it is not", check_missing_guard, "CWE-820")
