/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The callee that takes the bank's lock returns early on some ways, by what it finds in the account that is locked. */
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
        pthread_mutex_lock(&a->mu); // expected-warning {{[aglet-lock-order]}}
    pthread_rwlock_unlock(&b->lock);
    return a;
}
static int charge(struct account *a, long fee)
{
    if (a->balance < fee)
        return -1;
    a->balance -= fee;
    pthread_rwlock_wrlock(&a->bank->lock);
    a->bank->fees += fee;
    pthread_rwlock_unlock(&a->bank->lock);
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
    return result;
}
