/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The threads that run tasks. Stands on aglet/task.h.
 *
 * Two kinds with one face: `workers` threads that steal work from each other, or (workers = 1 in
 * aglet_executor_options, `current_thread`) no thread at all: tasks run inside aglet_block_on, and wait for the next one
 * when it returns. Call it from one thread where tasks with a stack are left over: what they know of the thread they
 * began on (errno, thread-local storage) is that thread's.
 *
 * An executor that is NULL, because it could not be started, or that was freed is refused (task-leak, checked). */
#ifndef AGLET_EXECUTOR_H
#define AGLET_EXECUTOR_H

#include "aglet/task.h"

AGLET_BEGIN_DECLS

typedef struct aglet_executor aglet_executor;

/* All zero is a good choice of everything. */
struct aglet_executor_options {
    unsigned workers;    /* 0: one per processor the process may use; at most 64 */
    bool current_thread; /* tasks run on the thread that calls aglet_block_on, one thread at a time */
    size_t stack_size;   /* of stackful tasks, in bytes, at most 1 GiB; 0: 128 KiB */
    size_t stacks_kept;  /* free stacks each worker keeps for reuse; 0: 1,024 */
};

/* Start an executor. options may be NULL. Returns NULL with errno set when threads or memory cannot be
 * had (ENOMEM, EAGAIN), or the stack size is no size (EINVAL). */
AGLET_API aglet_executor *aglet_executor_new(const struct aglet_executor_options *options);

/* Abort the tasks that are left, wait for their ends, and end the threads. NULL is fine.
 *
 * Requires  no other thread uses the executor any more; not called from one of its tasks.
 * Misuse    the checked library reports the tasks that wait for something then, and a thread that is inside aglet_block_on
 *           (task-leak). */
AGLET_API void aglet_executor_free(aglet_executor *executor) AGLET_BLOCKS;

/* Run entry(arg) as a task and wait for its end. Tasks it has spawned may run on afterwards.
 *
 * Returns   0 with *result set (where not NULL), or -ENOMEM; -EDEADLK from inside a task; -ESRCH where the executor is
 *           NULL; -EBUSY when another thread is inside aglet_block_on of a current-thread executor.
 * Misuse    from inside a task (blocking-in-task, checked); that, and a current-thread executor run by another thread than its tasks with a stack began on (affinity,
 *           checked). The handle that aglet_self gives in entry is nobody's to join or detach: -EINVAL, unjoined. */
AGLET_API int aglet_block_on(aglet_executor *executor, aglet_task_fn *entry, void *arg,
                             void **result) AGLET_BLOCKS;

/* aglet_spawn from a thread that is no task. -ESRCH where the executor is NULL. Threads: any. */
AGLET_API int aglet_spawn_on(aglet_executor *executor, aglet_task **task, aglet_task_fn *entry,
                             void *arg AGLET_SENDING) AGLET_SPAWNS(entry, arg);

/* An executor with these options (NULL: defaults), entry(arg) on it, its end. Returns what aglet_block_on
 * does, or a negative errno value when the executor cannot start. */
AGLET_API int aglet_run(const struct aglet_executor_options *options, aglet_task_fn *entry, void *arg,
                        void **result) AGLET_BLOCKS;

/* How many workers an executor has (NULL: 0), and which one runs the caller (-1: none). */
AGLET_API unsigned aglet_executor_workers(const aglet_executor *executor);
AGLET_API int aglet_worker_index(void);

AGLET_END_DECLS

/* The program's main function as a task on a default executor: AGLET_MAIN(argc, argv) { …; return 0; } */
#define AGLET_MAIN(argc, argv)                                                                               \
    struct aglet_main_ {                                                                                     \
        int argc_, status_;                                                                                  \
        char **argv_;                                                                                        \
    };                                                                                                       \
    static int aglet_main_body_(int argc, char **argv);                                                      \
    static void *aglet_main_task_(void *arg) {                                                               \
        struct aglet_main_ *main_ = (struct aglet_main_ *)arg;                                               \
        main_->status_ = aglet_main_body_(main_->argc_, main_->argv_);                                       \
        return NULL;                                                                                         \
    }                                                                                                        \
    int main(int argc_, char **argv_) {                                                                      \
        struct aglet_main_ main_ = {argc_, 0, argv_};                                                        \
        int error = aglet_run(NULL, aglet_main_task_, &main_, NULL);                                         \
        return error ? 70 : main_.status_;                                                                   \
    }                                                                                                        \
    static int aglet_main_body_(int argc AGLET_MAYBE_UNUSED, char **argv AGLET_MAYBE_UNUSED)

#endif
