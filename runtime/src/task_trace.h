/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Call stacks of tasks that do not run. Stands on worker.h and switch.h. */
#ifndef AGLET_SRC_TASK_TRACE_H
#define AGLET_SRC_TASK_TRACE_H

#include "worker.h"

enum { TRACE_DEPTH = 32, TRACE_LOCKS = 4 };

/* One task's stack. `id` says which task is meant: the slot may be another one's by the time it is looked at.
 */
struct trace {
    struct aglet_task *task;
    uint64_t id;
    bool answered; /* its worker has looked at it */
    unsigned n;
    void *pcs[TRACE_DEPTH]; /* return addresses, innermost first */
    size_t used, usable;    /* bytes of its stack */
    unsigned held_n;        /* checked: thread locks that it keeps its worker's thread holding, */
    struct {
        uintptr_t lock;   /* in the checker's words, */
        const void *site; /* and where it took them */
    } held[TRACE_LOCKS];
};

/* What the worker of the tasks is asked; worker.c calls trace_serve where none of them can be running. */
struct trace_request {
    struct trace *traces;
    unsigned n;
    _Atomic uint32_t done; /* also a futex */
};

/* Take the stacks of those traces whose task is pinned to w and does not run now. By w's own thread. */
void trace_serve(struct worker *w, struct trace_request *request);

/* Have w do so, and wait up to `patience_ms` for it. One thread at a time. Returns whether it did: a worker
 * that is kept by a task does not answer, nor does one whose executor nobody runs. */
bool trace_ask(struct worker *w, struct trace *traces, unsigned n, int64_t patience_ms);

#endif
