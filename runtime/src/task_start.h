/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Making a task of either kind, and putting it where a worker finds it. Stands on worker.h.
 * It is all in a header so that each way to spawn pays for what it uses: a spawn is some sixty instructions.
 */
#ifndef AGLET_SRC_TASK_START_H
#define AGLET_SRC_TASK_START_H

#include "aglet/stackless.h"
#include "task_check.h"
#include "task_group.h"
#include "worker.h"

#include <errno.h>
#include <string.h>

struct task_plan {
    struct aglet_executor *executor; /* NULL: the caller's */
    aglet_task_fn *entry;            /* or: */
    aglet_step_fn *step;
    void *arg;         /* stackful */
    const void *frame; /* stackless: copied */
    size_t frame_size;
    struct group_member *member; /* nobody joins it then; */
    struct waiter *joiner;       /* nobody but this one, which is linked (task_join.h) from the beginning */
    bool local, detached;
};

/* Most frames have a few words: copying them one by one costs less than a call. */
static inline void task_copy(void *to, const void *from, size_t size) {
    if (AGLET_UNLIKELY(size % 8 || size > 64)) {
        tsan_look_away(); /* the memory was another task's before, of whose end nobody was told */
        memcpy(to, from, size);
        tsan_look_again();
        return;
    }
    for (size_t i = 0; i < size; i += 8)
        memcpy((char *)to + i, (const char *)from + i, 8);
}

/* The next id where the calling thread is no worker. */
uint64_t task_id_outside_(void);

/* A batch of ids for a worker, so that spawning shares no cache line. */
void task_ids_(struct worker *w);

static inline uint64_t task_next_id(struct worker *w) {
    if (AGLET_UNLIKELY(!w))
        return task_id_outside_();
    if (AGLET_UNLIKELY(w->id == w->last_id))
        task_ids_(w);
    return ++w->id;
}

/* Nothing was started: the handle is none. Returns the error. */
static inline int task_not_started(struct aglet_task **task, int error) {
    if (task)
        *task = NULL;
    return error;
}

/* Returns 0, -ESRCH (no executor), -ENOMEM. */
static inline __attribute__((always_inline)) int task_start_inline(struct aglet_task **task,
                                                                   const struct task_plan *plan) {
    struct worker *w = worker_here_;
    struct aglet_executor *ex = plan->executor ? plan->executor : w ? w->executor : NULL;
    if (AGLET_UNLIKELY(!ex))
        return task_not_started(task, -ESRCH);
    uintptr_t place = plan->local ? (uintptr_t)w : ex->place;
    uintptr_t join =
        (uintptr_t)plan->member | (uintptr_t)plan->joiner | (plan->detached ? JOIN_DETACHED : JOIN_OPEN);
    struct aglet_task *t = task_new(w ? &w->tasks : NULL, plan->frame_size, place, join);
    if (AGLET_UNLIKELY(!t))
        return task_not_started(task, -ENOMEM);
    task_set_id(t, task_next_id(w), w ? w->ticks : task_ticks(aglet_now()));
    if (plan->step) {
        t->step = plan->step;
        /* These begin as zero, and the room for a wait as anything. */
        task_step_rest(t)->rest = check_rest_begins();
        t->result = NULL;
        struct aglet_frame *f = task_frame(t);
        f->at_ = 0;
        f->stage_ = 0;
        task_copy(f + 1, (const struct aglet_frame *)plan->frame + 1, plan->frame_size - sizeof *f);
    } else {
        t->entry = plan->entry;
        t->arg = plan->arg;
    }
    bool here = AGLET_LIKELY(w && w->executor == ex);
    if (here)
        atomic_store_explicit(&w->spawned, atomic_load_explicit(&w->spawned, memory_order_relaxed) + 1,
                              memory_order_release);
    else
        atomic_fetch_add(&ex->spawned_outside, 1);
    if (AGLET_UNLIKELY(atomic_load_explicit(&ex->closing, memory_order_relaxed)))
        atomic_store_explicit(&t->aborted, 1, memory_order_relaxed);
    if (task)
        *task = t;
    /* Release: task_each reads what is written above. */
    atomic_store_explicit(&t->kind, plan->step ? TASK_STACKLESS : TASK_STACKFUL, memory_order_release);
    /* From here on the group may abort it, which the checked library refuses where the kind is none. */
    if (AGLET_UNLIKELY(plan->member != NULL))
        group_member_begins(plan->member, t);
    tsan_publish(t); /* partner: fiber, run_step */
    if (AGLET_LIKELY(here && ex->n == 1 && !plan->local))
        fresh_push(w, t);
    else
        task_schedule_fresh(w, ex, t);
    return 0;
}

/* The same for callers that need not be fast. */
int task_start(struct aglet_task **task, const struct task_plan *plan);

#endif
