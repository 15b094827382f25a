/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The fork-join pool: each thread has a deque; what it forks it pushes at the bottom and, unless somebody has
 * stolen it, pops again and runs itself. Stands on deque.h, futex.h, task_sleep.h. Work-first stealing as in
 * Cilk (Frigo, Leiserson, Randall 1998); thieves take the oldest, that is the largest, piece.
 *
 * A job lies in the frame that forked it, which does not return before the job is done.
 *
 * An OS thread that brings work takes a guest's place and works on it itself, at once: handing it over would cost a
 * wake-up, tens of microseconds, and kernels are apt to wake the second thread on the processor of the first while
 * the caller's stands idle. For each guest one of the pool's threads sleeps on, so n are at work, not more.
 *
 * Sleep: a thread that finds nothing registers in `sleepers`, looks once more, and sleeps in the futex
 * `work`. A fork reads `sleepers` without a fence: in the worst case it misses a thread that is just falling
 * asleep, which costs parallelism until the next fork and never a result, because the forker runs its own
 * job. Jobs from outside use a full fence. */
#include "aglet/pool.h"
#include "check.h"
#include "deque.h"
#include "fork.h"
#include "misuse.h"
#include "task_sleep.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_MAX = 256, GUESTS_MAX = 4, ROUNDS_BEFORE_SLEEP = 200, REDUCE_MAX = 256 };
enum { JOB_OPEN, JOB_DONE, JOB_AWAITED };

struct job {
    void (*run)(void *);
    void *arg;
    _Atomic uint32_t state;  /* JOB_…; the futex of a forker that sleeps */
    struct sleeper *outside; /* a job from outside: who waits for it */
    struct job *next;        /* in the pool's queue */
};

struct pool_thread {
    struct deque deque;
    aglet_pool *pool;
    uint32_t random;
    pthread_t thread;
    _Atomic bool taken; /* a guest's place: somebody is in it */
};

struct aglet_pool {
    unsigned n;
    _Atomic bool stop;
    _Alignas(64) _Atomic uint32_t work; /* futex: changes when there is work */
    _Atomic uint32_t sleepers, guests;
    struct slock lock;
    struct job *head, *tail; /* jobs from outside, under lock */
    _Atomic uint32_t queued;
    struct pool_thread thread[]; /* n, and the places of guests */
};

static _Thread_local struct pool_thread *here;

static void finish(struct job *job) {
    struct sleeper *outside = job->outside;
    if (outside) {
        wake_send(sleeper_fire(outside));
        return;
    }
    tsan_publish(&job->state);
    /* Partner: the acquire load in await_stolen. After this the forker's frame may be gone. */
    if (atomic_exchange_explicit(&job->state, JOB_DONE, memory_order_acq_rel) == JOB_AWAITED)
        futex_wake(&job->state, 1);
}

/* A job that somebody else has forked or brought. */
static void run_job(struct job *job) {
    tsan_observe(job);
    job->run(job->arg);
    finish(job);
}

static struct job *take_queued(aglet_pool *pool) {
    if (!atomic_load_explicit(&pool->queued, memory_order_relaxed))
        return NULL;
    slock_lock(&pool->lock);
    struct job *job = pool->head;
    if (job) {
        pool->head = job->next;
        atomic_fetch_sub_explicit(&pool->queued, 1, memory_order_relaxed);
    }
    slock_unlock(&pool->lock);
    return job;
}

/* As many are at work as the pool has threads, guests counted: this one should sleep. */
static bool is_one_too_many(aglet_pool *pool) {
    return atomic_load(&pool->guests) > atomic_load(&pool->sleepers);
}

static unsigned places(aglet_pool *pool) {
    return atomic_load_explicit(&pool->guests, memory_order_relaxed) ? pool->n + GUESTS_MAX : pool->n;
}

static struct job *find(struct pool_thread *t) {
    aglet_pool *pool = t->pool;
    unsigned n = places(pool);
    t->random = t->random * 1664525u + 1013904223u;
    for (unsigned i = 0, at = t->random >> 16; i < n; i++) {
        struct pool_thread *victim = &pool->thread[(at + i) % n];
        bool again = true;
        while (victim != t && again) {
            struct job *job = deque_steal(&victim->deque, &again);
            if (job)
                return job;
        }
    }
    return take_queued(pool);
}

static void wake_one(aglet_pool *pool) {
    atomic_fetch_add(&pool->work, 1);
    futex_wake(&pool->work, 1);
}

static void *serve(void *thread) {
    struct pool_thread *t = thread;
    aglet_pool *pool = t->pool;
    here = t;
    for (int idle = 0; !atomic_load_explicit(&pool->stop, memory_order_acquire);) {
        bool too_many = is_one_too_many(pool);
        struct job *job = too_many ? take_queued(pool) : find(t);
        if (job) {
            run_job(job);
            idle = 0;
            continue;
        }
        if (!too_many && ++idle < ROUNDS_BEFORE_SLEEP && spinning_pays()) {
            for (int i = 0; i < 32; i++)
                cpu_relax();
            continue;
        }
        uint32_t seen = atomic_load(&pool->work);
        atomic_fetch_add(&pool->sleepers, 1);
        job = is_one_too_many(pool) ? take_queued(pool) : find(t);
        if (!job && !atomic_load(&pool->stop)) {
            if (aglet_checked)
                check_idle_begin(NULL);
            futex_wait(&pool->work, seen, AGLET_FOREVER);
            if (aglet_checked)
                check_block_end();
        }
        atomic_fetch_sub(&pool->sleepers, 1);
        if (job) {
            run_job(job);
        }
        idle = 0;
    }
    return NULL;
}

static unsigned processors(void) {
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > POOL_MAX ? POOL_MAX : (unsigned)n;
}

static void stop(aglet_pool *pool, unsigned started) {
    atomic_store(&pool->stop, true);
    atomic_fetch_add(&pool->work, 1);
    futex_wake(&pool->work, INT32_MAX);
    for (unsigned i = 0; i < started; i++)
        pthread_join(pool->thread[i].thread, NULL);
    for (unsigned i = 0; i < pool->n + GUESTS_MAX; i++)
        deque_destroy(&pool->thread[i].deque);
    free(pool);
}

aglet_pool *aglet_pool_new(unsigned threads) {
    unsigned n = threads ? threads : processors();
    if (n > POOL_MAX)
        n = POOL_MAX;
    size_t size = (sizeof(aglet_pool) + (n + GUESTS_MAX) * sizeof(struct pool_thread) + 63) & ~(size_t)63;
    aglet_pool *pool = aligned_alloc(64, size);
    if (!pool)
        return NULL;
    memset(pool, 0, size);
    pool->n = n;
    int error = 0;
    for (unsigned i = 0; i < n + GUESTS_MAX && !error; i++) {
        pool->thread[i].pool = pool;
        pool->thread[i].random = i + 1;
        error = -deque_init(&pool->thread[i].deque);
    }
    unsigned started = 0;
    while (started < n && !error) {
        error = pthread_create(&pool->thread[started].thread, NULL, serve, &pool->thread[started]);
        started += !error;
    }
    if (error) {
        stop(pool, started);
        errno = error;
        return NULL;
    }
    return pool;
}

void aglet_pool_free(aglet_pool *pool) {
    if (aglet_checked && pool && here && here->pool == pool) {
        misuse_report("deadlock", pool, true, CALLER(),
                      "work in a pool frees that pool, which waits for the work to end");
        return;
    }
    if (pool)
        stop(pool, pool->n);
}

static aglet_pool *process_pool;
static void make_process_pool(void) {
    if (fork_watch() == 0)
        process_pool = aglet_pool_new(0);
}

static pthread_once_t process_pool_once = PTHREAD_ONCE_INIT;

/* The threads are the parent's: the child makes a pool of its own when it needs one. */
void pool_fork(enum fork_moment moment) {
    if (moment != IN_CHILD)
        return;
    here = NULL;
    process_pool = NULL;
    process_pool_once = (pthread_once_t)PTHREAD_ONCE_INIT;
}

static aglet_pool *choose(aglet_pool *pool) {
    if (pool)
        return pool;
    if (here)
        return here->pool;
    pthread_once(&process_pool_once, make_process_pool);
    return process_pool;
}

unsigned aglet_pool_threads(const aglet_pool *pool) {
    const aglet_pool *asked = choose((aglet_pool *)(uintptr_t)pool);
    return asked ? asked->n : 0;
}

static bool is_anything_left(aglet_pool *pool) {
    bool left = atomic_load(&pool->queued) > 0;
    for (unsigned i = 0; i < pool->n + GUESTS_MAX && !left; i++)
        left = deque_size(&pool->thread[i].deque) > 0;
    return left;
}

/* Be one of the pool's threads while work(arg) runs. False: no place is free. */
static bool run_as_guest(aglet_pool *pool, void (*work)(void *), void *arg) {
    for (unsigned i = pool->n; i < pool->n + GUESTS_MAX; i++) {
        struct pool_thread *place = &pool->thread[i];
        if (atomic_load_explicit(&place->taken, memory_order_relaxed) || atomic_exchange(&place->taken, true))
            continue;
        atomic_fetch_add(&pool->guests, 1);
        here = place;
        work(arg);
        here = NULL;
        /* Partner: sleepers in serve. A thread that sleeps because of this guest may be needed now. */
        atomic_fetch_sub(&pool->guests, 1);
        atomic_store(&place->taken, false);
        if (atomic_load(&pool->sleepers) > 0 && is_anything_left(pool))
            wake_one(pool);
        return true;
    }
    return false;
}

static void run_in(aglet_pool *pool, void (*work)(void *), void *arg, const void *caller) {
    /* An aborted task waits all the same: nothing is to be learnt here but which locks it holds. */
    if (aglet_checked)
        (void)await_begin("pool", caller);
    pool = choose(pool);
    /* No thread could be started: the caller does it. */
    if (!pool || (here && here->pool == pool)) {
        work(arg);
        return;
    }
    struct sleeper s;
    sleeper_init(&s);
    if (!s.task && !here && run_as_guest(pool, work, arg))
        return;
    struct job job = {.run = work, .arg = arg, .outside = &s};
    tsan_publish(&job); /* partner: run_job */
    slock_lock(&pool->lock);
    if (pool->head)
        pool->tail->next = &job;
    else
        pool->head = &job;
    pool->tail = &job;
    atomic_fetch_add(&pool->queued, 1);
    slock_unlock(&pool->lock);
    /* Partner: sleepers in serve: one of the two sees the other. */
    if (atomic_load(&pool->sleepers) > 0)
        wake_one(pool);
    /* The job uses the caller's frame: an abort does not end this wait. */
    while (sleeper_wait(&s, AGLET_FOREVER, "pool") == -ECANCELED)
        while (!sleeper_is_fired(&s))
            task_park(s.task);
}

void aglet_pool_run(aglet_pool *pool, void (*work)(void *), void *arg) {
    run_in(pool, work, arg, CALLER());
}

/* The job was stolen: do other work until it is done. */
static void await_stolen(struct pool_thread *t, struct job *job) {
    for (int idle = 0;;) {
        /* Partner: the exchange in finish. */
        if (atomic_load_explicit(&job->state, memory_order_acquire) == JOB_DONE) {
            tsan_observe(&job->state);
            return;
        }
        struct job *other = find(t);
        if (other) {
            run_job(other);
            idle = 0;
            continue;
        }
        if (++idle < ROUNDS_BEFORE_SLEEP && spinning_pays()) {
            cpu_relax();
            continue;
        }
        uint32_t open = JOB_OPEN;
        atomic_compare_exchange_strong(&job->state, &open, JOB_AWAITED);
        if (atomic_load(&job->state) == JOB_AWAITED) {
            if (aglet_checked)
                check_await_begin("pool", AGLET_FOREVER);
            futex_wait(&job->state, JOB_AWAITED, AGLET_FOREVER);
            if (aglet_checked)
                check_block_end();
        }
    }
}

struct pair {
    void (*first)(void *), (*second)(void *);
    void *a, *b;
};

static void run_pair(void *pair) {
    struct pair *p = pair;
    aglet_join2(p->first, p->a, p->second, p->b);
}

void aglet_join2(void (*first)(void *), void *a, void (*second)(void *), void *b) {
    struct pool_thread *t = here;
    if (AGLET_UNLIKELY(!t)) {
        if (choose(NULL)) {
            run_in(NULL, run_pair, &(struct pair){first, second, a, b}, CALLER());
        } else {
            first(a);
            second(b);
        }
        return;
    }
    struct job job = {.run = second, .arg = b};
    tsan_publish(&job);
    if (AGLET_UNLIKELY(deque_push(&t->deque, &job) != 0)) {
        first(a);
        second(b);
        return;
    }
    if (AGLET_UNLIKELY(atomic_load_explicit(&t->pool->sleepers, memory_order_relaxed) >
                       atomic_load_explicit(&t->pool->guests, memory_order_relaxed)))
        wake_one(t->pool);
    first(a);
    /* Last in, first out: what is at the bottom now is this job, or nothing. */
    if (AGLET_LIKELY(deque_pop(&t->deque) != NULL))
        second(b);
    else
        await_stolen(t, &job);
}

struct range {
    size_t begin, end, grain;
    void (*body)(void *, size_t, size_t);
    void *context;
    const struct aglet_reduction *how;
    unsigned char *accumulator;
};

static void run_range(void *range) {
    struct range *r = range;
    if (r->end - r->begin <= r->grain) {
        r->body(r->context, r->begin, r->end);
        return;
    }
    size_t middle = r->begin + (r->end - r->begin) / 2;
    struct range left = *r, right = *r;
    left.end = middle;
    right.begin = middle;
    aglet_join2(run_range, &left, run_range, &right);
}

/* Some pieces per thread, so that uneven pieces even out. */
static size_t good_grain(const aglet_pool *pool, size_t n) {
    size_t pieces = (pool ? pool->n : 1) * (size_t)16;
    size_t grain = n / pieces;
    return grain ? grain : 1;
}

void aglet_parallel_for(aglet_pool *pool, size_t begin, size_t end, size_t grain,
                        void (*body)(void *, size_t, size_t), void *context) {
    if (begin >= end)
        return;
    pool = choose(pool);
    struct range r = {begin, end, grain ? grain : good_grain(pool, end - begin), body, context, NULL, NULL};
    run_in(pool, run_range, &r, CALLER());
}

static void reduce_range(void *range) {
    struct range *r = range;
    memcpy(r->accumulator, r->how->identity, r->how->size);
    if (r->end - r->begin <= r->grain) {
        r->how->map(r->context, r->begin, r->end, r->accumulator);
        return;
    }
    _Alignas(max_align_t) unsigned char later[REDUCE_MAX];
    size_t middle = r->begin + (r->end - r->begin) / 2;
    struct range left = *r, right = *r;
    left.end = middle;
    right.begin = middle;
    right.accumulator = later;
    aglet_join2(reduce_range, &left, reduce_range, &right);
    r->how->combine(r->context, r->accumulator, later);
}

void aglet_parallel_reduce(aglet_pool *pool, size_t begin, size_t end, size_t grain,
                           const struct aglet_reduction *how, void *context, void *result) {
    memcpy(result, how->identity, how->size);
    if (begin >= end)
        return;
    pool = choose(pool);
    _Alignas(max_align_t) unsigned char whole[REDUCE_MAX];
    struct range r = {begin, end, grain ? grain : good_grain(pool, end - begin), NULL, context, how, whole};
    if (how->size > REDUCE_MAX) {
        how->map(context, begin, end, result);
        return;
    }
    run_in(pool, reduce_range, &r, CALLER());
    memcpy(result, whole, how->size);
}
