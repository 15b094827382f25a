/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How everything that waits, waits: a sleeper (who), waiters (on what), queues of waiters inside the objects.
 * Stands on worker.h for tasks and on futex.h for OS threads; the same code serves both.
 *
 * A wait on one object:    1. under the object's lock: nothing there → link a waiter, unlock;  2.
 * sleeper_wait;
 *                          3. it fired: the waker has unlinked the waiter and filled its slot; or it gave up
 *                          (deadline, abort): lock again, and look whether the waiter is still linked. The
 * lock decides. A wait on several (select): the waker must first win sleeper_claim, so that only one of the
 * objects delivers.
 *
 * The waker, under the object's lock: takes a waiter out (waitq_pop), fills slot and result, calls
 * sleeper_fire, unlocks, and then calls wake_send. After sleeper_fire the waiter's storage is no longer the
 * waker's: what wake_send needs was copied out (a task, whose memory is type-stable, or the address of a
 * futex, which is only named). */
#ifndef AGLET_SRC_TASK_SLEEP_H
#define AGLET_SRC_TASK_SLEEP_H

#include "check.h"
#include "tsan.h"
#include "worker.h"

#include <errno.h>

enum sleeper_state { SLEEPER_WAITING, SLEEPER_IN_FUTEX, SLEEPER_CLAIMED, SLEEPER_FIRED, SLEEPER_CANCELLED };

struct sleeper {
    _Atomic uint32_t fired;  /* enum sleeper_state */
    uint16_t which;          /* the waiter that fired; written by the waker before FIRED */
    bool many;               /* waits on several objects: wakers claim first */
    struct aglet_task *task; /* NULL: an OS thread */
};

/* One place in one queue. Fields are protected by the queue's lock while linked. */
struct waiter {
    struct waiter *next, *prev;
    struct sleeper *sleeper;
    void *slot;     /* where the item goes to, or comes from */
    int32_t result; /* 0, or a negative errno value such as -EPIPE */
    uint16_t index; /* which of several */
    bool linked;
    union {
        bool notify;         /* channel senders: only say that there may be room */
        _Atomic bool let_go; /* joins: the ending task will not touch this waiter again */
    };
};

/* Zero is valid: empty. First in, first out. */
struct waitq {
    struct waiter *head, *tail;
};

struct wake {
    struct aglet_task *task;
    _Atomic uint32_t *futex;
};

static inline void sleeper_init(struct sleeper *s) {
    struct aglet_task *t = task_self();
    *s = (struct sleeper){0};
    /* A stackless task has no stack to leave: if it calls a waiting function all the same, its thread waits.
     */
    s->task = t && atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKFUL ? t : NULL;
}

static inline bool sleeper_is_fired(struct sleeper *s) {
    /* Partner: the release in sleeper_fire: slot and result are then filled. */
    if (atomic_load_explicit(&s->fired, memory_order_acquire) != SLEEPER_FIRED)
        return false;
    tsan_observe(s);
    return true;
}

/* May this waker deliver? Always true for a sleeper on one object. */
static inline bool sleeper_claim(struct sleeper *s) {
    if (!s->many)
        return true;
    uint32_t seen = atomic_load_explicit(&s->fired, memory_order_relaxed);
    while (seen == SLEEPER_WAITING || seen == SLEEPER_IN_FUTEX)
        if (atomic_compare_exchange_weak_explicit(&s->fired, &seen, SLEEPER_CLAIMED, memory_order_acq_rel,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static inline struct wake sleeper_fire(struct sleeper *s) {
    struct wake w = {s->task, NULL};
    tsan_publish(s);
    if (AGLET_LIKELY(w.task != NULL)) {
        /* Partner: sleeper_is_fired. */
        atomic_store_explicit(&s->fired, SLEEPER_FIRED, memory_order_release);
        return w;
    }
    bool many = s->many;
    if (atomic_exchange_explicit(&s->fired, SLEEPER_FIRED, memory_order_acq_rel) == SLEEPER_IN_FUTEX ||
        many) {
        w.futex = &s->fired; /* many: the claim has overwritten IN_FUTEX */
    }
    return w;
}

static inline void wake_send_from(struct worker *here, struct wake w) {
    if (w.task)
        task_wake_from(here, w.task);
    else if (w.futex)
        futex_wake(w.futex, 1);
}
static inline void wake_send(struct wake w) {
    wake_send_from(worker_here_, w);
}

/* Sleep until the sleeper has fired (0), the deadline has passed (-ETIMEDOUT) or the task was aborted (-ECANCELED);
 * -EDEADLK: a thread, whose wait the checked library has reported to a hook as one for ever. `why` is static text for
 * dumps and reports: "recv", "sleep". */
int sleeper_wait(struct sleeper *s, aglet_time deadline, const char *why);

/* For the reports of the checked library: what the next sleeper_wait of s is for, a task, channel or async lock as `why`
 * has it. */
static inline void sleeper_is_for(struct sleeper *s, const void *object) {
    if (aglet_checked && s->task)
        s->task->stack->waits_on = object;
    else if (aglet_checked)
        check_await_on(object);
}

/* The same for a sleeper on one object, with the commonest case in line. */
static inline int sleeper_wait_one(struct sleeper *s, aglet_time deadline, const char *why) {
    struct aglet_task *t = s->task;
    if (!t || deadline != AGLET_FOREVER)
        return sleeper_wait(s, deadline, why);
    t->stack->rest.waits_for = why;
    int result = 0;
    while (!sleeper_is_fired(s)) {
        if (task_is_aborted(t)) {
            result = -ECANCELED;
            break;
        }
        task_park(t);
    }
    t->stack->rest.waits_for = NULL;
    return result;
}

/* Give up a wait on several objects, unless a waker was faster. Returns whether it was given up. */
bool sleeper_give_up(struct sleeper *s);

/* What every public function that may wait asks first: -ECANCELED when the calling task was aborted, else 0.
 * The checked library reports the thread locks held (lock-across-yield), and a wait that a stackless task
 * cannot make. */
int await_check_(struct aglet_task *t, const char *why, const void *caller);

static inline int await_begin_at(struct worker *here, const char *why, const void *caller) {
    struct aglet_task *t = here ? here->current : NULL;
    if (aglet_checked)
        return await_check_(t, why, caller);
    if (!t)
        return 0;
    return task_is_aborted(t) ? -ECANCELED : 0;
}
static inline int await_begin(const char *why, const void *caller) {
    return await_begin_at(worker_here_, why, caller);
}

/* The point after the one that was just reached, points that have passed left out. */
void interval_advance(aglet_interval *interval);

static inline void waitq_push(struct waitq *q, struct waiter *w) {
    w->next = NULL;
    w->prev = q->tail;
    if (q->tail)
        q->tail->next = w;
    else
        q->head = w;
    q->tail = w;
    w->linked = true;
}

static inline void waitq_remove(struct waitq *q, struct waiter *w) {
    if (w->prev)
        w->prev->next = w->next;
    else
        q->head = w->next;
    if (w->next)
        w->next->prev = w->prev;
    else
        q->tail = w->prev;
    w->linked = false;
}

/* Take out the first waiter that this waker may deliver to, or NULL. */
static inline struct waiter *waitq_pop(struct waitq *q) {
    struct waiter *w;
    while ((w = q->head)) {
        q->head = w->next;
        if (w->next)
            w->next->prev = NULL;
        else
            q->tail = NULL;
        w->linked = false;
        if (!w->sleeper->many)
            return w;
        if (sleeper_claim(w->sleeper)) {
            w->sleeper->which = w->index;
            return w;
        }
    }
    return NULL;
}

#endif
