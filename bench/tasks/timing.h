/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Clocks and the printed form of a figure, for the C and C++ programs of this folder. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static inline double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
static inline double cpu_ns(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return ((double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec) * 1e9 +
           ((double)u.ru_utime.tv_usec + (double)u.ru_stime.tv_usec) * 1e3;
}
static inline void print_per_op(double start, double n) {
    printf("%.2f ns\n", (now_ns() - start) / n);
}
static inline double system_ns(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_stime.tv_sec * 1e9 + (double)u.ru_stime.tv_usec * 1e3;
}
/* With how much of it the kernel worked: for new memory it clears pages. */
static inline void print_per_op_system(double start, double before, double n) {
    printf("%.2f ns %.2f system-ns\n", (now_ns() - start) / n, (system_ns() - before) / n);
}
static inline void print_timers(double start, double cpu) {
    printf("%.2f ms %.2f cpu-ms\n", (now_ns() - start) / 1e6, (cpu_ns() - cpu) / 1e6);
}
static inline uint64_t next_random(uint64_t *x) {
    *x ^= *x << 13;
    *x ^= *x >> 7;
    return *x ^= *x << 17;
}
#endif
