/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* double-lock: a lock is taken that is held already.
 *
 * Looks at      each lock taken while the same instance is held, also inside a called function.
 * Stays silent  for recursive locks, and for read locks taken twice.
 * Cannot see    two names of one object that nothing in the program ties together. */
#include "story.h"

#include <string.h>

/* Is it the same mistake: the same lock, taken at the same place before, taken again by the same callee at the same place? */
static bool same_mistake(const struct lock_problem *a, const struct lock_problem *b) {
    if (a->func != b->func || a->detail != b->detail || strcmp(a->data, b->data) != 0 ||
        a->n_story != b->n_story || !a->n_story || strcmp(a->lock, b->lock))
        return false;
    for (uint32_t i = 0; i < a->n_story; i++)
        if (a->story[i].unit != b->story[i].unit || a->story[i].loc != b->story[i].loc)
            return false;
    return true;
}

/* Another lock that this very call takes again. */
static bool same_call(const struct lock_problem *a, const struct lock_problem *b) {
    return a->func == b->func && a->at == b->at && a->detail == b->detail && !strcmp(a->data, b->data);
}

/* Does a call before this one in the function stand for it? Or this one, by another of its locks? */
static bool told_before(const struct program *p, const struct lock_problem *pr) {
    const struct lock_problem *other;

    for (size_t i = 0; (other = lock_problem_next(p, PROBLEM_DOUBLE, &i)) && other != pr;)
        if (same_mistake(other, pr) || same_call(other, pr))
            return true;
    return false;
}

/* A section that makes one call many times draws one finding. */
static void tell_others(const struct program *p, struct report *out, const struct lock_problem *pr) {
    const struct lock_problem *other, *last = NULL;
    unsigned n = 0;

    for (size_t i = 0; (other = lock_problem_next(p, PROBLEM_DOUBLE, &i));) {
        const struct position at = program_position(other->unit, other->at);
        if (other != pr && same_call(other, pr))
            report_note(out, &at, "and '%s', too", other->lock);
    }
    for (size_t i = 0; (other = lock_problem_next(p, PROBLEM_DOUBLE, &i));)
        if (other != pr && !same_call(other, pr) && same_mistake(other, pr)) {
            last = other;
            n++;
        }
    if (!last)
        return;
    const struct position at = program_position(last->unit, last->at);
    if (n == 1)
        report_note(out, &at, "and by this call, too");
    else
        report_note(out, &at, "and by %u more calls, of which this is the last", n);
}

static void check_double_lock(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_DOUBLE, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        if (pr->detail != DETAIL_NONE && told_before(prog, pr))
            continue;
        switch (pr->detail) {
        case DETAIL_UPGRADE:
            report_begin(out, "double-lock", SEVERITY_WARNING, &at,
                         "'%s' is taken for writing while held for reading", pr->lock);
            break;
        case DETAIL_IN_CALLEE:
            report_begin(out, "double-lock", SEVERITY_WARNING, &at, "'%s' takes '%s', which is held already",
                         pr->data, pr->lock);
            break;
        case DETAIL_OPEN:
            report_begin(out, "double-lock", SEVERITY_WARNING, &at,
                         "'%s' may take '%s', which is held already", pr->data, pr->lock);
            break;
        case DETAIL_MAY:
            report_begin(out, "double-lock", SEVERITY_WARNING, &at,
                         "this may call '%s', which takes '%s', held already", pr->data, pr->lock);
            break;
        default:
            report_begin(out, "double-lock", SEVERITY_WARNING, &at, "'%s' is taken again while held",
                         pr->lock);
        }
        story_tell(prog, out, pr);
        if (pr->detail != DETAIL_NONE)
            tell_others(prog, out, pr);
    }
}
AGLET_RULE("double-lock", "a lock is taken that is held already", check_double_lock, "CWE-764 CWE-833")
