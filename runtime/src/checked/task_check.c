/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The checks of the executor: a task's end, what is left when an executor or the program ends. Stands on misuse.h,
 * worker.h; where all wait, all_wait.c tells. */
#include "all_wait.h"
#include "chan_check.h"
#include "check.h"
#include "fork.h"
#include "misuse.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void check_task_end(struct aglet_task *t, struct stack *s) {
    if (!stack_intact(s)) {
        char words[TASK_WORDS_ROOM];
        struct misuse *m = misuse_open("stack-overflow", t, true);
        misuse_say(
            m, "%s has written below its stack of %zu bytes; aglet_executor_options.stack_size sets the size",
            task_words(t, words), s->usable - STACK_SLACK);
        misuse_close(m);
    }
    if (check_held_count())
        check_yield(s->rest.waits_at);
    check_rest_ends(&s->rest);
}

uint64_t check_who(void) {
    struct aglet_task *t = task_self();
    return t ? task_id(t) : (uint64_t)syscall(SYS_gettid) | UINT64_C(1) << 63;
}

void check_chan_new(struct chan_note *note) {
    note->opener = check_who();
}

struct begun {
    const struct aglet_executor *executor;
    unsigned n;
};

static void count_begun(struct aglet_task *t, void *begun) {
    struct begun *b = begun;
    b->n += executor_runs(b->executor, t) && task_stack(t);
}

void check_executor_enter(struct aglet_executor *ex, bool busy, const void *caller) {
    uint64_t me = check_thread_serial(), other = atomic_load(&ex->entered_by);
    const void *at = atomic_load(&ex->entered_at);
    struct begun b = {.executor = ex};
    if (!busy) {
        atomic_store(&ex->entered_by, me);
        atomic_store(&ex->entered_at, caller);
        if (other != 0 && other != me)
            task_each(count_begun, &b);
        if (b.n == 0)
            return;
    }
    struct misuse *m = misuse_open("affinity", ex, false);
    if (busy)
        misuse_say(m, "aglet_block_on runs a current-thread executor that runs in another thread: -EBUSY");
    else
        misuse_say(
            m, "%u task%s of a current-thread executor began in another thread and would go on in this one",
            b.n, b.n == 1 ? "" : "s");
    misuse_note(m, "here");
    misuse_place(m, caller);
    misuse_note(m, busy ? "the other one runs it since here" : "there they began");
    misuse_place(m, at);
    misuse_close(m);
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
    parked_collect(&p);
    if (!p.n)
        return;
    if (!task_self())
        aglet_block_on(ex, pass_time, ex, NULL);
    parked_collect(&p);
    if (!p.n)
        return;
    struct misuse *m = misuse_open("task-leak", p.list[0], false);
    misuse_say(
        m,
        "%u task%s still wait%s when the executor ends; %s aborted now: join them, or end what they wait for",
        p.all, p.all == 1 ? "" : "s", p.all == 1 ? "s" : "", p.all == 1 ? "it is" : "they are");
    for (unsigned i = 0; i < p.n && i < 8; i++)
        parked_note(m, p.list[i]);
    misuse_close(m);
}

struct ended {
    struct aglet_task *list[8];
    unsigned n, all;
};

static void collect_ended(struct aglet_task *t, void *ended) {
    struct ended *e = ended;
    if (atomic_load_explicit(&t->join, memory_order_relaxed) != JOIN_ENDED)
        return;
    if (e->all < sizeof e->list / sizeof *e->list)
        e->list[e->n++] = t;
    e->all++;
}

/* Tasks that ended, and whose handles nobody gave up: each keeps its memory. A child made by fork has its parent's. */
static void report_unjoined(void) {
    struct ended e = {0};
    if (fork_depth)
        return;
    task_each(collect_ended, &e);
    if (!e.all)
        return;
    char words[TASK_WORDS_ROOM];
    struct misuse *m = misuse_open("unjoined", e.list[0], false);
    misuse_say(m,
               "the program ends, and %u task%s neither joined nor detached; without a use for the handle "
               "spawn with NULL",
               e.all, e.all == 1 ? " was" : "s were");
    for (unsigned i = 0; i < e.n; i++) {
        const struct aglet_task *t = e.list[i];
        bool stackless = atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKLESS;
        uintptr_t entry = stackless ? (uintptr_t)t->step : (uintptr_t)t->entry;
        misuse_note(m, "%s ran this function", task_words(t, words));
        misuse_place(m, (const void *)(entry + 1)); /* a place is where a call returns to */
    }
    misuse_close(m);
}

/* Before misuse.c's, which ends the program with the exit code. */
__attribute__((constructor(103))) static void watch_end(void) {
    atexit(report_unjoined);
}

void check_stackless_wait(struct aglet_task *t, const char *why, const void *caller) {
    char words[TASK_WORDS_ROOM];
    misuse_report("blocking-in-task", t, false, caller,
                  "stackless %s calls '%s' as if it had a stack: its worker waits with it",
                  task_words(t, words), why);
}
