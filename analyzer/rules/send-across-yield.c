/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* send-across-yield: a task that may go on on another thread keeps what must stay on this one.
 *
 * Looks at      members of a stackless task's frame that live across an await or come from who started it; in
 * tasks and calls marked AGLET_MIGRATES, locals that live across a yield; variables of the thread (errno
 * too), and addresses of them. Stays silent  when the type is unknown, below the strict level; for held
 * locks, which are lock-across-yield's. Cannot see    what is reached through pointers of unknown kind. */
#include "../program/kept.h"
#include <stdio.h>
#include "reason.h"

static void name_of(const struct kept *k, char *out, size_t size) {
    if (k->field)
        snprintf(out, size, "%s", unit_str(k->unit, k->unit->fields[k->field].name));
    else
        snprintf(out, size, "%s", k->var ? unit_str(k->unit, k->unit->vars[k->var].name) : "errno");
}

static void begin(const struct program *prog, const struct kept *k, const char *name, struct report *out) {
    const struct position start = program_position(k->unit, k->unit->funcs[prog->funcs.at[k->func].func].loc);
    const struct position wait = k->wait ? program_position(k->unit, k->wait) : start;
    const bool known = k->send.answer == ANSWER_NO;

    if (k->kind == KEPT_THREAD)
        report_begin(out, "send-across-yield", SEVERITY_WARNING, &wait,
                     "'%s' is the thread's, and used before and after a move", name);
    else if (k->kind == KEPT_THREAD_ADDRESS)
        report_begin(out, "send-across-yield", SEVERITY_WARNING, &wait,
                     "'%s' holds an address of this thread's, and crosses to another", name);
    else if (!k->wait)
        report_begin(out, "send-across-yield", SEVERITY_WARNING, &wait,
                     "'%s' comes from the thread that starts the task, and is not %sSend", name,
                     known ? "" : "known to be ");
    else
        report_begin(out, "send-across-yield", SEVERITY_WARNING, &wait,
                     "'%s' is kept while the task may change threads, and is not %sSend", name,
                     known ? "" : "known to be ");
    if (k->kind == KEPT_FIELD || k->kind == KEPT_VALUE)
        report_level(out, known ? 1 : 2);
}

static void check_send_across_yield(const struct program *prog, struct report *out) {
    for (size_t i = 0; prog->kept && i < prog->kept->all.n; i++) {
        const struct kept *k = &prog->kept->all.at[i];
        const struct position written = program_position(k->unit, k->written),
                              used = program_position(k->unit, k->used);
        char name[160];
        if (k->kind == KEPT_LOCAL || k->kind == KEPT_ADDRESS)
            continue;
        name_of(k, name, sizeof name);
        begin(prog, k, name, out);
        if (k->written)
            report_note(out, &written, k->kind == KEPT_THREAD ? "'%s' is used here" : "'%s' is written here",
                        name);
        report_note(out, &used, "'%s' is used here, perhaps on another thread", name);
        if (k->send.reason) {
            reason_tell(out, k->send.reason, name);
            if (trait_reason_remedy(k->send.reason))
                report_note(out, &used, "remedy: %s", trait_reason_remedy(k->send.reason));
        }
        report_subject(out, prog->funcs.at[k->func].name, "%s", name);
    }
}
AGLET_RULE("send-across-yield", "what must stay on its thread is kept where a task may move",
           check_send_across_yield, "CWE-362 CWE-567")
