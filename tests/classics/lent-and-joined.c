/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A local lent to threads that are all joined in the same function, as std::thread::scope; and an early return. */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>
#include <unistd.h>

enum { THREADS = 4 };

struct part {
    const int *from;
    int n;
    long sum;
};

static void *add(void *arg)
{
    struct part *p = arg;
    for (int i = 0; i < p->n; i++)
        p->sum += p->from[i];
    return NULL;
}

long two_threads(const int *numbers, int n)
{
    pthread_t a, b;
    struct part left = {numbers, n / 2, 0}, right = {numbers + n / 2, n - n / 2, 0};
    if (pthread_create(&a, NULL, add, &left) != 0) // no diagnostic: joined on every way
        return -1;
    if (pthread_create(&b, NULL, add, &right) != 0) { // no diagnostic: so is this one
        pthread_join(a, NULL);
        return -1;
    }
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return left.sum + right.sum;
}

long many_threads(const int *numbers, int n)
{
    pthread_t threads[THREADS];
    struct part parts[THREADS];
    long sum = 0;
    for (int i = 0; i < THREADS; i++) {
        parts[i] = (struct part){numbers + i * n / THREADS, n / THREADS, 0};
        if (pthread_create(threads + i, NULL, add, parts + i) != 0) // no diagnostic: all are joined below
            abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += parts[i].sum;
    }
    return sum;
}

/* As many as could be started are joined. */
long as_many_as_started(const int *numbers, int n)
{
    pthread_t threads[THREADS];
    struct part parts[THREADS];
    int started = 0;
    long sum = 0;
    for (int i = 0; i < THREADS; i++) {
        parts[i] = (struct part){numbers + i * n / THREADS, n / THREADS, 0};
        if (pthread_create(&threads[i], NULL, add, &parts[i]) != 0) // no diagnostic: those that were started are joined
            break;
        started++;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        sum += parts[i].sum;
    }
    return started == THREADS ? sum : -1;
}

/* Wrong: a return between the start and the join. */
long early_return(const int *numbers, int n, int fd)
{
    pthread_t t;
    struct part p = {numbers, n, 0};
    if (pthread_create(&t, NULL, add, &p) != 0) // expected-warning {{local 'p' may die while the other thread still uses it [aglet-stack-escape]}} expected-warning {{is joined or detached on some ways only [aglet-unjoined]}}
        return -1;
    if (fsync(fd) != 0)
        return -1;
    pthread_join(t, NULL);
    return p.sum;
}

/* Wrong: the second thread fails to start, and the first is forgotten. */
long second_fails(const int *numbers, int n)
{
    pthread_t a, b;
    struct part left = {numbers, n / 2, 0}, right = {numbers + n / 2, n - n / 2, 0};
    if (pthread_create(&a, NULL, add, &left) != 0) // expected-warning {{local 'left' may die while the other thread still uses it [aglet-stack-escape]}} expected-warning {{is joined or detached on some ways only [aglet-unjoined]}}
        return -1;
    if (pthread_create(&b, NULL, add, &right) != 0)
        return -1;
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return left.sum + right.sum;
}

/* Wrong: a return in the middle of the loop that starts them. */
static int add_c11(void *arg)
{
    return add(arg) != NULL;
}

long return_while_starting(const int *numbers, int n)
{
    thrd_t threads[THREADS];
    struct part parts[THREADS];
    long sum = 0;
    for (int i = 0; i < THREADS; i++) {
        parts[i] = (struct part){numbers + i * n / THREADS, n / THREADS, 0};
        if (thrd_create(&threads[i], add_c11, &parts[i]) != thrd_success) // expected-warning {{local 'parts' may die while the other thread still uses it [aglet-stack-escape]}} expected-warning {{a thread of 'threads' is joined or detached on some ways only [aglet-unjoined]}}
            return -1;
    }
    for (int i = 0; i < THREADS; i++) {
        thrd_join(threads[i], NULL);
        sum += parts[i].sum;
    }
    return sum;
}

/* Mended: one way out. */
long one_way_out(const int *numbers, int n, int fd)
{
    int result;
    pthread_t t;
    struct part p = {numbers, n, 0};
    if (pthread_create(&t, NULL, add, &p) != 0) // no diagnostic: joined on every way
        return -1;
    result = fsync(fd);
    pthread_join(t, NULL);
    return result == 0 ? p.sum : -1;
}
