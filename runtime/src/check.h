/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a lock tells the checker: I was made, taken, waited for, given, destroyed. Every call stands behind
 * `if (aglet_checked)`; the functions exist in the checked library (src/checked/) only. The preloaded library
 * for plain pthread programs calls them as well, with no id: then the record is found by address. Stands on
 * checked.h, aglet/base.h. */
#ifndef AGLET_SRC_CHECK_H
#define AGLET_SRC_CHECK_H

#include "checked.h"

#include "aglet/base.h"

#include <stdatomic.h>

enum check_kind {
    CHECK_MUTEX,
    CHECK_RWLOCK,
    CHECK_SPIN,
    CHECK_RECURSIVE,   /* a mutex its holder may take again */
    CHECK_ONCE,        /* held while its function runs */
    CHECK_ASYNC_MUTEX, /* these two are held by tasks: task_check.h */
    CHECK_ASYNC_RWLOCK,
    CHECK_KINDS
};

/* How a lock is taken. */
enum {
    CHECK_EXCLUSIVE = 1,
    CHECK_SHARED = 2,
    CHECK_TRIED = 4 /* without waiting: makes no order edge to it */
};

/* `id` is the lock's id field; NULL: look the lock up by its address. `caller` is an address in the program.
 */

/* The lock begins, or ends, its life. Reports destroy-held, uninitialised-lock. */
void check_init(enum check_kind kind, const void *lock, uint32_t *id, const char *name, const void *caller);
void check_destroy(enum check_kind kind, const void *lock, uint32_t *id, const void *caller);

/* The calling thread has just taken the lock, by whatever way. Reports lock-order, uninitialised-lock, copy.
 */
void check_acquired(enum check_kind kind, int mode, const void *lock, uint32_t *id, const void *caller);

/* The lock is not free and the calling thread is about to wait for it. Reports double-lock, deadlock,
 * uninitialised-lock, copy; the first two also of a wait with a deadline for what this thread itself holds.
 * Returns false when waiting would be for ever and the hook took the report: do not wait.
 * After true, check_wait_end follows. */
bool check_wait_begin(enum check_kind kind, int mode, const void *lock, uint32_t *id, aglet_time deadline,
                      const void *caller);
void check_wait_end(bool taken);

/* The calling thread is about to take a lock in shared mode, free or not. Reports double-lock when it holds
 * the lock. Returns false when the hook took the report and it is not to be taken. */
bool check_before_shared(enum check_kind kind, const void *lock, uint32_t *id, aglet_time deadline,
                         const void *caller);

/* The calling thread is about to give the lock. Reports unlock-unheld, long-hold. Returns false when it does
 * not hold it: do not give. */
bool check_release(enum check_kind kind, int mode, const void *lock, uint32_t *id, const void *caller);

/* For locks without an id: does the calling thread hold it? True as well where there was no memory to know. */
bool check_holds(enum check_kind kind, const void *lock, const void *caller);

/* From now on the lock goes unchecked: other processes use it. */
void check_leave_alone(const void *lock);

/* A function of this library waits for an OS thread: in a task that is blocking-in-task, told once for each place. */
void check_blocks(const char *name, const void *caller);

/* Waits that are not for a lock. `object` is the condition, semaphore, barrier or (CHECK_ON_JOIN) the
 * thread's record from check_thread_new. Returns false when waiting would be for ever and the hook took the
 * report. */
enum check_wait {
    CHECK_ON_LOCK,
    CHECK_ON_COND,
    CHECK_ON_JOIN,
    CHECK_ON_BARRIER,
    CHECK_ON_SEMAPHORE,
    CHECK_ON_AWAIT, /* what a task could wait for as well: check_await_begin */
    CHECK_ON_WORK   /* for something to do: check_idle_begin */
};
bool check_block_begin(enum check_wait what, const void *object, aglet_time deadline, const void *caller);
void check_block_end(void);
unsigned check_waiting_for(const void *object); /* how many are in such a wait for it, without a deadline */

/* A thread waits as a task does; `why` as sleeper_wait has it. Where, and for what, was said before by check_await_at
 * and check_await_on. check_block_end follows, at once when check_await_is_told says that a hook took the report that
 * this wait is for ever. */
void check_await_at(const void *caller);
void check_await_on(const void *object);
void check_await_begin(const char *why, aglet_time deadline);
bool check_await_is_told(void);

/* A thread that works for others has nothing to do until somebody wakes it: it is no reason to wait on, where all
 * threads wait. `worker`: the executor's, or NULL. check_block_end follows. */
void check_idle_begin(const void *worker);

/* The calling thread is the library's own: it does nothing for the program, and is not checked. */
void check_thread_is_own(const char *name);

/* The library handles this signal: its handler is none of the program's. */
void check_signal_is_own(int number);

/* For whoever puts the calling thread to sleep in a wait that was begun above: when to wake up and call check_look, or
 * AGLET_FOREVER, which is the answer unless all other threads wait too. check_look reports deadlock or lost-wakeup where
 * nobody is left to wake anybody, and where the caller's futex (NULL: it has none) still is as `expected`. */
aglet_time check_look_at(void);
void check_look(_Atomic uint32_t *futex, uint32_t expected);

/* The calling thread sleeps on this futex until it is woken; NULL: it has ceased to. Who leaves the others asleep wakes
 * one of them for nothing, so that it asks again when to look. */
void check_sleeps_on(_Atomic uint32_t *futex);

/* A condition is about to be waited for with this lock; reports cond-wait. Returns false when the calling
 * thread does not hold the lock: do not wait. After true, check_cond_woken follows, which says whether a
 * signal or the deadline ended the wait; meanwhile check_cond_waited is true. `check_signal` notes whether a
 * signal found anybody (lost-wakeup). */
bool check_cond_wait(const void *cond, uint32_t *cond_id, const void *lock, uint32_t *lock_id,
                     const void *caller);
void check_cond_woken(const void *cond, bool in_time);
bool check_cond_waited(const void *cond);
void check_signal(const void *cond, uint32_t *cond_id, bool found_somebody, const void *caller);
void check_cond_destroy(const void *cond, uint32_t *cond_id, const void *caller);

/* The life of a thread: made by its parent, begun and ended by itself, then joined or detached. The record is
 * opaque and NULL where there was no memory for it; every function takes that. Ending reports
 * thread-exit-held. */
struct check_thread;
struct check_thread *check_thread_new(const char *name, const void *caller);
void check_thread_begin(struct check_thread *t);
void check_thread_end(const void *caller);
void check_thread_name(const char *name);
void check_thread_joined(struct check_thread *t);
void check_thread_detached(struct check_thread *t);

/* For plain pthreads: which record belongs to a pthread_t; which were joined a while ago; the calling
 * thread's tid. */
void check_thread_handle(struct check_thread *t, unsigned long handle);
void check_thread_is_main(unsigned long handle); /* the calling one: may be joined and need not be */
struct check_thread *check_thread_by_handle(unsigned long handle);
void check_thread_gone(unsigned long handle);
bool check_thread_was_joined(unsigned long handle);
int check_thread_id(void);

/* Memory is about to be freed: reports freed-held, and forgets the locks in it. */
void check_memory_freed(const void *memory, size_t size, const void *caller);

/* The same of memory that is unmapped, code and static variables perhaps. */
void check_memory_unmapped(const void *memory, size_t size, const void *caller);

/* The calling thread's locks go unchecked between +1 and -1. */
void check_pause(int change);

/* A number for the calling thread that no other thread ever has; never 0. */
uint64_t check_thread_serial(void);

/* Reports requires when the calling thread does not hold the lock in at least this mode. */
void check_assert_held(enum check_kind kind, int mode, const void *lock, const uint32_t *id,
                       const void *caller);

/* What lies in task_rest.beside with the address of a holder, or (NO_HOLDER) with the number of check_clock when the task
 * began. */
enum { NO_HOLDER = 1, HOLDS_NOTHING = 2 };

/* From now on the calling thread runs the task of this id, or with 0 none. The executor calls it on every
 * switch. beside: of the task's task_rest, or 0. */
void check_runs(uint64_t task, uintptr_t beside);

/* Ticks at each beginning and end of a thread, and at some ends of tasks. What began at a number that is above the
 * number of another's end began after it. */
extern _Atomic uint64_t check_clock __attribute__((visibility("hidden")));

/* The running task is about to be suspended at `caller`: reports lock-across-yield for the thread locks that
 * it took, or its thread outside tasks. Returns how many those are. The executor calls it on every
 * suspension. */
unsigned check_yield(const void *caller);

/* How many thread locks the calling thread holds. One load; for the executor's own assertions. */
unsigned check_held_count(void);

#endif
