/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The mutex: a word lock, and what the checked library is told of it. Stands on word_lock.h, check.h. */
#include "aglet/mutex.h"

#include "check_fast.h"
#include "take.h"
#include "word_lock.h"

#include <errno.h>

static inline _Atomic uint32_t *word(aglet_mutex *mu) {
    return (_Atomic uint32_t *)&mu->state_;
}

void aglet_mutex_init(aglet_mutex *mu) {
    aglet_mutex_init_named(mu, NULL);
}

void aglet_mutex_init_named(aglet_mutex *mu, const char *name) {
    if (aglet_checked)
        check_init(CHECK_MUTEX, mu, &mu->id_, name, CALLER());
    else
        mu->id_ = 0;
    atomic_store_explicit(word(mu), 0, memory_order_relaxed);
}

void aglet_mutex_destroy(aglet_mutex *mu) {
    if (aglet_checked)
        check_destroy(CHECK_MUTEX, mu, &mu->id_, CALLER());
}

/* The long ways stand apart, so that the short ones need no stack frame. */
static __attribute__((noinline)) void acquired_slow(aglet_mutex *mu, const void *caller) {
    check_acquired(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, caller);
}

static __attribute__((noinline)) void lock_slow(aglet_mutex *mu, const void *caller) {
    if (aglet_checked && !check_wait_begin(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, AGLET_FOREVER, caller))
        return;
    word_lock_take_slow(word(mu), LOCKED, AGLET_FOREVER);
    if (aglet_checked) {
        check_wait_end(true);
        check_acquired(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, caller);
    }
}

static __attribute__((noinline)) void unlock_slow(aglet_mutex *mu, const void *caller) {
    if (check_release(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, caller))
        word_lock_give(word(mu));
}

static inline __attribute__((always_inline)) void lock_from(aglet_mutex *mu, const void *caller) {
    if (AGLET_UNLIKELY(!word_lock_take_free(word(mu), LOCKED)))
        lock_slow(mu, caller);
    else if (aglet_checked && AGLET_UNLIKELY(!check_acquired_fast(CHECK_EXCLUSIVE, mu, &mu->id_, caller)))
        acquired_slow(mu, caller);
}

void aglet_mutex_lock(aglet_mutex *mu) {
    lock_from(mu, CALLER());
}

static inline __attribute__((always_inline)) bool try_lock_from(aglet_mutex *mu, const void *caller) {
    bool taken = word_lock_try(word(mu), LOCKED);
    if (aglet_checked && taken)
        check_acquired(CHECK_MUTEX, CHECK_EXCLUSIVE | CHECK_TRIED, mu, &mu->id_, caller);
    return taken;
}

bool aglet_mutex_try_lock(aglet_mutex *mu) {
    return try_lock_from(mu, CALLER());
}

int aglet_mutex_lock_until(aglet_mutex *mu, aglet_time deadline) {
    bool taken = word_lock_take_free(word(mu), LOCKED);
    if (!taken) {
        if (aglet_checked &&
            !check_wait_begin(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, deadline, CALLER()))
            return -ETIMEDOUT;
        taken = word_lock_take_slow(word(mu), LOCKED, deadline);
        if (aglet_checked)
            check_wait_end(taken);
    }
    if (aglet_checked && taken)
        check_acquired(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, CALLER());
    return taken ? 0 : -ETIMEDOUT;
}

static inline __attribute__((always_inline)) void unlock_from(aglet_mutex *mu, const void *caller) {
    if (aglet_checked && AGLET_UNLIKELY(!check_release_fast(CHECK_EXCLUSIVE, mu)))
        unlock_slow(mu, caller);
    else
        word_lock_give(word(mu));
}

void aglet_mutex_unlock(aglet_mutex *mu) {
    unlock_from(mu, CALLER());
}

void aglet_assert_held(const aglet_mutex *mu) {
    if (aglet_checked)
        check_assert_held(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, CALLER());
}

void mutex_lock_from(aglet_mutex *mu, const void *caller) {
    lock_from(mu, caller);
}

bool mutex_try_lock_from(aglet_mutex *mu, const void *caller) {
    return try_lock_from(mu, caller);
}

void mutex_unlock_from(aglet_mutex *mu, const void *caller) {
    unlock_from(mu, caller);
}
