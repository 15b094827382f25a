/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* local-across-await: a stackless task uses a plain local after an await, where its value is gone.
 *
 * Looks at      functions with a parameter marked AGLET_FRAME: what was written before the place where the
 * task comes back, and is read after it with no write between; addresses of locals that an await is given, or
 * that the frame keeps. Stays silent  for locals computed before AGLET_BEGIN from something that is no
 * constant: they are made anew each time. Cannot see    locals written through pointers to them that a
 * variable keeps. */
#include "../program/kept.h"
#include "rule.h"

static void check_local_across_await(const struct program *prog, struct report *out) {
    for (size_t i = 0; prog->kept && i < prog->kept->all.n; i++) {
        const struct kept *k = &prog->kept->all.at[i];
        const struct position wait = program_position(k->unit, k->wait);
        const struct position written = program_position(k->unit, k->written);
        const struct position used = program_position(k->unit, k->used);
        const char *name = k->var ? unit_str(k->unit, k->unit->vars[k->var].name) : "";
        if (k->kind == KEPT_LOCAL) {
            report_begin(out, "local-across-await", SEVERITY_WARNING, &used,
                         "local '%s' has lost its value here, in the await before", name);
            if (k->written)
                report_note(out, &written, "'%s' is written here", name);
            report_note(out, &wait, "the task comes back here, with new locals");
        } else if (k->kind == KEPT_ADDRESS) {
            report_begin(out, "local-across-await", SEVERITY_WARNING, k->written ? &written : &wait,
                         "the address of local '%s' is kept across an await", name);
            if (k->written)
                report_note(out, &wait, "the task comes back here, with new locals");
        } else {
            continue;
        }
        report_note(out, k->used ? &used : &wait, "remedy: make '%s' a member of the frame", name);
        report_subject(out, prog->funcs.at[k->func].name, "%s", name);
    }
}
AGLET_RULE("local-across-await", "a local of a stackless task used after an await", check_local_across_await,
           "CWE-457 CWE-562")
