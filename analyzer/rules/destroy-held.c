/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* destroy-held: a lock is destroyed while it is held.
 *
 * Looks at      destroy calls, frees of the object around a lock, and the end of a local that is a lock.
 * Stays silent  where the lock is held on some ways only.
 * Cannot see    locks held by other threads. */
#include "story.h"

static void check_destroy_held(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_DESTROY, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        switch (pr->detail) {
        case DETAIL_LOCAL_DIES:
            report_begin(out, "destroy-held", SEVERITY_WARNING, &at, "the life of '%s' ends while it is held",
                         pr->lock);
            break;
        default:
            report_begin(out, "destroy-held", SEVERITY_WARNING, &at,
                         "'%s' is destroyed by '%s' while it is held", pr->lock, pr->data);
        }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("destroy-held", "a lock is destroyed while it is held", check_destroy_held, "CERT-CON31-C CWE-667")
