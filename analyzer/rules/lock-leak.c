/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-leak: a lock is still held on a return.
 *
 * Looks at      each return with a lock held that was taken here and that no caller is meant to release.
 * Stays silent  for wrappers: some caller releases the lock, or the function is a trylock by its results.
 * Hints         where nobody in sight gives the lock back, but others give such a lock back themselves.
 * Cannot see    locks released by code outside the program. */
#include "story.h"

static void check_lock_leak(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_LEAK, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        if (pr->doubtful)
            report_begin(out, "lock-leak", SEVERITY_HINT, &at,
                         "'%s' is still held on this return, and nobody in sight gives it back", pr->lock);
        else
            report_begin(out, "lock-leak", SEVERITY_WARNING, &at, "'%s' is still held on this return",
                         pr->lock);
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("lock-leak", "a lock is still held on a return", check_lock_leak, "CWE-772 CWE-667")
