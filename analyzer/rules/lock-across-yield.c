/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-across-yield: a thread lock is held where the task may give up its thread.
 *
 * Looks at      every call with a lock held whose callee may yield, by annotation or by what it calls, through function
 *               pointers and files too.
 * Stays silent  for async locks, and for what is released before the call.
 * Cannot see    a yield behind a call nobody resolved. */
#include "story.h"

static void check_lock_across_yield(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_YIELD, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        report_begin(out, "lock-across-yield", SEVERITY_WARNING, &at,
                     "'%s' is held across '%s', which may suspend the task", pr->lock, pr->data);
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("lock-across-yield", "a thread lock is held where the task may suspend", check_lock_across_yield,
           "CWE-833 CWE-667")
