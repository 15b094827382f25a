/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* guarded-by: guarded data is touched without its lock.
 *
 * Looks at      each access to data with AGLET_GUARDED_BY, by instance, through pointers, copies and helpers.
 * Stays silent  in the object's owner: fresh objects, the function that initialises or destroys its lock, before the first spawn.
 * Cannot see    accesses through pointers kept in memory that no store in the program explains. */
#include "story.h"

static void check_guarded_by(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_GUARDED, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        if (pr->near && pr->detail != DETAIL_IN_CALLEE)
            report_begin(out, "guarded-by", SEVERITY_WARNING, &at, "'%s' is %s with '%s' held, not '%s'",
                         pr->data,
                         pr->detail == DETAIL_READ   ? "read"
                         : pr->detail == DETAIL_COPY ? "copied or cleared"
                                                     : "written",
                         pr->near, pr->lock);
        else
            switch (pr->detail) {
            case DETAIL_READ:
                report_begin(out, "guarded-by", SEVERITY_WARNING, &at, "'%s' is read without '%s' held",
                             pr->data, pr->lock);
                break;
            case DETAIL_WRITE:
                report_begin(out, "guarded-by", SEVERITY_WARNING, &at, "'%s' is written without '%s' held",
                             pr->data, pr->lock);
                break;
            case DETAIL_COPY:
                report_begin(out, "guarded-by", SEVERITY_WARNING, &at,
                             "'%s' is copied or cleared without '%s' held", pr->data, pr->lock);
                break;
            case DETAIL_ADDRESS:
                report_begin(out, "guarded-by", SEVERITY_WARNING, &at,
                             "'%s' is passed by address without '%s' held", pr->data, pr->lock);
                break;
            case DETAIL_SHARED_ONLY:
                report_begin(out, "guarded-by", SEVERITY_WARNING, &at,
                             "'%s' is written with '%s' held for reading only", pr->data, pr->lock);
                break;
            default:
                report_begin(out, "guarded-by", SEVERITY_WARNING, &at,
                             "'%s' touches '%s': call it with '%s' held", story_text(pr, STORY_CALL),
                             pr->data, pr->lock);
            }
        story_tell(prog, out, pr);
    }
}
AGLET_RULE("guarded-by", "guarded data is touched without its lock", check_guarded_by,
           "CWE-667 CWE-820 CERT-CON43-C")
