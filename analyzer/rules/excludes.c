/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* excludes: a function is called with a lock held that it excludes.
 *
 * Looks at      each call of a function with AGLET_EXCLUDES.
 * Stays silent  where the lock is held on some ways only.
 * Cannot see    calls through pointers that are resolved to no function. */
#include "story.h"

static void check_excludes(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_EXCLUDES, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        report_begin(out, "excludes", SEVERITY_WARNING, &at, "'%s' must not be called with '%s' held",
                     pr->data, pr->lock);
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("excludes", "a function is called with a lock held that it excludes", check_excludes,
           "CWE-764 CWE-833")
