/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Data parallelism: a pool of threads that steal halves of the work from each other. Stands on aglet/base.h.
 *
 *     aglet_parallel_for(NULL, 0, n, 0, body, &context);       // body(context, from, to) for disjoint ranges
 *
 * The functions return when all the work is done, so locals may be lent to it. `pool` NULL is the pool the
 * caller is a thread of, else the process's own, one thread per processor, started at first use. A task that
 * calls waits as a task. */
#ifndef AGLET_POOL_H
#define AGLET_POOL_H

#include "aglet/base.h"

AGLET_BEGIN_DECLS

typedef struct aglet_pool aglet_pool;

/* threads 0: one per processor. Returns NULL with errno set when threads or memory cannot be had. */
AGLET_API aglet_pool *aglet_pool_new(unsigned threads);

/* Requires nobody uses the pool, and the caller is not one of its threads. NULL is fine. */
AGLET_API void aglet_pool_free(aglet_pool *pool) AGLET_BLOCKS;

/* How many threads it has; 0 where none could be started for the process's own. */
AGLET_API unsigned aglet_pool_threads(const aglet_pool *pool);

/* Run work(arg) where it may use all of the pool. A task waits for a thread of the pool to do it; an OS thread is one
 * of the pool's meanwhile (up to four at a time, the others wait as a task does), and a thread of the pool calls it.
 *
 * Requires  the caller holds no lock that anything in the pool takes: it may do others' work while it waits for a
 *           stolen part of its own. */
AGLET_API void aglet_pool_run(aglet_pool *pool, void (*work)(void *arg), void *arg) AGLET_YIELDS;

/* Run first(a) and second(b), side by side where a thread is free. The fork-join primitive: costs some ten
 * nanoseconds where nobody steals. */
AGLET_API void aglet_join2(void (*first)(void *a), void *a, void (*second)(void *b), void *b) AGLET_YIELDS;

/* body(context, from, to) for ranges that together make [begin, end), each of at most `grain` (0: a good
 * choice). */
AGLET_API void aglet_parallel_for(aglet_pool *pool, size_t begin, size_t end, size_t grain,
                                  void (*body)(void *context, size_t from, size_t to),
                                  void *context) AGLET_YIELDS;

/* How to reduce: an accumulator of `size` bytes (at most 256) that starts as a copy of *identity.
 * map adds a range to an accumulator; combine adds a later accumulator to an earlier one, so it need not
 * commute. */
struct aglet_reduction {
    size_t size;
    const void *identity;
    void (*map)(void *context, size_t from, size_t to, void *accumulator);
    void (*combine)(void *context, void *earlier, const void *later);
};

/* *result gets the accumulator of the whole range. The order of combining does not depend on the threads. */
AGLET_API void aglet_parallel_reduce(aglet_pool *pool, size_t begin, size_t end, size_t grain,
                                     const struct aglet_reduction *how, void *context,
                                     void *result) AGLET_YIELDS;

AGLET_END_DECLS

/* Declare `static void name(aglet_pool *pool, const from *in, to *out, size_t n)`, which makes out[i] = f(in[i])
 * for every i, with f(value) a macro or function. in and out may be one array. */
#define AGLET_PARALLEL_MAP(name, from, to, f)                                                                \
    struct name##_ends_ {                                                                                    \
        const from *in;                                                                                      \
        to *out;                                                                                             \
    };                                                                                                       \
    static void name##_range_(void *ends, size_t begin, size_t end) {                                        \
        struct name##_ends_ e_ = *(struct name##_ends_ *)ends;                                               \
        for (size_t i_ = begin; i_ < end; i_++)                                                              \
            e_.out[i_] = f(e_.in[i_]);                                                                       \
    }                                                                                                        \
    static AGLET_MAYBE_UNUSED void name(aglet_pool *pool, const from *in, to *out, size_t n_) {              \
        struct name##_ends_ ends = {in, out};                                                                \
        aglet_parallel_for(pool, 0, n_, 0, name##_range_, &ends);                                            \
    }                                                                                                        \
    struct name##_map_declared_

/* Declare `static void name(aglet_pool *pool, type *array, size_t n)`, a parallel sort in place, not stable,
 * with less(a, b) a macro or function over two values. Quicksort with a heap sort behind it: n log n at
 * worst. */
#define AGLET_PARALLEL_SORT(name, type, less)                                                                   \
    struct name##_part_ {                                                                                       \
        type *at;                                                                                               \
        size_t n;                                                                                               \
        int depth;                                                                                              \
    };                                                                                                          \
    static void name##_sift_(type *a_, size_t i_, size_t n_) {                                                  \
        type value = a_[i_];                                                                                    \
        for (size_t child; (child = 2 * i_ + 1) < n_; i_ = child) {                                             \
            if (child + 1 < n_ && less(a_[child], a_[child + 1]))                                               \
                child++;                                                                                        \
            if (!(less(value, a_[child])))                                                                      \
                break;                                                                                          \
            a_[i_] = a_[child];                                                                                 \
        }                                                                                                       \
        a_[i_] = value;                                                                                         \
    }                                                                                                           \
    static void name##_heap_(type *a_, size_t n_) {                                                             \
        for (size_t i_ = n_ / 2; i_-- > 0;)                                                                     \
            name##_sift_(a_, i_, n_);                                                                           \
        while (n_-- > 1) {                                                                                      \
            type top = a_[0];                                                                                   \
            a_[0] = a_[n_];                                                                                     \
            a_[n_] = top;                                                                                       \
            name##_sift_(a_, 0, n_);                                                                            \
        }                                                                                                       \
    }                                                                                                           \
    static void name##_insert_(type *a_, size_t n_) {                                                           \
        for (size_t i_ = 1; i_ < n_; i_++) {                                                                    \
            type value = a_[i_];                                                                                \
            size_t k_ = i_;                                                                                     \
            for (; k_ > 0 && less(value, a_[k_ - 1]); k_--)                                                     \
                a_[k_] = a_[k_ - 1];                                                                            \
            a_[k_] = value;                                                                                     \
        }                                                                                                       \
    }                                                                                                           \
    static type name##_middle_(type a_, type b_, type c_) {                                                     \
        return less(a_, b_) ? (less(b_, c_)   ? b_                                                              \
                               : less(a_, c_) ? c_                                                              \
                                              : a_)                                                             \
                            : (less(a_, c_)   ? a_                                                              \
                               : less(b_, c_) ? c_                                                              \
                                              : b_);                                                            \
    }                                                                                                           \
    /* Bring the values that are less (skip: not greater) than the pivot to the front, without a branch on    \
     * the comparison; returns how many. */ \
    static size_t name##_split_(type *a_, size_t n_, type pivot) {                                              \
        size_t front = 0;                                                                                       \
        for (size_t i_ = 0; i_ < n_; i_++) {                                                                    \
            type value = a_[i_];                                                                                \
            a_[i_] = a_[front];                                                                                 \
            a_[front] = value;                                                                                  \
            front += (less(value, pivot)) ? 1 : 0;                                                              \
        }                                                                                                       \
        return front;                                                                                           \
    }                                                                                                           \
    static size_t name##_skip_(type *a_, size_t n_, type pivot) {                                               \
        size_t front = 0;                                                                                       \
        for (size_t i_ = 0; i_ < n_; i_++) {                                                                    \
            type value = a_[i_];                                                                                \
            a_[i_] = a_[front];                                                                                 \
            a_[front] = value;                                                                                  \
            front += (less(pivot, value)) ? 0 : 1;                                                              \
        }                                                                                                       \
        return front;                                                                                           \
    }                                                                                                           \
    static void name##_sort_(void *part) {                                                                      \
        struct name##_part_ p_ = *(struct name##_part_ *)part;                                                  \
        while (p_.n > 24) {                                                                                     \
            if (p_.depth-- == 0) {                                                                              \
                name##_heap_(p_.at, p_.n);                                                                      \
                return;                                                                                         \
            }                                                                                                   \
            type *a_ = p_.at;                                                                                   \
            type pivot = name##_middle_(                                                                        \
                name##_middle_(a_[0], a_[p_.n / 8], a_[p_.n / 4]),                                              \
                name##_middle_(a_[p_.n / 2 - 1], a_[p_.n / 2], a_[p_.n / 2 + 1]),                               \
                name##_middle_(a_[p_.n - 1], a_[p_.n - p_.n / 8 - 1], a_[p_.n - p_.n / 4 - 1]));                \
            size_t cut = name##_split_(a_, p_.n, pivot), from = cut;                                            \
            if (cut < p_.n / 8) /* many that equal the pivot, or a bad pivot: what equals it is in place */     \
                from += name##_skip_(a_ + cut, p_.n - cut, pivot);                                              \
            struct name##_part_ left = {a_, cut, p_.depth}, right = {a_ + from, p_.n - from, p_.depth};         \
            if (p_.n > 8192) {                                                                                  \
                aglet_join2(name##_sort_, &left, name##_sort_, &right);                                         \
                return;                                                                                         \
            }                                                                                                   \
            name##_sort_(left.n < right.n ? &left : &right);                                                    \
            p_ = left.n < right.n ? right : left;                                                               \
        }                                                                                                       \
        name##_insert_(p_.at, p_.n);                                                                            \
    }                                                                                                           \
    static AGLET_MAYBE_UNUSED void name(aglet_pool *pool, type *array, size_t n_) {                             \
        struct name##_part_ all = {array, n_, 0};                                                               \
        for (size_t m_ = n_; m_; m_ >>= 1)                                                                      \
            all.depth += 2;                                                                                     \
        if (n_ > 8192)                                                                                          \
            aglet_pool_run(pool, name##_sort_, &all);                                                           \
        else                                                                                                    \
            name##_sort_(&all);                                                                                 \
    }                                                                                                           \
    struct name##_sort_declared_

#endif
