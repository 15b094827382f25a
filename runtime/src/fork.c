/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is done before a fork and after it, see fork.h. Stands on worker.h for which worker the thread is. */
#include "fork.h"
#include "checked.h"
#include "worker.h"

#include <errno.h>
#include <pthread.h>

uint32_t fork_depth;

static struct slock *const locks[] = {&task_slab_lock, &task_stack_lock, &worker_memory_lock, &reactor_lock,
                                      &signal_table_lock};
enum { LOCKS = sizeof locks / sizeof locks[0] };

static void everywhere(enum fork_moment moment) {
    blocking_fork(moment);
    pool_fork(moment);
    dump_fork(moment);
    if (aglet_checked)
        check_tasks_fork(moment);
}

static void before(void) {
    everywhere(BEFORE_FORK);
    for (unsigned i = 0; i < LOCKS; i++)
        slock_lock(locks[i]);
}

static void unlock_all(void) {
    for (unsigned i = LOCKS; i-- > 0;)
        slock_unlock(locks[i]);
}

static void in_parent(void) {
    unlock_all();
    everywhere(IN_PARENT);
}

static void in_child(void) {
    fork_depth++;
    worker_here_ = NULL;
    unlock_all();
    everywhere(IN_CHILD);
}

int fork_watch(void) {
    static struct slock once;
    static bool watched; /* under once */
    slock_lock(&once);
    if (!watched)
        watched = pthread_atfork(before, in_parent, in_child) == 0;
    bool done = watched;
    slock_unlock(&once);
    return done ? 0 : -ENOMEM;
}
