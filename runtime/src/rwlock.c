/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The read-write lock. Stands on word_lock.h (writers among themselves), futex.h, check.h.
 *
 * state_ is one word of 64 bits. Its low half counts the readers that are IN; the high half those that are
 * QUEUED behind a writer, and above them bits: QUEUE_SLEEPS, a waiting reader may sleep · WRITER_SLEEPS ·
 * WRITER, a writer is in or waits for readers to leave · PHASE. Adding WRITER once announces a writer; adding
 * it again clears it and carries into PHASE.
 *
 * A reader counts itself in with one addition, and is in unless that shows WRITER: then it counts itself out
 * again, looks a few times, and sleeps until the writer leaves, when it tries again. Only after half a
 * millisecond does it queue: then it is in as soon as PHASE is not what it was, for a writer lets all of the
 * queue in with the step with which it leaves, before any further writer (Brandenburg and Anderson 2010,
 * phase-fair locks). Were all of them queued at once, each writer would wait for readers that were let in
 * asleep, and everybody for that writer: with more threads than processors that is a convoy that does not end.
 *
 * A writer is in once it is announced and IN is zero. One bit of phase is enough: the next writer waits for the
 * readers that were let in. A writer that gives up at its deadline leaves PHASE alone, and the queue moves
 * itself in, each reader for itself, unless another writer was announced meanwhile. gate_ is a word lock through
 * which writers come one at a time.
 *
 * In a child of fork, who was in or waited in the parent is not there, but for the thread that forked. Each writer
 * notes its process in the gate. So whoever gives up in the child what it took in the parent knows it, and takes the
 * others' marks out with its own: a writer all of them, for nobody was in beside it; a reader those of the
 * writer that waited for it and of the queue. Which other readers were in nobody can tell any more. */
#include "aglet/rwlock.h"

#include "check_fast.h"
#include "distance.h"
#include "take.h"
#include "word_lock.h"

#include <errno.h>
#include <limits.h>

#define READER UINT64_C(1)
#define IN UINT64_C(0xffffffff)
#define QUEUED_READER (UINT64_C(1) << 32)
#define QUEUED (UINT64_C(0x0fffffff) << 32)
#define QUEUE_SLEEPS (UINT64_C(1) << 60)
#define WRITER_SLEEPS (UINT64_C(1) << 61)
#define WRITER (UINT64_C(1) << 62)
#define PHASE (UINT64_C(1) << 63)
enum { SPINS = 30 };

/* A waiting reader's pauses and its patience, in relaxes. Near, it goes in as soon as the writer's short turn is
 * over. Far, what a writer's turn has brought to one processor is left there for a while (distance.h). */
enum { PAUSE_NEAR = 4, PAUSE_FAR = 256, PATIENCE = 768 };
static const aglet_time queue_after = 500000;

static inline _Atomic uint64_t *state(aglet_rwlock *rw) {
    return (_Atomic uint64_t *)&rw->state_;
}

/* The halves of the state, for sleeping on: the writer on who is in, queued readers on the rest. */
static inline _Atomic uint32_t *low(_Atomic uint64_t *word) {
    return (_Atomic uint32_t *)word + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

static inline _Atomic uint32_t *high(_Atomic uint64_t *word) {
    return (_Atomic uint32_t *)word + (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__);
}

static inline _Atomic uint32_t *gate(aglet_rwlock *rw) {
    return (_Atomic uint32_t *)&rw->gate_;
}

static inline void acquired(aglet_rwlock *rw, int mode, const void *caller) {
    if (!check_acquired_fast(mode, rw, &rw->id_, caller))
        check_acquired(CHECK_RWLOCK, mode, rw, &rw->id_, caller);
}

static inline bool release(aglet_rwlock *rw, int mode, const void *caller) {
    return check_release_fast(mode, rw) || check_release(CHECK_RWLOCK, mode, rw, &rw->id_, caller);
}

/* One reader less is in: was it the last one, and does the writer sleep until then? */
static inline void tell_writer(_Atomic uint64_t *word, uint64_t before) {
    if (AGLET_UNLIKELY(before & WRITER_SLEEPS) && (before & IN) == READER)
        futex_wake(low(word), 1);
}

/* We counted ourselves in, and `counted` showed WRITER. Step back, into the queue if `to` is QUEUED_READER;
 * false when that writer is gone: then we are in. */
static bool step_back(aglet_rwlock *rw, uint64_t counted, uint64_t to) {
    uint64_t seen = counted + READER;
    do {
        if (((seen ^ counted) & PHASE) || !(seen & WRITER))
            return false;
        /* Failing, pairs with the exchange in end_write. */
    } while (!atomic_compare_exchange_weak_explicit(state(rw), &seen, seen - READER + to,
                                                    memory_order_acquire, memory_order_acquire));
    tell_writer(state(rw), seen);
    return true;
}

/* Sleep until the writer seen in `seen` has left, or for no reason. False when the deadline passed. */
static bool sleep_through_write(aglet_rwlock *rw, uint64_t seen, aglet_time deadline) {
    if (!(seen & QUEUE_SLEEPS) &&
        !atomic_compare_exchange_weak_explicit(state(rw), &seen, seen | QUEUE_SLEEPS, memory_order_relaxed,
                                               memory_order_relaxed))
        return true;
    return futex_wait(high(state(rw)), (uint32_t)((seen | QUEUE_SLEEPS) >> 32), deadline);
}

/* Wait for the phase after the one in which we queued, or for the writer to give up. False when the deadline
 * passed and we are out again. */
static bool await_phase(aglet_rwlock *rw, uint64_t counted, aglet_time deadline) {
    for (;;) {
        /* Pairs with the exchange in end_write. */
        uint64_t seen = atomic_load_explicit(state(rw), memory_order_acquire);
        if ((seen ^ counted) & PHASE)
            return true;
        if (!(seen & WRITER)) {
            if (atomic_compare_exchange_weak_explicit(state(rw), &seen, seen - QUEUED_READER + READER,
                                                      memory_order_acquire, memory_order_relaxed))
                return true;
            continue;
        }
        if (sleep_through_write(rw, seen, deadline))
            continue;
        seen = atomic_load_explicit(state(rw), memory_order_acquire);
        while (!((seen ^ counted) & PHASE))
            if (atomic_compare_exchange_weak_explicit(state(rw), &seen, seen - QUEUED_READER,
                                                      memory_order_acquire, memory_order_acquire))
                return false;
        return true;
    }
}

/* Look whether a writer is there; timed, also note how long it took to find that the last one had left. */
static uint64_t look(aglet_rwlock *rw, bool timed) {
    if (AGLET_LIKELY(!timed))
        return atomic_load_explicit(state(rw), memory_order_relaxed);
    aglet_time first = aglet_now(), before = aglet_now();
    uint64_t seen = atomic_load_explicit(state(rw), memory_order_relaxed);
    aglet_time after = aglet_now();
    if (!(seen & WRITER))
        distance_note(after - before - (before - first));
    return seen;
}

/* Does a thread hold the gate since before a fork? */
static bool gate_is_inherited(aglet_rwlock *rw) {
    uint32_t seen = atomic_load_explicit(gate(rw), memory_order_relaxed);
    return (seen & LOCKED) && ((seen ^ word_lock_here) & HOLDER_DEPTH);
}

/* A reader, counted out again, waits until no writer is there, and goes in. False when the deadline passed. */
static bool wait_to_read(aglet_rwlock *rw, aglet_time deadline) {
    const int pause = lines_come_far() ? PAUSE_FAR : PAUSE_NEAR, patience = spinning_pays() ? PATIENCE : 0;
    bool timed = distance_wanted();
    aglet_time since = 0; /* the first time its patience ended */
    for (int left = patience;;) {
        uint64_t to_queue = 0, seen = look(rw, timed);
        if (seen & WRITER) {
            if (left > 0) {
                for (int i = pause; i > 0; i--)
                    cpu_relax();
                left -= pause;
                continue;
            }
            aglet_time now = aglet_now();
            if (since == 0)
                since = now;
            if (now - since < queue_after || gate_is_inherited(rw)) {
                if (!sleep_through_write(rw, seen, deadline))
                    return false;
                left = patience;
                continue;
            }
            to_queue = QUEUED_READER;
        }
        uint64_t before = atomic_fetch_add_explicit(state(rw), READER, memory_order_acquire);
        if (!(before & WRITER) || !step_back(rw, before, to_queue))
            return true;
        if (to_queue != 0)
            return await_phase(rw, before, deadline);
    }
}

/* In a child, a reader leaves while the gate is inherited. In the order of end_write, and for its reason. */
static __attribute__((noinline, cold)) void end_read_for_all(aglet_rwlock *rw) {
    _Atomic uint64_t *word = state(rw);
    word_lock_give(gate(rw));
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(word, &seen, (seen - READER) & (IN | PHASE),
                                                  memory_order_release, memory_order_relaxed))
        ;
    if (seen & QUEUE_SLEEPS)
        futex_wake(high(word), INT_MAX);
}

static inline __attribute__((always_inline)) void end_read(aglet_rwlock *rw) {
    if (AGLET_UNLIKELY(word_lock_here != LOCKED) && gate_is_inherited(rw)) {
        end_read_for_all(rw);
        return;
    }
    /* Our last touch: the writer may go in, and *rw go away, after this subtraction. */
    _Atomic uint64_t *word = state(rw);
    tell_writer(word, atomic_fetch_sub_explicit(word, READER, memory_order_release));
}

/* Leave as a writer; `stay` is 1 to stay as a reader. */
static void end_write(aglet_rwlock *rw, uint64_t stay) {
    /* The gate first, the state last: after that exchange a reader may free *rw. So a writer that comes
     * through the gate may find WRITER still set for a moment (see begin_write). */
    _Atomic uint64_t *word = state(rw);
    _Atomic uint32_t *writers = gate(rw);
    bool inherited = false;
    uint32_t writer = word_lock_release(writers, word_lock_here, &inherited);
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed), left;
    do
        left = inherited ? ((seen + WRITER) & PHASE) + stay
                         : ((seen + WRITER + stay) & ~(QUEUED | QUEUE_SLEEPS | WRITER_SLEEPS)) +
                               ((seen & QUEUED) >> 32);
    while (!atomic_compare_exchange_weak_explicit(word, &seen, left, memory_order_release,
                                                  memory_order_relaxed));
    if (seen & QUEUE_SLEEPS)
        futex_wake(high(word), INT_MAX);
    if (writer != 0)
        word_lock_wake(writers, writer);
}

/* Stop waiting for readers to leave. In the order of end_write, and for its reason. */
static void renounce(aglet_rwlock *rw) {
    _Atomic uint64_t *word = state(rw);
    _Atomic uint32_t *writers = gate(rw);
    bool inherited;
    uint32_t writer = word_lock_release(writers, word_lock_here, &inherited);
    uint64_t before =
        atomic_fetch_and_explicit(word, ~(WRITER | WRITER_SLEEPS | QUEUE_SLEEPS), memory_order_release);
    if (before & QUEUE_SLEEPS)
        futex_wake(high(word), INT_MAX);
    if (writer != 0)
        word_lock_wake(writers, writer);
}

/* Wait until the last writer has left: it gives the gate one step before that. False: not by the deadline. */
static bool await_last_writer(aglet_rwlock *rw, aglet_time deadline) {
    for (int spin = 0;; spin++) {
        uint64_t seen = atomic_load_explicit(state(rw), memory_order_relaxed);
        if (AGLET_LIKELY(!(seen & WRITER)))
            return true;
        if (spin < SPINS) {
            spin_pause(spin);
            continue;
        }
        /* It was stopped between its two steps; nobody will wake us. */
        aglet_time look = aglet_after_ns(50000);
        if (!futex_wait(high(state(rw)), (uint32_t)(seen >> 32), look < deadline ? look : deadline) &&
            deadline <= look)
            return false;
    }
}

/* Wait until no reader is in. WRITER is set and ours. False when the deadline passed. */
static bool await_readers(aglet_rwlock *rw, aglet_time deadline) {
    for (int spin = 0;; spin++) {
        /* Pairs with the subtraction in end_read. */
        uint64_t seen = atomic_load_explicit(state(rw), memory_order_acquire);
        if (!(seen & IN)) {
            if (seen & WRITER_SLEEPS)
                atomic_fetch_and_explicit(state(rw), ~WRITER_SLEEPS, memory_order_relaxed);
            return true;
        }
        if (spin < SPINS && spinning_pays())
            spin_pause(spin);
        else if ((seen & WRITER_SLEEPS) ||
                 atomic_compare_exchange_weak_explicit(state(rw), &seen, seen | WRITER_SLEEPS,
                                                       memory_order_relaxed, memory_order_relaxed))
            if (!futex_wait(low(state(rw)), (uint32_t)(seen & IN), deadline))
                return false;
    }
}

/* The gate is ours: go in, or give the gate back and return false when the deadline passed. */
static bool begin_write(aglet_rwlock *rw, aglet_time deadline) {
    if (!await_last_writer(rw, deadline)) {
        word_lock_give(gate(rw));
        return false;
    }
    /* Pairs with the subtraction in end_read. */
    uint64_t before = atomic_fetch_add_explicit(state(rw), WRITER, memory_order_acquire);
    if (AGLET_LIKELY(!(before & IN)) || await_readers(rw, deadline))
        return true;
    renounce(rw);
    return false;
}

static inline __attribute__((always_inline)) bool wait_to_write(aglet_rwlock *rw, aglet_time deadline) {
    const uint32_t mine = word_lock_here;
    if (AGLET_UNLIKELY(!word_lock_take_free(gate(rw), mine)) &&
        !word_lock_take_slow(gate(rw), mine, deadline))
        return false;
    return begin_write(rw, deadline);
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
}

void aglet_rwlock_destroy(aglet_rwlock *rw) {
    if (aglet_checked)
        check_destroy(CHECK_RWLOCK, rw, &rw->id_, CALLER());
}

static int read_until(aglet_rwlock *rw, aglet_time deadline, const void *caller) {
    /* A second read hold is looked for before counting ourselves in: the hook may let the program go on. */
    if (aglet_checked && !check_before_shared(CHECK_RWLOCK, rw, &rw->id_, deadline, caller))
        return -EDEADLK;
    uint64_t before = atomic_fetch_add_explicit(state(rw), READER, memory_order_acquire);
    if (AGLET_UNLIKELY(before & WRITER) && step_back(rw, before, 0)) {
        if (aglet_checked && !check_wait_begin(CHECK_RWLOCK, CHECK_SHARED, rw, &rw->id_, deadline, caller))
            return -EDEADLK;
        bool in = wait_to_read(rw, deadline);
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
    uint64_t seen = atomic_load_explicit(state(rw), memory_order_relaxed);
    do {
        if (seen & WRITER)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(state(rw), &seen, seen + READER, memory_order_acquire,
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
    uint64_t seen = atomic_load_explicit(state(rw), memory_order_relaxed);
    while ((seen & (IN | WRITER)) == 0)
        if (atomic_compare_exchange_weak_explicit(state(rw), &seen, seen + WRITER, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static bool try_write(aglet_rwlock *rw) {
    if (!word_lock_try(gate(rw), word_lock_here))
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
            wait_to_write(rw, AGLET_FOREVER);
            check_wait_end(true);
        }
        acquired(rw, CHECK_EXCLUSIVE, caller);
        return;
    }
    wait_to_write(rw, AGLET_FOREVER);
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

int aglet_rwlock_write_until(aglet_rwlock *rw, aglet_time deadline) {
    bool in = try_write(rw);
    if (!in) {
        if (aglet_checked &&
            !check_wait_begin(CHECK_RWLOCK, CHECK_EXCLUSIVE, rw, &rw->id_, deadline, CALLER()))
            return -EDEADLK;
        in = wait_to_write(rw, deadline);
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
