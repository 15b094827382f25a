/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Telling ThreadSanitizer what a lock is, and what else puts threads in order, where the program runs under it.
 * Its functions are weak: in other programs they are not there, and the cost is one test, which the release
 * library does not pay: it tells nothing. Stands on the compiler's sanitizer interface (tsan_interface.h). */
#ifndef AGLET_SRC_TSAN_H
#define AGLET_SRC_TSAN_H

#include "check.h"

/* As in sanitizer/tsan_interface.h, which not every compiler installs. */
enum { TSAN_READ_LOCK = 1 << 3, TSAN_TRY_LOCK = 1 << 4, TSAN_NOT_STATIC = 1 << 8 };
void __tsan_mutex_create(void *lock, unsigned flags) __attribute__((weak));
void __tsan_mutex_destroy(void *lock, unsigned flags) __attribute__((weak));
void __tsan_mutex_pre_lock(void *lock, unsigned flags) __attribute__((weak));
void __tsan_mutex_post_lock(void *lock, unsigned flags, int recursion) __attribute__((weak));
int __tsan_mutex_pre_unlock(void *lock, unsigned flags) __attribute__((weak));
void __tsan_mutex_post_unlock(void *lock, unsigned flags) __attribute__((weak));
void __tsan_acquire(void *object) __attribute__((weak));
void __tsan_release(void *object) __attribute__((weak));
void AnnotateIgnoreReadsBegin(const char *file, int line) __attribute__((weak));
void AnnotateIgnoreReadsEnd(const char *file, int line) __attribute__((weak));

static inline bool tsan_here(void) {
    return AGLET_UNLIKELY(__tsan_mutex_create != NULL);
}

static inline unsigned tsan_flags(int mode) {
    return (mode & CHECK_SHARED ? (unsigned)TSAN_READ_LOCK : 0) | (unsigned)TSAN_TRY_LOCK;
}

static inline void tsan_create(const void *lock) {
    if (tsan_here())
        __tsan_mutex_create((void *)(uintptr_t)lock, TSAN_NOT_STATIC);
}

static inline void tsan_destroy(const void *lock) {
    if (tsan_here())
        __tsan_mutex_destroy((void *)(uintptr_t)lock, 0);
}

/* The lock was taken just now. Told as a try, after the fact: our own order check is the better one. */
static inline void tsan_locked(const void *lock, int mode) {
    if (tsan_here()) {
        __tsan_mutex_pre_lock((void *)(uintptr_t)lock, tsan_flags(mode));
        __tsan_mutex_post_lock((void *)(uintptr_t)lock, tsan_flags(mode), 1);
    }
}

/* The lock is given in a moment. */
static inline void tsan_unlock(const void *lock, int mode) {
    if (tsan_here()) {
        __tsan_mutex_pre_unlock((void *)(uintptr_t)lock, tsan_flags(mode));
        __tsan_mutex_post_unlock((void *)(uintptr_t)lock, tsan_flags(mode));
    }
}

/* What this thread did until now comes before what any thread does after a later tsan_observe of the object. */
static inline void tsan_publish(const void *object) {
    if (aglet_checked && tsan_here())
        __tsan_release((void *)(uintptr_t)object);
}

static inline void tsan_observe(const void *object) {
    if (aglet_checked && tsan_here())
        __tsan_acquire((void *)(uintptr_t)object);
}

/* Between the two, what this thread reads is no race: a report looks at what other threads may change. */
static inline void tsan_look_away(void) {
    if (aglet_checked && tsan_here() && AnnotateIgnoreReadsBegin != NULL)
        AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
}

static inline void tsan_look_again(void) {
    if (aglet_checked && tsan_here() && AnnotateIgnoreReadsEnd != NULL)
        AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

#endif
