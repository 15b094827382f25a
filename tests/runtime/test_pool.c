/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/pool.h, as its contract says. Stands on on_each.h. */
#include "on_each.h"

#include "aglet/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct fib {
    int n;
    long result;
};

static void fib(void *arg) {
    struct fib *f = arg;
    if (f->n < 2) {
        f->result = f->n;
        return;
    }
    struct fib a = {f->n - 1, 0}, b = {f->n - 2, 0};
    aglet_join2(fib, &a, fib, &b);
    f->result = a.result + b.result;
}

static void forks_are_joined_before_the_return(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 4; threads++) {
        aglet_pool *pool = aglet_pool_new(threads);
        assert_int_equal(aglet_pool_threads(pool), threads);
        struct fib f = {22, 0};
        aglet_pool_run(pool, fib, &f);
        assert_int_equal(f.result, 17711);
        aglet_pool_free(pool);
    }
    assert_true(aglet_pool_threads(NULL) >= 1);
    struct fib f = {18, 0};
    fib(&f);
    assert_int_equal(f.result, 2584);
}

enum { N = 100003 };
static atomic_uchar touched[N];

static void touch(void *context, size_t from, size_t to) {
    (void)context;
    for (size_t i = from; i < to; i++)
        atomic_fetch_add(&touched[i], 1);
}

static void a_loop_visits_every_index_once(void **state) {
    (void)state;
    size_t grains[] = {0, 1, 7, N, 2 * N};
    for (size_t g = 0; g < COUNT(grains); g++)
        aglet_parallel_for(NULL, 0, N, grains[g], touch, NULL);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(atomic_load(&touched[i]), COUNT(grains));
    aglet_parallel_for(NULL, 5, 5, 0, touch, NULL);
}

#define HALF(value) ((value) / 2.0)
AGLET_PARALLEL_MAP(halves, int, double, HALF);
static int negative(int value) {
    return -value;
}
AGLET_PARALLEL_MAP(negatives, int, int, negative);

static void a_map_makes_every_value_of_its_own(void **state) {
    static int in[N];
    static double out[N];
    (void)state;
    for (int i = 0; i < N; i++)
        in[i] = i;
    halves(NULL, in, out, N);
    negatives(NULL, in, in, N);
    for (int i = 0; i < N; i++)
        assert_true(out[i] == i / 2.0 && in[i] == -i);
    halves(NULL, in, out, 0);
}

struct line {
    size_t first, last, count;
};

static void add_range(void *context, size_t from, size_t to, void *accumulator) {
    struct line *l = accumulator;
    (void)context;
    if (!l->count)
        l->first = from;
    l->last = to;
    l->count += to - from;
}

static void join_lines(void *context, void *earlier, const void *later) {
    struct line *a = earlier;
    const struct line *b = later;
    int *wrong = context;
    if (a->last != b->first)
        *wrong = 1;
    a->last = b->last;
    a->count += b->count;
}

static void a_reduction_combines_neighbours_in_order(void **state) {
    (void)state;
    int wrong = 0;
    struct line zero = {0}, all;
    struct aglet_reduction how = {sizeof zero, &zero, add_range, join_lines};
    aglet_parallel_reduce(NULL, 10, 100010, 13, &how, &wrong, &all);
    assert_int_equal(wrong, 0);
    assert_int_equal(all.first, 10);
    assert_int_equal(all.last, 100010);
    assert_int_equal(all.count, 100000);
}

#define LESS(a, b) ((a) < (b))
AGLET_PARALLEL_SORT(sort_longs, long, LESS);

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void a_sort_orders_every_kind_of_input(void **state) {
    (void)state;
    static long a[200000];
    size_t sizes[] = {0, 1, 2, 25, 100, 8192, 8193, 200000};
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int kind = 0; kind < 5; kind++) {
            size_t n = sizes[s];
            long sum = 0, after = 0;
            for (size_t i = 0; i < n; i++) {
                a[i] = kind == 0   ? (long)next_random()
                       : kind == 1 ? (long)i
                       : kind == 2 ? (long)(n - i)
                       : kind == 3 ? 7
                                   : (long)(next_random() % 4);
                sum = (long)((unsigned long)sum + (unsigned long)a[i] * 31u);
            }
            sort_longs(NULL, a, n);
            for (size_t i = 0; i < n; i++) {
                after = (long)((unsigned long)after + (unsigned long)a[i] * 31u);
                if (i)
                    assert_true(a[i - 1] <= a[i]);
            }
            assert_int_equal(sum, after);
        }
}

static void *from_task(void *arg) {
    (void)arg;
    struct fib f = {15, 0};
    fib(&f);
    CHECK(f.result == 610);
    return NULL;
}

static void tasks_may_fork_on_the_pool(void **state) {
    (void)state;
    on_each(from_task, NULL);
}

/* More than have a place as guests, beside tasks that hand their work over. */
enum { CALLERS = 7, CALLS = 60, RANGE = 3000 };
static aglet_pool *shared_pool;

static void count_range(void *context, size_t from, size_t to) {
    atomic_fetch_add((atomic_size_t *)context, to - from);
}

static void *call_often(void *unused) {
    (void)unused;
    for (int i = 0; i < CALLS; i++) {
        atomic_size_t counted = 0;
        struct fib f = {12, 0};
        aglet_parallel_for(shared_pool, 0, RANGE, 50, count_range, &counted);
        aglet_pool_run(shared_pool, fib, &f);
        CHECK(counted == RANGE && f.result == 144);
    }
    return NULL;
}

static void threads_and_tasks_share_a_pool(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        pthread_t callers[CALLERS];
        void *wrong;
        shared_pool = aglet_pool_new(threads);
        assert_non_null(shared_pool);
        for (int i = 0; i < CALLERS; i++)
            assert_int_equal(pthread_create(&callers[i], NULL, call_often, NULL), 0);
        on_each(call_often, NULL);
        for (int i = 0; i < CALLERS; i++) {
            pthread_join(callers[i], &wrong);
            assert_null(wrong);
        }
        aglet_pool_free(shared_pool);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forks_are_joined_before_the_return),
        cmocka_unit_test(a_loop_visits_every_index_once),
        cmocka_unit_test(a_map_makes_every_value_of_its_own),
        cmocka_unit_test(a_reduction_combines_neighbours_in_order),
        cmocka_unit_test(a_sort_orders_every_kind_of_input),
        cmocka_unit_test(tasks_may_fork_on_the_pool),
        cmocka_unit_test(threads_and_tasks_share_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
