/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks that are given up where a scope ends, and data that only a held lock opens.
 * Stands on mutex.h, rwlock.h; scope guards need a compiler with `cleanup` (GCC, Clang), the block forms do
 * not.
 *
 * The wrong program this is for:
 *
 *     aglet_mutex_lock(&t->mu);
 *     if (t->full)
 *         return -ENOSPC;             // still locked, for ever
 *     …
 *     aglet_mutex_unlock(&t->mu);
 *
 * and its mended form:
 *
 *     AGLET_GUARD(&t->mu);
 *     if (t->full)
 *         return -ENOSPC;             // given up here
 *     …                               // and here
 */
#ifndef AGLET_GUARD_H
#define AGLET_GUARD_H

#include "aglet/mutex.h"
#include "aglet/rwlock.h"

/* A held mutex. One variable, one scope: never copied, never passed to another thread. */
typedef struct AGLET_GUARD_TYPE aglet_guard {
    aglet_mutex *mu_; /* NULL: nothing is held */
} aglet_guard;

typedef struct AGLET_GUARD_TYPE aglet_read_guard {
    aglet_rwlock *rw_;
} aglet_read_guard;

typedef struct AGLET_GUARD_TYPE aglet_write_guard {
    aglet_rwlock *rw_;
} aglet_write_guard;

AGLET_BEGIN_DECLS

/* Take the lock; the guard holds it until aglet_guard_release, which is the scope's end with the macros
 * below. aglet_guard_try's guard holds nothing where the lock was not free: ask aglet_guard_holds. */
AGLET_API AGLET_MUST_USE aglet_guard aglet_guard_lock(aglet_mutex *mu) AGLET_ACQUIRES(mu);
AGLET_API AGLET_MUST_USE aglet_guard aglet_guard_try(aglet_mutex *mu);
AGLET_API AGLET_MUST_USE aglet_read_guard aglet_guard_read(aglet_rwlock *rw) AGLET_ACQUIRES_SHARED(rw);
AGLET_API AGLET_MUST_USE aglet_write_guard aglet_guard_write(aglet_rwlock *rw) AGLET_ACQUIRES(rw);

/* Give up early. A guard that holds nothing is left alone, so the scope's end does no harm after it. */
AGLET_API void aglet_guard_release(aglet_guard *g) AGLET_RELEASES(g->mu_);
AGLET_API void aglet_read_guard_release(aglet_read_guard *g) AGLET_RELEASES(g->rw_);
AGLET_API void aglet_write_guard_release(aglet_write_guard *g) AGLET_RELEASES(g->rw_);

/* For the macros: take, and give back the argument, so that an initialiser says which lock a guard holds. */
AGLET_API aglet_mutex *aglet_guard_take_(aglet_mutex *mu) AGLET_ACQUIRES(mu) AGLET_RETURNS_LOCK(mu);
AGLET_API aglet_mutex *aglet_guard_try_take_(aglet_mutex *mu) AGLET_TRY_ACQUIRES(true, mu)
    AGLET_RETURNS_LOCK(mu);
AGLET_API aglet_rwlock *aglet_guard_take_read_(aglet_rwlock *rw) AGLET_ACQUIRES_SHARED(rw)
    AGLET_RETURNS_LOCK(rw);
AGLET_API aglet_rwlock *aglet_guard_take_write_(aglet_rwlock *rw) AGLET_ACQUIRES(rw) AGLET_RETURNS_LOCK(rw);

AGLET_END_DECLS

/* Does it hold anything? (A macro, so that the analyzer sees the test where it stands.) */
#define aglet_guard_holds(guard) ((guard)->mu_ != NULL)

#ifdef AGLET_HAVE_CLEANUP
#define AGLET_GUARD_(type, release, name, take) AGLET_CLEANUP(release) AGLET_MAYBE_UNUSED type name = {take}
#define AGLET_GUARD_UNNAMED_(type, release, take)                                                            \
    AGLET_COUNTED_ON_                                                                                        \
    AGLET_GUARD_(type, release, AGLET_JOIN_(aglet_guard_, __COUNTER__), take) AGLET_COUNTED_OFF_

/* Held from here to the end of the scope, however it is left. The named form can be released early. */
#define AGLET_GUARD(mu) AGLET_GUARD_UNNAMED_(aglet_guard, aglet_guard_release, aglet_guard_take_(mu))
#define AGLET_GUARD_NAMED(name, mu)                                                                          \
    AGLET_GUARD_(aglet_guard, aglet_guard_release, name, aglet_guard_take_(mu))
#define AGLET_READ_GUARD(rw)                                                                                 \
    AGLET_GUARD_UNNAMED_(aglet_read_guard, aglet_read_guard_release, aglet_guard_take_read_(rw))
#define AGLET_WRITE_GUARD(rw)                                                                                \
    AGLET_GUARD_UNNAMED_(aglet_write_guard, aglet_write_guard_release, aglet_guard_take_write_(rw))
/* A guard that may hold nothing: AGLET_GUARD_TRY(g, &mu); if (aglet_guard_holds(&g)) … */
#define AGLET_GUARD_TRY(name, mu)                                                                            \
    AGLET_GUARD_(aglet_guard, aglet_guard_release, name, aglet_guard_try_take_(mu))
/* A for statement whose body runs once, if `condition` holds, with `guard` alive in it. */
#define AGLET_ONCE_WITH_(type, release, guard, take, condition)                                              \
    for (type guard AGLET_CLEANUP(release) = {take}, *AGLET_JOIN_(guard, once_) = &guard;                    \
         AGLET_JOIN_(guard, once_) != NULL && condition; AGLET_JOIN_(guard, once_) = NULL)
#else
#define AGLET_ONCE_WITH_(type, release, guard, take, condition)                                              \
    for (type guard = {take}; condition; release(&guard))
#endif

/* Block forms: AGLET_WITH(&mu) { … }. The lock is held in the block. With `cleanup` it may be left by return,
 * break and goto; without, only by its end and by `continue`. AGLET_IF_FREE's block runs only where the mutex
 * was free. Give each its own line: two in one have guards of one name, which -Wshadow tells of. */
#define AGLET_WITH(mu) AGLET_WITH_(AGLET_JOIN_(aglet_with_, __LINE__), mu)
#define AGLET_WITH_(name, mu)                                                                                \
    AGLET_ONCE_WITH_(aglet_guard, aglet_guard_release, name, aglet_guard_take_(mu), name.mu_ != NULL)
#define AGLET_IF_FREE(mu) AGLET_IF_FREE_(AGLET_JOIN_(aglet_with_, __LINE__), mu)
#define AGLET_IF_FREE_(name, mu)                                                                             \
    AGLET_ONCE_WITH_(aglet_guard, aglet_guard_release, name, aglet_guard_try_take_(mu), name.mu_ != NULL)
#define AGLET_WITH_READ(rw) AGLET_WITH_READ_(AGLET_JOIN_(aglet_with_, __LINE__), rw)
#define AGLET_WITH_READ_(name, rw)                                                                           \
    AGLET_ONCE_WITH_(aglet_read_guard, aglet_read_guard_release, name, aglet_guard_take_read_(rw),           \
                     name.rw_ != NULL)
#define AGLET_WITH_WRITE(rw) AGLET_WITH_WRITE_(AGLET_JOIN_(aglet_with_, __LINE__), rw)
#define AGLET_WITH_WRITE_(name, rw)                                                                          \
    AGLET_ONCE_WITH_(aglet_write_guard, aglet_write_guard_release, name, aglet_guard_take_write_(rw),        \
                     name.rw_ != NULL)

/* Data that only a guard opens.
 *
 *     static AGLET_MUTEX_OF(struct stats) stats = AGLET_MUTEX_OF_INIT;
 *     …
 *     AGLET_OPEN(s, &stats);          // held to the end of the scope; s is a struct stats *
 *     s->hits++;
 *
 * A box can be poisoned: where a change of several steps is left half done (an error return in the middle),
 * the next who opens the box must know. AGLET_OPEN_FOR_CHANGE poisons it unless AGLET_COMMIT(s) comes before
 * the scope ends; AGLET_POISONED(s) asks, AGLET_COMMIT also heals. */
#define AGLET_MUTEX_OF(type)                                                                                 \
    struct {                                                                                                 \
        aglet_mutex mu_;                                                                                     \
        bool poisoned_ AGLET_GUARDED_BY(mu_);                                                                \
        type data_ AGLET_GUARDED_BY(mu_);                                                                    \
    }
#ifdef __cplusplus
#define AGLET_MUTEX_OF_INIT                                                                                  \
    {                                                                                                        \
        AGLET_MUTEX_INIT, false, {}                                                                          \
    }
#else
#define AGLET_MUTEX_OF_INIT                                                                                  \
    { .mu_ = AGLET_MUTEX_INIT }
#endif
/* The same with the data's own initialiser: AGLET_MUTEX_OF_WITH({.limit = 3}). */
#define AGLET_MUTEX_OF_WITH(...)                                                                             \
    { AGLET_MUTEX_INIT, false, __VA_ARGS__ }

#ifdef AGLET_HAVE_CLEANUP
#define AGLET_OPEN(name, box)                                                                                \
    __typeof__(box) const name##_box_ = (box);                                                               \
    AGLET_GUARD_NAMED(name##_guard_, &name##_box_->mu_);                                                     \
    AGLET_MAYBE_UNUSED bool *const name##_poisoned_ = &name##_box_->poisoned_;                               \
    AGLET_MAYBE_UNUSED __typeof__(name##_box_->data_) *const name = &name##_box_->data_
/* The poison is set before the guard is released, since cleanups run from the last variable to the first. */
#define AGLET_OPEN_FOR_CHANGE(name, box)                                                                     \
    AGLET_OPEN(name, box);                                                                                   \
    AGLET_CLEANUP(aglet_poison_) AGLET_MAYBE_UNUSED bool *name##_change_ = name##_poisoned_
#define AGLET_COMMIT(name) ((void)(*name##_poisoned_ = false), (void)(name##_change_ = NULL))
#define AGLET_POISONED(name) (*name##_poisoned_)
/* Give it up before the scope ends; the pointer is not to be used afterwards. A box opened for change must be
 * committed first: the poison would be set where the scope ends, without the lock. */
#define AGLET_CLOSE(name) aglet_guard_release(&name##_guard_)

static inline void aglet_poison_(bool **poisoned) {
    if (*poisoned != NULL)
        **poisoned = true;
}
#endif

#endif
