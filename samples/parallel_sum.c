/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Data parallelism: the sum of an array in chunks, and filter, map and sum in one pass. Stands on
 * aglet/pool.h.
 *
 * Prints  499500000 166167000000 */
#include <aglet/pool.h>
#include <stdio.h>

enum { N = 1000000 };
static int numbers[N];

static void fill(void *context, size_t from, size_t to) {
    int *array = context;
    for (size_t i = from; i < to; i++)
        array[i] = (int)(i % 1000);
}

static void add(void *context, size_t from, size_t to, void *accumulator) {
    const int *array = context;
    long *sum = accumulator;
    for (size_t i = from; i < to; i++)
        *sum += array[i];
}

/* The squares of the even ones. */
static void add_even_squares(void *context, size_t from, size_t to, void *accumulator) {
    const int *array = context;
    long *sum = accumulator;
    for (size_t i = from; i < to; i++)
        if (array[i] % 2 == 0)
            *sum += (long)array[i] * array[i];
}

static void join_sums(void *context, void *earlier, const void *later) {
    (void)context;
    *(long *)earlier += *(const long *)later;
}

int main(void) {
    long zero = 0, sum, even;
    struct aglet_reduction plain = {sizeof zero, &zero, add, join_sums};
    struct aglet_reduction filtered = {sizeof zero, &zero, add_even_squares, join_sums};
    aglet_parallel_for(NULL, 0, N, 0, fill, numbers);
    aglet_parallel_reduce(NULL, 0, N, 0, &plain, numbers, &sum);
    aglet_parallel_reduce(NULL, 0, N, 0, &filtered, numbers, &even);
    printf("%ld %ld\n", sum, even);
    return sum == 499500000 && even == 166167000000 ? 0 : 1;
}
