/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The checks of the executor and of channels. Stands on misuse.h, worker.h, chan_check.h.
 *
 * Quiescence (check_worker_idle): every worker is idle, no timer runs, no descriptor is watched, and the
 * process has no thread that the executor does not know to be asleep. Then no task can ever run again; if
 * tasks are left, that is a deadlock, and it is reported by the last worker before it sleeps. A single doubt
 * (one thread more) and nothing is said. */
#include "task_check.h"
#include "blocking.h"
#include "chan_check.h"
#include "check.h"
#include "misuse.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *name_of(const struct aglet_task *t) {
    const char *name = task_name(t);
    return name ? name : "unnamed";
}

void check_task_end(struct aglet_task *t, struct stack *s) {
    if (!stack_intact(s)) {
        struct misuse *m = misuse_open("stack-overflow", t, true);
        misuse_say(m, "task %llu '%s' has written below its stack of %zu bytes",
                   (unsigned long long)task_id(t), name_of(t), s->usable - STACK_SLACK);
        misuse_close(m);
    }
    if (check_held_count())
        check_yield(s->rest.waits_at);
}

static unsigned threads_of_process(void) {
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/task");
    if (!dir)
        return 0;
    for (struct dirent *e; (e = readdir(dir));)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static bool is_quiescent(struct aglet_executor *ex) {
    uint64_t all = ex->n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << ex->n) - 1;
    if (atomic_load(&ex->idle) != all || atomic_load(&ex->injected))
        return false;
    for (unsigned i = 0; i < ex->n; i++) {
        struct worker *w = ex->worker[i];
        if (atomic_load(&w->inbox) || w->newest || deque_size(&w->deque) ||
            timer_wheel_next(&w->timers) != INT64_MAX || atomic_load(&w->reactor->sources))
            return false;
        if (atomic_load(&w->sleep) == WORKER_AWAKE)
            return false;
    }
    /* The workers, the thread inside aglet_block_on, idle threads of the blocking pools, the watchdog. */
    unsigned threads, busy;
    blocking_count(&threads, &busy);
    unsigned known = ex->n + (ex->current_thread ? 0 : 1) + threads + check_own_threads();
    if (busy)
        return false;
    return atomic_load(&ex->blocked_on) && threads_of_process() == known;
}

struct parked {
    struct aglet_executor *executor;
    struct aglet_task *list[64];
    unsigned n, all;
};

static void collect(struct aglet_task *t, void *parked) {
    struct parked *p = parked;
    if (!executor_runs(p->executor, t) || task_state(t) != TASK_PARKED || atomic_load(&t->told))
        return;
    p->all++;
    if (p->n < 64)
        p->list[p->n++] = t;
}

static void note_waiting(struct misuse *m, const struct aglet_task *t) {
    struct task_rest rest = {0};
    dump_peek(t, task_id(t), &rest);
    misuse_note(m, "task %llu '%s' waits in '%s' here", (unsigned long long)task_id(t), name_of(t),
                rest.waits_for ? rest.waits_for : "?");
    misuse_place(m, rest.waits_at);
}

bool check_worker_idle(struct worker *w) {
    struct aglet_executor *ex = w->executor;
    uint64_t stirred = atomic_load(&ex->stirred);
    if (!is_quiescent(ex))
        return false;
    struct parked p = {.executor = ex};
    task_each(collect, &p);
    /* The workers were looked at one after the other: one may have woken, handed work to one seen before, and
     * gone back to sleep. What is still so a second time, with nobody woken in between, was so all the time.
     */
    if (!is_quiescent(ex) || atomic_load(&ex->stirred) != stirred)
        return false;
    if (!p.n || atomic_exchange(&ex->deadlock_told, true))
        return false;
    struct aglet_task *forgotten = NULL;
    for (unsigned i = 0; i < p.n; i++) {
        struct aglet_task *t = p.list[i];
        struct stack *s = task_stack(t);
        if (s && s->waits_on &&
            chan_is_forgotten((aglet_chan *)(uintptr_t)s->waits_on, task_id(t), p.all == 1))
            forgotten = t;
    }
    struct misuse *m;
    if (forgotten) {
        m = misuse_open("forgotten-sender", forgotten->stack->waits_on, true);
        misuse_say(m,
                   "task %llu '%s' receives from a channel whose only remaining sender it holds itself; drop "
                   "it first",
                   (unsigned long long)task_id(forgotten), name_of(forgotten));
    } else {
        m = misuse_open("channel-deadlock", NULL, true);
        if (p.all == 1)
            misuse_say(m, "the only task waits and nothing is left that could wake it");
        else
            misuse_say(m, "all %u tasks wait and nothing is left that could wake one", p.all);
    }
    for (unsigned i = 0; i < p.n; i++)
        note_waiting(m, p.list[i]);
    misuse_close(m);
    /* A hook has taken the report: let the tasks unwind. */
    for (unsigned i = 0; i < p.n; i++)
        aglet_abort(p.list[i]);
    return true;
}

uint64_t check_who(void) {
    struct aglet_task *t = task_self();
    return t ? task_id(t) : (uint64_t)syscall(SYS_gettid) | UINT64_C(1) << 63;
}

void check_chan_new(struct chan_note *note) {
    note->opener = check_who();
}

int check_chan_recv_wait(aglet_chan *c, struct sleeper *s, aglet_time deadline, const void *caller) {
    if (s->task) {
        struct stack *stack = s->task->stack;
        stack->waits_on = deadline == AGLET_FOREVER ? c : NULL;
        int error = sleeper_wait(s, deadline, "recv");
        stack->waits_on = NULL;
        return error;
    }
    for (;;) {
        aglet_time soon = aglet_after_ms(50);
        int error = sleeper_wait(s, soon < deadline ? soon : deadline, "recv");
        if (error != -ETIMEDOUT || soon >= deadline)
            return error;
        if (deadline == AGLET_FOREVER && chan_is_forgotten(c, check_who(), true) &&
            threads_of_process() == 1 + check_own_threads()) {
            misuse_report("forgotten-sender", c, true, caller,
                          "the process's only thread receives from a channel whose only remaining sender it "
                          "holds itself; "
                          "drop it first");
            return -EDEADLK;
        }
    }
}

/* Tasks that can end by themselves get this long. */
enum { GRACE_MS = 20 };

static void *pass_time(void *ex) {
    (void)ex;
    for (int i = 0; i < GRACE_MS; i++)
        (void)aglet_sleep_ms(1);
    return NULL;
}

void check_executor_free(struct aglet_executor *ex) {
    struct parked p = {.executor = ex};
    task_each(collect, &p);
    if (!p.n)
        return;
    aglet_block_on(ex, pass_time, ex, NULL);
    p = (struct parked){.executor = ex};
    task_each(collect, &p);
    if (!p.n)
        return;
    struct misuse *m = misuse_open("task-leak", p.list[0], false);
    misuse_say(m, "%u task%s still wait%s when the executor ends; %s aborted now", p.all,
               p.all == 1 ? "" : "s", p.all == 1 ? "s" : "", p.all == 1 ? "it is" : "they are");
    for (unsigned i = 0; i < p.n && i < 8; i++)
        note_waiting(m, p.list[i]);
    misuse_close(m);
}

void check_stackless_wait(struct aglet_task *t, const char *why, const void *caller) {
    misuse_report("blocking-in-task", t, false, caller,
                  "stackless task %llu '%s' calls '%s' as if it had a stack: its worker waits with it",
                  (unsigned long long)task_id(t), name_of(t), why);
}
