/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* cond-wait: a condition is waited on in a wrong way.
 *
 * Looks at      condition waits: in a loop, with the mutex held, with the same mutex everywhere.
 * Stays silent  for timed waits outside a loop.
 * Cannot see    predicates tested by the caller in a loop of its own. */
#include "story.h"

static void check_cond_wait(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_WAIT, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        switch (pr->detail) {
        case DETAIL_NO_LOOP:
            report_begin(out, "cond-wait", SEVERITY_WARNING, &at,
                         "the wait on '%s' is in no loop that tests its condition again", pr->data);
            break;
        case DETAIL_OTHER_MUTEX:
            report_begin(out, "cond-wait", SEVERITY_WARNING, &at,
                         "'%s' is waited on with '%s', elsewhere with another mutex", pr->data, pr->lock);
            break;
        default:
            report_begin(out, "cond-wait", SEVERITY_WARNING, &at, "'%s' is waited on without '%s' held",
                         pr->data, pr->lock);
        }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("cond-wait", "a condition is waited on in a wrong way", check_cond_wait,
           "CERT-CON36-C CERT-POS53-C CWE-667")
