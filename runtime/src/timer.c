/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The timer wheel. Level l holds timers whose tick differs from the current one first in the l-th group of
 * six bits; when the current tick crosses a group, the slot of the level above is dealt out again.
 * Stands on task_lock.h. */
#include "timer.h"

#include <stddef.h>

static int64_t tick_of(int64_t deadline) {
    if (deadline <= 0)
        return 0;
    if (deadline > INT64_MAX - (1 << TIMER_TICK_SHIFT))
        return INT64_MAX >> TIMER_TICK_SHIFT;
    return (deadline + (1 << TIMER_TICK_SHIFT) - 1) >> TIMER_TICK_SHIFT;
}

static void place(struct timer_wheel *wheel, struct timer *t) {
    int64_t when = tick_of(t->deadline);
    if (when <= wheel->tick)
        when = wheel->tick + 1;
    uint64_t differ = (uint64_t)when ^ (uint64_t)wheel->tick;
    unsigned level = (63u - (unsigned)__builtin_clzll(differ)) / 6;
    unsigned slot;
    if (level >= TIMER_LEVELS) {
        level = TIMER_LEVELS - 1;
        slot = ((unsigned)(wheel->tick >> (6 * level)) + 63) & 63;
    } else {
        slot = (unsigned)((uint64_t)when >> (6 * level)) & 63;
    }
    t->level = (uint8_t)level;
    t->slot = (uint8_t)slot;
    t->prev = NULL;
    t->next = wheel->slot[level][slot];
    if (t->next)
        t->next->prev = t;
    wheel->slot[level][slot] = t;
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

static void unlink_timer(struct timer_wheel *wheel, struct timer *t) {
    if (t->prev)
        t->prev->next = t->next;
    else
        wheel->slot[t->level][t->slot] = t->next;
    if (t->next)
        t->next->prev = t->prev;
    if (!wheel->slot[t->level][t->slot])
        wheel->occupied[t->level] &= ~(UINT64_C(1) << t->slot);
    wheel->count--;
}

/* The first tick after the current one at which a slot must be looked at, or INT64_MAX. */
static int64_t next_tick(const struct timer_wheel *wheel) {
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        if (!wheel->occupied[level])
            continue;
        unsigned shift = 6 * level;
        unsigned here = (unsigned)(wheel->tick >> shift) & 63;
        /* Rotate so that bit 0 is the slot after the current one; slots at or before it are of the next turn.
         */
        unsigned from = (here + 1) & 63;
        uint64_t bits = wheel->occupied[level];
        uint64_t turned = from ? bits >> from | bits << (64 - from) : bits;
        int64_t ahead = __builtin_ctzll(turned) + 1;
        return ((wheel->tick >> shift) + ahead) << shift;
    }
    return INT64_MAX;
}

static void publish_next(struct timer_wheel *wheel) {
    int64_t tick = next_tick(wheel);
    int64_t ns = tick == INT64_MAX ? INT64_MAX : tick << TIMER_TICK_SHIFT;
    atomic_store_explicit(&wheel->next, ns, memory_order_relaxed);
}

void timer_wheel_init(struct timer_wheel *wheel, int64_t now) {
    *wheel = (struct timer_wheel){.tick = now >> TIMER_TICK_SHIFT};
    atomic_init(&wheel->next, INT64_MAX);
}

void timer_start(struct timer_wheel *wheel, struct timer *t) {
    slock_lock(&wheel->lock);
    place(wheel, t);
    wheel->count++;
    atomic_store_explicit(&t->wheel, wheel, memory_order_relaxed);
    int64_t due = tick_of(t->deadline) << TIMER_TICK_SHIFT;
    if (due < atomic_load_explicit(&wheel->next, memory_order_relaxed))
        atomic_store_explicit(&wheel->next, due, memory_order_relaxed);
    slock_unlock(&wheel->lock);
}

bool timer_stop(struct timer *t) {
    /* The wheel outlives its timers: workers are freed after the last task. */
    struct timer_wheel *wheel = atomic_load_explicit(&t->wheel, memory_order_acquire);
    if (!wheel)
        return false;
    slock_lock(&wheel->lock);
    bool linked = atomic_load_explicit(&t->wheel, memory_order_relaxed) != NULL;
    if (linked) {
        unlink_timer(wheel, t);
        atomic_store_explicit(&t->wheel, NULL, memory_order_relaxed);
    }
    slock_unlock(&wheel->lock);
    return linked;
}

void timer_wheel_run(struct timer_wheel *wheel, int64_t now) {
    if (now < atomic_load_explicit(&wheel->next, memory_order_relaxed))
        return;
    int64_t target = now >> TIMER_TICK_SHIFT;
    slock_lock(&wheel->lock);
    while (wheel->tick < target) {
        int64_t tick = next_tick(wheel);
        if (tick > target) {
            wheel->tick = target;
            break;
        }
        wheel->tick = tick;
        for (unsigned level = TIMER_LEVELS; level-- > 0;) {
            /* A level's slot is dealt out when all groups below it are at zero. */
            if (level && (tick & ((INT64_C(1) << (6 * level)) - 1)))
                continue;
            unsigned slot = (unsigned)(tick >> (6 * level)) & 63;
            struct timer *t = wheel->slot[level][slot];
            wheel->slot[level][slot] = NULL;
            wheel->occupied[level] &= ~(UINT64_C(1) << slot);
            while (t) {
                struct timer *next = t->next;
                if (tick_of(t->deadline) <= tick) {
                    wheel->count--;
                    void (*fire)(void *) = t->fire;
                    void *who = t->who;
                    /* Partner: the acquire loads in timer_stop and timer_is_off: whoever sees NULL owns *t
                     * again. */
                    atomic_store_explicit(&t->wheel, NULL, memory_order_release);
                    fire(who);
                } else {
                    place(wheel, t);
                }
                t = next;
            }
        }
    }
    publish_next(wheel);
    slock_unlock(&wheel->lock);
}
