/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A bank account with three mistakes that every C compiler accepts and that the checker names.
 * Stands on pthreads and the annotations alone.
 *
 * Lint   guarded-by lock-leak
 * Run    alone exits 0
 * Prints  total 50 */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdio.h>

struct account {
    pthread_mutex_t mu;
    long balance AGLET_GUARDED_BY(mu);
    long limit; /* set once, before any thread starts */
};

static struct account everyday = {PTHREAD_MUTEX_INITIALIZER, 100, 1000};
static struct account savings = {PTHREAD_MUTEX_INITIALIZER, 0, 5000};

/* Wrong: the early return leaves the lock held. */
static int account_pay(struct account *a, long amount) {
    pthread_mutex_lock(&a->mu);
    if (a->balance < amount)
        return -1;
    a->balance -= amount;
    pthread_mutex_unlock(&a->mu);
    return 0;
}

/* Wrong: the lock held is the other account's. */
static void account_move(struct account *from, struct account *to, long amount) {
    pthread_mutex_lock(&from->mu);
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&from->mu);
}

/* Wrong: reads what another thread may be writing. */
static long account_total(void) {
    return everyday.balance + savings.balance;
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
    account_move(&everyday, &savings, 20);
    pthread_join(thread, NULL);
    printf("total %ld\n", account_total());
    return 0;
}
