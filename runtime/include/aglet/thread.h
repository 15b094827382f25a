/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* OS threads: spawn with a typed argument, join with a result, scopes that join what was spawned in them, and
 * a check for objects that belong to one thread. Stands on base.h. */
#ifndef AGLET_THREAD_H
#define AGLET_THREAD_H

#include "aglet/base.h"

/* A handle: filled by a spawn, used up by one join or detach. May be copied; the copies count as one. Zero is
 * none. */
typedef struct AGLET_TRUSTED_SEND("a handle may be joined anywhere")
    AGLET_TRUSTED_SYNC("until it is used up it is only read") aglet_thread {
    struct aglet_thread_state_ *state_;
    uint64_t serial_;
} aglet_thread;

#define AGLET_THREAD_INIT                                                                                    \
    { 0, 0 }

/* What a thread may be spawned with; all zero, or no options at all, is the default. */
struct aglet_thread_options {
    const char *name;  /* shown by the system (15 characters) and in reports; copied */
    size_t stack_size; /* in bytes, 0 for the system's */
};

AGLET_BEGIN_DECLS

/* Start entry(argument) in a new thread.
 *
 * Returns   0 and *thread is a handle to be joined or detached, or -EAGAIN, -ENOMEM, -EINVAL (a stack that the
 *           system takes for too small; `thread` is NULL, reported as unjoined) and nothing was started.
 * Ensures   `entry` sees what the caller wrote before. */
AGLET_API AGLET_MUST_USE int aglet_thread_spawn(aglet_thread *thread, void *(*entry)(void *), void *argument)
    AGLET_SPAWNS(entry, argument);
AGLET_API AGLET_MUST_USE int aglet_thread_spawn_with(aglet_thread *thread,
                                                     const struct aglet_thread_options *options,
                                                     void *(*entry)(void *), void *argument)
    AGLET_SPAWNS(entry, argument);

/* Wait until the thread has ended; what it returned goes to *result unless that is NULL. Uses up the handle.
 *
 * Returns   0; -EINVAL where the handle, or a copy of it, was joined or detached before, or no spawn ever
 *           filled it, or it is NULL; -EDEADLK where a thread would join itself.
 * Misuse    the errors above are reported too, as unjoined and deadlock (checked). */
AGLET_API int aglet_thread_join(aglet_thread *thread, void **result) AGLET_JOINS(thread) AGLET_BLOCKS;

/* Let it end by itself. Uses up the handle. Returns 0 or -EINVAL, as above. */
AGLET_API int aglet_thread_detach(aglet_thread *thread);

/* The calling thread's name, for the system and for reports. Copied. NULL changes nothing. */
AGLET_API void aglet_thread_set_name(const char *name);

AGLET_END_DECLS

/* A function that takes a typed pointer as a thread's first function:
 *
 *     AGLET_THREAD_FUNCTION(count_lines, struct file_job)
 *     static void *count_lines(struct file_job *job) { … }
 *     …
 *     AGLET_THREAD_SPAWN(&t, count_lines, &job)        // warns where &job is no struct file_job *
 */
#define AGLET_THREAD_FUNCTION(name, type)                                                                    \
    typedef type name##_argument_;                                                                           \
    static void *name(type *);                                                                               \
    static void *name##_entry_(void *argument) {                                                             \
        return name((type *)argument);                                                                       \
    }
#define AGLET_TYPED_ARGUMENT_(name, argument) (1 ? (argument) : (name##_argument_ *)0)
#define AGLET_THREAD_SPAWN(thread, name, argument)                                                           \
    aglet_thread_spawn((thread), name##_entry_, AGLET_TYPED_ARGUMENT_(name, argument))

/* A scope: every thread spawned in it is joined where it ends, so that locals of the function around it may
 * be lent.
 *
 *     AGLET_SCOPE(scope) {
 *         for (int i = 0; i < n; i++)
 *             aglet_scope_spawn(&scope, sum_part, &part[i]);
 *     }                               // all have ended here
 */
typedef struct AGLET_NOT_SEND("its threads use the stack it stands on") aglet_scope {
    struct aglet_thread_state_ *threads_; /* under lock_ */
    uint32_t lock_;
    int error_;
    bool open_;
} aglet_scope;

AGLET_BEGIN_DECLS

AGLET_API void aglet_scope_begin(aglet_scope *scope);

/* As aglet_thread_spawn. The thread's result is lost. May be called by the scope's own threads as well. The
 * first error is kept for aglet_scope_end.
 *
 * Misuse    a scope that has ended, or was never begun, is refused with -EINVAL (unjoined, checked). */
AGLET_API int aglet_scope_spawn(aglet_scope *scope, void *(*entry)(void *), void *argument)
    AGLET_SPAWNS(entry, argument);

/* Join all of them. Returns 0, or the first error of a spawn. Called twice it does nothing the second time.
 *
 * Misuse    a thread ends the scope that it was spawned in: -EDEADLK (deadlock, checked). */
AGLET_API int aglet_scope_end(aglet_scope *scope) AGLET_JOINS(scope) AGLET_BLOCKS;

AGLET_END_DECLS

#define AGLET_SCOPE_SPAWN(scope, name, argument)                                                             \
    aglet_scope_spawn((scope), name##_entry_, AGLET_TYPED_ARGUMENT_(name, argument))

static inline aglet_scope aglet_scope_opened_(void) {
    aglet_scope scope;
    aglet_scope_begin(&scope);
    return scope;
}

static inline void aglet_scope_close_(aglet_scope *scope) {
    (void)aglet_scope_end(scope);
}

#ifdef AGLET_HAVE_CLEANUP
#define AGLET_SCOPE(name)                                                                                    \
    for (AGLET_CLEANUP(aglet_scope_close_) aglet_scope name = aglet_scope_opened_(); name.open_;             \
         aglet_scope_end(&name))
#else
#define AGLET_SCOPE(name) for (aglet_scope name = aglet_scope_opened_(); name.open_; aglet_scope_end(&name))
#endif

/* An object that belongs to one thread: put one into the struct, and check where the object is used. */
typedef struct aglet_affine {
    uint64_t owner_; /* 0: not bound yet */
} aglet_affine;

#define AGLET_AFFINE_INIT                                                                                    \
    { 0 }

AGLET_BEGIN_DECLS

/* The first check binds it to the calling thread; a check in another thread is reported (affinity, checked).
 * aglet_affine_release lets the next thread that checks be the owner. In the release library both do nothing. */
AGLET_API void aglet_affine_check(aglet_affine *affine);
AGLET_API void aglet_affine_release(aglet_affine *affine);

AGLET_END_DECLS
#endif
