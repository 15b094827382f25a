/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Every macro of the runtime's headers in use, as a program writes it that has globals of the shortest names:
 * nothing may be warned about. alone.py compiles it; what it does is not looked at. Stands on aglet/. */
#include <aglet/aglet.h>
#include <aglet/executor.h>
#include <aglet/pool.h>
#include <aglet/stackless.h>
#include <aglet/task.h>

extern int a, b, c, e, g, i, k, m, n, p, r, s, t, x, y;

struct stats {
    int hits, limit;
};

static aglet_mutex mu = AGLET_MUTEX_INIT;
static aglet_rwlock rw = AGLET_RWLOCK_INIT;
static aglet_cond changed = AGLET_COND_INIT;
static aglet_semaphore slots = AGLET_SEMAPHORE_INIT(3);
static aglet_barrier gate = AGLET_BARRIER_INIT(2);
static aglet_once once = AGLET_ONCE_INIT;
static aglet_thread thread = AGLET_THREAD_INIT;
static aglet_affine home = AGLET_AFFINE_INIT;
static AGLET_MUTEX_OF(struct stats) boxed = AGLET_MUTEX_OF_INIT;
static AGLET_MUTEX_OF(struct stats) limited = AGLET_MUTEX_OF_WITH({.limit = 3});
static AGLET_LAZY(struct stats) lazy = AGLET_LAZY_INIT;

static void make_stats(struct stats *made) {
    made->limit = 3;
}

static void drop_stats(struct stats *dropped) {
    dropped->hits = 0;
}

static void nothing(void *context) {
    (void)context;
}

int guards(void);
int guards(void) {
    int sum = 0;
    {
        AGLET_GUARD(&mu);
        AGLET_COND_WAIT(&changed, &mu, boxed.poisoned_);
    }
    {
        AGLET_GUARD_NAMED(held, &mu);
        aglet_guard_release(&held);
    }
    {
        AGLET_READ_GUARD(&rw);
    }
    {
        AGLET_WRITE_GUARD(&rw);
    }
    AGLET_GUARD_TRY(tried, &mu);
    if (aglet_guard_holds(&tried))
        sum++;
    AGLET_WITH (&mu)
        sum++;
    AGLET_IF_FREE (&mu)
        sum++;
    AGLET_WITH_READ (&rw)
        sum++;
    AGLET_WITH_WRITE (&rw)
        sum++;
    {
        AGLET_OPEN(open, &boxed);
        open->hits++;
        AGLET_CLOSE(open);
    }
    AGLET_OPEN_FOR_CHANGE(change, &limited);
    change->hits++;
    if (AGLET_POISONED(change))
        sum++;
    AGLET_COMMIT(change);
    return sum + AGLET_LAZY_GET(&lazy, make_stats)->limit;
}

AGLET_THREAD_FUNCTION(count, struct stats)
static void *count(struct stats *counted) {
    counted->hits++;
    return NULL;
}

int threads(void);
int threads(void) {
    struct stats local = {0, 0};
    AGLET_SCOPE (scope) {
        AGLET_SCOPE_SPAWN(&scope, count, &local);
    }
    aglet_once_run(&once, nothing, NULL);
    aglet_affine_check(&home);
    aglet_semaphore_take(&slots);
    aglet_barrier_wait(&gate);
    struct stats *shared = AGLET_ARC_NEW(struct stats, drop_stats);
    AGLET_ARC_SCOPED struct stats *kept = AGLET_ARC_KEEP(shared);
    AGLET_ARC_DROP(shared);
    struct stats *own = AGLET_RC_NEW(struct stats, drop_stats);
    struct stats *again = AGLET_RC_KEEP(own);
    AGLET_RC_DROP(again);
    AGLET_RC_DROP(own);
    return AGLET_THREAD_SPAWN(&thread, count, kept);
}

#define LESS(first, second) ((first) < (second))
#define TWICE(value) ((value)*2)
AGLET_PARALLEL_SORT(sort_ints, int, LESS);
AGLET_PARALLEL_MAP(twice_ints, int, int, TWICE);
AGLET_CHANNEL(numbers, int);
AGLET_ONESHOT(answer, int);
AGLET_BROADCAST(news, int);
AGLET_WATCH(level, int);

struct ticker {
    AGLET_FRAME_HEADER;
    int turn, error;
};
AGLET_STACKLESS(ticker, struct ticker) {
    AGLET_BEGIN(f);
    for (f->turn = 0; f->turn < 3; f->turn++) {
        AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(10)));
        if (f->error)
            AGLET_RETURN(f, NULL);
    }
    AGLET_END(f);
}

static void *group_body(void *argument) {
    return argument;
}

int tasks(aglet_pool *pool, int *numbers_in);
int tasks(aglet_pool *pool, int *numbers_in) {
    aglet_task *task = NULL;
    AGLET_GROUP(group);
    AGLET_GROUP(nobody_spawns_in);
    sort_ints(pool, numbers_in, 3);
    twice_ints(pool, numbers_in, numbers_in, 3);
    return aglet_group_spawn(&group, group_body, NULL) + ticker_spawn(&task, (struct ticker){.turn = 0});
}

AGLET_MAIN(argc, argv) {
    return 0;
}
