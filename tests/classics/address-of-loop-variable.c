/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* &i of the loop variable as the thread's argument. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

static void *print_number(void *arg)
{
    int *number = arg;
    printf("thread %d\n", *number);
    return NULL;
}

void joined(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, print_number, &i) != 0) // expected-warning {{'i' is used by both threads after this hand-off, unguarded [aglet-sync]}}
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

/* The variable outlives the loop, and the handles are in a struct. */
struct team {
    pthread_t thread[4];
};

void declared_before(struct team *team)
{
    int i;
    for (i = 0; i < 4; ++i)
        if (pthread_create(&team->thread[i], NULL, print_number, (void *)&i)) // expected-warning {{'i' is used by both threads after this hand-off, unguarded [aglet-sync]}}
            abort();
    for (i = 0; i < 4; ++i)
        pthread_join(team->thread[i], NULL);
}

/* while, C11's threads, a cast in the entry. */
static int print_c11(void *arg)
{
    return printf("thread %d\n", *(int *)arg);
}

void counted_down(thrd_t *threads)
{
    int left = 4;
    while (left-- > 0)
        if (thrd_create(&threads[left], print_c11, &left) != thrd_success) // expected-warning {{'left' is used by both threads after this hand-off, unguarded [aglet-sync]}}
            abort();
    for (int i = 0; i < 4; i++)
        thrd_join(threads[i], NULL);
}

/* Mended: by value, or an element each. */
static void *print_value(void *arg)
{
    printf("thread %d\n", (int)(intptr_t)arg);
    return NULL;
}

void by_value(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, print_value, (void *)(intptr_t)i) != 0) // no diagnostic: the number itself
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

void by_element(void)
{
    pthread_t threads[4];
    int numbers[4];
    for (int i = 0; i < 4; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, print_number, &numbers[i]) != 0) // no diagnostic: an element each
            abort();
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
