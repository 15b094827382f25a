/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The read-write lock. Stands on word_lock.h (writers among themselves), futex.h, check.h.
 *
 * state_ counts readers in its low bits; above them WRITER, a writer is in or waits for readers to leave, and
 * PHASE. Adding WRITER once announces a writer; adding it again clears it and carries into PHASE. A reader
 * that comes while WRITER is set has counted itself into the next phase: it sleeps until PHASE is not what it
 * was, and is in. So all readers of one phase go in with one addition, before any further writer (Brandenburg
 * and Anderson 2010, phase-fair locks; Go's RWMutex counts alike). One bit of phase is enough: the next
 * writer waits for those readers to leave.
 *
 * drain_ is how many readers of the earlier phase the writer still waits for: the writer adds how many there
 * were, each of them takes one away when it leaves and sees WRITER; whoever makes it zero last wakes the
 * writer. gate_ is a word lock through which writers come one at a time. */
#include "aglet/rwlock.h"

#include "check_fast.h"
#include "take.h"
#include "word_lock.h"

#include <errno.h>
#include <limits.h>

#define WRITER (UINT32_C(1) << 30)
#define PHASE (UINT32_C(1) << 31)
#define READERS (WRITER - 1)
enum { SPINS = 30 };

static inline _Atomic uint32_t *state(aglet_rwlock *rw) {
    return (_Atomic uint32_t *)&rw->state_;
}

static inline _Atomic uint32_t *gate(aglet_rwlock *rw) {
    return (_Atomic uint32_t *)&rw->gate_;
}

static inline _Atomic int32_t *drain(aglet_rwlock *rw) {
    return (_Atomic int32_t *)&rw->drain_;
}

static inline void acquired(aglet_rwlock *rw, int mode, const void *caller) {
    if (!check_acquired_fast(mode, rw, &rw->id_, caller))
        check_acquired(CHECK_RWLOCK, mode, rw, &rw->id_, caller);
}

static inline bool release(aglet_rwlock *rw, int mode, const void *caller) {
    return check_release_fast(mode, rw) || check_release(CHECK_RWLOCK, mode, rw, &rw->id_, caller);
}

/* Wait for the phase in which we are counted. False when the deadline passed and we are out again. */
static bool await_phase(aglet_rwlock *rw, uint32_t counted, aglet_time deadline) {
    for (int spin = 0;; spin++) {
        /* Pairs with the addition in end_write. */
        uint32_t seen = atomic_load_explicit(state(rw), memory_order_acquire);
        if ((seen ^ counted) & PHASE)
            return true;
        if (spin < SPINS && spinning_pays()) {
            spin_pause(spin);
            continue;
        }
        if (futex_wait(state(rw), seen, deadline))
            continue;
        seen = atomic_load_explicit(state(rw), memory_order_relaxed);
        while (!((seen ^ counted) & PHASE))
            if (atomic_compare_exchange_weak_explicit(state(rw), &seen, seen - 1, memory_order_relaxed,
                                                      memory_order_relaxed))
                return false;
        (void)atomic_load_explicit(state(rw),
                                   memory_order_acquire); /* as above; the failed exchange was relaxed */
        return true;
    }
}

static void begin_write(aglet_rwlock *rw) {
    for (int spin = 0; atomic_load_explicit(state(rw), memory_order_relaxed) & WRITER; spin++) {
        if (spin < SPINS)
            spin_pause(spin);
        else /* the last writer was stopped between its two steps; nobody will wake us */
            futex_wait(state(rw), atomic_load_explicit(state(rw), memory_order_relaxed) | WRITER,
                       aglet_after_ns(50000));
    }
    /* Pairs with the subtraction in end_read. */
    uint32_t before = atomic_fetch_add_explicit(state(rw), WRITER, memory_order_acquire);
    int32_t readers = (int32_t)(before & READERS);
    if (readers == 0 || atomic_fetch_add_explicit(drain(rw), readers, memory_order_acq_rel) + readers == 0)
        return;
    for (int spin = 0;; spin++) {
        /* Pairs with the subtraction from drain_ in end_read. */
        int32_t left = atomic_load_explicit(drain(rw), memory_order_acquire);
        if (left == 0)
            return;
        if (spin < SPINS && spinning_pays())
            spin_pause(spin);
        else
            futex_wait((_Atomic uint32_t *)drain(rw), (uint32_t)left, AGLET_FOREVER);
    }
}

static void end_read(aglet_rwlock *rw) {
    uint32_t before = atomic_fetch_sub_explicit(state(rw), 1, memory_order_release);
    if (AGLET_LIKELY(!(before & WRITER)))
        return;
    /* The writer cannot go in, and *rw not go away, before this subtraction; it is our last touch. */
    _Atomic int32_t *word = drain(rw);
    if (atomic_fetch_sub_explicit(word, 1, memory_order_acq_rel) == 1)
        futex_wake((_Atomic uint32_t *)word, 1);
}

/* Leave as a writer; `stay` is 1 to stay as a reader. */
static void end_write(aglet_rwlock *rw, uint32_t stay) {
    /* The gate first, the state last: after that addition a reader may free *rw. So a writer that comes
     * through the gate may find WRITER still set for a moment (see begin_write). */
    _Atomic uint32_t *words = state(rw), *writers = gate(rw);
    uint32_t writer = word_lock_release(writers);
    uint32_t before = atomic_fetch_add_explicit(words, WRITER + stay, memory_order_acq_rel);
    if ((before & READERS) != 0)
        futex_wake(words, INT_MAX);
    if (writer != 0)
        word_lock_wake(writers, writer);
}

void aglet_rwlock_init(aglet_rwlock *rw) {
    aglet_rwlock_init_named(rw, NULL);
}

void aglet_rwlock_init_named(aglet_rwlock *rw, const char *name) {
    if (aglet_checked)
        check_init(CHECK_RWLOCK, rw, &rw->id_, name, CALLER());
    else
        rw->id_ = 0;
    atomic_store_explicit(state(rw), 0, memory_order_relaxed);
    atomic_store_explicit(gate(rw), 0, memory_order_relaxed);
    atomic_store_explicit(drain(rw), 0, memory_order_relaxed);
}

void aglet_rwlock_destroy(aglet_rwlock *rw) {
    if (aglet_checked)
        check_destroy(CHECK_RWLOCK, rw, &rw->id_, CALLER());
}

static int read_until(aglet_rwlock *rw, aglet_time deadline, const void *caller) {
    /* A second read hold is looked for before counting ourselves in: the hook may let the program go on. */
    if (aglet_checked && !check_before_shared(CHECK_RWLOCK, rw, &rw->id_, caller))
        return -EDEADLK;
    uint32_t before = atomic_fetch_add_explicit(state(rw), 1, memory_order_acquire);
    if (AGLET_UNLIKELY(before & WRITER)) {
        if (aglet_checked && !check_wait_begin(CHECK_RWLOCK, CHECK_SHARED, rw, &rw->id_, deadline, caller)) {
            if (!await_phase(rw, before, 0))
                return -EDEADLK;
            end_read(rw);
            return -EDEADLK;
        }
        bool in = await_phase(rw, before, deadline);
        if (aglet_checked)
            check_wait_end(in);
        if (!in)
            return -ETIMEDOUT;
    }
    if (aglet_checked)
        acquired(rw, CHECK_SHARED, caller);
    return 0;
}

static inline __attribute__((always_inline)) void read_from(aglet_rwlock *rw, const void *caller) {
    (void)read_until(rw, AGLET_FOREVER, caller);
}

void aglet_rwlock_read(aglet_rwlock *rw) {
    read_from(rw, CALLER());
}

int aglet_rwlock_read_until(aglet_rwlock *rw, aglet_time deadline) {
    return read_until(rw, deadline, CALLER());
}

bool aglet_rwlock_try_read(aglet_rwlock *rw) {
    uint32_t seen = atomic_load_explicit(state(rw), memory_order_relaxed);
    do {
        if (seen & WRITER)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(state(rw), &seen, seen + 1, memory_order_acquire,
                                                    memory_order_relaxed));
    if (aglet_checked)
        check_acquired(CHECK_RWLOCK, CHECK_SHARED | CHECK_TRIED, rw, &rw->id_, CALLER());
    return true;
}

static inline __attribute__((always_inline)) void read_unlock_from(aglet_rwlock *rw, const void *caller) {
    if (aglet_checked && !release(rw, CHECK_SHARED, caller))
        return;
    end_read(rw);
}

void aglet_rwlock_read_unlock(aglet_rwlock *rw) {
    read_unlock_from(rw, CALLER());
}

/* Both the gate and the readers, if nobody is in the way. The gate must be ours. */
static bool write_if_no_readers(aglet_rwlock *rw) {
    uint32_t seen = atomic_load_explicit(state(rw), memory_order_relaxed);
    while ((seen & (READERS | WRITER)) == 0)
        if (atomic_compare_exchange_weak_explicit(state(rw), &seen, seen + WRITER, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static bool try_write(aglet_rwlock *rw) {
    if (!word_lock_try(gate(rw)))
        return false;
    if (write_if_no_readers(rw))
        return true;
    word_lock_give(gate(rw));
    return false;
}

static inline __attribute__((always_inline)) void write_from(aglet_rwlock *rw, const void *caller) {
    if (aglet_checked) {
        if (!try_write(rw)) {
            if (!check_wait_begin(CHECK_RWLOCK, CHECK_EXCLUSIVE, rw, &rw->id_, AGLET_FOREVER, caller))
                return;
            if (!word_lock_take_free(gate(rw)))
                word_lock_take_slow(gate(rw), AGLET_FOREVER);
            begin_write(rw);
            check_wait_end(true);
        }
        acquired(rw, CHECK_EXCLUSIVE, caller);
        return;
    }
    if (AGLET_UNLIKELY(!word_lock_take_free(gate(rw))))
        word_lock_take_slow(gate(rw), AGLET_FOREVER);
    begin_write(rw);
}

void aglet_rwlock_write(aglet_rwlock *rw) {
    write_from(rw, CALLER());
}

bool aglet_rwlock_try_write(aglet_rwlock *rw) {
    bool in = try_write(rw);
    if (aglet_checked && in)
        check_acquired(CHECK_RWLOCK, CHECK_EXCLUSIVE | CHECK_TRIED, rw, &rw->id_, CALLER());
    return in;
}

/* Readers tell nobody when they leave unless a writer was announced, and an announced writer cannot leave
 * early without losing count of whom it waits for: so this one looks again and again, each time after a
 * longer sleep. */
static bool write_by_looking(aglet_rwlock *rw, aglet_time deadline) {
    for (int64_t pause = 20000;; pause = pause < 1000000 ? pause * 2 : pause) {
        if (!word_lock_try(gate(rw)) && !word_lock_take_slow(gate(rw), deadline))
            return false;
        if (write_if_no_readers(rw))
            return true;
        word_lock_give(gate(rw));
        aglet_time now = aglet_now();
        if (now >= deadline)
            return false;
        _Atomic uint32_t never = 0;
        futex_wait(&never, 0, deadline - now > pause ? now + pause : deadline);
    }
}

int aglet_rwlock_write_until(aglet_rwlock *rw, aglet_time deadline) {
    bool in = try_write(rw);
    if (!in) {
        if (aglet_checked &&
            !check_wait_begin(CHECK_RWLOCK, CHECK_EXCLUSIVE, rw, &rw->id_, deadline, CALLER()))
            return -EDEADLK;
        in = write_by_looking(rw, deadline);
        if (aglet_checked)
            check_wait_end(in);
    }
    if (aglet_checked && in)
        acquired(rw, CHECK_EXCLUSIVE, CALLER());
    return in ? 0 : -ETIMEDOUT;
}

static inline __attribute__((always_inline)) void write_unlock_from(aglet_rwlock *rw, const void *caller) {
    if (aglet_checked && !release(rw, CHECK_EXCLUSIVE, caller))
        return;
    end_write(rw, 0);
}

void aglet_rwlock_write_unlock(aglet_rwlock *rw) {
    write_unlock_from(rw, CALLER());
}

void aglet_rwlock_downgrade(aglet_rwlock *rw) {
    if (aglet_checked) {
        if (!release(rw, CHECK_EXCLUSIVE, CALLER()))
            return;
        check_acquired(CHECK_RWLOCK, CHECK_SHARED | CHECK_TRIED, rw, &rw->id_, CALLER());
    }
    end_write(rw, 1);
}

void aglet_assert_write_held(const aglet_rwlock *rw) {
    if (aglet_checked)
        check_assert_held(CHECK_RWLOCK, CHECK_EXCLUSIVE, rw, &rw->id_, CALLER());
}

void aglet_assert_read_held(const aglet_rwlock *rw) {
    if (aglet_checked)
        check_assert_held(CHECK_RWLOCK, CHECK_SHARED, rw, &rw->id_, CALLER());
}

void rwlock_read_from(aglet_rwlock *rw, const void *caller) {
    read_from(rw, caller);
}

void rwlock_read_unlock_from(aglet_rwlock *rw, const void *caller) {
    read_unlock_from(rw, caller);
}

void rwlock_write_from(aglet_rwlock *rw, const void *caller) {
    write_from(rw, caller);
}

void rwlock_write_unlock_from(aglet_rwlock *rw, const void *caller) {
    write_unlock_from(rw, caller);
}
