/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tasks: plain C functions, thousands of them on a few threads, each with a small stack of its own.
 * Stands on aglet/executor.h for the threads that run them; tasks without a stack are in aglet/stackless.h.
 *
 * A task gives up its thread only in calls marked AGLET_YIELDS. No thread lock (aglet_mutex, pthread_mutex_t)
 * may be held there: the next task on the thread would find it taken by "itself". The checked library reports
 * it (lock-across-yield). errno survives every yield; the floating-point control registers (fesetround)
 * belong to the thread. A task runs, from its first instruction to its last, on one thread; which one is open
 * until then.
 *
 * Every call that waits returns 0 or more, or a negative errno value. -ECANCELED is sticky: once a task was
 * aborted, all its waits return it at once, so that it can only clean up and return. */
#ifndef AGLET_TASK_H
#define AGLET_TASK_H

#include "aglet/base.h"

AGLET_BEGIN_DECLS

/* A handle on a task; whoever spawned it joins or detaches it, once. */
typedef struct aglet_task aglet_task;

/* What a task does. What it returns is what its joiner gets. */
typedef void *aglet_task_fn(void *arg) AGLET_TASK_ENTRY;

/* One step of a task without a stack: AGLET_PENDING, or anything else when it has ended; see
 * aglet/stackless.h. */
#define AGLET_PENDING (-2147483647 - 1)
typedef int aglet_step_fn(void *frame) AGLET_TASK_ENTRY;

/* Start a task on the executor that runs the caller.
 *
 * Requires  the caller is a task, or a thread inside aglet_block_on; other threads use aglet_spawn_on.
 * Ensures   entry(arg) runs on any worker of the executor, after this call returns or beside it; *task is its
 *           handle. With task NULL it is detached at once.
 * Returns   0, -ENOMEM, or -ESRCH when the caller belongs to no executor. On failure nothing runs, arg is
 *           the caller's, and *task is NULL. */
AGLET_API int aglet_spawn(aglet_task **task, aglet_task_fn *entry, void *arg AGLET_SENDING)
    AGLET_SPAWNS(entry, arg);

/* The same, but the task stays on the worker of the caller: arg need not be Send. */
AGLET_API int aglet_spawn_local(aglet_task **task, aglet_task_fn *entry, void *arg);

/* Wait for a task's end and give up its handle.
 *
 * Ensures   all that the task did happens before the return. *result (where not NULL) is what its function
 *           returned.
 * Returns   0. -ECANCELED: the caller was aborted; the handle is still good. -EDEADLK: a task joins itself, or NULL.
 * Misuse    a handle is for one join or one aglet_detach. While somebody else joins it, -EINVAL; after that its memory may be
 *           another task's. The checked library reports `unjoined`.
 * Threads   tasks wait as tasks; OS threads block. */
AGLET_API int aglet_join(aglet_task *task, void **result) AGLET_JOINS(task) AGLET_YIELDS;

/* The same until a deadline: -ETIMEDOUT when it passed; the handle is then still good. */
AGLET_API int aglet_join_until(aglet_task *task, void **result, aglet_time deadline)
    AGLET_JOINS(task) AGLET_YIELDS;

/* Give up the handle without waiting; the task runs on. NULL is fine. Threads: any. */
AGLET_API void aglet_detach(aglet_task *task);

/* Ask a task to end: every wait it is in or comes to returns -ECANCELED. It must still be joined or detached.
 * A task that has not started yet does start, so that it can free its argument. NULL is fine. Threads: any. */
AGLET_API void aglet_abort(aglet_task *task);

/* Was the calling task aborted? For loops that compute and never wait. False outside tasks. */
AGLET_API bool aglet_aborted(void);

/* Let the other tasks of this worker run, then go on. Returns 0 or -ECANCELED. Outside tasks: yields the
 * thread. */
AGLET_API int aglet_yield(void) AGLET_YIELDS;

/* Sleep. Returns 0 or -ECANCELED. Never early; late by up to 0.1 ms and the worker's latency. */
AGLET_API int aglet_sleep_until(aglet_time deadline) AGLET_YIELDS;
AGLET_API int aglet_sleep_ms(int64_t milliseconds) AGLET_YIELDS;

/* Points in time at equal distances:
 *
 *     aglet_interval every = aglet_interval_ms(10);
 *     while (aglet_interval_next(&every) == 0) … */
typedef struct aglet_interval {
    aglet_time next, period;
} aglet_interval;

static inline aglet_interval aglet_interval_ms(int64_t milliseconds) {
    aglet_interval every = {aglet_after_ms(milliseconds), milliseconds * 1000000};
    return every;
}

/* Sleep until the next point. Points that have passed while the task was busy are left out, never made up for
 * in a burst. Returns 0 or -ECANCELED. */
AGLET_API int aglet_interval_next(aglet_interval *interval) AGLET_YIELDS;

/* The calling task, or NULL. The handle is not the caller's to join. */
AGLET_API aglet_task *aglet_self(void);

/* Names show in reports and dumps. The text must outlive the task. NULL names the caller / is unnamed. */
AGLET_API void aglet_task_name(aglet_task *task, const char *name);
/* Its number; 0 for NULL. */
AGLET_API uint64_t aglet_task_id(const aglet_task *task);

/* Tasks that end together: none outlives the group. Zero is a valid empty group. */
typedef struct aglet_group {
    unsigned char private_[48] __attribute__((aligned(8)));
} aglet_group;

/* Start a task in a group. There is no handle: the group joins it. Results as aglet_spawn; -ECANCELED when
 * the group was aborted. */
AGLET_API int aglet_group_spawn(aglet_group *group, aglet_task_fn *entry, void *arg AGLET_SENDING)
    AGLET_SPAWNS(entry, arg);

/* Wait until every task of the group has ended; the group is then empty and may be used again.
 *
 * Returns   0, or -ECANCELED when the caller was aborted: the members were then aborted and have ended all
 *           the same.
 * Threads   any number may join it; it must stay until each has returned. A member that joins it waits for ever. */
AGLET_API int aglet_group_join(aglet_group *group) AGLET_JOINS(group) AGLET_YIELDS;

/* Abort every member, present and to come, until the group is joined. Threads: any. */
AGLET_API void aglet_group_abort(aglet_group *group);

/* Wait for n tasks. results may be NULL. Returns 0, or -ECANCELED with the handles not yet joined left
 * non-NULL in tasks. */
AGLET_API int aglet_join_all(aglet_task **tasks, void **results, size_t n) AGLET_YIELDS;

/* Run entry(arg) as a task, but only until the deadline: then it is aborted, and its end awaited.
 *
 * Returns   0 with *result (where not NULL) set; -ETIMEDOUT when it had to be aborted; -ECANCELED (it was
 *           aborted as well, and has ended); -ENOMEM, -ESRCH when it was not started. */
AGLET_API int aglet_timeout(aglet_task_fn *entry, void *arg, aglet_time deadline, void **result) AGLET_YIELDS;

/* One slot per task, like a thread-local. Zero is valid. Declare it static. */
typedef struct aglet_local {
    void (*destroy)(void *value); /* called at the task's end for a value that is not NULL; may be NULL */
} aglet_local;

/* The calling task's value, or NULL where it has none and outside tasks. */
AGLET_API void *aglet_local_get(const aglet_local *key);

/* Returns 0, -ENOMEM, -ESRCH outside tasks. */
AGLET_API int aglet_local_set(const aglet_local *key, void *value);

/* Call attempt(arg) until it returns something else than a negative number, at most `attempts` times,
 * sleeping first_ms, 2*first_ms, 4*first_ms … (each up to a quarter shorter, at random) in between.
 *
 * Returns   what the last attempt returned, or -ECANCELED. */
AGLET_API int aglet_retry(int (*attempt)(void *arg), void *arg, unsigned attempts,
                          int64_t first_ms) AGLET_YIELDS;

/* Print every living task to a file descriptor: id, name, age, state, what it waits for, and its stack (a
 * stackless one: its function and the line of the await). With the checked library also the locks it holds,
 * where a running one is, and names and lines instead of module and offset.
 *
 * Threads   any; not a signal handler. Waits up to 0.2 s for each worker that a task keeps, and then says so.
 *           aglet/registry.h is the same for debuggers. */
AGLET_API void aglet_dump(int fd);

/* Print a dump to stderr whenever the signal comes. The checked library does so for SIGQUIT, unless the
 * program has a handler for it. Returns 0 or a negative errno value. */
AGLET_API int aglet_dump_on(int signal_number);

AGLET_END_DECLS

#if AGLET_HAVE_CLEANUP
/* A group that ends with the enclosing block, however it is left: `AGLET_GROUP(g); aglet_group_spawn(&g, …);` */
static inline void aglet_group_cleanup_(aglet_group *group) {
    (void)aglet_group_join(group);
}
#define AGLET_GROUP(name) AGLET_CLEANUP(aglet_group_cleanup_) AGLET_MAYBE_UNUSED aglet_group name = {{0}}
#endif

#endif
