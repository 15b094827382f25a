/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* double-lock: a lock is taken that is held already.
 *
 * Looks at      each lock taken while the same instance is held, also inside a called function.
 * Stays silent  for recursive locks, and for read locks taken twice.
 * Cannot see    two names of one object that nothing in the program ties together. */
#include "story.h"

static void check_double_lock(const struct program *prog, struct report *out)
{
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_DOUBLE, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        switch (pr->detail) {
        case DETAIL_UPGRADE: report_begin(out, "double-lock", SEVERITY_WARNING, &at, "'%s' is taken for writing while held for reading", pr->lock); break;
        case DETAIL_IN_CALLEE: report_begin(out, "double-lock", SEVERITY_WARNING, &at, "'%s' takes '%s', which is held already", pr->data, pr->lock); break;
        case DETAIL_MAY: report_begin(out, "double-lock", SEVERITY_WARNING, &at, "this may call '%s', which takes '%s', held already", pr->data, pr->lock); break;
        default: report_begin(out, "double-lock", SEVERITY_WARNING, &at, "'%s' is taken again while held", pr->lock);
        }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("double-lock", "a lock is taken that is held already", check_double_lock, "CWE-764 CWE-833")
