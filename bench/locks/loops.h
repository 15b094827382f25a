/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The lock loops that every C and C++ peer runs, included by one small file per peer after it defined its
 * lock:
 *
 *   typedef … lock_type;   LOCK_INIT(l) LOCK(l) UNLOCK(l)
 *   typedef … rw_type;     RW_INIT(l) RW_RLOCK(l) RW_RUNLOCK(l) RW_WLOCK(l) RW_WUNLOCK(l)     (with HAVE_RW)
 *
 * Usage: PEER uncontended|nested|short|long|moderate|read THREADS SECONDS
 *        PEER trip 2 SECONDS
 * Prints "<ns per lock+unlock over all threads> <smallest thread's part of a fair share>".
 * uncontended and nested: the median of slices of 1000, so that what else the machine does stays out. nested
 * counts a pair: two locks and two unlocks. moderate: sections of 100 ns, and some 1000 of other work in
 * between, no two times the same, or the threads would fall into step. read: 19 read sections to each write.
 * trip, without any lock: how long a cache line takes to the other thread and back. The clock is started
 * before the first section may begin: a main thread that had to wait for a processor would else miss sections
 * that are counted. The loops in Go and Rust have the same steps, and as here the lock on one cache line and
 * the data on another. Stands on pthreads alone, for the threads. */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NESTED = 100, MAX_THREADS = 64, MAX_SLICES = 1 << 18 };

static struct {
    _Alignas(128) lock_type lock;
    _Alignas(128) uint64_t data[4];
    _Alignas(128) atomic_int stop;
    atomic_int ready, begun;
    lock_type many[NESTED];
} shared;
#ifdef HAVE_RW
static _Alignas(128) rw_type rw;
#endif
static _Alignas(128) atomic_int ball;

struct worker {
    _Alignas(128) uint64_t count;
    uint64_t sum;
};
static struct worker workers[MAX_THREADS];
static const char *mode;
static int n_threads;

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Work that the compiler cannot fold, of about `rounds` nanoseconds. */
static inline uint64_t spin(uint64_t x, int rounds) {
    for (int i = 0; i < rounds; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(x));
    }
    return x;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void *idle(void *unused) {
    (void)unused;
    struct timespec t = {3600, 0};
    nanosleep(&t, NULL);
    return NULL;
}

/* Sends the ball back, each time it comes. */
static void *send_back(void *unused) {
    (void)unused;
    while (!atomic_load_explicit(&shared.stop, memory_order_relaxed))
        if (atomic_load_explicit(&ball, memory_order_acquire) == 1)
            atomic_store_explicit(&ball, 0, memory_order_release);
    return NULL;
}

static double round_trip(double seconds) {
    pthread_t other;
    pthread_create(&other, NULL, send_back, NULL);
    double start = now_ns(), end = start;
    uint64_t trips = 0;
    for (; end - start < seconds * 1e9; end = now_ns())
        for (int i = 0; i < 1000; i++, trips++) {
            atomic_store_explicit(&ball, 1, memory_order_release);
            while (atomic_load_explicit(&ball, memory_order_acquire) != 0) {
            }
        }
    atomic_store(&shared.stop, 1);
    pthread_join(other, NULL);
    return (end - start) / (double)trips;
}

static void *contend(void *arg) {
    struct worker *w = arg;
    bool moderate = mode[0] == 'm';
    int inside = mode[0] == 'l' ? 1000 : moderate ? 100 : 4;
    uint64_t x = (uintptr_t)arg, n = 0;
    atomic_fetch_add(&shared.ready, 1);
    while (!atomic_load(&shared.begun))
        sched_yield();
    while (!atomic_load_explicit(&shared.stop, memory_order_relaxed)) {
#ifdef HAVE_RW
        if (mode[0] == 'r') {
            if (n % 20 == 19) {
                RW_WLOCK(&rw);
                shared.data[0]++;
                RW_WUNLOCK(&rw);
            } else {
                RW_RLOCK(&rw);
                x += shared.data[0];
                x = spin(x, 30);
                RW_RUNLOCK(&rw);
            }
        } else
#endif
        {
            LOCK(&shared.lock);
            shared.data[0]++;
            shared.data[1] += x;
            x = spin(x, inside);
            UNLOCK(&shared.lock);
        }
        x = spin(x, moderate ? 500 + (int)((x >> 33) % 1000) : 20);
        n++;
    }
    w->count = n;
    w->sum = x;
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s uncontended|nested|short|long|moderate|read THREADS SECONDS\n", argv[0]);
        return 2;
    }
    mode = argv[1];
    n_threads = atoi(argv[2]);
    double seconds = atof(argv[3]);
    if (n_threads < 1 || n_threads > MAX_THREADS || seconds <= 0) {
        fprintf(stderr, "%s: threads must be 1 to %d and seconds above 0\n", argv[0], MAX_THREADS);
        return 2;
    }
    if (mode[0] == 't') {
        printf("%.1f 1\n", round_trip(seconds));
        return 0;
    }
    LOCK_INIT(&shared.lock);
    for (int i = 0; i < NESTED; i++)
        LOCK_INIT(&shared.many[i]);
#ifdef HAVE_RW
    RW_INIT(&rw);
#else
    if (mode[0] == 'r') {
        puts("none 0");
        return 0;
    }
#endif

    if (mode[0] == 'u' || mode[0] == 'n') {
        pthread_t second;
        pthread_create(&second, NULL, idle, NULL); /* so that no library takes its single-thread short cut */
        static double slices[MAX_SLICES];
        int n = 0;
        double start = now_ns(), end = start;
        while (end - start < seconds * 1e9 && n < MAX_SLICES) {
            double begin = end;
            for (int i = 0; i < 1000; i++) {
                if (mode[0] == 'u') {
                    LOCK(&shared.lock);
                    shared.data[0]++;
                    UNLOCK(&shared.lock);
                } else {
                    int k = i % (NESTED - 1);
                    LOCK(&shared.many[k]);
                    LOCK(&shared.many[k + 1]);
                    shared.data[0]++;
                    UNLOCK(&shared.many[k + 1]);
                    UNLOCK(&shared.many[k]);
                }
            }
            end = now_ns();
            slices[n++] = (end - begin) / 1000;
        }
        qsort(slices, (size_t)n, sizeof *slices, compare);
        printf("%.2f 1\n", slices[n / 2]);
        fflush(stdout);
        _Exit(0);
    }

    pthread_t t[MAX_THREADS];
    for (int i = 0; i < n_threads; i++)
        pthread_create(&t[i], NULL, contend, &workers[i]);
    while (atomic_load(&shared.ready) < n_threads)
        sched_yield();
    double start = now_ns();
    atomic_store(&shared.begun, 1);
    struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
    atomic_store(&shared.stop, 1);
    double end = now_ns();
    uint64_t total = 0, least = UINT64_MAX;
    for (int i = 0; i < n_threads; i++) {
        pthread_join(t[i], NULL);
        total += workers[i].count;
        if (workers[i].count < least)
            least = workers[i].count;
    }
    printf("%.2f %.3f\n", (end - start) / (double)total, (double)least * n_threads / (double)total);
    return 0;
}
#endif
