/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Taking the stacks of parked tasks. Only a task's own worker may look: while its thread is in the
 * scheduler's loop, none of its tasks can go on, and all their registers are saved. Rejected: stopping the
 * worker with a signal; whoever unwinds then may wait for a lock that the stopped thread holds. Stands on
 * context_visit, and on backtrace(3) of the C library, which finds its unwinder by itself. */
#include "task_trace.h"
#include "checked.h"
#include "task_check.h"
#include "task_core.h"
#include "tsan.h"

#include <execinfo.h>

static void take(void *trace) {
    struct trace *t = trace;
    tsan_look_away(); /* the sanitizer's backtrace writes there for another worker after another dump */
    int n = backtrace(t->pcs, TRACE_DEPTH);
    tsan_look_again();
    t->n = n > 0 ? (unsigned)n : 0;
}

void trace_serve(struct worker *w, struct trace_request *request) {
    for (unsigned i = 0; i < request->n; i++) {
        struct trace *trace = &request->traces[i];
        struct aglet_task *t = trace->task;
        if (task_home(t) != w)
            continue;
        trace->answered = true;
        if (aglet_checked)
            check_trace_held(trace);
        /* Pinned to this worker, so only this thread changes it: what is seen here stays so. */
        if (atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKFUL &&
            task_id(t) == trace->id && t != w->current && task_stack(t) && task_state(t) != TASK_ENDED) {
            trace->used = stack_high_water(t->stack);
            trace->usable = t->stack->usable;
            context_visit(&t->stack->ctx, take, trace);
        }
    }
    /* Partner: the loads in trace_ask. The request is its owner's again after this. */
    atomic_store(&request->done, 1);
    futex_wake(&request->done, 1);
}

bool trace_ask(struct worker *w, struct trace *traces, unsigned n, int64_t patience_ms) {
    struct trace_request request = {.traces = traces, .n = n};
    if (w == worker_here_) {
        trace_serve(w, &request);
        return true;
    }
    /* Partner: the load in work_anywhere. */
    atomic_store(&w->trace, &request);
    worker_kick(w);
    aglet_time end = aglet_after_ms(patience_ms);
    while (!atomic_load(&request.done) && futex_wait(&request.done, 0, end))
        ;
    struct trace_request *mine = &request;
    if (atomic_load(&request.done) || !atomic_compare_exchange_strong(&w->trace, &mine, NULL)) {
        /* It has begun: that does not take long. */
        while (!atomic_load(&request.done))
            futex_wait(&request.done, 0, AGLET_FOREVER);
        return true;
    }
    return false;
}
