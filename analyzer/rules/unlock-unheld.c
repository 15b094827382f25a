/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* unlock-unheld: a lock is released that is not held.
 *
 * Looks at      each unlock on a way where nobody took the lock.
 * Stays silent  where it may be the caller's lock: some caller holds it, or some function returns holding one of its class.
 * Cannot see    locks taken by code outside the program. */
#include "story.h"

static void check_unlock_unheld(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_UNHELD, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        if (pr->near)
            report_begin(out, "unlock-unheld", SEVERITY_WARNING, &at,
                         "'%s' is released, but '%s' is what is held", pr->lock, pr->near);
        else
            switch (pr->detail) {
            case DETAIL_RELEASED_TWICE:
                report_begin(out, "unlock-unheld", SEVERITY_WARNING, &at, "'%s' is released a second time",
                             pr->lock);
                break;
            case DETAIL_FAILED_TRY:
                report_begin(out, "unlock-unheld", SEVERITY_WARNING, &at,
                             "'%s' is released where taking it failed", pr->lock);
                break;
            case DETAIL_IN_CALLEE:
                report_begin(out, "unlock-unheld", SEVERITY_WARNING, &at,
                             "'%s' releases '%s', which is not held here", pr->data, pr->lock);
                break;
            default:
                report_begin(out, "unlock-unheld", SEVERITY_WARNING, &at,
                             "'%s' is released, but nobody took it", pr->lock);
            }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("unlock-unheld", "a lock is released that is not held", check_unlock_unheld, "CWE-765 CWE-832")
