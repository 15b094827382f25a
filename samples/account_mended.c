/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The account of account.c with its mistakes mended: the checker has nothing to say.
 * Stands on pthreads and the annotations alone.
 *
 * Lint   quiet
 * Run    alone exits 0
 * Prints  total 50 */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdio.h>

struct account {
    pthread_mutex_t mu;
    long balance AGLET_GUARDED_BY(mu);
};

static struct account everyday = {PTHREAD_MUTEX_INITIALIZER, 100};
static struct account savings = {PTHREAD_MUTEX_INITIALIZER, 0};

static int account_pay(struct account *a, long amount) {
    int result = -1;
    pthread_mutex_lock(&a->mu);
    if (a->balance >= amount) {
        a->balance -= amount;
        result = 0;
    }
    pthread_mutex_unlock(&a->mu);
    return result;
}

/* Nobody reaches into an account but with its own lock. The helper needs no annotation: what it needs is seen. */
static void add(struct account *a, long amount) {
    a->balance += amount;
}

static void account_add(struct account *a, long amount) {
    pthread_mutex_lock(&a->mu);
    add(a, amount);
    pthread_mutex_unlock(&a->mu);
}

static long account_read(struct account *a) {
    pthread_mutex_lock(&a->mu);
    long balance = a->balance;
    pthread_mutex_unlock(&a->mu);
    return balance;
}

static void *spend(void *unused) {
    (void)unused;
    for (int i = 0; i < 5; i++)
        account_pay(&everyday, 10);
    return NULL;
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, spend, NULL) != 0)
        return 1;
    if (account_pay(&everyday, 20) == 0)
        account_add(&savings, 20);
    pthread_join(thread, NULL);
    long total = account_read(&everyday) + account_read(&savings);
    printf("total %ld\n", total);
    return total == 50 ? 0 : 1;
}
