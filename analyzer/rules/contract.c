/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* contract: a function breaks the promise of its own annotation.
 *
 * Looks at      each return of a function with ACQUIRES, RELEASES, TRY_ACQUIRES or REQUIRES.
 * Stays silent  on ways where the lock call itself failed with an error.
 * Cannot see    what a function that is not defined here does. */
#include "story.h"

static void check_contract(const struct program *prog, struct report *out)
{
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_CONTRACT, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        switch (pr->detail) {
        case DETAIL_NOT_ACQUIRED: report_begin(out, "contract", SEVERITY_WARNING, &at, "'%s' promises to return with '%s' held, and here does not", pr->data, pr->lock); break;
        case DETAIL_NOT_RELEASED: report_begin(out, "contract", SEVERITY_WARNING, &at, "'%s' promises to release '%s', and here does not", pr->data, pr->lock); break;
        case DETAIL_STILL_HELD: report_begin(out, "contract", SEVERITY_WARNING, &at, "'%s' returns failure with '%s' held", pr->data, pr->lock); break;
        case DETAIL_OTHER_INSTANCE: report_begin(out, "contract", SEVERITY_WARNING, &at, "'%s' promises to return '%s', and returns another lock", pr->data, pr->lock); break;
        default: report_begin(out, "contract", SEVERITY_WARNING, &at, "'%s' gives up '%s', which its caller holds", pr->data, pr->lock);
        }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("contract", "a function breaks the promise of its own annotation", check_contract, "CWE-667")
