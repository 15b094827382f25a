/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The word lock where somebody has to wait. Stands on futex.h, hot_lock.h; word_lock.h says how it works. */
#include "word_lock.h"

#include "checked.h"
#include "hot_lock.h"
#include "misuse.h"

#include <limits.h>
#include <pthread.h>

enum { WAKE_SLEEPER = 1, WAKE_HEIR = 2 }; /* futex sets */

/* The looks of a newcomer: pauses of 2, 4, 8 … 256 relaxes, then of 512 until its patience ends; in the waits that
 * note how busy the lock is (below) the first is 16; of 1024 from the first on where it is busy. A relax is some
 * 10 to 40 ns. */
enum { FIRST_PAUSE = 1, NOTED_PAUSE = 4, AFTER_NAP = 6, LAST_PAUSE = 9, BUSY_PAUSE = 10 };
static const aglet_time newcomer_patience = 16000, heir_patience = 5000, heir_after = 500000,
                        heir_is_stopped = 20000, second_nap = 100000;
enum { TURN = 21 }; /* bits of a nanosecond clock: two milliseconds */

/* One thread's wait for the lock. */
struct wait {
    _Atomic uint32_t *word;
    aglet_time deadline;
    aglet_time since;  /* its first look at the clock; 0 before */
    aglet_time awake;  /* the same, since it last slept */
    aglet_time idle;   /* since when it saw the lock free and kept for an heir; 0: it does not */
    uint32_t mine;     /* how it takes it */
    uint32_t sleepers; /* SLEEPERS: others may sleep, and only this thread would wake them */
    int pause;
    bool may_spin, was_heir, has_paused, has_noted, notes_take;
    int naps;
    _Atomic unsigned char *busy;
};

/* Which locks are busy, by a hash of their addresses: points that grow by three where a waiter, back from its first
 * pause, finds the lock held, and shrink by one where it is free. So a lock is busy that others hold more than a
 * quarter of the time. There, threads that take turns pay for the cache line at every turn, and every look takes
 * it from whoever works: it is best left to one of them for a while. Where a lock is wanted now and then, what
 * counts is to look again as soon as the section may have ended. Shared by all threads, not a thing of each, so
 * that none looks more often than the others and gets more than its part. Written at one wait in eight, for the
 * points have a cache line, too. Some may be lost: it is a guess. */
enum { BUSY_LOCKS = 256, BUSY_FROM = 8, BUSY_MOST = 16, NOTE_EVERY = 8 };
static _Alignas(64) _Atomic unsigned char busy_points[BUSY_LOCKS];
static _Thread_local unsigned char waits; /* of this thread, modulo 256 */

static _Atomic unsigned char *busy_points_of(const void *lock) {
    return &busy_points[lock_hash(lock) >> 56];
}

static int first_pause(const struct wait *w) {
    if (atomic_load_explicit(w->busy, memory_order_relaxed) >= BUSY_FROM)
        return BUSY_PAUSE;
    return w->has_noted ? FIRST_PAUSE : NOTED_PAUSE;
}

static void note_busy(struct wait *w, bool held) {
    w->has_noted = true;
    int points = atomic_load_explicit(w->busy, memory_order_relaxed);
    int now = !held ? points - (points > 0) : points + 3 < BUSY_MOST ? points + 3 : BUSY_MOST;
    if (now != points)
        atomic_store_explicit(w->busy, (unsigned char)now, memory_order_relaxed);
}

uint32_t word_lock_here = LOCKED;

static void count_fork(void) {
    uint32_t depth = (word_lock_here & HOLDER_DEPTH) + (1 << HOLDER_SHIFT);
    word_lock_here = LOCKED | (depth & HOLDER_DEPTH);
}

/* Early, for who asks first is called first in the child. Where there is no memory for it, a child is not known as one:
 * then what is said in word_lock.h of heirs comes true. */
__attribute__((constructor(102))) static void watch_forks(void) {
    (void)pthread_atfork(NULL, NULL, count_fork);
}

static inline uint32_t heir_here(void) {
    return HEIR | (word_lock_here & HOLDER_DEPTH) << (HEIR_SHIFT - HOLDER_SHIFT);
}

/* The word without an heir that was left behind in the parent. */
static inline uint32_t without_lost_heir(uint32_t seen) {
    bool lost = (seen & HEIR) && ((seen ^ heir_here()) & HEIR_DEPTH);
    return AGLET_UNLIKELY(lost) ? seen & ~(HEIR | HEIR_SLEEPS | HEIR_DEPTH) : seen;
}

uint32_t word_lock_give_slow(_Atomic uint32_t *word, uint32_t seen) {
    uint32_t now;
    for (;;) {
        if (AGLET_UNLIKELY(!(seen & LOCKED))) {
            if (aglet_checked)
                misuse_report("uninitialised-lock", (const void *)word, false, NULL,
                              "the lock at %p was overwritten while it was held", (const void *)word);
            return 0;
        }
        now = without_lost_heir(seen);
        uint32_t left = now & HEIR ? now & ~(LOCKED | HOLDER_DEPTH) : 0;
        if (atomic_compare_exchange_weak_explicit(word, &seen, left, memory_order_release,
                                                  memory_order_relaxed))
            break;
    }
    if (now & HEIR_SLEEPS)
        return WAKE_HEIR;
    return !(now & HEIR) && (now & SLEEPERS) ? WAKE_SLEEPER : 0;
}

void word_lock_wake(_Atomic uint32_t *word, uint32_t whom) {
    futex_wake_set(word, 1, whom);
}

void word_lock_give_and_wake(_Atomic uint32_t *word, uint32_t seen) {
    uint32_t whom = word_lock_give_slow(word, seen);
    if (whom != 0)
        word_lock_wake(word, whom);
}

bool word_lock_try(_Atomic uint32_t *word, uint32_t mine) {
    /* Free, but perhaps not zero: sleepers were left by somebody whose wait ended early. */
    uint32_t seen = atomic_load_explicit(word, memory_order_relaxed), free;
    while (!((free = without_lost_heir(seen)) & (uint32_t)(LOCKED | HEIR)))
        if (atomic_compare_exchange_weak_explicit(word, &seen, free | mine, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static inline void pause_once(struct wait *w) {
    for (int i = 1 << w->pause; i > 0; i--)
        cpu_relax();
    if (w->pause < LAST_PAUSE)
        w->pause++;
    w->has_paused = true;
}

/* Leave the lock to whoever has it. Returns false where somebody woke us. */
static bool nap_until(struct wait *w, aglet_time until) {
    bool woken = futex_wait(hot_bed(w->word), 0, until < w->deadline ? until : w->deadline);
    w->pause = FIRST_PAUSE;
    w->has_paused = true;
    w->notes_take = true;
    w->naps++;
    return !woken;
}

static void first_nap(struct wait *w) {
    w->since = aglet_now();
    bool in_row;
    aglet_time until = hot_nap_end(w->word, w->since, &in_row);
    if (nap_until(w, until) && in_row && hot_nap_was_last(w->word, aglet_now()))
        futex_wake(hot_bed(w->word), INT_MAX);
}

static inline bool change(struct wait *w, uint32_t seen, uint32_t want) {
    return atomic_compare_exchange_weak_explicit(w->word, &seen, want, memory_order_relaxed,
                                                 memory_order_relaxed);
}

static inline bool take(struct wait *w, uint32_t seen, uint32_t want) {
    if (!atomic_compare_exchange_weak_explicit(w->word, &seen, want | w->sleepers, memory_order_acquire,
                                               memory_order_relaxed))
        return false;
    if (AGLET_UNLIKELY(w->notes_take))
        hot_on_take(w->word);
    return true;
}

/* Stop being the heir without having taken the lock: whoever sleeps must not wait for a give that went to us.
 */
static void renounce(_Atomic uint32_t *word) {
    uint32_t seen = atomic_load_explicit(word, memory_order_relaxed), left;
    do {
        left = seen & ~(HEIR | HEIR_SLEEPS | HEIR_DEPTH);
        if (!(seen & LOCKED))
            left &= ~(uint32_t)SLEEPERS;
    } while (!atomic_compare_exchange_weak_explicit(word, &seen, left, memory_order_relaxed,
                                                    memory_order_relaxed));
    if (!(seen & LOCKED) && (seen & SLEEPERS))
        futex_wake_set(word, 1, WAKE_SLEEPER);
}

/* The heir's wait: HEIR is set and is ours. GIVEN_UP comes to a newcomer only, whose section seems to be a
 * long one, or whose holder does not run: an heir that sleeps would leave the lock idle while it is woken.
 * Unless it is taken, HEIR is out afterwards. */
static enum outcome { TAKEN, TOO_LATE, GIVEN_UP } inherit(struct wait *w) {
    aglet_time begun = 0;
    for (int spin = 1;; spin++) {
        uint32_t seen = atomic_load_explicit(w->word, memory_order_relaxed);
        if (!(seen & LOCKED)) {
            if (take(w, seen, (seen & (uint32_t)SLEEPERS) | w->mine))
                return TAKEN;
            continue;
        }
        if (w->may_spin) {
            cpu_relax();
            if (spin % 16 != 0)
                continue;
            aglet_time now = aglet_now();
            if (begun == 0)
                begun = now;
            if (now - begun < heir_patience)
                continue;
            if (now - w->since < heir_after) {
                renounce(w->word);
                return GIVEN_UP;
            }
        }
        if (!(seen & HEIR_SLEEPS) && !change(w, seen, seen | HEIR_SLEEPS))
            continue;
        if (!futex_wait_set(w->word, seen | HEIR_SLEEPS, w->deadline, WAKE_HEIR)) {
            renounce(w->word);
            return TOO_LATE;
        }
    }
}

/* The lock was seen free and kept for an heir: wait a little. Returns true when the heir seems to be stopped.
 */
static bool heir_stopped(struct wait *w, aglet_time now) {
    if (w->idle == 0)
        w->idle = now;
    spin_pause(3);
    return now - w->idle > heir_is_stopped;
}

static bool sleep_on(struct wait *w, uint32_t seen) {
    if (!(seen & SLEEPERS) && !change(w, seen, seen | SLEEPERS))
        return true;
    if (!futex_wait_set(w->word, seen | SLEEPERS, w->deadline, WAKE_SLEEPER))
        return false;
    w->sleepers = SLEEPERS;
    w->awake = 0;
    w->pause = first_pause(w);
    w->was_heir = false;
    return true;
}

bool word_lock_take_slow(_Atomic uint32_t *word, uint32_t mine, aglet_time deadline) {
    struct wait w = {.word = word,
                     .mine = mine,
                     .deadline = deadline,
                     .may_spin = spinning_pays(),
                     .busy = busy_points_of(word)};
    w.has_noted = ++waits % NOTE_EVERY != 0;
    w.pause = first_pause(&w);
    w.notes_take = !w.has_noted || w.pause == BUSY_PAUSE;
    if (w.may_spin && hot_on_wait(word, w.pause == BUSY_PAUSE))
        first_nap(&w);
    for (;;) {
        uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
        if (AGLET_UNLIKELY(seen != without_lost_heir(seen))) {
            change(&w, seen, without_lost_heir(seen));
            continue;
        }
        if (w.has_paused && !w.has_noted)
            note_busy(&w, seen & LOCKED);
        if (!(seen & (uint32_t)(LOCKED | HEIR))) {
            if (take(&w, seen, seen | mine))
                return true;
            continue;
        }
        if (w.may_spin && (seen & SLEEPERS)) { /* we are awake: the holder needs to wake nobody */
            if (!change(&w, seen, seen & ~(uint32_t)SLEEPERS))
                continue;
            seen &= ~(uint32_t)SLEEPERS;
            w.sleepers = SLEEPERS;
        }
        if (w.may_spin && w.since == 0 && (!w.has_paused || w.pause < LAST_PAUSE)) {
            pause_once(&w);
            continue;
        }
        if (w.naps == 1) {
            if (w.pause < AFTER_NAP)
                pause_once(&w);
            else
                nap_until(&w, aglet_now() + second_nap);
            continue;
        }
        aglet_time now = aglet_now();
        if (w.since == 0)
            w.since = now;
        if (w.awake == 0)
            w.awake = now;
        bool waited_long = now - w.since > heir_after;
        if (w.may_spin && (seen & (uint32_t)(LOCKED | HEIR_SLEEPS)) == 0) {
            if (heir_stopped(&w, now) && take(&w, seen, seen | mine))
                return true;
            continue;
        }
        w.idle = 0;
        if (w.may_spin && !waited_long && now - w.awake < newcomer_patience) {
            pause_once(&w);
            continue;
        }
        /* Those that are awake hand the lock to and fro, until one of them has waited into the next turn. */
        bool turn_over = w.sleepers != 0 && now >> TURN != w.since >> TURN;
        bool may_inherit = waited_long || (w.may_spin && !turn_over && !w.was_heir);
        if (may_inherit && (seen & (uint32_t)(LOCKED | HEIR)) == LOCKED) {
            if (!change(&w, seen, seen | heir_here() | w.sleepers))
                continue;
            enum outcome outcome = inherit(&w);
            if (outcome != GIVEN_UP)
                return outcome == TAKEN;
            w.was_heir = true;
            continue;
        }
        if (!sleep_on(&w, seen))
            return false;
    }
}
