/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* guarded-escape: a pointer to guarded data outlives the critical section.
 *
 * Looks at      addresses of guarded members that are returned, stored elsewhere or handed to a function that keeps them.
 * Stays silent  for accessors whose callers are all known: what they do with the pointer is checked there; below the strict
 *               level, for functions that are not in sight.
 * Cannot see    pointers that leave inside another structure. */
#include "story.h"

static void check_guarded_escape(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_ESCAPE, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        switch (pr->detail) {
        case DETAIL_RETURNED:
            report_begin(out, "guarded-escape", SEVERITY_WARNING, &at,
                         "a pointer to '%s', guarded by '%s', is returned", pr->data, pr->lock);
            break;
        case DETAIL_STORED:
            report_begin(out, "guarded-escape", SEVERITY_WARNING, &at,
                         "a pointer to '%s', guarded by '%s', is stored elsewhere", pr->data, pr->lock);
            break;
        case DETAIL_PASSED_ON:
            report_begin(out, "guarded-escape", SEVERITY_WARNING, &at,
                         "a pointer to '%s', guarded by '%s', is handed to a function that may keep it",
                         pr->data, pr->lock);
            report_level(out, 2);
            break;
        default:
            report_begin(out, "guarded-escape", SEVERITY_WARNING, &at,
                         "a pointer to '%s', guarded by '%s', is handed to a function that keeps it",
                         pr->data, pr->lock);
        }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("guarded-escape", "a pointer to guarded data outlives the critical section", check_guarded_escape,
           "CWE-667 CWE-820")
