/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The checks of the executor. Stands on misuse.h and worker.h. */
#include "task_check.h"
#include "check.h"
#include "misuse.h"

void check_task_end(struct aglet_task *t, struct stack *s) {
    if (!stack_intact(s)) {
        struct misuse *m = misuse_open("stack-overflow", t, true);
        misuse_say(m, "task %llu '%s' has written below its stack of %zu bytes", (unsigned long long)t->id,
                   t->name ? t->name : "unnamed", s->usable);
        misuse_close(m);
    }
    if (check_held_count())
        check_yield(t->waits_at);
}

void check_worker_idle(struct worker *w) {
    (void)w;
}

void check_executor_new(struct aglet_executor *ex) {
    (void)ex;
}

static void report_leak(struct aglet_task *t, void *executor) {
    if (t->executor != executor || atomic_load_explicit(&t->state, memory_order_acquire) == TASK_ENDED)
        return;
    struct misuse *m = misuse_open("task-leak", t, false);
    misuse_say(m, "task %llu '%s' still runs when its executor ends; it is aborted now", (unsigned long long)t->id,
               t->name ? t->name : "unnamed");
    if (t->waits_for && t->waits_at) {
        misuse_note(m, "it waits in '%s' here", t->waits_for);
        misuse_place(m, t->waits_at);
    }
    misuse_close(m);
}

void check_executor_free(struct aglet_executor *ex) {
    task_each(report_leak, ex);
}

void check_stackless_wait(struct aglet_task *t, const char *why, const void *caller) {
    misuse_report("blocking-in-task", t, false, caller,
                  "stackless task %llu '%s' calls '%s' as if it had a stack: its worker waits with it",
                  (unsigned long long)t->id, t->name ? t->name : "unnamed", why);
}
