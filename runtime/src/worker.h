/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A worker: one OS thread that runs tasks, with its queues.
 * Stands on deque.h, timer.h, task_stack.h and reactor.h; worker.c says in which order it looks for work. */
#ifndef AGLET_SRC_WORKER_H
#define AGLET_SRC_WORKER_H

#include "aglet/executor.h"
#include "deque.h"
#include "futex.h"
#include "reactor.h"
#include "task_core.h"

#include <pthread.h>

enum {
    WORKERS_MAX = 64,
    DIRECT_SWITCHES =
        61, /* switches from task to task before the worker looks at timers, I/O and other queues */
    TASK_BUDGET = 128, /* operations that succeed at once before a task lets others run */
};

enum worker_sleep { WORKER_AWAKE, WORKER_IN_FUTEX, WORKER_IN_EPOLL };

struct trace_request;

struct task_fifo {
    struct aglet_task *head, *tail;
};

/* What a thief saw of a worker with a single task: how many that one had pushed by then, and for how long. */
struct thief_look {
    uint64_t pushed;
    unsigned rounds;
};

struct worker {
    /* The owner's alone. */
    struct aglet_task *current;
    struct task_fifo run;               /* pinned tasks that can go on */
    struct aglet_task *newest, *oldest; /* of an executor with one worker: tasks that have not run yet */
    struct aglet_task
        *handoff;         /* taken out of a queue by a stack that cannot run it; the loop runs it next */
    struct stack *stacks; /* free ones, each waiting inside its loop for a task */
    size_t stacks_free;
    unsigned direct; /* picks left until the next look at timers and I/O */
    unsigned budget;
    unsigned tick;
    bool searching;
    struct thief_look looks[WORKERS_MAX]; /* at each worker that had a single task */
    unsigned stolen;                      /* how many tasks the last theft brought; 0: looked at since */
    aglet_time stolen_at;
    int *errno_at;       /* the thread's errno: stacks never leave it, so its address may be kept */
    struct context loop; /* the OS thread's own stack, where the loop below runs */
    struct aglet_executor *executor;
    unsigned index;
    uint32_t random;
    struct timer_wheel timers; /* has its own lock */
    pthread_t thread;          /* the executor joins it; current_thread: unused */
    struct task_cache tasks;
    uint32_t ticks;       /* the time (task_ticks) at the last look at timers and I/O; births of tasks */
    uint64_t id, last_id; /* ids of tasks: the last one given, and the end of this worker's batch */
    /* Checked library: the thread that runs it now, its alternate signal stack, the last poll reported. */
    pthread_t os_thread;
    bool has_thread; /* under the watchdog's lock, with os_thread */
    void *alternate;
    uint64_t poll_seen;
    int64_t poll_since; /* what the watchdog saw last, and since when; 0: reported */
    /* Written by the owner, read when the executor ends. */
    _Atomic uint64_t spawned, ended;
    _Atomic uint64_t pushed; /* how many tasks went into the deque; read by thieves */
    /* Shared. */
    struct deque deque; /* tasks that any worker may run */
    /* From here on nothing is cleared when the memory becomes another worker: a late waker may use it. */
    _Alignas(
        64) _Atomic(struct aglet_task *) inbox; /* tasks woken by other threads, newest first; or CLOSED */
    _Atomic uint32_t sleep;                     /* enum worker_sleep; also the futex */
    _Atomic uint32_t kickers;                   /* threads inside worker_kick */
    struct reactor *_Atomic reactor;
    struct worker *next_free;
    struct trace_request *_Atomic trace; /* somebody wants to see the stacks of its tasks */
    _Atomic uint64_t
        polls; /* checked: grows by 2 with each switch; odd while a task runs. Read by the watchdog */
};

struct aglet_executor {
    unsigned n;
    bool current_thread;
    uintptr_t place; /* of a new task: the only worker, or anywhere in this executor */
    size_t stack_size, stacks_kept;
    _Atomic bool stop;
    _Atomic bool busy;    /* current_thread: somebody is inside aglet_block_on */
    _Atomic bool closing; /* tasks spawned from now on are born aborted */
    _Atomic uint64_t spawned_outside;
    _Atomic unsigned users;         /* checked: how many threads are in aglet_block_on */
    _Atomic uint64_t entered_by;    /* checked, current_thread: who was last in aglet_block_on; 0: nobody */
    const void *_Atomic entered_at; /* and where it called that */
    struct worker *worker[WORKERS_MAX];
    /* From here on nothing is cleared when the memory becomes another executor: a late announce_work may use
     * it. All of it is zero when an executor ends. */
    _Alignas(64) struct slock inject_lock;
    struct task_fifo inject;    /* under inject_lock */
    _Atomic int64_t injected;   /* length of it; written under inject_lock */
    _Atomic uint64_t idle;      /* bit i: worker i is about to sleep or sleeps */
    _Atomic uint32_t searching; /* workers awake without work */
    struct aglet_executor *next_free;
};

/* Marks the inbox of a worker whose executor has ended. */
#define INBOX_CLOSED ((struct aglet_task *)1)

extern _Thread_local struct worker *worker_here_;

/* The worker this thread is, or NULL. A task's thread never changes, so the value may be kept across yields.
 */
static inline struct worker *worker_self(void) {
    return worker_here_;
}

/* The running task, or NULL. */
static inline struct aglet_task *task_self(void) {
    struct worker *w = worker_here_;
    return w ? w->current : NULL;
}

/* Executors and workers: their memory never goes back to the allocator, because who wakes a task may come to
 * them when the task has run, and they have ended. worker_new returns NULL and executor_new returns NULL: no
 * memory. */
struct aglet_executor *executor_memory(void);
void executor_memory_free(struct aglet_executor *ex);
struct worker *worker_new(struct aglet_executor *ex, unsigned index);
void worker_free(struct worker *w);

/* Of a worker that will not run again: late wakes do not reach it any more. */
void worker_close_inbox(struct worker *w);

/* Run tasks until `done` (checked between them) says so. */
void worker_run(struct worker *w, bool (*done)(void *context), void *context);

/* Put a task that anybody may run behind the others of its executor. Any thread; executor_announce_work
 * follows. */
void executor_inject(struct aglet_executor *ex, struct aglet_task *t);

/* The oldest of them, or NULL. Any worker. */
struct aglet_task *executor_take_injected_slow_(struct aglet_executor *ex);
static inline struct aglet_task *executor_take_injected(struct aglet_executor *ex) {
    return atomic_load_explicit(&ex->injected, memory_order_acquire) ? executor_take_injected_slow_(ex)
                                                                     : NULL;
}

/* There is one more task that anybody may run: wake a worker that sleeps, unless one is searching. Any
 * thread. */
void executor_announce_work(struct aglet_executor *ex);

/* Wake what other threads want woken, oldest first. The owner. */
void worker_take_inbox_slow_(struct worker *w, struct aglet_task *left_in_it);
static inline void worker_take_inbox(struct worker *w) {
    if (AGLET_UNLIKELY(atomic_load_explicit(&w->inbox, memory_order_relaxed) != NULL))
        worker_take_inbox_slow_(w, NULL);
}

/* End the worker's sleep, if it sleeps. Any thread. */
void worker_kick(struct worker *w);

/* Sleep until there is a task that this worker could run, or a timer or a descriptor to look after, or `done` says
 * so; may return for no reason. The owner, who has found nothing to do. */
void worker_sleep(struct worker *w, bool (*done)(void *context), void *context);

/* Announce the worker as searching. False: enough others are. The owner; worker_stop_searching or worker_sleep ends
 * it. */
bool worker_may_search(struct worker *w);

/* The owner has found work, or ends. Wakes a sleeping worker for what was left to this one to find. */
void worker_stop_searching_slow_(struct worker *w);
static inline void worker_stop_searching(struct worker *w) {
    if (AGLET_UNLIKELY(w->searching))
        worker_stop_searching_slow_(w);
}

/* Does ex run t? Without a look at the worker t names, which may be gone where t is no task of ex. */
static inline bool executor_runs(const struct aglet_executor *ex, struct aglet_task *t) {
    uintptr_t place = atomic_load_explicit(&t->place, memory_order_relaxed) & ~(uintptr_t)PLACE_STATE;
    bool mine = place == ((uintptr_t)ex | PLACE_ANYWHERE);
    for (unsigned i = 0; i < ex->n && !mine; i++)
        mine = place == (uintptr_t)ex->worker[i];
    return mine;
}

/* Put a task that has not run yet before the others of the only worker: a list through the tasks themselves,
 * because a worker without thieves needs no more, and an array would cost pages. It is taken from at both
 * ends, and yet a task has one word for it: the exclusive or of its two neighbours' addresses, of which
 * whoever comes from an end knows one. */
static inline void fresh_push(struct worker *w, struct aglet_task *t) {
    struct aglet_task *older = w->newest;
    t->both = (uintptr_t)older;
    if (older)
        older->both ^= (uintptr_t)t;
    else
        w->oldest = t;
    w->newest = t;
}

/* Make a new task run. w is the calling worker or NULL, ex the task's executor. */
void task_schedule_fresh(struct worker *w, struct aglet_executor *ex, struct aglet_task *t);

/* Put a pinned task that can go on behind the others of its worker. */
static inline void run_push(struct worker *w, struct aglet_task *t) {
    t->next = NULL;
    if (w->run.head)
        w->run.tail->next = t;
    else
        w->run.head = t;
    w->run.tail = t;
}

/* The first of them, or NULL. */
static inline struct aglet_task *worker_take_run(struct worker *w) {
    struct aglet_task *t = w->run.head;
    if (t)
        w->run.head = t->next;
    return t;
}

/* Look everywhere for a while, as one of few: a task, or NULL. Announces the worker as searching; who finds
 * it work, or it sleeps, ends that. */
struct aglet_task *worker_search(struct worker *w);

/* Give t a token; if it is parked, schedule it. Any thread; t may have ended. w is the calling worker or
 * NULL. */
void task_wake_afar_(struct aglet_task *t);
static inline void task_wake_from(struct worker *w, struct aglet_task *t) {
    uintptr_t seen = atomic_load_explicit(&t->place, memory_order_acquire), here = (uintptr_t)w;
    if (AGLET_LIKELY(seen == (here | TASK_PARKED) && w)) {
        atomic_store_explicit(&t->place, here | TASK_RUNNABLE, memory_order_relaxed);
        run_push(w, t);
    } else if (seen == (here | TASK_RUNNABLE) && w) {
        atomic_store_explicit(&t->place, here | TASK_NOTIFIED, memory_order_relaxed);
    } else {
        task_wake_afar_(t);
    }
}
static inline void task_wake(struct aglet_task *t) {
    task_wake_from(worker_here_, t);
}

/* Any thread; t may have ended. */
static inline void task_abort(struct aglet_task *t) {
    tsan_publish(&t->place); /* there the task's other words are not in the way */
    /* Partner: task_is_aborted. */
    atomic_store_explicit(&t->aborted, 1, memory_order_release);
    task_wake(t);
}

/* The running stackful task sleeps until task_wake. May return for no reason. */
void task_park(struct aglet_task *t);

/* The running stackful task goes behind the others of its worker. */
void task_requeue(struct aglet_task *t);

/* Called by every operation that succeeded without waiting, so that no task keeps its worker for ever. */
void task_spend_slow_(struct worker *w);
static inline void task_spend_from(struct worker *w) {
    if (w && w->current && AGLET_UNLIKELY(--w->budget == 0))
        task_spend_slow_(w);
}
static inline void task_spend(void) {
    task_spend_from(worker_here_);
}

/* Mark t ended, hand its result to the joiner, and give up the scheduler's share of it. */
void task_end(struct aglet_task *t);

#endif
