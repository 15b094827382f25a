/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* contract: a function breaks the promise of its own annotation.
 *
 * Looks at      each return of a function with ACQUIRES, RELEASES, TRY_ACQUIRES or REQUIRES; all that a function with
 *               NO_YIELD or NO_BLOCK calls.
 * Stays silent  on ways where the lock call itself failed with an error.
 * Cannot see    what a function that is not defined here does. */
#include "../program/tasks.h"
#include "story.h"

static void tell_effect(const struct program *prog, const struct effect_broken *b, struct report *out) {
    struct position at = program_position(prog->funcs.at[b->func].unit->unit, b->via[0].loc);

    report_begin(out, "contract", SEVERITY_WARNING, &at, "'%s' promises not to %s, and calls '%s'",
                 prog->funcs.at[b->func].name, b->yields ? "yield" : "block",
                 prog->funcs.at[b->callee[0]].name);
    for (uint32_t i = 1; i < b->n; i++) {
        at = program_position(prog->funcs.at[b->via[i].func].unit->unit, b->via[i].loc);
        report_note(out, &at, "'%s' calls '%s'", prog->funcs.at[b->via[i].func].name,
                    prog->funcs.at[b->callee[i]].name);
    }
    report_subject(out, prog->funcs.at[b->func].name, "%s", prog->funcs.at[b->callee[b->n - 1]].name);
}

static void check_contract(const struct program *prog, struct report *out) {
    const struct lock_problem *pr;

    for (size_t i = 0; (pr = lock_problem_next(prog, PROBLEM_CONTRACT, &i));) {
        const struct position at = program_position(pr->unit, pr->at);
        switch (pr->detail) {
        case DETAIL_NOT_ACQUIRED:
            report_begin(out, "contract", SEVERITY_WARNING, &at,
                         "'%s' promises to return with '%s' held, and here does not", pr->data, pr->lock);
            break;
        case DETAIL_NOT_RELEASED:
            report_begin(out, "contract", SEVERITY_WARNING, &at,
                         "'%s' promises to release '%s', and here does not", pr->data, pr->lock);
            break;
        case DETAIL_STILL_HELD:
            report_begin(out, "contract", SEVERITY_WARNING, &at, "'%s' returns failure with '%s' held",
                         pr->data, pr->lock);
            break;
        case DETAIL_OTHER_INSTANCE:
            report_begin(out, "contract", SEVERITY_WARNING, &at,
                         "'%s' promises to return '%s', and returns another lock", pr->data, pr->lock);
            break;
        default:
            report_begin(out, "contract", SEVERITY_WARNING, &at, "'%s' gives up '%s', which its caller holds",
                         pr->data, pr->lock);
        }
        story_tell(prog, out, pr);
    }
    for (size_t i = 0; prog->tasks && i < prog->tasks->broken.n; i++)
        tell_effect(prog, &prog->tasks->broken.at[i], out);
}
AGLET_RULE("contract", "a function breaks the promise of its own annotation", check_contract, "CWE-667")
