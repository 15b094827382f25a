/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* No wake-up is lost: the code by which workers sleep, search and are woken is run in every order of its atomic
 * operations that a few preemptions lead to. Stands on that code, which is compiled in here with atomics that give the
 * turn away, and on switch.h.
 *
 * A thread of the model is a context. Before each atomic operation it is decided whether somebody else goes on; the
 * decisions are kept, and the next run takes the next ones, depth first, until all are tried (as CHESS does: Musuvathi
 * and Qadeer 2007). What a lock protects is one step. The model is sequentially consistent: it finds wrong orders of
 * steps, not missing fences.
 *
 * When nobody can go on, every task must have come once, every worker must be one that can be chosen, and nobody may
 * count as searching. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

static void turn_at(const char *function, int line);
#define turn() turn_at(__func__, __LINE__)

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_and
#undef atomic_fetch_or
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_thread_fence
#define CHANGED(p, change)                                                                                   \
    __extension__({                                                                                          \
        turn();                                                                                              \
        __typeof__(((void)0, *(p))) old_ = *(p);                                                             \
        *(p) = change;                                                                                       \
        old_;                                                                                                \
    })
#define atomic_load(p) (turn(), *(p))
#define atomic_load_explicit(p, order) atomic_load(p)
#define atomic_store(p, v) (turn(), (void)(*(p) = (v)))
#define atomic_store_explicit(p, v, order) atomic_store(p, v)
#define atomic_exchange(p, v) CHANGED(p, v)
#define atomic_exchange_explicit(p, v, order) CHANGED(p, v)
#define atomic_fetch_add(p, v) CHANGED(p, old_ + (v))
#define atomic_fetch_add_explicit(p, v, order) CHANGED(p, old_ + (v))
#define atomic_fetch_sub(p, v) CHANGED(p, old_ - (v))
#define atomic_fetch_sub_explicit(p, v, order) CHANGED(p, old_ - (v))
#define atomic_fetch_and(p, v) CHANGED(p, old_ &(v))
#define atomic_fetch_or(p, v) CHANGED(p, old_ | (v))
#define atomic_compare_exchange_strong(p, expected, v)                                                       \
    __extension__({                                                                                          \
        turn();                                                                                              \
        __typeof__(((void)0, *(p))) seen_ = *(p);                                                            \
        bool same_ = seen_ == *(expected);                                                                   \
        if (same_)                                                                                           \
            *(p) = (v);                                                                                      \
        else                                                                                                 \
            *(expected) = seen_;                                                                             \
        same_;                                                                                               \
    })
#define atomic_compare_exchange_strong_explicit(p, expected, v, won, lost)                                   \
    atomic_compare_exchange_strong(p, expected, v)
#define atomic_compare_exchange_weak(p, expected, v) atomic_compare_exchange_strong(p, expected, v)
#define atomic_thread_fence(order) ((void)0)

#include "worker.h"

static unsigned locked;
#define slock_lock(l) (turn(), (void)(l), (void)locked++)
#define slock_unlock(l) ((void)(l), (void)locked--)

/* A deque's operation is one step, too: test_deque is about what is inside. */
#undef turn
#define turn() ((void)0)
#include "../../runtime/src/deque.c"
#undef turn
#define turn() turn_at(__func__, __LINE__)
#include "../../runtime/src/worker_idle.c"
#include "../../runtime/src/worker_search.c"
#include "../../runtime/src/worker_wake.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORKERS = 2, GUESTS = 2, THREADS = WORKERS + GUESTS, TASKS = 4 };
enum { STACK = 64 * 1024, DECISIONS = 1024, STEPS = 4096 };

/* What a guest, a thread that is no worker, does: INJECT + n puts task n where anybody may take it, TELL + n wakes
 * task n, which is pinned to worker 0 and parked. */
enum { NOTHING, INJECT = 10, TELL = 20 };
struct story {
    const char *name;
    int preemptions;
    bool epoll;  /* worker 0 watches descriptors */
    bool spawns; /* task 0 spawns task 1 when it runs */
    int guest[GUESTS][2];
};

/* What was decided where there was something to decide. */
static struct decision { uint8_t chosen, of; } decisions[DECISIONS];
static unsigned made, known;

/* What the run has done so far, to be told where it goes wrong. */
static struct step {
    unsigned thread;
    const char *function;
    int line;
} steps[STEPS];
static unsigned stepped;

static struct thread {
    struct context ctx;
    const _Atomic uint32_t *asleep; /* in a futex on this word, while it is WORKER_IN_FUTEX */
    bool polls;                     /* in epoll */
    bool ended;
    _Alignas(16) unsigned char stack[STACK];
} threads[THREADS];
static struct context model;
static unsigned running;
static int preemptions;
static bool gives_way; /* it goes on only where nobody else can */

static const struct story *story;
_Thread_local struct worker *worker_here_;
static struct aglet_executor ex;
static struct worker workers[WORKERS];
static struct reactor reactors[WORKERS];
static bool kicked[WORKERS]; /* the reactor's eventfd is readable */
static struct aglet_task tasks[TASKS];
static unsigned came[TASKS];
static bool due[TASKS];

static _Noreturn void wrong(const char *what) {
    fprintf(stderr, "%s: %s; the last steps were\n", story->name, what);
    for (unsigned i = stepped < 60 ? 0 : stepped - 60; i < stepped; i++)
        fprintf(stderr, "    %s %u %s:%d\n", steps[i].thread < WORKERS ? "worker" : "guest", steps[i].thread,
                steps[i].function, steps[i].line);
    exit(1);
}

static bool can_run(unsigned i) {
    const struct thread *t = &threads[i];
    return !t->ended && !(t->asleep && *t->asleep == WORKER_IN_FUTEX) && !(t->polls && !kicked[i]);
}

/* How many threads but `but` can run; those that can are written to `who`. */
static unsigned ready(unsigned but, unsigned *who) {
    unsigned n = 0;
    for (unsigned i = 0; i < THREADS; i++)
        if (i != but && can_run(i))
            who[n++] = i;
    return n;
}

static unsigned decide(unsigned of) {
    if (of < 2)
        return 0;
    if (made == known) {
        if (known == DECISIONS)
            wrong("a run without an end");
        decisions[known++] = (struct decision){0, (uint8_t)of};
    }
    if (decisions[made].of != of)
        wrong("two runs with the same decisions differ");
    return decisions[made++].chosen;
}

/* The next decisions, depth first. False: all were tried. */
static bool next_decisions(void) {
    while (known > 0 && decisions[known - 1].chosen + 1 == decisions[known - 1].of)
        known--;
    if (known > 0)
        decisions[known - 1].chosen++;
    return known > 0;
}

static void give_turn(void) {
    unsigned self = running;
    context_switch(&threads[self].ctx, &model);
    worker_here_ = self < WORKERS ? &workers[self] : NULL;
}

static void turn_at(const char *function, int line) {
    unsigned who[THREADS];
    if (!locked && preemptions && ready(running, who) && decide(2)) {
        preemptions--;
        gives_way = true;
        give_turn();
    }
    if (stepped == STEPS)
        wrong("a run without an end");
    steps[stepped++] = (struct step){running, function, line};
}

/* What the sources above call. */
bool spinning_pays(void) {
    return false;
}
aglet_time aglet_now(void) {
    return 0;
}
bool futex_wait(_Atomic uint32_t *word, uint32_t expected, aglet_time deadline) {
    if (expected != WORKER_IN_FUTEX || deadline != AGLET_FOREVER)
        wrong("a wait that the model does not know");
    threads[running].asleep = word;
    give_turn();
    threads[running].asleep = NULL;
    return true;
}
int futex_wake(_Atomic uint32_t *word, int count) {
    (void)word; /* it has changed already, which is what can_run looks at */
    return count;
}
int reactor_poll(struct reactor *r, aglet_time deadline) {
    unsigned i = (unsigned)(r - reactors);
    if (i != running || deadline != AGLET_FOREVER)
        wrong("a wait that the model does not know");
    threads[i].polls = true;
    give_turn();
    threads[i].polls = kicked[i] = false;
    return 1;
}
void reactor_kick(struct reactor *r) {
    kicked[r - reactors] = true;
}

static bool never(void *unused) {
    (void)unused;
    return false;
}

/* The loop of worker_run, without running anything. */
static void work(void *self) {
    struct worker *w = self;
    context_entered(&threads[w->index].ctx);
    worker_here_ = w;
    for (;;) {
        worker_take_inbox(w);
        struct aglet_task *t = executor_take_injected(&ex);
        if (!t && !(t = worker_take_run(w)) && !(t = deque_pop(&w->deque)))
            t = worker_search(w);
        if (t) {
            worker_stop_searching(w);
            came[t - tasks]++;
            if (t == &tasks[0] && story->spawns)
                task_schedule_fresh(w, &ex, &tasks[1]);
        } else {
            worker_sleep(w, never, NULL);
            gives_way = true;
            give_turn();
        }
    }
}

static void visit(void *self) {
    unsigned i = (unsigned)((struct thread *)self - threads);
    context_entered(&threads[i].ctx);
    worker_here_ = NULL;
    for (unsigned k = 0; k < 2; k++) {
        int what = story->guest[i - WORKERS][k];
        if (what >= TELL) {
            task_wake(&tasks[what - TELL]);
        } else if (what >= INJECT) {
            executor_inject(&ex, &tasks[what - INJECT]);
            executor_announce_work(&ex);
        }
    }
    threads[i].ended = true;
    give_turn();
}

static void begin(void) {
    memset(came, 0, sizeof came);
    memset(due, 0, sizeof due);
    memset(tasks, 0, sizeof tasks);
    memset(kicked, 0, sizeof kicked);
    memset(&ex, 0, sizeof ex);
    ex.n = WORKERS;
    for (unsigned i = 0; i < TASKS; i++)
        tasks[i].place = (uintptr_t)&ex | PLACE_ANYWHERE;
    for (unsigned i = 0; i < WORKERS; i++) {
        struct deque deque = workers[i].deque;
        memset(&workers[i], 0, sizeof workers[i]);
        workers[i].deque = deque;
        workers[i].deque.top = workers[i].deque.bottom = 0;
        workers[i].deque.top_seen = 0;
        workers[i].executor = &ex;
        workers[i].index = i;
        workers[i].timers.next = INT64_MAX;
        workers[i].reactor = &reactors[i];
        ex.worker[i] = &workers[i];
    }
    reactors[0].sources = story->epoll;
    for (unsigned g = 0; g < GUESTS; g++)
        for (unsigned k = 0; k < 2; k++) {
            int what = story->guest[g][k];
            if (what >= TELL)
                tasks[what - TELL].place = (uintptr_t)&workers[0] | TASK_PARKED;
            if (what != NOTHING)
                due[what % 10] = true;
        }
    due[1] |= story->spawns;
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i].asleep = NULL;
        threads[i].polls = threads[i].ended = false;
        context_make(&threads[i].ctx, threads[i].stack, STACK, i < WORKERS ? work : visit,
                     i < WORKERS ? (void *)&workers[i] : (void *)&threads[i]);
    }
    preemptions = story->preemptions;
    made = stepped = 0;
    running = THREADS;
    gives_way = false;
}

static void run_once(void) {
    begin();
    for (;;) {
        unsigned who[THREADS], n = ready(gives_way ? running : THREADS, who);
        if (!n && gives_way && running < THREADS && can_run(running))
            who[n++] = running;
        if (!n)
            break;
        gives_way = false;
        running = who[decide(n)];
        context_switch(&model, &threads[running].ctx);
    }
    for (unsigned i = 0; i < TASKS; i++)
        if (came[i] != due[i])
            wrong(came[i] ? "a task came twice" : "a task is left and everybody sleeps");
    if (ex.idle != (1u << WORKERS) - 1)
        wrong("a worker sleeps that nobody can choose");
    if (ex.searching)
        wrong("nobody searches, and yet somebody counts as searching");
}

static void tell_story(const struct story *s) {
    story = s;
    unsigned long runs = 0;
    made = known = 0;
    do {
        run_once();
        runs++;
    } while (next_decisions());
    print_message("%s: %lu orders\n", s->name, runs);
    assert_true(runs > 100);
}

static void two_guests_bring_three_tasks(void **state) {
    (void)state;
    tell_story(&(struct story){
        .name = "two guests", .preemptions = 2, .guest = {{INJECT + 0, INJECT + 1}, {INJECT + 2}}});
}

static void a_task_spawns_while_a_pinned_one_is_woken(void **state) {
    (void)state;
    tell_story(&(struct story){.name = "spawn and wake",
                               .preemptions = 2,
                               .spawns = true,
                               .guest = {{INJECT + 0}, {TELL + 2, INJECT + 3}}});
}

static void a_worker_sleeps_in_epoll(void **state) {
    (void)state;
    tell_story(&(struct story){
        .name = "epoll", .preemptions = 2, .epoll = true, .guest = {{INJECT + 0}, {TELL + 2}}});
}

int main(void) {
    context_adopt(&model);
    for (unsigned i = 0; i < WORKERS; i++)
        if (deque_init(&workers[i].deque))
            return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_guests_bring_three_tasks),
        cmocka_unit_test(a_task_spawns_while_a_pinned_one_is_woken),
        cmocka_unit_test(a_worker_sleeps_in_epoll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
