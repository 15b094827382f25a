/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One program, many ways to make trouble for the checker itself; faults.py runs it and says what must come
 * out. Stands on aglet.h. */
#include "aglet/aglet.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static aglet_mutex a = AGLET_MUTEX_INIT, b = AGLET_MUTEX_INIT;

static void order(void) {
    aglet_mutex_init_named(&a, "alpha");
    aglet_mutex_init_named(&b, "beta");
    aglet_mutex *pairs[][2] = {{&a, &b}, {&b, &a}};
    for (int i = 0; i < 2; i++) {
        AGLET_GUARD(pairs[i][0]);
        AGLET_GUARD(pairs[i][1]);
    }
}

static void order_of_statics(void) {
    aglet_mutex_lock(&a);
    aglet_mutex_lock(&b);
    aglet_mutex_unlock(&b);
    aglet_mutex_unlock(&a);
    aglet_mutex_lock(&b);
    aglet_mutex_lock(&a);
    aglet_mutex_unlock(&a);
    aglet_mutex_unlock(&b);
}

static void backwards(void) {
    aglet_mutex_init_named(&a, "alpha");
    aglet_mutex_init_named(&b, "beta");
    AGLET_GUARD(&b);
    AGLET_GUARD(&a);
}

static void unheld(void) {
    aglet_mutex_unlock(&a);
    aglet_mutex_unlock(&b);
}

static void unheld_again(void) {
    for (int i = 0; i < 5; i++)
        aglet_mutex_unlock(&a);
    aglet_mutex_unlock(&a);
}

static void *yields_with_lock(void *argument) {
    AGLET_GUARD(&a);
    for (int i = 0; i < 10; i++)
        (void)aglet_yield();
    return argument;
}

static void yield_again(void) {
    (void)aglet_run(NULL, yields_with_lock, NULL, NULL);
}

static void in_handler(int signal) {
    (void)signal;
    aglet_mutex_unlock(&a);
}

/* A report from a handler that came in the middle of malloc, which therefore must not be called. */
static void from_signal(void) {
    signal(SIGALRM, in_handler);
    ualarm(2000, 2000);
    for (int i = 0; i < 3000000; i++) {
        void *volatile p = malloc(100 + (size_t)i % 5000);
        free(p);
    }
    ualarm(0, 0);
}

static void on_crash(int signal) {
    (void)signal;
    aglet_mutex_unlock(&b); /* a second report while the first is half written */
    static const char said[] = "handler ran\n";
    if (write(1, said, sizeof said - 1) < 0)
        _exit(1);
    _exit(5);
}

/* The report reads a name that is no memory, and crashes. */
static void crash_in_report(void) {
    signal(SIGSEGV, on_crash);
    aglet_mutex_init_named(&a, (const char *)16);
    aglet_mutex_unlock(&a);
}

static long used_memory(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld", &pages) != 1)
        exit(9);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void no_memory(void) {
    enum { LOCKS = 6000 };
    static aglet_mutex many[LOCKS];
    struct rlimit limit = {(rlim_t)used_memory() + 1500000, (rlim_t)used_memory() + 1500000};
    setrlimit(RLIMIT_AS, &limit);
    for (int i = 0; i < LOCKS; i++)
        aglet_mutex_lock(&many[i]);
    for (int i = LOCKS; i-- > 0;)
        aglet_mutex_unlock(&many[i]);
    for (int i = 0; i < LOCKS; i++)
        if (!aglet_mutex_try_lock(&many[i]))
            exit(8);
        else
            aglet_mutex_unlock(&many[i]);
}

/* All of the nest's locks at once, the outer ones first; then two of them the other way round, under `also`, if any. */
static void nest(int locks, int outer, int inner, int also) {
    static aglet_mutex many[500];
    for (int i = 0; i < locks; i++)
        aglet_mutex_lock(&many[i]);
    for (int i = locks; i-- > 0;)
        aglet_mutex_unlock(&many[i]);
    if (also >= 0)
        aglet_mutex_lock(&many[also]);
    aglet_mutex_lock(&many[inner]);
    aglet_mutex_lock(&many[outer]);
    aglet_mutex_unlock(&many[outer]);
    aglet_mutex_unlock(&many[inner]);
    if (also >= 0)
        aglet_mutex_unlock(&many[also]);
}

static void nest_17(void) {
    nest(17, 0, 16, -1);
}

static void nest_64(void) {
    nest(64, 0, 63, -1);
}

static void nest_500(void) {
    nest(500, 3, 400, -1);
}

static void nest_common(void) { /* many[50] stands between: whoever has it keeps the other out */
    nest(100, 60, 90, 50);
}

static void cleared_while_held(void) {
    aglet_mutex_lock(&a);
    memset(&a, 0, sizeof a);
    aglet_mutex_unlock(&a);
    aglet_mutex_lock(&a);
    aglet_mutex_unlock(&a);
}

static void long_hold(void) {
    AGLET_GUARD(&a);
    usleep(60000);
}

static void *hold_one(void *mu) {
    aglet_mutex_lock(mu);
    aglet_mutex_unlock(mu);
    return NULL;
}

static void *order_in_thread(void *unused) {
    order();
    return unused;
}

/* What the system's least stack holds is enough for a finding, with names and lines. */
static void small_stack(void) {
    aglet_thread t;
    struct aglet_thread_options least = {.stack_size = (size_t)sysconf(_SC_THREAD_STACK_MIN)};
    if (aglet_thread_spawn_with(&t, &least, order_in_thread, NULL) != 0)
        exit(7);
    aglet_thread_join(&t, NULL);
}

static void thousand_threads(void) {
    static aglet_mutex mu;
    static aglet_thread t[1000];
    struct aglet_thread_options small = {.stack_size = 65536};
    aglet_mutex_lock(&mu);
    for (int i = 0; i < 1000; i++)
        if (aglet_thread_spawn_with(&t[i], &small, hold_one, &mu) != 0)
            exit(7);
    aglet_mutex_unlock(&mu);
    for (int i = 0; i < 1000; i++)
        aglet_thread_join(&t[i], NULL);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {{"order", order},
                {"order-of-statics", order_of_statics},
                {"backwards", backwards},
                {"unheld", unheld},
                {"unheld-again", unheld_again},
                {"yield-again", yield_again},
                {"from-signal", from_signal},
                {"crash-in-report", crash_in_report},
                {"no-memory", no_memory},
                {"nest-17", nest_17},
                {"nest-64", nest_64},
                {"nest-500", nest_500},
                {"nest-common", nest_common},
                {"cleared-while-held", cleared_while_held},
                {"long-hold", long_hold},
                {"small-stack", small_stack},
                {"thousand-threads", thousand_threads}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (argc > 1 && strcmp(argv[1], ways[i].name) == 0) {
            ways[i].run();
            puts("came to the end");
            return 0;
        }
    return 2;
}
