/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The public face of tasks: spawn, join, abort, sleep. Stands on worker.h and task_sleep.h. */
#include "aglet/stackless.h"
#include "aglet/task.h"
#include "check.h"
#include "misuse.h"
#include "task_group.h"
#include "task_join.h"
#include "task_sleep.h"
#include "task_start.h"

#include <sched.h>
#include <string.h>

static _Atomic uint64_t ids_given;
enum { ID_BATCH = 1024 };

uint64_t task_id_outside_(void) {
    return atomic_fetch_add_explicit(&ids_given, 1, memory_order_relaxed) + 1;
}

void task_ids_(struct worker *w) {
    w->id = atomic_fetch_add_explicit(&ids_given, ID_BATCH, memory_order_relaxed);
    w->last_id = w->id + ID_BATCH;
}

int task_start(struct aglet_task **task, const struct task_plan *plan) {
    return task_start_inline(task, plan);
}

int aglet_spawn(aglet_task **task, aglet_task_fn *entry, void *arg) {
    return task_start_inline(task, &(struct task_plan){.entry = entry, .arg = arg, .detached = !task});
}

int aglet_spawn_local(aglet_task **task, aglet_task_fn *entry, void *arg) {
    if (!worker_here_)
        return task_not_started(task, -ESRCH);
    return task_start(task,
                      &(struct task_plan){.entry = entry, .arg = arg, .detached = !task, .local = true});
}

bool join_link(struct aglet_task *t, struct waiter *w) {
    uintptr_t open = JOIN_OPEN;
    atomic_store_explicit(&w->let_go, false, memory_order_relaxed);
    /* Partner: the exchange in task_end. */
    return atomic_compare_exchange_strong_explicit(&t->join, &open, (uintptr_t)w, memory_order_acq_rel,
                                                   memory_order_acquire);
}

bool join_unlink(struct aglet_task *t, struct waiter *w) {
    uintptr_t mine = (uintptr_t)w;
    if (atomic_compare_exchange_strong_explicit(&t->join, &mine, JOIN_OPEN, memory_order_acq_rel,
                                                memory_order_acquire))
        return true;
    /* The task is in the last lines of task_end, which will fire this waiter or let it go. */
    if (mine == JOIN_ENDED)
        while (!sleeper_is_fired(w->sleeper) && !atomic_load_explicit(&w->let_go, memory_order_acquire))
            cpu_relax();
    return false;
}

void join_take(struct aglet_task *t, void **result) {
    tsan_observe(&t->join); /* partner: task_end */
    if (result)
        *result = t->result;
    struct worker *w = worker_here_;
    task_free(w ? &w->tasks : NULL, t);
}

/* Was the handle given up before? The checked library sees it until the memory is another task's. */
static bool is_used_up(struct aglet_task *t) {
    return aglet_checked && (atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_FREE ||
                             (atomic_load_explicit(&t->join, memory_order_relaxed) & JOIN_DETACHED));
}

int join_refused(struct aglet_task *t, int error, const char *verb, const void *caller) {
    if (!aglet_checked)
        return error;
    if (!t)
        misuse_report("unjoined", NULL, false, caller,
                      "a task is %s by the handle NULL, which no spawn has filled", verb);
    else if (error == -EDEADLK)
        misuse_report("deadlock", t, false, caller, "task %llu '%s' joins itself, which would never end",
                      (unsigned long long)task_id(t), task_name(t) ? task_name(t) : "unnamed");
    else
        misuse_report("unjoined", t, false, caller,
                      is_used_up(t) ? "a task is %s that was joined or detached before"
                                    : "a task is %s that somebody else joins or has detached",
                      verb);
    return error;
}

int join_begin(struct aglet_task *t, struct waiter *w) {
    if (!t || t == task_self())
        return -EDEADLK;
    if (is_used_up(t))
        return -EINVAL;
    if (w && join_link(t, w))
        return -EAGAIN;
    /* Partner: the exchange in task_end. */
    uintptr_t join = atomic_load_explicit(&t->join, memory_order_acquire);
    if (join == JOIN_ENDED)
        return 0;
    return join == JOIN_OPEN && !w ? -EAGAIN : -EINVAL;
}

int join_task(struct aglet_task *t, void **result, aglet_time deadline, const void *caller) {
    int error = await_begin("join", caller);
    if (error)
        return error;
    if (!t || t == task_self())
        return join_refused(t, -EDEADLK, "joined", caller);
    if (is_used_up(t))
        return join_refused(t, -EINVAL, "joined", caller);
    /* Partner: the exchange in task_end. */
    if (atomic_load_explicit(&t->join, memory_order_acquire) != JOIN_ENDED) {
        struct sleeper s;
        sleeper_init(&s);
        struct waiter w;
        w.sleeper = &s;
        w.index = 0;
        if (join_link(t, &w)) {
            sleeper_is_for(&s, deadline == AGLET_FOREVER ? t : NULL);
            error = sleeper_wait(&s, deadline, "join");
            if (error && join_unlink(t, &w))
                return error;
        } else if (AGLET_UNLIKELY(atomic_load_explicit(&t->join, memory_order_acquire) != JOIN_ENDED)) {
            return join_refused(t, -EINVAL, "joined", caller);
        }
    } else {
        task_spend();
    }
    join_take(t, result);
    return 0;
}

int aglet_join(aglet_task *task, void **result) {
    return join_task(task, result, AGLET_FOREVER, CALLER());
}

int aglet_join_until(aglet_task *task, void **result, aglet_time deadline) {
    return join_task(task, result, deadline, CALLER());
}

int aglet_join_all(aglet_task **tasks, void **results, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!tasks[i])
            continue;
        int error = join_task(tasks[i], results ? &results[i] : NULL, AGLET_FOREVER, CALLER());
        if (error)
            return error;
        tasks[i] = NULL;
    }
    return 0;
}

int aglet_timeout(aglet_task_fn *entry, void *arg, aglet_time deadline, void **result) {
    aglet_task *t;
    int error = aglet_spawn(&t, entry, arg);
    if (error)
        return error;
    error = join_task(t, result, deadline, CALLER());
    if (!error)
        return 0;
    aglet_abort(t);
    struct sleeper s;
    sleeper_init(&s);
    struct waiter w = {.sleeper = &s};
    if (join_link(t, &w))
        while (!sleeper_is_fired(&s)) {
            if (s.task)
                task_park(s.task);
            else
                (void)sleeper_wait(&s, AGLET_FOREVER, "join");
        }
    join_take(t, NULL);
    return error;
}

void aglet_detach(aglet_task *t) {
    if (!t)
        return;
    if (is_used_up(t)) {
        (void)join_refused(t, -EINVAL, "detached", CALLER());
        return;
    }
    uintptr_t open = JOIN_OPEN;
    /* Partner: the exchange in task_end. */
    if (!atomic_compare_exchange_strong_explicit(&t->join, &open, JOIN_DETACHED, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        struct worker *w = worker_here_;
        if (AGLET_UNLIKELY(open != JOIN_ENDED))
            (void)join_refused(t, -EINVAL, "detached", CALLER());
        else
            task_free(w ? &w->tasks : NULL, t);
    }
}

void aglet_abort(aglet_task *t) {
    if (!t)
        return;
    if (aglet_checked && atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_FREE) {
        (void)join_refused(t, -EINVAL, "aborted", CALLER());
        return;
    }
    task_abort(t);
}

bool aglet_aborted(void) {
    struct aglet_task *t = task_self();
    return t && task_is_aborted(t);
}

int aglet_yield(void) {
    int error = await_begin("yield", CALLER());
    if (error)
        return error;
    struct aglet_task *t = task_self();
    if (!t || atomic_load_explicit(&t->kind, memory_order_relaxed) != TASK_STACKFUL)
        sched_yield();
    else
        task_requeue(t);
    return 0;
}

static int sleep_until(aglet_time deadline, const void *caller) {
    int error = await_begin("sleep", caller);
    if (error)
        return error;
    struct sleeper s;
    sleeper_init(&s);
    error = sleeper_wait(&s, deadline, "sleep");
    return error == -ETIMEDOUT ? 0 : error;
}

int aglet_sleep_until(aglet_time deadline) {
    return sleep_until(deadline, CALLER());
}

int aglet_sleep_ms(int64_t milliseconds) {
    return sleep_until(aglet_after_ms(milliseconds), CALLER());
}

void interval_advance(aglet_interval *interval) {
    aglet_time now = aglet_now();
    interval->next += interval->period;
    if (interval->next <= now && interval->period > 0)
        interval->next += (now - interval->next) / interval->period * interval->period + interval->period;
}

int aglet_interval_next(aglet_interval *interval) {
    int error = sleep_until(interval->next, CALLER());
    if (!error)
        interval_advance(interval);
    return error;
}

aglet_task *aglet_self(void) {
    return task_self();
}

void aglet_task_name(aglet_task *task, const char *name) {
    struct aglet_task *t = task ? task : task_self();
    if (t)
        task_set_name(t, name);
}

uint64_t aglet_task_id(const aglet_task *task) {
    return task ? task_id(task) : 0;
}

static uint32_t jitter(void) {
    static _Thread_local uint32_t state;
    if (!state)
        state = (uint32_t)aglet_now() | 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

int aglet_retry(int (*attempt)(void *), void *arg, unsigned attempts, int64_t first_ms) {
    int64_t pause = first_ms * 1000000;
    for (unsigned i = 1;; i++) {
        int result = attempt(arg);
        if (result >= 0 || result == -ECANCELED || i >= attempts)
            return result;
        int64_t shorter = pause / 4 > 0 ? (int64_t)(jitter() % (uint64_t)(pause / 4 + 1)) : 0;
        int error = sleep_until(aglet_after_ns(pause - shorter), CALLER());
        if (error)
            return error;
        if (pause < INT64_MAX / 4)
            pause *= 2;
    }
}
