/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Sleeping on a word, and the clock that deadlines are read from. Stands on futex(2) and clock_gettime(2). */
#include "futex.h"

#include "check.h"
#include "tsan.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

bool futex_wait_set(_Atomic uint32_t *word, uint32_t expected, aglet_time deadline, uint32_t set) {
    /* FUTEX_WAIT_BITSET, unlike FUTEX_WAIT, takes an absolute deadline on the monotonic clock. */
    struct timespec until, *limit = NULL;
    bool asleep = aglet_checked && deadline == AGLET_FOREVER;
    if (asleep)
        check_sleeps_on(word); /* first: partner waits_nudge */
    aglet_time look_at = asleep ? check_look_at() : AGLET_FOREVER;
    if (look_at != AGLET_FOREVER)
        deadline = look_at;
    /* ThreadSanitizer runs the handler of a signal in the next function that it knows: here that is usleep. */
    bool for_handlers = tsan_here() && deadline == AGLET_FOREVER;
    if (for_handlers)
        deadline = aglet_after_ms(100);
    if (deadline != AGLET_FOREVER) {
        if (deadline < 0)
            deadline = 0;
        until.tv_sec = (time_t)(deadline / 1000000000);
        until.tv_nsec = (long)(deadline % 1000000000);
        limit = &until;
    }
    int saved = errno;
    long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, limit, NULL, set);
    bool in_time = !(r < 0 && errno == ETIMEDOUT);
    if (asleep)
        check_sleeps_on(NULL);
    if (aglet_checked && !in_time && look_at != AGLET_FOREVER) {
        check_look(word, expected);
        in_time = true;
    }
    if (for_handlers && !in_time) {
        usleep(1);
        in_time = true;
    }
    errno = saved;
    return in_time;
}

bool futex_wait(_Atomic uint32_t *word, uint32_t expected, aglet_time deadline) {
    return futex_wait_set(word, expected, deadline, (uint32_t)FUTEX_ANY);
}

int futex_wake_set(_Atomic uint32_t *word, int count, uint32_t set) {
    int saved = errno;
    long r = syscall(SYS_futex, word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, count, NULL, NULL, set);
    errno = saved;
    return r > 0 ? (int)r : 0;
}

int futex_wake(_Atomic uint32_t *word, int count) {
    return futex_wake_set(word, count, (uint32_t)FUTEX_ANY);
}

bool spinning_pays(void) {
    static _Atomic int known; /* 0 not asked yet, 1 no, 2 yes; any number of threads may find out at once */
    int k = atomic_load_explicit(&known, memory_order_relaxed);
    if (k == 0) {
        cpu_set_t mine;
        int saved = errno;
        k = sched_getaffinity(0, sizeof mine, &mine) == 0 && CPU_COUNT(&mine) < 2 ? 1 : 2;
        errno = saved;
        atomic_store_explicit(&known, k, memory_order_relaxed);
    }
    return k == 2;
}

aglet_time aglet_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (aglet_time)t.tv_sec * 1000000000 + t.tv_nsec;
}

aglet_time aglet_after_ns(int64_t nanoseconds) {
    aglet_time now = aglet_now(), then;
    if (nanoseconds < 0)
        return now;
    return __builtin_add_overflow(now, nanoseconds, &then) ? AGLET_FOREVER : then;
}

aglet_time aglet_after_ms(int64_t milliseconds) {
    int64_t ns;
    return __builtin_mul_overflow(milliseconds, 1000000, &ns) && milliseconds > 0 ? AGLET_FOREVER
                                                                                  : aglet_after_ns(ns);
}

bool aglet_is_checked(void) {
    return aglet_checked;
}
