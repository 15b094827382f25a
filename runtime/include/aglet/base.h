/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What every public header of the runtime needs: exported functions, compiler attributes, time.
 * Stands on aglet/annotations.h.
 *
 * In all of them: a pointer to what the caller owns (a lock, a group, a descriptor, a channel's handle) is not NULL, and a
 * function that is to be called is not; else the program ends with SIGSEGV. Where a handle, a result or an option may be
 * NULL it says so. */
#ifndef AGLET_BASE_H
#define AGLET_BASE_H

#include "aglet/annotations.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define AGLET_BEGIN_DECLS extern "C" {
#define AGLET_END_DECLS }
#else
#define AGLET_BEGIN_DECLS
#define AGLET_END_DECLS
#endif

#if defined(__GNUC__)
#ifndef AGLET_API
#define AGLET_API __attribute__((visibility("default")))
#endif
#define AGLET_HAVE_CLEANUP 1
#define AGLET_CLEANUP(function) __attribute__((cleanup(function)))
#define AGLET_MUST_USE __attribute__((warn_unused_result))
#define AGLET_ALIGNED(bytes) __attribute__((aligned(bytes)))
#define AGLET_MAYBE_UNUSED __attribute__((unused))
#define AGLET_NORETURN __attribute__((noreturn))
#define AGLET_TYPED_ static inline __attribute__((unused, always_inline, artificial))
#define AGLET_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#define AGLET_LIKELY(x) __builtin_expect(!!(x), 1)
#define AGLET_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define AGLET_API
#define AGLET_MUST_USE
#define AGLET_ALIGNED(bytes)
#define AGLET_MAYBE_UNUSED
#define AGLET_NORETURN
#define AGLET_TYPED_ static inline
#define AGLET_PRINTF(text, first)
#define AGLET_LIKELY(x) (x)
#define AGLET_UNLIKELY(x) (x)
#endif

/* AGLET_TYPED_ is for functions that only give a call its types: reports show the line that calls one, in builds that
 * inline nothing else as well. */

/* Two macro arguments made one name, both expanded first. */
#define AGLET_JOIN_(a, b) AGLET_JOIN_EXPANDED_(a, b)
#define AGLET_JOIN_EXPANDED_(a, b) a##b

/* Before C11 an extension, which -Wpedantic is not to speak of. */
#ifdef __cplusplus
#define AGLET_STATIC_ASSERT_(condition, text) static_assert(condition, text)
#elif defined(__GNUC__)
#define AGLET_STATIC_ASSERT_(condition, text) __extension__ _Static_assert(condition, text)
#else
#define AGLET_STATIC_ASSERT_(condition, text) _Static_assert(condition, text)
#endif

/* Around a declaration whose name __COUNTER__ makes: newer Clangs say under -Wpedantic that it is not in the
 * language yet, in system headers as well. */
#define AGLET_COUNTED_ON_
#define AGLET_COUNTED_OFF_
#if defined(__has_warning)
#if __has_warning("-Wc2y-extensions")
#undef AGLET_COUNTED_ON_
#undef AGLET_COUNTED_OFF_
#define AGLET_COUNTED_ON_                                                                                    \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wc2y-extensions\"")
#define AGLET_COUNTED_OFF_ _Pragma("clang diagnostic pop")
#endif
#endif

/* A point in time: nanoseconds of CLOCK_MONOTONIC. Deadlines are absolute, so a loop of waits needs no sums. */
typedef int64_t aglet_time;
#define AGLET_FOREVER INT64_MAX

AGLET_BEGIN_DECLS

/* The time now. Threads: any. */
AGLET_API aglet_time aglet_now(void);

/* The deadline that lies this far from now; AGLET_FOREVER where the sum does not fit. Negative is now. */
AGLET_API aglet_time aglet_after_ns(int64_t nanoseconds);
AGLET_API aglet_time aglet_after_ms(int64_t milliseconds);

/* Is the library that was found at run time the checked one? Programs need not care; tests do. */
AGLET_API bool aglet_is_checked(void);

AGLET_END_DECLS
#endif
