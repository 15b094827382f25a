/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The common case of check_acquired and check_release, inlined into the locks that have an id: the record is
 * found by the id, the thread is known, the order was seen before. Where they return false nothing was noted,
 * and the caller goes the long way, best in a call at its end: then the short way needs no stack frame. A
 * lock and an unlock that come this way cost some twenty instructions. Recursive locks go the long way.
 * Stands on checked/engine.h; used behind `if (aglet_checked)` only. */
#ifndef AGLET_SRC_CHECK_FAST_H
#define AGLET_SRC_CHECK_FAST_H

#include "checked/engine.h"

static inline __attribute__((always_inline)) bool check_acquired_fast(int mode, const void *lock,
                                                                      uint32_t *id, const void *caller) {
    struct check_thread *t = check_self;
    uint32_t index = __atomic_load_n(id, __ATOMIC_RELAXED);
    if (AGLET_LIKELY(t != NULL && t->held_count < t->fast_room && index < lock_record_limit)) {
        struct lock_record *r = &lock_records[index];
        struct held *h = &t->held[t->held_count];
        if (AGLET_LIKELY(atomic_load_explicit(&r->lock, memory_order_relaxed) == lock)) {
            uint64_t chain = 0;
            bool in_order = true;
            if (t->held_count != 0) {
                chain = order_chain(held_before(t, t->held_count), r, (uint32_t)mode);
                in_order = atomic_load_explicit(&r->last_chain, memory_order_relaxed) == chain;
                h->chain = chain;
            }
            if (AGLET_LIKELY(in_order)) {
                h->record_and_mode = held_tag(r, mode);
                h->site = caller;
                h->task = t->task;
                t->held_count++;
                if (mode & CHECK_EXCLUSIVE)
                    atomic_store_explicit(&r->owner, t, memory_order_relaxed);
                return true;
            }
        }
    }
    return false;
}

static inline __attribute__((always_inline)) bool check_release_fast(int mode, const void *lock) {
    struct check_thread *t = check_self;
    if (AGLET_LIKELY(t != NULL && t->held_count - 1 < t->fast_room)) {
        struct held *h = &t->held[t->held_count - 1];
        struct lock_record *r = held_record(h);
        if (AGLET_LIKELY(atomic_load_explicit(&r->lock, memory_order_relaxed) == lock &&
                         (held_mode(h) & (uint32_t)mode) != 0)) {
            if (mode & CHECK_EXCLUSIVE)
                atomic_store_explicit(&r->owner, NULL, memory_order_relaxed);
            t->held_count--;
            return true;
        }
    }
    return false;
}

#endif
