/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the executor tells the checker; the functions exist in the checked library only, calls stand behind
 * `if (aglet_checked)`. Stands on worker.h. */
#ifndef AGLET_SRC_TASK_CHECK_H
#define AGLET_SRC_TASK_CHECK_H

#include "task_dump.h"
#include "task_trace.h"
#include "worker.h"

/* A stackful task has ended on stack s. Reports stack-overflow where a canary is gone, lock held at the
 * task's end. */
void check_task_end(struct aglet_task *t, struct stack *s);

/* An executor starts; is about to end its tasks; has no threads any more. Watchdog and fault handler,
 * task-leak. */
void check_executor_new(struct aglet_executor *ex);
void check_executor_free(struct aglet_executor *ex);
void check_executor_gone(struct aglet_executor *ex);

/* A thread has entered a current-thread executor, which is `busy` where another is in it. Reports affinity. */
void check_executor_enter(struct aglet_executor *ex, bool busy, const void *caller);

/* The calling thread begins, and ends, to be this worker. */
void check_worker_begin(struct worker *w);
void check_worker_end(struct worker *w);

/* For dumps: where a worker's task is now and which thread locks it holds, taken while it runs; those of a
 * task that waits, which its worker looks for and any thread prints. */
void check_print_running(struct worker *w, struct dump_text *out);
void check_trace_held(struct trace *trace);
void check_print_held(const struct trace *trace, struct dump_text *out);

/* Who runs here has taken, in a mode of check.h, or is about to give an async lock, which begins with this word. Reports
 * lock-order. */
void check_async_taken(struct slock *lock, enum check_kind kind, int mode, const void *site);
void check_async_given(struct slock *lock);

/* A task of which this is the rest has ended. */
void check_rest_ends(struct task_rest *rest);

/* Of a task that begins. */
static inline struct task_rest check_rest_begins(void) {
    struct task_rest rest = {0};
    if (aglet_checked)
        rest.beside = (uintptr_t)atomic_load_explicit(&check_clock, memory_order_relaxed) << 1 | NO_HOLDER;
    return rest;
}

/* It is given, and nobody holds it: reports unlock-unheld. */
void check_async_unheld(const void *object, const char *what, const void *caller);

/* Who runs here is about to wait for an async lock, of which somebody else has all there is; has ceased to. */
void check_async_waits(const void *object, const char *what, const void *site);
void check_async_waits_no_more(void);

/* A number for who runs here: a task's id, or a thread's number with the highest bit. */
uint64_t check_who(void);

/* A stackless task calls a function that would wait as if it had a stack. */
void check_stackless_wait(struct aglet_task *t, const char *why, const void *caller);

#endif
