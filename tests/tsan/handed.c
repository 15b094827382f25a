/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Runs under ThreadSanitizer with the checked library as it is installed, not instrumented: plain memory goes from one
 * task to another, on another worker, and only one thing puts the two in order, the one that is named. With `racy` the
 * giver writes once more when it has given, or the taker looks too early, and that must be found.
 *
 *     handed list | handed all right | handed NAME right | handed NAME racy
 *
 * Stands on aglet.h. Whom the program itself puts in order counts with relaxed operations, which order nothing. */
#include "aglet/aglet.h"
#include "aglet/await.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

AGLET_CHANNEL(ints, int);
AGLET_ONESHOT(answer, int);
AGLET_BROADCAST(news, int);
AGLET_WATCH(level, int);

static bool racy;
static int value, seen;     /* what is handed over, and what the taker found */
static _Atomic int arrived; /* relaxed */

/* Both are under way, and keep their worker until they are: so they run on two. */
static void come(void) {
    atomic_fetch_add_explicit(&arrived, 1, memory_order_relaxed);
}
static void await(int many) {
    while (atomic_load_explicit(&arrived, memory_order_relaxed) < many)
        ;
}

static ints_sender tx;
static ints_receiver rx;
static answer_sender answer_tx;
static answer_receiver answer_rx;
static news_sender news_tx;
static news_receiver news_rx;
static level_sender level_tx;
static level_receiver level_rx;
static aglet_async_mutex mu;
static aglet_async_cond filled;
static aglet_async_rwlock rw;
static aglet_async_semaphore permits;
static aglet_async_once once;
static aglet_task *taking;
static bool full;

static void give_channel(void) {
    (void)ints_send(&tx, 7);
}
static void take_channel(void) {
    int item;
    (void)ints_recv(&rx, &item);
}
static void take_select(void) {
    int item;
    struct aglet_case cases[] = {AGLET_CASE_NEVER, AGLET_CASE_RECV(&rx, &item)};
    (void)aglet_select(cases, 2, AGLET_FOREVER);
}
static void give_oneshot(void) {
    (void)answer_put(&answer_tx, 7);
}
static void take_oneshot(void) {
    int item;
    (void)answer_get(&answer_rx, &item);
}
static void give_broadcast(void) {
    (void)news_send(&news_tx, 7);
}
static void take_broadcast(void) {
    int item;
    (void)news_recv(&news_rx, &item);
}
static void give_watch(void) {
    (void)level_send(&level_tx, 7);
}
static void take_watch(void) {
    int item;
    (void)level_recv(&level_rx, &item);
}
static void give_mutex(void) {
    if (aglet_async_mutex_lock(&mu))
        return;
    full = true;
    aglet_async_mutex_unlock(&mu);
}
static void take_mutex(void) {
    for (bool done = false; !done;) {
        if (aglet_async_mutex_lock(&mu))
            return;
        done = full;
        aglet_async_mutex_unlock(&mu);
    }
}
static void give_condition(void) {
    give_mutex();
    aglet_async_cond_signal(&filled);
}
static void take_condition(void) {
    if (aglet_async_mutex_lock(&mu))
        return;
    while (!full)
        (void)aglet_async_cond_wait(&filled, &mu, AGLET_FOREVER);
    aglet_async_mutex_unlock(&mu);
}
static void give_rwlock(void) {
    if (aglet_async_rwlock_write(&rw, AGLET_FOREVER))
        return;
    full = true;
    aglet_async_rwlock_unlock(&rw);
}
static void take_rwlock(void) {
    for (bool done = false; !done;) {
        if (aglet_async_rwlock_read(&rw, AGLET_FOREVER))
            return;
        done = full;
        aglet_async_rwlock_unlock(&rw);
    }
}
static void give_semaphore(void) {
    aglet_async_semaphore_give(&permits, 1);
}
static void take_semaphore(void) {
    if (aglet_async_semaphore_take(&permits, AGLET_FOREVER))
        abort();
}
static int make(void *unused) {
    (void)unused;
    come(); /* the third: now the taker may ask, too */
    return 0;
}
static void give_once(void) {
    (void)aglet_async_once_run(&once, make, NULL);
}
static void take_once(void) {
    await(3);
    (void)aglet_async_once_run(&once, make, NULL);
}
static void give_abort(void) {
    aglet_abort(taking);
}
static void take_abort(void) {
    (void)aglet_sleep_until(AGLET_FOREVER);
}

static const struct handing {
    const char *name;
    void (*give)(void), (*take)(void);
    size_t room; /* of the channel */
} handings[] = {
    {"channel", give_channel, take_channel, 4},
    {"rendezvous", give_channel, take_channel, 0},
    {"unbounded", give_channel, take_channel, AGLET_UNBOUNDED},
    {"select", give_channel, take_select, 1},
    {"oneshot", give_oneshot, take_oneshot, 0},
    {"broadcast", give_broadcast, take_broadcast, 0},
    {"watch", give_watch, take_watch, 0},
    {"mutex", give_mutex, take_mutex, 0},
    {"condition", give_condition, take_condition, 0},
    {"rwlock", give_rwlock, take_rwlock, 0},
    {"semaphore", give_semaphore, take_semaphore, 0},
    {"once", give_once, take_once, 0},
    {"abort", give_abort, take_abort, 0},
};
static const struct handing *now;

static void *give(void *arg) {
    come();
    await(2);
    value = 1;
    now->give();
    if (racy)
        value = 2;
    return arg;
}

static void *take(void *arg) {
    come();
    await(2);
    now->take();
    seen = value;
    return arg;
}

static int hand_over(void) {
    aglet_task *giving;
    full = false;
    once = (aglet_async_once){0};
    if (ints_bounded(&tx, &rx, now->room) || answer_oneshot(&answer_tx, &answer_rx) || news_open(&news_tx, 2) ||
        level_open(&level_tx, 0))
        return 2;
    news_rx = news_subscribe(&news_tx);
    level_rx = level_subscribe(&level_tx);
    if (aglet_spawn(&taking, take, NULL) || aglet_spawn(&giving, give, NULL))
        return 2;
    /* The taker first: woken by the giver's end, and on the taker's worker, this task would put the two in order. */
    if (aglet_join(taking, NULL) || aglet_join(giving, NULL))
        return 2;
    ints_drop(&tx);
    ints_drop_receiver(&rx);
    answer_drop(&answer_tx);
    answer_drop_receiver(&answer_rx);
    news_drop(&news_tx);
    news_leave(&news_rx);
    level_drop(&level_tx);
    level_leave(&level_rx);
    return 0;
}

static void *read_it(void *arg) {
    seen = value;
    come();
    return arg;
}
static void *write_it(void *arg) {
    value = 1;
    come();
    return arg;
}

static int by_spawn(void) {
    aglet_task *child;
    value = 1;
    if (aglet_spawn(&child, read_it, NULL))
        return 2;
    if (racy)
        value = 2;
    await(1);
    return aglet_join(child, NULL);
}

static int by_join(void) {
    aglet_task *child;
    if (aglet_spawn(&child, write_it, NULL))
        return 2;
    await(1);
    if (racy)
        seen = value;
    int error = aglet_join(child, NULL);
    seen = value;
    return error;
}

static int by_group(void) {
    AGLET_GROUP(group);
    if (aglet_group_spawn(&group, write_it, NULL))
        return 2;
    await(1);
    if (racy)
        seen = value;
    int error = aglet_group_join(&group);
    seen = value;
    return error;
}

static int by_blocking(void) {
    aglet_task *work;
    if (aglet_spawn_blocking(&work, write_it, NULL))
        return 2;
    if (racy)
        value = 2;
    await(1);
    int error = aglet_join(work, NULL);
    seen = value;
    if (!racy && !error && !(error = aglet_run_blocking(write_it, NULL, NULL)))
        seen = value;
    return error;
}

/* Each part waits for the other, so two threads do them. */
static void part(void *parts, size_t from, size_t to) {
    come();
    await(2);
    for (size_t i = from; i < to; i++)
        ((int *)parts)[racy ? 0 : i]++;
}

static int by_pool(void) {
    int parts[2] = {0};
    aglet_pool *pool = aglet_pool_new(2);
    aglet_parallel_for(pool, 0, 2, 1, part, parts);
    seen = parts[0];
    value = 1;
    aglet_pool_free(pool);
    return pool == NULL || (!racy && parts[1] != 1) ? 2 : 0;
}

/* A large frame, so that it is not copied word by word, and many tasks one after another in the same memory. */
struct steps {
    AGLET_FRAME_HEADER;
    int i, error, *count;
    char filled[200];
};
AGLET_STACKLESS(steps, struct steps) {
    AGLET_BEGIN(f);
    come();
    await(2);
    for (f->i = 0; f->i < 50; f->i++) {
        ++*f->count;
        memset(f->filled, f->i, sizeof f->filled);
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    }
    AGLET_END(f);
}

static int by_steps(void) {
    int counts[2] = {0};
    for (int round = 0; round < 20; round++) {
        aglet_task *task[2];
        for (int i = 0; i < 2; i++)
            if (steps_spawn(&task[i], (struct steps){.count = &counts[racy ? 0 : i]}))
                return 2;
        for (int i = 0; i < 2; i++)
            if (aglet_join(task[i], NULL))
                return 2;
    }
    seen = value = 1;
    return !racy && counts[0] + counts[1] != 2000 ? 2 : 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} others[] = {{"spawn", by_spawn}, {"join", by_join},   {"group", by_group},
              {"pool", by_pool},   {"steps", by_steps}, {"blocking", by_blocking}};

enum { HANDINGS = sizeof handings / sizeof *handings, OTHERS = sizeof others / sizeof *others };

static void *run(void *which) {
    const char *name = which;
    intptr_t done = 0, failed = 0;
    for (int i = 0; i < HANDINGS + OTHERS; i++) {
        const char *mine = i < HANDINGS ? handings[i].name : others[i - HANDINGS].name;
        if (strcmp(name, mine) != 0 && strcmp(name, "all") != 0)
            continue;
        value = seen = 0;
        atomic_store_explicit(&arrived, 0, memory_order_relaxed);
        now = i < HANDINGS ? &handings[i] : NULL;
        int error = now ? hand_over() : others[i - HANDINGS].run();
        if (error || seen != value) {
            printf("%s: %d, saw %d of %d\n", mine, error, seen, value);
            failed += !racy;
        }
        done++;
    }
    return (void *)(done && !failed ? done : 0);
}

/* What a task did that nobody joined comes before the end of its executor. */
static int by_end(void) {
    aglet_executor *ex = aglet_executor_new(&(struct aglet_executor_options){.workers = 2});
    if (!ex || aglet_spawn_on(ex, NULL, write_it, NULL))
        return 2;
    await(1);
    if (racy)
        seen = value;
    aglet_executor_free(ex);
    seen = value;
    return seen != 1;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "list";
    racy = argc > 2 && strcmp(argv[2], "racy") == 0;
    if (strcmp(name, "list") == 0) {
        for (int i = 0; i < HANDINGS; i++)
            puts(handings[i].name);
        for (int i = 0; i < OTHERS; i++)
            puts(others[i].name);
        puts("end");
        return 0;
    }
    if (strcmp(name, "end") == 0)
        return by_end();
    void *done = NULL;
    struct aglet_executor_options options = {.workers = 2};
    if (aglet_run(&options, run, (void *)(uintptr_t)name, &done) || !done)
        return 1;
    printf("%d handed over\n", (int)(intptr_t)done);
    atomic_store_explicit(&arrived, 0, memory_order_relaxed);
    return strcmp(name, "all") == 0 ? by_end() : 0;
}
