/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The worker's loop. Stands on everything in worker.h.
 *
 * How a task gets to run:
 *   new                   the deque of the worker that spawns it, or, where that is the only one, its list
 *                         of fresh tasks (fresh_push); from other threads the injection queue
 *   pinned, and woken     its home's run queue; by another thread through the home's inbox (worker_wake.c)
 *   not pinned, and woken the deque of the worker that wakes it; by other threads the injection queue
 *   stackless, and yields the end of a queue that is first in, first out: run or injection
 * Pinned are stackful tasks that have run or are local, and every task of an executor with one worker.
 *
 * Where a worker looks (next_task), each time round: run queue, deque, injection queue, in turns. Of its own
 * deque it takes the newest task: a tree of tasks is then walked depth first, with few of them alive, and
 * what a task has just spawned or woken is still in the cache. Thieves take the oldest. Every DIRECT_SWITCHES
 * picks it takes the oldest itself, after a look at timers and I/O, so that nothing starves.
 *
 * How it goes to sleep without missing work, and who is woken for what, is in worker_idle.c.
 *
 * All that is on the path of a switch is in this file and is inlined into it; what a worker does that finds
 * nothing is in worker_search.c.
 *
 * Stacks: a task that suspends or ends switches straight to the next stackful one (take_next), without
 * passing through the loop; a stack whose task ended takes a fresh task in place (fiber). Started stacks
 * never leave their thread. */
#include "worker.h"
#include "check.h"
#include "task_check.h"
#include "task_group.h"
#include "task_sleep.h"
#include "task_trace.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Thread_local struct worker *worker_here_;

/* A stackless task gave up its turn: behind everybody else. */
static void schedule_last(struct worker *w, struct aglet_task *t) {
    if (task_home(t)) {
        run_push(w, t);
    } else {
        executor_inject(w->executor, t);
        executor_announce_work(w->executor);
    }
}

static inline struct aglet_task *fresh_pop(struct worker *w, bool oldest) {
    struct aglet_task **end = oldest ? &w->oldest : &w->newest, *t = *end;
    if (!t)
        return NULL;
    struct aglet_task *neighbour = (struct aglet_task *)t->both;
    *end = neighbour;
    if (neighbour)
        neighbour->both ^= (uintptr_t)t;
    else
        w->newest = w->oldest = NULL;
    return t;
}

static inline struct aglet_task *take_own(struct worker *w, bool oldest) {
    if (w->executor->n == 1)
        return fresh_pop(w, oldest);
    if (deque_size(&w->deque) == 0)
        return NULL;
    if (!oldest)
        return deque_pop(&w->deque);
    bool again;
    struct aglet_task *t;
    do
        t = deque_steal(&w->deque, &again);
    while (!t && again);
    return t;
}

/* A task this worker may go on with at once, or NULL: look everywhere (next_task). */
static inline struct aglet_task *take_next(struct worker *w) {
    if (w->direct == 0 || w->handoff || atomic_load_explicit(&w->inbox, memory_order_relaxed))
        return NULL;
    struct aglet_task *t = worker_take_run(w);
    if (!t && !(t = take_own(w, false)))
        return NULL;
    w->direct--;
    return t;
}

/* The same on a task's stack, which can go on with stackful ones only. Its stack may be NULL: fresh. */
static struct aglet_task *take_next_stackful(struct worker *w) {
    struct aglet_task *t = take_next(w);
    if (t && atomic_load_explicit(&t->kind, memory_order_relaxed) != TASK_STACKFUL) {
        w->handoff = t;
        t = NULL;
    }
    return t;
}

static void bind_stack(struct worker *w, struct aglet_task *t, struct stack *s) {
    s->arg = t->arg;
    s->rest = check_rest_begins();
    s->waits_on = NULL;
    t->stack = s;
    /* Partner: dump_peek, which must not take the argument for a stack, nor (fiber) the result. */
    atomic_thread_fence(memory_order_release);
    t->started = STARTED;
    if (atomic_load_explicit(&t->place, memory_order_relaxed) & PLACE_ANYWHERE) {
        t->started = STARTED_UNSEEN;
        atomic_store_explicit(&t->place, (uintptr_t)w | TASK_RUNNABLE, memory_order_release);
    }
}

/* Take the token if there is one; else become PARKED. Returns whether the pinned task is parked. */
static inline bool park_here(struct worker *w, struct aglet_task *t) {
    uintptr_t here = (uintptr_t)w;
    if (AGLET_UNLIKELY(atomic_load_explicit(&t->place, memory_order_relaxed) != (here | TASK_RUNNABLE))) {
        atomic_store_explicit(&t->place, here | TASK_RUNNABLE, memory_order_relaxed);
        return false;
    }
    atomic_store_explicit(&t->place, here | TASK_PARKED, memory_order_relaxed);
    return true;
}

/* The same for one that is not. */
static bool park_anywhere(struct aglet_task *t, uintptr_t who) {
    uintptr_t seen = who | TASK_RUNNABLE;
    if (atomic_compare_exchange_strong_explicit(&t->place, &seen, who | TASK_PARKED, memory_order_acq_rel,
                                                memory_order_acquire))
        return true;
    /* Partner: task_wake_afar_. */
    atomic_exchange_explicit(&t->place, who | TASK_RUNNABLE, memory_order_acq_rel);
    return false;
}

/* Of the preloaded library for pthread programs, where it is there. */
extern void aglet_preload_runs_(uint64_t task) __attribute__((weak, visibility("default")));

/* For the watchdog, which looks whether the number has changed: cheaper than a clock per switch; and for the
 * checker, which notes whose the locks are. */
static inline void note_running(struct worker *w) {
    if (aglet_checked) {
        uint64_t task = w->current ? task_id(w->current) : 0;
        const struct task_rest *rest = task ? task_rest(w->current) : NULL;
        check_runs(task, rest ? rest->beside : 0);
        if (aglet_preload_runs_)
            aglet_preload_runs_(task);
        uint64_t polls = atomic_load_explicit(&w->polls, memory_order_relaxed);
        polls = (polls | 1) + 1 + (w->current != NULL);
        atomic_store_explicit(&w->polls, polls, memory_order_relaxed);
    }
}

/* The running stackful task leaves its thread to somebody else, until it is switched to again. */
static void leave(struct worker *w, struct aglet_task *t) {
    struct aglet_task *next = take_next_stackful(w);
    if (next == t)
        return;
    if (next && !next->started) {
        struct stack *s = w->stacks;
        if (s) {
            w->stacks = s->next;
            w->stacks_free--;
            bind_stack(w, next, s);
        } else {
            w->handoff = next;
            next = NULL;
        }
    }
    int *place = w->errno_at, saved = *place;
    w->current = next;
    w->budget = TASK_BUDGET;
    note_running(w);
    context_switch(&t->stack->ctx, next ? &next->stack->ctx : &w->loop);
    *place = saved;
}

/* A waker that came before the task was pinned may have left its token in the word as it was then. So the
 * first park only looks again, as every caller does that is woken for no reason. Partner: the
 * compare-exchange in task_wake_afar_; if that came later than bind_stack it has seen the worker, else its
 * waker's writes are seen after this fence. */
static void look_again(struct aglet_task *t) {
    t->started = STARTED;
    atomic_thread_fence(memory_order_seq_cst);
}

void task_park(struct aglet_task *t) {
    struct worker *w = worker_here_;
    if (AGLET_UNLIKELY(t->started == STARTED_UNSEEN))
        look_again(t);
    else if (park_here(w, t))
        leave(w, t);
}

void task_requeue(struct aglet_task *t) {
    struct worker *w = worker_here_;
    run_push(w, t);
    leave(w, t);
}

void task_spend_slow_(struct worker *w) {
    w->budget = TASK_BUDGET;
    if (atomic_load_explicit(&w->current->kind, memory_order_relaxed) == TASK_STACKFUL)
        task_requeue(w->current);
}

void task_end(struct aglet_task *t) {
    struct worker *w = worker_here_;
    uintptr_t place = atomic_load_explicit(&t->place, memory_order_relaxed);
    atomic_store_explicit(&t->place, place | TASK_ENDED, memory_order_relaxed);
    /* Only this thread writes it. Release: the executor's end sees what the task did. */
    atomic_store_explicit(&w->ended, atomic_load_explicit(&w->ended, memory_order_relaxed) + 1,
                          memory_order_release);
    /* Nobody else changes the word any more once it says detached. */
    uintptr_t join = atomic_load_explicit(&t->join, memory_order_acquire);
    tsan_publish(&t->join); /* partner: join_take */
    /* Partner: the compare-exchange in join_link, and in aglet_detach. */
    if (join != JOIN_DETACHED)
        join = atomic_exchange_explicit(&t->join, JOIN_ENDED, memory_order_acq_rel);
    if (join == JOIN_DETACHED) {
        task_free(&w->tasks, t);
    } else if (join != JOIN_OPEN) {
        struct waiter *joiner = (struct waiter *)join;
        if (sleeper_claim(joiner->sleeper)) {
            joiner->sleeper->which = joiner->index;
            wake_send(sleeper_fire(joiner->sleeper));
        } else {
            /* A select that has chosen something else. Partner: join_unlink, which waits for this. */
            atomic_store_explicit(&joiner->let_go, true, memory_order_release);
        }
    }
}

/* A task has returned in a child that it made by fork: there is nobody to return to (fork.h), as where a thread's
 * function returns in such a child. */
static inline void end_if_forked(void) {
    if (AGLET_UNLIKELY(!worker_here_))
        exit(EXIT_SUCCESS);
}

/* What every stack runs: one task after another. Between tasks it waits in the worker's cache. */
static void fiber(void *arg) {
    struct stack *s = arg;
    context_entered(&s->ctx);
    struct worker *w = worker_here_;
    for (;;) {
        struct aglet_task *t = w->current;
        tsan_observe(t); /* what was done before it was spawned */
        void *result = t->entry(s->arg);
        end_if_forked();
        task_locals_end(&s->rest);
        if (aglet_checked)
            check_task_end(t, s);
        t->started = NOT_STARTED;
        atomic_thread_fence(memory_order_release); /* partner: dump_peek */
        t->result = result;
        struct group_member *member = task_member(t);
        if (member)
            group_member_ended(member);
        task_end(t);
        struct aglet_task *next = take_next_stackful(w);
        w->current = next;
        w->budget = TASK_BUDGET;
        note_running(w);
        if (next && !next->started) {
            bind_stack(w, next, s);
            continue;
        }
        s->next = w->stacks;
        w->stacks = s;
        w->stacks_free++;
        context_switch(&s->ctx, next ? &next->stack->ctx : &w->loop);
    }
}

static struct stack *take_stack(struct worker *w) {
    struct stack *s = w->stacks;
    if (!s)
        return stack_new(w->executor->stack_size, fiber);
    w->stacks = s->next;
    w->stacks_free--;
    return s;
}

static void trim_stacks(struct worker *w) {
    while (w->stacks_free > w->executor->stacks_kept) {
        struct stack *s = w->stacks;
        w->stacks = s->next;
        w->stacks_free--;
        stack_delete(s);
    }
}

static void run_stackful(struct worker *w, struct aglet_task *t) {
    if (!t->started) {
        struct stack *s = take_stack(w);
        if (!s) {
            /* No memory for a stack now. The task is not lost: it waits behind the others, which free theirs.
             */
            schedule_last(w, t);
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            return;
        }
        bind_stack(w, t, s);
    }
    w->current = t;
    w->budget = TASK_BUDGET;
    note_running(w);
    context_switch(&w->loop, &t->stack->ctx);
    if (AGLET_UNLIKELY(w->stacks_free > w->executor->stacks_kept))
        trim_stacks(w);
}

static void run_step(struct worker *w, struct aglet_task *t) {
    w->current = t;
    w->budget = TASK_BUDGET;
    note_running(w);
    t->yielded = 0;
    tsan_observe(t); /* the step before, perhaps on another worker; the spawn */
    int state = t->step(task_frame(t));
    tsan_publish(t); /* also for the next task in this memory, which has its frame there */
    end_if_forked();
    if (aglet_checked && check_held_count())
        check_yield(task_step_rest(t)->rest.waits_at);
    w->current = NULL;
    note_running(w);
    if (state != AGLET_PENDING) {
        if (aglet_checked)
            check_rest_ends(&task_step_rest(t)->rest);
        task_locals_end(&task_step_rest(t)->rest);
        struct group_member *member = task_member(t);
        if (AGLET_UNLIKELY(member != NULL))
            group_member_ended(member);
        task_end(t);
        return;
    }
    uintptr_t who = atomic_load_explicit(&t->place, memory_order_relaxed) & ~(uintptr_t)PLACE_STATE;
    if (t->yielded || !(who & PLACE_ANYWHERE ? park_anywhere(t, who) : park_here(w, t)))
        schedule_last(w, t);
}

static uint32_t coarse_ticks(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* no counter is read: a tenth of the exact clock's cost */
    return task_ticks(now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
}

static __attribute__((noinline)) void serve_trace(struct worker *w) {
    struct trace_request *request = atomic_exchange(&w->trace, NULL);
    if (request)
        trace_serve(w, request);
}

static void housekeeping(struct worker *w) {
    w->direct = DIRECT_SWITCHES;
    w->ticks = coarse_ticks();
    if (AGLET_UNLIKELY(atomic_load_explicit(&w->trace, memory_order_relaxed) != NULL))
        serve_trace(w);
    if (timer_wheel_next(&w->timers) != INT64_MAX)
        timer_wheel_run(&w->timers, aglet_now());
    if (atomic_load_explicit(&w->reactor->sources, memory_order_relaxed) > 0)
        reactor_poll(w->reactor, 0);
}

static struct aglet_task *next_task(struct worker *w) {
    struct aglet_task *t;
    w->tick++;
    bool oldest = w->direct == 0;
    if (oldest)
        housekeeping(w);
    w->direct--;
    if ((t = w->handoff)) {
        w->handoff = NULL;
        return t;
    }
    worker_take_inbox(w);
    struct aglet_executor *ex = w->executor;
    if (oldest || (w->tick & 1))
        return (t = executor_take_injected(ex)) || (t = take_own(w, oldest)) ? t : worker_take_run(w);
    return (t = worker_take_run(w)) || (t = take_own(w, false)) ? t : executor_take_injected(ex);
}

void worker_run(struct worker *w, bool (*done)(void *), void *context) {
    struct worker *outer = worker_here_;
    worker_here_ = w;
    context_adopt(&w->loop);
    w->errno_at = &errno;
    w->ticks = coarse_ticks();
    if (aglet_checked)
        check_worker_begin(w);
    while (!done(context)) {
        struct aglet_task *t = next_task(w);
        if (!t && w->executor->n > 1)
            t = worker_search(w);
        if (!t) {
            worker_sleep(w, done, context);
            housekeeping(w);
            continue;
        }
        worker_stop_searching(w);
        do
            if (atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKFUL)
                run_stackful(w, t);
            else
                run_step(w, t);
        while ((t = take_next(w)));
    }
    worker_stop_searching(w);
    if (aglet_checked)
        check_worker_end(w);
    worker_here_ = outer;
}
