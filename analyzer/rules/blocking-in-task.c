/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* blocking-in-task: a task reaches a call that stops its worker thread, and every other task on it.
 *
 * Looks at      functions given to an executor (a parameter of a type marked AGLET_TASK_ENTRY, as aglet_task_fn is) or marked
 *               AGLET_TASK_ENTRY themselves, and all they call.
 *               Where a helper blocks by what it is given (flags, a timeout), the call that gives it is reported.
 * Stays silent  for work handed to a blocking pool: it is not called from the task.
 * Cannot see    entries that travel through variables; read and write on descriptors of unknown kind. */
#include "../program/tasks.h"
#include "rule.h"

static struct position place(const struct program *prog, struct site at) {
    return program_position(prog->funcs.at[at.func].unit->unit, at.loc);
}

static void check_blocking_in_task(const struct program *prog, struct report *out) {
    const struct task_facts *t = prog->tasks;

    for (size_t i = 0; t && i < t->blocks.n; i++) {
        const struct task_block *b = &t->blocks.at[i];
        struct position at = place(prog, b->via[b->decided]);
        report_begin(out, "blocking-in-task", SEVERITY_WARNING, &at,
                     "'%s' may block the worker thread of task '%s'", prog->funcs.at[b->blocks].name,
                     prog->funcs.at[b->entry.func].name);
        at = place(prog, b->entry.from);
        report_note(out, &at, "'%s' runs as a task", prog->funcs.at[b->entry.func].name);
        for (uint32_t k = 0; k < b->n; k++) {
            if (k == b->decided)
                continue;
            at = place(prog, b->via[k]);
            report_note(out, &at, "'%s' calls '%s'", prog->funcs.at[b->via[k].func].name,
                        prog->funcs.at[b->callee[k]].name);
        }
        report_subject(out, prog->funcs.at[b->via[b->decided].func].name, "%s",
                       prog->funcs.at[b->blocks].name);
    }
}
AGLET_RULE("blocking-in-task", "a blocking call reachable from a task", check_blocking_in_task,
           "CWE-1322 CWE-834")
