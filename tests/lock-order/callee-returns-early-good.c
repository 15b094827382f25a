/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The callee returns early, too, and the bank's lock is taken when the account's is given back. */
#include <pthread.h>
#include <stddef.h>

struct bank;
struct account {
    pthread_mutex_t mu;
    long balance;
    struct bank *bank;
};
struct bank {
    pthread_rwlock_t lock;
    struct account **all;
    int n;
    long fees;
};

static struct account *get(struct bank *b, int id)
{
    struct account *a = NULL;
    pthread_rwlock_rdlock(&b->lock);
    if (id < b->n)
        a = b->all[id];
    if (a)
        pthread_mutex_lock(&a->mu);
    pthread_rwlock_unlock(&b->lock);
    return a;
}
static int charge(struct account *a, long fee)
{
    if (a->balance < fee)
        return -1;
    a->balance -= fee;
    /* the caller books the fee */
    return 0;
}
int pay(struct bank *b, int id);
int pay(struct bank *b, int id)
{
    struct account *a = get(b, id);
    if (!a)
        return -1;
    int result = charge(a, 1);
    pthread_mutex_unlock(&a->mu);
    if (result == 0) {
        pthread_rwlock_wrlock(&b->lock);
        b->fees++;
        pthread_rwlock_unlock(&b->lock);
    }
    return result;
}
