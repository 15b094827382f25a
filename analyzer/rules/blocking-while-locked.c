/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* blocking-while-locked: a call that may stop the thread without bound, with a lock held.
 *
 * Looks at      every call with a lock held whose callee blocks, by model, annotation or by what it calls; condition waits
 *               with another lock held than their own.
 *               A callee that blocks on some of its ways only is reported at the strict level.
 *               A sleep that some turns of a loop leave out, with the lock held since before it, is a hint; so is a join for
 *               which the thread's own lock was given back.
 * Stays silent  for taking locks, stdio, regular files and allocation; for receives in a program that uses non-blocking
 *               descriptors, since which ones are is not followed.
 * Cannot see    read and write on pipes and sockets: a descriptor does not say what it is. */
#include "story.h"

static void check_blocking_while_locked(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_BLOCK, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        report_begin(out, "blocking-while-locked",
                     pr->detail == DETAIL_MEANT ? SEVERITY_HINT : SEVERITY_WARNING, &at,
                     "'%s' may block, and '%s' is held", pr->data, pr->lock);
        if (pr->detail == DETAIL_MAY)
            report_level(out, 2);
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("blocking-while-locked", "a blocking call with a lock held", check_blocking_while_locked,
           "CERT-CON05-C CERT-POS52-C CWE-667")
