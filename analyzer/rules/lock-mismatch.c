/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-mismatch: a lock is held on one branch only.
 *
 * Looks at      unlocks and returns that are reached with the lock held on some ways and not on others.
 * Stays silent  where the ways are told apart by a condition that decides both.
 * Cannot see    conditions that are the same by arithmetic only. */
#include "story.h"

static void check_lock_mismatch(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_MISMATCH, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        switch (pr->detail) {
        case DETAIL_AT_RETURN:
            report_begin(out, "lock-mismatch", SEVERITY_WARNING, &at,
                         "'%s' is held on some ways to this return and not on others", pr->lock);
            break;
        default:
            report_begin(out, "lock-mismatch", SEVERITY_WARNING, &at,
                         "'%s' is released here, but held only on some of the ways", pr->lock);
        }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("lock-mismatch", "a lock is held on one branch only", check_lock_mismatch, "CWE-667 CWE-832")
