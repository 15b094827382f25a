/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Sleeping until somebody fires the sleeper. Stands on worker.c (tasks), futex.h (threads), timer.h
 * (deadlines of tasks). */
#include "task_sleep.h"
#include "check.h"
#include "task_check.h"

enum { THREAD_SPINS = 200 };

static void wake_task(void *t) {
    task_wake(t);
}

static inline int wait_parked(struct sleeper *s, struct timer *timer) {
    struct aglet_task *t = s->task;
    for (;;) {
        if (sleeper_is_fired(s))
            return 0;
        if (task_is_aborted(t))
            return -ECANCELED;
        if (timer && timer_is_off(timer))
            return -ETIMEDOUT;
        task_park(t);
    }
}

static __attribute__((noinline)) int wait_until(struct sleeper *s, aglet_time deadline) {
    struct timer timer = {.deadline = deadline, .fire = wake_task, .who = s->task};
    if (deadline <= aglet_now() && !sleeper_is_fired(s))
        return -ETIMEDOUT;
    timer_start(&worker_here_->timers, &timer);
    int result = wait_parked(s, &timer);
    timer_stop(&timer);
    return result;
}

static inline int wait_as_task(struct sleeper *s, aglet_time deadline, const char *why) {
    struct aglet_task *t = s->task;
    t->stack->rest.waits_for = why;
    int result = deadline == AGLET_FOREVER ? wait_parked(s, NULL) : wait_until(s, deadline);
    t->stack->rest.waits_for = NULL;
    if (aglet_checked)
        t->stack->waits_on = NULL;
    return result;
}

static int sleep_as_thread(struct sleeper *s, aglet_time deadline) {
    if (spinning_pays())
        for (int i = 0; i < THREAD_SPINS; i++) {
            if (sleeper_is_fired(s))
                return 0;
            cpu_relax();
        }
    for (;;) {
        uint32_t seen = SLEEPER_WAITING;
        /* Partner: the exchange in sleeper_fire. */
        if (!atomic_compare_exchange_strong_explicit(&s->fired, &seen, SLEEPER_IN_FUTEX, memory_order_acq_rel,
                                                     memory_order_acquire)) {
            if (seen == SLEEPER_FIRED) {
                tsan_observe(s);
                return 0;
            }
            if (seen == SLEEPER_CLAIMED) {
                cpu_relax();
                continue;
            }
        }
        if (aglet_checked && check_await_is_told())
            return -EDEADLK;
        if (!futex_wait(&s->fired, SLEEPER_IN_FUTEX, deadline))
            return sleeper_is_fired(s) ? 0 : -ETIMEDOUT;
    }
}

static int wait_as_thread(struct sleeper *s, aglet_time deadline, const char *why) {
    if (aglet_checked)
        check_await_begin(why, deadline);
    int result = sleep_as_thread(s, deadline);
    if (aglet_checked)
        check_block_end();
    return result;
}

bool sleeper_give_up(struct sleeper *s) {
    /* Partner: the release in sleeper_fire. */
    uint32_t seen = atomic_load_explicit(&s->fired, memory_order_acquire);
    for (;;) {
        if (seen == SLEEPER_FIRED) {
            tsan_observe(s);
            return false;
        }
        if (seen == SLEEPER_CLAIMED) {
            cpu_relax();
            seen = atomic_load_explicit(&s->fired, memory_order_acquire);
            continue;
        }
        /* Partner: sleeper_claim. */
        if (atomic_compare_exchange_weak_explicit(&s->fired, &seen, SLEEPER_CANCELLED, memory_order_acq_rel,
                                                  memory_order_acquire))
            return true;
    }
}

int sleeper_wait(struct sleeper *s, aglet_time deadline, const char *why) {
    int result = s->task ? wait_as_task(s, deadline, why) : wait_as_thread(s, deadline, why);
    return result && s->many && !sleeper_give_up(s) ? 0 : result;
}

/* Of the preloaded library for pthread programs, where it is there. */
extern unsigned aglet_preload_check_yield_(const void *caller) __attribute__((weak, visibility("default")));

int await_check_(struct aglet_task *t, const char *why, const void *caller) {
    if (!aglet_checked)
        return 0;
    if (!t) {
        check_await_at(caller);
        return 0;
    }
    task_rest(t)->waits_at = caller;
    if (check_held_count())
        check_yield(caller);
    if (aglet_preload_check_yield_)
        aglet_preload_check_yield_(caller);
    if (atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKLESS)
        check_stackless_wait(t, why, caller);
    return task_is_aborted(t) ? -ECANCELED : 0;
}

void aglet_report_room_(bool begins) {
    struct aglet_task *t = task_self();
    struct stack *s = t ? task_stack(t) : NULL;
    const char *here = __builtin_frame_address(0);
    /* Not a report on the alternate stack of a signal handler. */
    if (s && here >= s->bottom && here < (const char *)s)
        stack_report(s, begins);
}
