/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* requires: a function is called without the lock it requires.
 *
 * Looks at      each call of a function with AGLET_REQUIRES or AGLET_REQUIRES_SHARED, also through function pointers.
 * Stays silent  where the caller is internal and all its callers hold the lock.
 * Cannot see    calls through pointers that are resolved to no function. */
#include "story.h"

static void check_requires(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_REQUIRES, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        switch (pr->detail) {
        case DETAIL_SHARED_ONLY:
            report_begin(out, "requires", SEVERITY_WARNING, &at,
                         "'%s' requires '%s' exclusively; it is held for reading only", pr->data, pr->lock);
            break;
        default:
            report_begin(out, "requires", SEVERITY_WARNING, &at, "'%s' requires '%s', which is not held here",
                         pr->data, pr->lock);
        }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("requires", "a function is called without the lock it requires", check_requires, "CWE-667")
