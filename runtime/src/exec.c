/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Executors: starting workers, running a root task, ending. Stands on worker.h.
 *
 * How one ends (aglet_executor_free):
 *   1. `closing`: tasks spawned from now on are born aborted;  2. every task of it is aborted (task_each);
 *   3. workers run until as many tasks have ended as were spawned;  4. `stop`, kick all, join the threads. */
#include "aglet/executor.h"
#include "check.h"
#include "fork.h"
#include "misuse.h"
#include "task_check.h"
#include "task_group.h"
#include "task_join.h"
#include "task_sleep.h"
#include "task_start.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static bool stopped(void *executor) {
    return atomic_load(&((aglet_executor *)executor)->stop);
}

static void *worker_thread(void *worker) {
    struct worker *w = worker;
    char name[16] = "aglet-worker-0";
    name[13] = (char)('0' + w->index % 10);
    if (w->index < 10)
        pthread_setname_np(pthread_self(), name);
    worker_run(w, stopped, w->executor);
    return NULL;
}

static void release(aglet_executor *ex) {
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        if (ex->worker[i])
            worker_free(ex->worker[i]);
    ex->n = 0; /* for who uses it all the same: is_gone */
    executor_memory_free(ex);
}

static void stop_threads(aglet_executor *ex, unsigned started) {
    atomic_store(&ex->stop, true);
    for (unsigned i = 0; i < ex->n; i++)
        worker_kick(ex->worker[i]);
    for (unsigned i = 0; i < started; i++)
        pthread_join(ex->worker[i]->thread, NULL);
}

/* Nobody's stack: an address, or a number below zero. A task whose stack can never be had would wait for ever. */
#define STACK_SIZE_MOST ((size_t)1 << 30)

aglet_executor *aglet_executor_new(const struct aglet_executor_options *options) {
    static const struct aglet_executor_options defaults;
    if (!options)
        options = &defaults;
    if (options->stack_size > STACK_SIZE_MOST) {
        errno = EINVAL;
        return NULL;
    }
    aglet_executor *ex = fork_watch() == 0 ? executor_memory() : NULL;
    if (!ex) {
        errno = ENOMEM;
        return NULL;
    }
    ex->current_thread = options->current_thread;
    ex->n = options->current_thread ? 1 : options->workers ? options->workers : processors();
    if (ex->n > WORKERS_MAX)
        ex->n = WORKERS_MAX;
    ex->stack_size = options->stack_size ? options->stack_size : 128 * 1024;
    ex->place = (uintptr_t)ex | PLACE_ANYWHERE;
    ex->stacks_kept = options->stacks_kept ? options->stacks_kept : 1024;
    for (unsigned i = 0; i < ex->n; i++) {
        ex->worker[i] = worker_new(ex, i);
        if (!ex->worker[i]) {
            release(ex);
            errno = ENOMEM;
            return NULL;
        }
    }
    if (ex->n == 1)
        ex->place = (uintptr_t)ex->worker[0];
    for (unsigned i = 0; i < ex->n && !ex->current_thread; i++) {
        int error = pthread_create(&ex->worker[i]->thread, NULL, worker_thread, ex->worker[i]);
        if (error) {
            stop_threads(ex, i);
            release(ex);
            errno = error;
            return NULL;
        }
    }
    if (aglet_checked)
        check_executor_new(ex);
    return ex;
}

/* Every ending is counted after its spawn; so with the endings read first, equal sums mean that at the moment
 * in between no task was alive. */
static bool all_ended(void *executor) {
    aglet_executor *ex = executor;
    uint64_t ended = 0, spawned = 0;
    for (unsigned i = 0; i < ex->n; i++)
        ended += atomic_load(&ex->worker[i]->ended);
    for (unsigned i = 0; i < ex->n; i++)
        spawned += atomic_load(&ex->worker[i]->spawned);
    spawned += atomic_load(&ex->spawned_outside);
    return spawned == ended;
}

static void abort_if_mine(struct aglet_task *t, void *executor) {
    if (executor_runs(executor, t) && task_state(t) != TASK_ENDED)
        task_abort(t); /* it may end, and its memory be free, just now: that is no misuse */
}

/* Is it none, or was it freed? The checked library sees that until the memory is another executor's. */
static bool is_gone(const aglet_executor *ex, const char *does, const void *caller) {
    if (!ex) {
        if (aglet_checked)
            misuse_report("task-leak", NULL, false, caller,
                          "%s the executor NULL, which aglet_executor_new returns where it fails", does);
        return true;
    }
    if (!aglet_checked || ex->n != 0)
        return false;
    misuse_report("task-leak", ex, false, caller, "%s an executor that was freed before", does);
    return true;
}

/* Whoever frees the executor waits for its tasks, the caller among them: for ever. */
static bool is_own_task(const aglet_executor *ex, const void *caller) {
    const struct aglet_task *t = task_self();
    if (!aglet_checked || !t || worker_here_->executor != ex)
        return false;
    misuse_report("deadlock", ex, true, caller,
                  "task %llu '%s' frees the executor that runs it, which would wait for the task's end; free "
                  "it outside",
                  (unsigned long long)task_id(t), task_name(t) ? task_name(t) : "unnamed");
    return true;
}

/* Checked: other threads are in aglet_block_on, and the memory under them is about to go. */
static void await_users(aglet_executor *ex, const void *caller) {
    if (atomic_load(&ex->users) == 0)
        return;
    misuse_report("task-leak", ex, false, caller,
                  "an executor is freed while another thread is in aglet_block_on of it; join that first");
    while (atomic_load(&ex->users) > 0) {
        task_each(abort_if_mine, ex);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

void aglet_executor_free(aglet_executor *ex) {
    if (!ex || is_gone(ex, "aglet_executor_free ends", CALLER()) || is_own_task(ex, CALLER()))
        return;
    if (aglet_checked) {
        await_users(ex, CALLER());
        atomic_store(&ex->entered_by, 0); /* whoever frees it ends what is left */
        check_executor_free(ex);
    }
    atomic_store(&ex->closing, true);
    if (aglet_checked)
        await_users(ex, CALLER()); /* partner: the look at `closing` in block_on */
    while (!all_ended(ex)) {
        task_each(abort_if_mine, ex);
        if (ex->current_thread) {
            worker_run(ex->worker[0], all_ended, ex);
        } else {
            for (int i = 0; i < 100 && !all_ended(ex); i++)
                nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        }
    }
    if (!ex->current_thread)
        stop_threads(ex, ex->n);
    if (aglet_checked)
        check_executor_gone(ex);
    release(ex);
}

int aglet_spawn_on(aglet_executor *ex, aglet_task **task, aglet_task_fn *entry, void *arg) {
    if (is_gone(ex, "a task is spawned on", CALLER()))
        return task_not_started(task, -ESRCH);
    return task_start(task,
                      &(struct task_plan){.executor = ex, .entry = entry, .arg = arg, .detached = !task});
}

struct root {
    aglet_task_fn *entry;
    void *arg, *result;
    _Atomic bool ended;
};

static void *run_root(void *root) {
    struct root *r = root;
    r->result = r->entry(r->arg);
    atomic_store(&r->ended, true);
    return NULL;
}

static bool root_ended(void *root) {
    return atomic_load(&((struct root *)root)->ended);
}

static int run_here(aglet_executor *ex, struct root *r, const void *caller) {
    bool busy = atomic_exchange(&ex->busy, true);
    if (aglet_checked)
        check_executor_enter(ex, busy, caller);
    if (busy)
        return -EBUSY;
    int error =
        task_start(NULL, &(struct task_plan){.executor = ex, .entry = run_root, .arg = r, .detached = true});
    if (!error)
        worker_run(ex->worker[0], root_ended, r);
    atomic_store(&ex->busy, false);
    return error;
}

/* The task uses *r, so nobody else may join it, by the handle that aglet_self gives in it, or detach it. */
static int run_there(aglet_executor *ex, struct root *r, const void *caller) {
    struct sleeper s;
    struct aglet_task *task;
    sleeper_init(&s);
    struct waiter w = {.sleeper = &s};
    (void)await_begin("join", caller); /* of a thread: there is no abort */
    int error =
        task_start(&task, &(struct task_plan){.executor = ex, .entry = run_root, .arg = r, .joiner = &w});
    if (error)
        return error;
    sleeper_is_for(&s, task);
    error = sleeper_wait(&s, AGLET_FOREVER, "join");
    if (error && join_unlink(task, &w))
        return error;
    join_take(task, NULL);
    return 0;
}

static int block_on(aglet_executor *ex, aglet_task_fn *entry, void *arg, void **result, const void *caller) {
    const struct aglet_task *t = task_self();
    if (t) {
        if (aglet_checked)
            misuse_report(
                "blocking-in-task", t, false, caller,
                "task %llu '%s' calls aglet_block_on or aglet_run, which no task may (-EDEADLK); spawn "
                "and join instead",
                (unsigned long long)task_id(t), task_name(t) ? task_name(t) : "unnamed");
        return -EDEADLK;
    }
    if (is_gone(ex, "aglet_block_on runs a task on", caller))
        return -ESRCH;
    struct root r = {.entry = entry, .arg = arg};
    int error;
    if (aglet_checked)
        atomic_fetch_add(&ex->users, 1);
    if (aglet_checked && atomic_load(&ex->closing)) {
        misuse_report("task-leak", ex, false, caller,
                      "aglet_block_on runs a task on an executor that is being freed");
        error = -ESRCH;
    } else {
        error = ex->current_thread ? run_here(ex, &r, caller) : run_there(ex, &r, caller);
    }
    if (aglet_checked)
        atomic_fetch_sub(&ex->users, 1);
    if (!error && result)
        *result = r.result;
    return error;
}

int aglet_block_on(aglet_executor *ex, aglet_task_fn *entry, void *arg, void **result) {
    return block_on(ex, entry, arg, result, CALLER());
}

int aglet_run(const struct aglet_executor_options *options, aglet_task_fn *entry, void *arg, void **result) {
    aglet_executor *ex = aglet_executor_new(options);
    if (!ex)
        return -errno;
    int error = block_on(ex, entry, arg, result, CALLER());
    aglet_executor_free(ex);
    return error;
}

unsigned aglet_executor_workers(const aglet_executor *ex) {
    return is_gone(ex, "aglet_executor_workers asks about", CALLER()) ? 0 : ex->n;
}

int aglet_worker_index(void) {
    struct worker *w = worker_here_;
    return w ? (int)w->index : -1;
}
