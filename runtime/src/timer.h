/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A hierarchical timer wheel: starting and stopping a timer costs the same however many there are.
 * Stands on task_lock.h. Varghese and Lauck 1987, in the shape of six levels of 64 slots with a bitmap. */
#ifndef AGLET_SRC_TIMER_H
#define AGLET_SRC_TIMER_H

#include "task_lock.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TIMER_TICK_SHIFT = 16, /* one tick is 65.5 microseconds */
    TIMER_LEVELS = 7,      /* 64^7 ticks: nine years */
    TIMER_SLOTS = 64,
};

struct timer_wheel;

/* One timer. Zero is valid: not started. `wheel` is set while it is linked; all fields are written under that
 * wheel's lock while it is. */
struct timer {
    struct timer *next, *prev;
    int64_t deadline; /* nanoseconds, CLOCK_MONOTONIC */
    _Atomic(struct timer_wheel *) wheel;
    void (*fire)(void *who);
    void *who; /* type-stable memory: fire(who) may run a moment after timer_stop returned false */
    uint8_t level, slot;
};

struct timer_wheel {
    struct slock lock;
    int64_t tick; /* every timer at or before this tick has fired */
    uint64_t occupied[TIMER_LEVELS];
    struct timer *slot[TIMER_LEVELS][TIMER_SLOTS];
    _Atomic int64_t next; /* lower bound of the next deadline in ns, INT64_MAX if none; read by the sleeper */
    uint64_t count;
};

void timer_wheel_init(struct timer_wheel *wheel, int64_t now);

/* Call t->fire(t->who) soon after t->deadline, from timer_wheel_run. Never early, at most a tick and the
 * worker's latency late.
 *
 * Requires  t is not started; it stays put until it has fired or been stopped. */
void timer_start(struct timer_wheel *wheel, struct timer *t);

/* Ensures   *t is the caller's again. Any thread.
 * Returns   true when it had not fired and now will not. */
bool timer_stop(struct timer *t);

/* Fire what is due at `now`. fire() runs under the wheel's lock: it may wake tasks, it may not touch timers.
 * A timer's storage is not touched again once its `wheel` is NULL, which comes before fire(). */
void timer_wheel_run(struct timer_wheel *wheel, int64_t now);

/* When to call timer_wheel_run next: a lower bound, or INT64_MAX. */
static inline int64_t timer_wheel_next(struct timer_wheel *wheel) {
    return atomic_load_explicit(&wheel->next, memory_order_relaxed);
}

/* Has it fired, or never been started? */
static inline bool timer_is_off(struct timer *t) {
    /* Partner: the release store in timer_wheel_run. */
    return !atomic_load_explicit(&t->wheel, memory_order_acquire);
}

#endif
