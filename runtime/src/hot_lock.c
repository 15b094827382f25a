/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is known of hot locks. Stands on base.h. */
#include "hot_lock.h"

static const aglet_time shortest_nap = 1000000, longest_nap = 4000000, naps_apart = 500000, comes_back = 1000,
                        long_away = 10000;

/* Of some takes thread and time are written down; the next that comes to wait looks how long ago that was. That it is soon
 * says something where it is the taker itself or, where all takes are written down, the one before. A third thread does not
 * say how soon those return; where it is there first, more threads work side by side than one could stand for. */
enum { HOT_FROM = 4, HOT_MOST = 12, POINTS = 255, HOT_LOCKS = 256 };
static struct hot {
    _Alignas(32) _Atomic uint32_t whose; /* part of the lock's hash, and points in the lowest bits */
    _Atomic uint32_t at;                 /* when it was taken; 0: it was seen to */
    _Atomic uint32_t taker, before;
    _Atomic uint32_t naps_until;  /* when the last of those begun ends */
    _Atomic uint32_t at_last_end; /* naps_until, when a nap ended last */
    _Atomic uint32_t bed;
} hot_locks[HOT_LOCKS];

static inline struct hot *hot_of(const void *lock) {
    return &hot_locks[lock_hash(lock) >> 56];
}

static inline uint32_t whose(const void *lock) {
    return (uint32_t)(lock_hash(lock) >> 24) & ~(uint32_t)POINTS;
}

static inline uint32_t this_thread(void) {
    static _Thread_local uint64_t mine;
    return (uint32_t)((uintptr_t)&mine >> 3);
}

static inline uint32_t get(const _Atomic uint32_t *p) {
    return atomic_load_explicit(p, memory_order_relaxed);
}

static inline void set(_Atomic uint32_t *p, uint32_t value) {
    atomic_store_explicit(p, value, memory_order_relaxed);
}

bool hot_on_wait(const void *lock, bool busy) {
    struct hot *hot = hot_of(lock);
    uint32_t points = get(&hot->whose) ^ whose(lock);
    if (points > POINTS)
        return false;
    uint32_t at = get(&hot->at), me = this_thread();
    if (at == 0)
        return points >= HOT_FROM;
    set(&hot->at, 0);
    uint32_t age = (uint32_t)aglet_now() - at;
    bool hot_already = points >= HOT_FROM;
    bool came_back = get(&hot->taker) == me || ((hot_already || busy) && get(&hot->before) == me);
    if (came_back && age < comes_back)
        points += points < HOT_MOST;
    else if (came_back || age > long_away || (busy && !hot_already))
        points -= points > 0;
    set(&hot->whose, whose(lock) | points);
    return points >= HOT_FROM;
}

/* An entry that is another lock's loses a point instead. */
void hot_on_take(const void *lock) {
    struct hot *hot = hot_of(lock);
    uint32_t entry = get(&hot->whose);
    if ((entry ^ whose(lock)) > POINTS) {
        bool others = (entry & POINTS) != 0;
        set(&hot->whose, others ? entry - 1 : whose(lock));
        if (others)
            return;
    }
    set(&hot->before, get(&hot->taker));
    set(&hot->taker, this_thread());
    set(&hot->at, (uint32_t)aglet_now() | 1);
}

aglet_time hot_nap_end(const void *lock, aglet_time now, bool *in_row) {
    struct hot *hot = hot_of(lock);
    uint32_t me = this_thread();
    *in_row = get(&hot->taker) == me || get(&hot->before) == me;
    if (!*in_row)
        return now + shortest_nap;
    aglet_time length = (int32_t)(get(&hot->naps_until) - (uint32_t)now) + naps_apart;
    if (length < shortest_nap || length > longest_nap + naps_apart) /* none, or from long ago */
        length = shortest_nap;
    else if (length > longest_nap)
        length = longest_nap;
    set(&hot->naps_until, (uint32_t)(now + length));
    return now + length;
}

bool hot_nap_was_last(const void *lock, aglet_time now) {
    struct hot *hot = hot_of(lock);
    uint32_t until = get(&hot->naps_until);
    bool last = until == get(&hot->at_last_end);
    if (last) {
        until = (uint32_t)now;
        set(&hot->naps_until, until);
    }
    set(&hot->at_last_end, until);
    return last;
}

_Atomic uint32_t *hot_bed(const void *lock) {
    return &hot_of(lock)->bed;
}
