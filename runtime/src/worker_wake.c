/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How work reaches a worker from elsewhere: the injection queue, and inboxes. Stands on worker.h; whom it wakes
 * for it is in worker_idle.c. */
#include "worker.h"

void executor_inject(struct aglet_executor *ex, struct aglet_task *t) {
    t->next = NULL;
    slock_lock(&ex->inject_lock);
    if (ex->inject.head)
        ex->inject.tail->next = t;
    else
        ex->inject.head = t;
    ex->inject.tail = t;
    /* Partner: the load in executor_take_injected; seq_cst for the sleeper's second look (work_anywhere). */
    atomic_fetch_add(&ex->injected, 1);
    slock_unlock(&ex->inject_lock);
}

struct aglet_task *executor_take_injected_slow_(struct aglet_executor *ex) {
    slock_lock(&ex->inject_lock);
    struct aglet_task *t = ex->inject.head;
    if (t) {
        ex->inject.head = t->next;
        atomic_fetch_sub_explicit(&ex->injected, 1, memory_order_relaxed);
    }
    slock_unlock(&ex->inject_lock);
    return t;
}

/* Wake what other threads want woken, oldest first. */
void worker_take_inbox_slow_(struct worker *w, struct aglet_task *left_in_it) {
    /* Partner: the compare-exchange in tell. */
    struct aglet_task *t = atomic_exchange_explicit(&w->inbox, left_in_it, memory_order_acquire),
                      *list = NULL;
    while (t) {
        struct aglet_task *next = t->told_next;
        t->told_next = list;
        list = t;
        t = next;
    }
    while (list) {
        t = list;
        list = t->told_next;
        /* A waker that finds `told` set relies on this wake. Partner: the exchange in tell: what that waker
         * wrote before it is seen by the task. */
        atomic_exchange_explicit(&t->told, 0, memory_order_acq_rel);
        task_wake(t);
    }
}

void worker_close_inbox(struct worker *w) {
    worker_take_inbox_slow_(w, INBOX_CLOSED);
}

/* Ask the worker that t is, or was, pinned to to wake it. False: that worker has ended, so `place` is old. */
static bool tell(struct worker *home, struct aglet_task *t) {
    if (atomic_exchange_explicit(&t->told, 1, memory_order_acq_rel))
        return true;
    struct aglet_task *head = atomic_load_explicit(&home->inbox, memory_order_relaxed);
    do {
        if (head == INBOX_CLOSED) {
            atomic_exchange_explicit(&t->told, 0, memory_order_acq_rel);
            return false;
        }
        t->told_next = head;
    } while (!atomic_compare_exchange_weak(&home->inbox, &head, t));
    worker_kick(home);
    return true;
}

/* Make a task run that is not pinned. */
static void schedule(struct worker *w, struct aglet_executor *ex, struct aglet_task *t) {
    if (!w || w->executor != ex || deque_push(&w->deque, t) != 0)
        executor_inject(ex, t);
    else
        atomic_store_explicit(&w->pushed, atomic_load_explicit(&w->pushed, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    executor_announce_work(ex);
}

void task_schedule_fresh(struct worker *w, struct aglet_executor *ex, struct aglet_task *t) {
    if (w && task_home(t) == w)
        run_push(w, t);
    else
        schedule(ex->n > 1 ? w : NULL, ex, t);
}

void task_wake_afar_(struct aglet_task *t) {
    struct worker *w = worker_here_;
    uintptr_t seen = atomic_load_explicit(&t->place, memory_order_acquire);
    for (;;) {
        uintptr_t who = seen & ~(uintptr_t)PLACE_STATE;
        unsigned state = seen & PLACE_STATE;
        if (state == TASK_ENDED)
            return;
        if (!(seen & PLACE_ANYWHERE)) {
            if ((who == (uintptr_t)w && state == TASK_NOTIFIED) || tell(place_worker(seen), t))
                return;
            /* Somebody may have relied on the wake that was not to be: look again. */
            uintptr_t old = seen;
            seen = atomic_load_explicit(&t->place, memory_order_acquire);
            if (seen == old)
                return;
            continue;
        }
        /* NOTIFIED to NOTIFIED as well: the release orders what the waker wrote before the token;
         * sequentially consistent for task_park's first look. Partner: park_anywhere. */
        if (!atomic_compare_exchange_weak(&t->place, &seen,
                                          who | (state == TASK_PARKED ? TASK_RUNNABLE : TASK_NOTIFIED)))
            continue;
        if (state == TASK_PARKED)
            schedule(w, (struct aglet_executor *)(who & ~(uintptr_t)PLACE_ANYWHERE), t);
        return;
    }
}
