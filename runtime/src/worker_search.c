/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a worker does that has run out of work, before it sleeps: looks for tasks elsewhere, and takes some of
 * another worker's. Stands on worker.h and deque.h. */
#include "worker.h"

enum { STEAL_MAX = 32, PATIENCE = 2, CRUMB_NS = 250, PAUSE_ROUNDS = 16 };

/* A single task that its worker has only just spawned or woken will mostly be run by that worker at once;
 * moving it would cost both more than it takes, and two tasks that wake each other would chase each other
 * over the workers. So a thief takes it only where it was there for PATIENCE rounds of search, some
 * microseconds. */
static bool is_left_alone(struct worker *w, struct worker *victim) {
    uint64_t pushed = atomic_load_explicit(&victim->pushed, memory_order_relaxed);
    struct thief_look *look = &w->looks[victim->index];
    if (look->pushed != pushed)
        *look = (struct thief_look){.pushed = pushed};
    return ++look->rounds > PATIENCE;
}

/* Take a task from another worker, and some more for later. */
static struct aglet_task *steal(struct worker *w) {
    struct aglet_executor *ex = w->executor;
    w->random = w->random * 1664525u + 1013904223u;
    for (unsigned i = 0, at = w->random >> 16; i < ex->n; i++) {
        struct worker *victim = ex->worker[(at + i) % ex->n];
        int64_t size = victim == w ? 0 : deque_size(&victim->deque);
        if (!size || (size == 1 && !is_left_alone(w, victim)))
            continue;
        bool again;
        struct aglet_task *t;
        do
            t = deque_steal(&victim->deque, &again);
        while (!t && again);
        if (!t)
            continue;
        int64_t more = deque_size(&victim->deque) / 2;
        for (int64_t k = more < STEAL_MAX ? more : STEAL_MAX; k > 0; k--) {
            struct aglet_task *extra = deque_steal(&victim->deque, &again);
            if (!extra)
                break;
            if (deque_push(&w->deque, extra) != 0)
                executor_inject(ex, extra);
            w->stolen++;
        }
        w->stolen++;
        w->stolen_at = aglet_now();
        return t;
    }
    return NULL;
}

static void relax(void) {
    for (int k = 0; k < 64; k++)
        cpu_relax();
}

/* What was stolen last took less time than moving it did: its worker does such tasks faster alone. Leave that
 * in peace for some ten microseconds; work from elsewhere ends the pause. */
static void pause_after_crumbs(struct worker *w) {
    bool crumbs = aglet_now() - w->stolen_at < (int64_t)w->stolen * CRUMB_NS;
    w->stolen = 0;
    for (int i = 0; crumbs && i < PAUSE_ROUNDS; i++) {
        if (atomic_load_explicit(&w->inbox, memory_order_relaxed) ||
            atomic_load_explicit(&w->executor->injected, memory_order_relaxed))
            break;
        relax();
    }
}

struct aglet_task *worker_search(struct worker *w) {
    struct aglet_executor *ex = w->executor;
    if (!worker_may_search(w))
        return NULL;
    int rounds = spinning_pays() ? 16 : 1;
    if (w->stolen && rounds > 1)
        pause_after_crumbs(w);
    for (int i = 0; i < rounds; i++) {
        struct aglet_task *t;
        if (atomic_load_explicit(&w->inbox, memory_order_relaxed)) {
            worker_take_inbox(w);
            return worker_take_run(w);
        }
        if ((t = executor_take_injected(ex)) || (t = steal(w)))
            return t;
        relax();
    }
    return NULL;
}
