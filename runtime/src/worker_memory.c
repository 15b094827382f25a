/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where executors and workers live: memory that never goes back to the allocator. Stands on worker.h.
 *
 * A thread that wakes a task first makes it runnable and then wakes the worker. In between the task may run
 * and end, and its executor with it; what the thread then touches must still be a worker's inbox, an
 * executor's idle workers, be it of others. So each keeps its shared part as it is (see the structures) when
 * it is used again. */
#include "worker.h"
#include "fork.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct slock worker_memory_lock; /* protects the lists */
static struct aglet_executor *executors;
static struct worker *workers;

static void *zeroed(size_t size) {
    size = (size + 63) & ~(size_t)63;
    void *m = aligned_alloc(64, size);
    return m ? memset(m, 0, size) : NULL;
}

struct aglet_executor *executor_memory(void) {
    object_lock(&worker_memory_lock);
    struct aglet_executor *ex = executors;
    if (ex)
        executors = ex->next_free;
    object_unlock(&worker_memory_lock);
    if (ex)
        memset(ex, 0, offsetof(struct aglet_executor, inject_lock));
    return ex ? ex : zeroed(sizeof *ex);
}

void executor_memory_free(struct aglet_executor *ex) {
    object_lock(&worker_memory_lock);
    ex->next_free = executors;
    executors = ex;
    object_unlock(&worker_memory_lock);
}

static void keep(struct worker *w) {
    object_lock(&worker_memory_lock);
    w->next_free = workers;
    workers = w;
    object_unlock(&worker_memory_lock);
}

struct worker *worker_new(struct aglet_executor *ex, unsigned index) {
    object_lock(&worker_memory_lock);
    struct worker *w = workers;
    if (w)
        workers = w->next_free;
    object_unlock(&worker_memory_lock);
    if (w)
        memset(w, 0, offsetof(struct worker, inbox));
    else if (!(w = zeroed(sizeof *w)))
        return NULL;
    w->executor = ex;
    w->index = index;
    w->random = index * 2654435761u + 1;
    w->direct = DIRECT_SWITCHES;
    aglet_time now = aglet_now();
    timer_wheel_init(&w->timers, now);
    w->ticks = task_ticks(now);
    struct reactor *r = reactor_new();
    if (!r || deque_init(&w->deque) != 0) {
        reactor_free(r);
        keep(w);
        return NULL;
    }
    atomic_store(&w->reactor, r);
    atomic_store(&w->inbox, NULL);
    return w;
}

void worker_free(struct worker *w) {
    while (w->stacks) {
        struct stack *s = w->stacks;
        w->stacks = s->next;
        stack_delete(s);
    }
    worker_close_inbox(w);
    task_cache_flush(&w->tasks);
    /* A late waker may be about to write to the reactor's descriptor, whose number may soon be another file's. */
    while (atomic_load(&w->kickers))
        sched_yield();
    tsan_observe(&w->kickers);
    reactor_free(atomic_load(&w->reactor));
    deque_destroy(&w->deque);
    keep(w);
}
