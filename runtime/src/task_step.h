/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What every await of a stackless task does: begin, leave a waiter, look again, end. Stands on task_sleep.h.
 *
 * An await is a function that the task calls again each time it wakes, until it returns something else than
 * AGLET_PENDING:
 *   1. step_begin: aborted already, or others come first?   2. try the operation; done: return.
 *   3. step_arm, where there is a deadline or more to keep: memory and timer.   4. link the waiter, and
 * return step_pending.   5. the next call comes in at WAITING: step_look says whether it fired, or why to
 * give up; giving up unlinks the waiter, and the object's lock decides.   6. step_end frees what 3. took. */
#ifndef AGLET_SRC_TASK_STEP_H
#define AGLET_SRC_TASK_STEP_H

#include "aglet/stackless.h"
#include "task_sleep.h"

/* What a few awaits need besides, on the heap while they last: a deadline, or data of their own. */
struct step_more {
    struct timer timer;
    aglet_time deadline;
    _Alignas(16) unsigned char room[];
};

/* What lies in task_wait_room. */
struct step_wait {
    union {
        struct {
            struct sleeper sleeper;
            struct waiter waiter;
            struct step_more *more; /* NULL: no deadline, no data */
        };
        struct timer timer; /* of a plain sleep */
    };
};
_Static_assert(sizeof(struct step_wait) <= TASK_WAIT, "a wait fits its place");

/* The stage of an await; operations in several parts count on from STEP_WAITING. */
enum { STEP_NEW, STEP_WAITING };

static inline struct aglet_task *step_task(struct aglet_frame *f) {
    return (struct aglet_task *)(void *)((char *)(void *)f - sizeof(struct task_step_rest)) - 1;
}

static inline struct step_wait *step_wait(struct aglet_frame *f) {
    return task_wait_room(step_task(f));
}

/* Set up the task's sleeper and waiter. Returns 0, -ECANCELED when the task was aborted, or AGLET_PENDING
 * when it has done so much in this step that others come first: it will begin again. */
static inline int step_begin_at(struct aglet_frame *f, struct step_wait *w, const void *caller) {
    struct aglet_task *t = step_task(f);
    if (aglet_checked)
        task_step_rest(t)->rest.waits_at = caller;
    if (task_is_aborted(t))
        return -ECANCELED;
    struct worker *here = worker_here_;
    if (AGLET_UNLIKELY(here->budget == 0)) {
        t->yielded = 1;
        return AGLET_PENDING;
    }
    here->budget--;
    *w = (struct step_wait){0};
    w->sleeper.task = t;
    w->waiter.sleeper = &w->sleeper;
    return 0;
}
static inline int step_begin(struct aglet_frame *f, const void *caller) {
    return step_begin_at(f, step_wait(f), caller);
}

/* Take memory for `room` bytes of data, and start a timer where the deadline is one. Once per await.
 * Returns 0, -ENOMEM, or -ETIMEDOUT when the deadline has passed. */
int step_arm(struct aglet_frame *f, aglet_time deadline, size_t room);

/* Make the waiter ready to be linked once more, in an operation of several parts. */
static inline struct waiter *step_again(struct aglet_frame *f) {
    struct step_wait *w = step_wait(f);
    atomic_store_explicit(&w->sleeper.fired, SLEEPER_WAITING, memory_order_relaxed);
    w->waiter = (struct waiter){.sleeper = &w->sleeper};
    return &w->waiter;
}

/* The waiter is linked: leave. */
static inline int step_pending(struct aglet_frame *f, uint32_t stage, const char *why) {
    task_step_rest(step_task(f))->rest.waits_for = why;
    f->stage_ = stage;
    return AGLET_PENDING;
}

/* Has the deadline of this await passed? Asked before a waiter is linked once more: the timer wakes only
 * once. */
static inline bool step_is_late_at(const struct step_wait *w) {
    return w->more && w->more->deadline != AGLET_FOREVER && timer_is_off(&w->more->timer);
}
static inline bool step_is_late(struct aglet_frame *f) {
    return step_is_late_at(step_wait(f));
}

/* 0: it has fired; AGLET_PENDING: not yet; -ECANCELED, -ETIMEDOUT: give up, if the waiter is still linked. */
static inline int step_look_at(struct aglet_frame *f, struct step_wait *w) {
    if (sleeper_is_fired(&w->sleeper))
        return 0;
    if (task_is_aborted(step_task(f)))
        return -ECANCELED;
    return step_is_late_at(w) ? -ETIMEDOUT : AGLET_PENDING;
}
static inline int step_look(struct aglet_frame *f) {
    return step_look_at(f, step_wait(f));
}

/* Give back what step_arm took; the await is over. */
void step_disarm(struct aglet_frame *f);

static inline int step_end_at(struct aglet_frame *f, struct step_wait *w, int result) {
    if (AGLET_UNLIKELY(w->more != NULL))
        step_disarm(f);
    task_step_rest(step_task(f))->rest.waits_for = NULL;
    f->stage_ = STEP_NEW;
    return result;
}
static inline int step_end(struct aglet_frame *f, int result) {
    return step_end_at(f, step_wait(f), result);
}

/* Most operations are of one part: to begin one, with a waiter or (NULL) without, which returns -EAGAIN when
 * it has to wait; and to take the waiter back, which returns false when it has fired. */
struct step_op {
    int (*begin)(void *object, void *item, struct waiter *w);
    bool (*unlink)(void *object, struct waiter *w);
    const char *why;
};

static inline int step_poll(struct aglet_frame *f, const struct step_op *op, void *object, void *item,
                            aglet_time deadline, const void *caller) {
    struct step_wait *w = step_wait(f);
    if (f->stage_ == STEP_NEW) {
        int error = step_begin_at(f, w, caller);
        if (error)
            return error;
        if (deadline != AGLET_FOREVER && (error = op->begin(object, item, NULL)) != -EAGAIN)
            return error;
        if (deadline == AGLET_FOREVER || !(error = step_arm(f, deadline, 0)))
            error = op->begin(object, item, &w->waiter);
        return error == -EAGAIN ? step_pending(f, STEP_WAITING, op->why) : step_end_at(f, w, error);
    }
    int seen = step_look_at(f, w);
    if (seen == AGLET_PENDING)
        return seen;
    if (seen && op->unlink(object, &w->waiter))
        return step_end_at(f, w, seen);
    return step_end_at(f, w, w->waiter.result);
}

#endif
