/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who sleeps, who looks for work, and who is woken for what. Stands on worker.h, futex.h, reactor.h.
 *
 * Two words of the executor: `idle`, a bit for each worker that is about to sleep or sleeps, and `searching`, how
 * many are awake without work. While one searches nobody is woken, so one new task never wakes two.
 *
 * How a worker goes to sleep without missing work (worker_sleep):
 *   1. it sets its `sleep` word: from here on a kick reaches it;
 *   2. it sets its bit in `idle`: from here on it can be chosen. In this order, because whoever chooses it kicks it
 *      once; a kick that finds it awake is for nothing, and it would sleep with everybody taking it for a searcher;
 *   3. it gives up searching, and then looks once more at every queue it could have been woken for;
 *   4. it sleeps in its futex, or in epoll when it watches descriptors.
 * A thread that adds work first adds it, then looks at `idle` and `searching`, or at `sleep`. One of the two sees the
 * other.
 *
 * Who finds `searching` above zero leaves its work to the searcher, who thus owes a look at it: a worker that gives
 * up looks again (3.), one that found something else wakes the next if there is more (worker_stop_searching), and who
 * wanted to wake a worker and found them all awake begins anew (executor_announce_work). */
#include "check.h"
#include "switch.h"
#include "task_check.h"
#include "worker.h"

void worker_kick(struct worker *w) {
    uint32_t was = atomic_load(&w->sleep);
    if (was == WORKER_AWAKE)
        return;
    /* Partner: worker_free, which closes the reactor only when nobody is here. */
    atomic_fetch_add(&w->kickers, 1);
    /* Partner: the store in worker_sleep; the exchange makes one waker pay for the system call. */
    was = atomic_exchange(&w->sleep, WORKER_AWAKE);
    if (was == WORKER_IN_FUTEX)
        futex_wake(&w->sleep, 1);
    else if (was == WORKER_IN_EPOLL)
        reactor_kick(atomic_load(&w->reactor));
    tsan_publish(&w->kickers); /* partner: worker_free, which closes the descriptor written to */
    atomic_fetch_sub(&w->kickers, 1);
}

/* Clear the bit of one of the workers that were idle: that one is a searcher from now on. NULL: all are awake. */
static struct worker *choose(struct aglet_executor *ex, uint64_t idle) {
    while (idle) {
        uint64_t bit = idle & (~idle + 1);
        if (atomic_fetch_and(&ex->idle, ~bit) & bit)
            return ex->worker[__builtin_ctzll(bit)];
        idle &= ~bit;
    }
    return NULL;
}

void executor_announce_work(struct aglet_executor *ex) {
    for (;;) {
        /* Partner: the fetch_or in worker_sleep. */
#ifdef AGLET_TSAN_
        uint64_t idle = atomic_fetch_or(&ex->idle, 0);
#else
        atomic_thread_fence(memory_order_seq_cst);
        uint64_t idle = atomic_load_explicit(&ex->idle, memory_order_relaxed);
#endif
        uint32_t nobody = 0;
        if (!idle || atomic_load(&ex->searching) ||
            !atomic_compare_exchange_strong(&ex->searching, &nobody, 1))
            return;
        struct worker *w = choose(ex, idle);
        if (w) {
            worker_kick(w);
            return;
        }
        /* Others may have left their work to the searcher that was not to be, and a worker may sleep by now. */
        atomic_fetch_sub(&ex->searching, 1);
    }
}

static bool work_for_anybody(struct aglet_executor *ex) {
    if (atomic_load(&ex->injected) > 0)
        return true;
    for (unsigned i = 0; i < ex->n; i++)
        if (deque_size(&ex->worker[i]->deque) > 0)
            return true;
    return false;
}

bool worker_may_search(struct worker *w) {
    struct aglet_executor *ex = w->executor;
    if (!w->searching) {
        if (2 * atomic_load_explicit(&ex->searching, memory_order_relaxed) >= ex->n)
            return false;
        atomic_fetch_add(&ex->searching, 1);
        w->searching = true;
    }
    return true;
}

/* Returns whether it was the last that searched. What others pushed relying on it is seen after this. */
static bool give_up_searching(struct worker *w) {
    w->searching = false;
    bool last = atomic_fetch_sub(&w->executor->searching, 1) == 1;
#ifndef AGLET_TSAN_
    /* Partner: the fence in executor_announce_work. Either it sees the lower number, or the sizes that are looked
     * at next show what it pushed. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
    return last;
}

void worker_stop_searching_slow_(struct worker *w) {
    if (give_up_searching(w) && work_for_anybody(w->executor))
        executor_announce_work(w->executor);
}

static bool work_for(struct worker *w) {
    return w->newest || atomic_load(&w->inbox) || atomic_load(&w->trace) || work_for_anybody(w->executor);
}

void worker_sleep(struct worker *w, bool (*done)(void *), void *context) {
    struct aglet_executor *ex = w->executor;
    uint64_t bit = UINT64_C(1) << w->index;
    bool epoll = atomic_load_explicit(&w->reactor->sources, memory_order_relaxed) > 0;
    /* Partner: worker_kick. */
    atomic_store(&w->sleep, epoll ? WORKER_IN_EPOLL : WORKER_IN_FUTEX);
    /* Partner: the fence in executor_announce_work. */
    atomic_fetch_or(&ex->idle, bit);
    if (w->searching)
        give_up_searching(w);
#ifndef AGLET_TSAN_
    /* The same for who saw no idle bit. */
    else
        atomic_thread_fence(memory_order_seq_cst);
#endif
    if (!work_for(w) && !done(context)) {
        aglet_time deadline = timer_wheel_next(&w->timers);
        bool for_ever = aglet_checked && !epoll && deadline == AGLET_FOREVER;
        if (for_ever)
            check_idle_begin(w);
        if (epoll)
            reactor_poll(w->reactor, deadline);
        else
            while (atomic_load(&w->sleep) == WORKER_IN_FUTEX &&
                   futex_wait(&w->sleep, WORKER_IN_FUTEX, deadline))
                ;
        if (for_ever)
            check_block_end();
    }
    atomic_store(&w->sleep, WORKER_AWAKE);
    /* Somebody else cleared the bit: it has counted this worker as a searcher. */
    if (!(atomic_fetch_and(&ex->idle, ~bit) & bit))
        w->searching = true;
}
