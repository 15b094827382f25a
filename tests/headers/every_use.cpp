/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What C++ uses of the runtime's macros: initialisers, guards, boxes, lazy values, channels, tasks; nothing may be warned about.
 * alone.py compiles it; what it does is not looked at. Stands on aglet/. */
#include <aglet/aglet.h>

struct stats {
    int hits, limit;
};

static aglet_mutex mu = AGLET_MUTEX_INIT;
static aglet_rwlock rw = AGLET_RWLOCK_INIT;
static aglet_cond changed = AGLET_COND_INIT;
static aglet_semaphore slots = AGLET_SEMAPHORE_INIT(3);
static aglet_barrier gate = AGLET_BARRIER_INIT(2);
static aglet_once once = AGLET_ONCE_INIT;
static aglet_affine home = AGLET_AFFINE_INIT;
static AGLET_MUTEX_OF(struct stats) boxed = AGLET_MUTEX_OF_INIT;
static AGLET_MUTEX_OF(int) number = AGLET_MUTEX_OF_INIT;
static AGLET_LAZY(struct stats) lazy = AGLET_LAZY_INIT;

static void make_stats(struct stats *made) {
    made->limit = 3;
}

static void nothing(void *) {
}

AGLET_CHANNEL(numbers, int);
AGLET_WATCH(level, int);
#define LESS(a, b) ((a) < (b))
AGLET_PARALLEL_SORT(sort_ints, int, LESS);

typedef struct frame {
    AGLET_FRAME_HEADER;
    numbers_receiver rx;
    int value, error;
} frame;

AGLET_STACKLESS(receive, frame) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->value));
    AGLET_RETURN(f, f);
    AGLET_END(f);
}

AGLET_THREAD_FUNCTION(count, struct stats)
static void *count(struct stats *stats) {
    stats->hits++;
    return NULL;
}

AGLET_MAIN(argc, argv) {
    struct stats stats = {argc, 0};
    numbers_sender tx;
    frame f = {};
    if (numbers_bounded(&tx, &f.rx, 1) || receive_spawn(NULL, f))
        return 1;
    AGLET_SCOPE(scope)
        (void)AGLET_SCOPE_SPAWN(&scope, count, &stats);
    AGLET_GROUP(group);
    struct aglet_case cases[] = {AGLET_CASE_SEND(&tx, &stats.hits), AGLET_CASE_NEVER};
    return aglet_select(cases, 2, AGLET_FOREVER);
}

int uses();
int uses() {
    int sum = 0;
    {
        AGLET_GUARD(&mu);
        AGLET_COND_WAIT(&changed, &mu, sum == 0);
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
    AGLET_OPEN(open, &boxed);
    AGLET_OPEN_FOR_CHANGE(change, &number);
    *change = open->hits;
    AGLET_COMMIT(change);
    aglet_once_run(&once, nothing, NULL);
    aglet_affine_check(&home);
    aglet_semaphore_take(&slots);
    aglet_barrier_wait(&gate);
    return sum + AGLET_LAZY_GET(&lazy, make_stats)->limit;
}
