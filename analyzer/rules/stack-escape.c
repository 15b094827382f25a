/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* stack-escape: a thread may still use a local that has died.
 *
 * Looks at      locals whose address is handed over, on each way from there to the end of their life.
 *               What a member of the thread's argument points to counts, and a queue, list or global under a lock, when another
 *               thread takes it out there.
 * Stays silent  where the thread is joined on that way, or something may tell that it is done; in main, whose end ends all;
 *               where rule sync tells of a loop's variable.
 * Cannot see    addresses that travel through memory otherwise. */
#include "handoff.h"

/* &i of a loop's variable: rule sync tells of it, and what mends that mends this. */
static bool changed_while_read(const struct handoff *h) {
    for (uint32_t i = 0; i < h->n_conflicts; i++)
        if (handoff_loop_variable(h, &h->conflicts[i]))
            return true;
    return false;
}

static void check_stack_escape(const struct program *p, struct report *out) {
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        const struct handoff *h = &p->boundaries->handoffs.at[i];
        if (!h->escapes || changed_while_read(h))
            continue;
        struct position at = handoff_position(h->flow, h->at),
                        dies = program_position(h->flow->unit->unit, h->dies);
        report_begin(out, "stack-escape", SEVERITY_WARNING, &at,
                     "local '%s' may die while the other thread still uses it", h->escapes);
        report_subject(out, handoff_function(h), "%s", h->escapes);
        handoff_put_notes(p, h, out);
        if (h->at->op == REGION_PUT && h->at->spawn->slot) {
            report_note(out, &dies, "its life ends here, with nothing waited for");
            report_note(out, &at,
                        "remedy: wait until the other thread is done with it, or allocate it and let that "
                        "thread free it");
            continue;
        }
        if (h->at->spawn->task) {
            report_note(out, &dies, "its life ends here, when the task may not have run yet");
            report_note(out, &at, "remedy: allocate it, and free it when the task is done");
            continue;
        }
        report_note(out, &dies, "its life ends here, with the thread not joined");
        report_note(out, &at, "remedy: join on every way, or allocate it and let the thread free it");
    }
}
AGLET_RULE("stack-escape", "a thread may still use a local that has died", check_stack_escape,
           "CERT-CON34-C CERT-POS50-C CWE-562")
