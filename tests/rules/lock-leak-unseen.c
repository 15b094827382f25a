/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-leak: functions that return with a lock, and nobody in sight gives it back. Stands on pthreads. */
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    long balance;
};
long peek(struct account *a);
long peek(struct account *a)
{
    pthread_mutex_lock(&a->mu);
    long n = a->balance;
    pthread_mutex_unlock(&a->mu);
    return n;
}
int deposit(struct account *a, long n);
int deposit(struct account *a, long n)
{
    if (n < 0)
        return -1;
    pthread_mutex_lock(&a->mu);
    a->balance += n;
    return 0; // expected-remark {{'a->mu' is still held on this return, and nobody in sight gives it back [aglet-lock-leak]}}
}
int withdraw(struct account *a, long n);
int withdraw(struct account *a, long n)
{
    pthread_mutex_lock(&a->mu);
    const int result = a->balance < n ? -1 : 0;
    if (!result)
        a->balance -= n;
    pthread_mutex_unlock(&a->mu);
    return result; // no diagnostic: given back
}

/* ---- an interface: what takes it for the caller has something that gives it back ---- */
struct session {
    pthread_mutex_t mu;
    int n;
};
int count(struct session *s);
int count(struct session *s)
{
    pthread_mutex_lock(&s->mu);
    const int n = s->n;
    pthread_mutex_unlock(&s->mu);
    return n;
}
struct session *get(struct session *s);
struct session *get(struct session *s)
{
    pthread_mutex_lock(&s->mu);
    return s; // no diagnostic: put_back() is the other half
}
void put_back(struct session *s);
void put_back(struct session *s) { pthread_mutex_unlock(&s->mu); }
