/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two objects of one type, one locked inside the other, and nothing that says which comes first: hints. */
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    int id;
    long balance;
    struct account *parent, *next;
};
extern struct account *account_find(int id);

/* By parameters. */
void transfer(struct account *from, struct account *to, long amount);
void transfer(struct account *from, struct account *to, long amount) {
    pthread_mutex_lock(&from->mu);
    pthread_mutex_lock(&to->mu); // expected-remark {{'to->mu' is waited for with 'from->mu' of its kind held, in no order that is seen [aglet-lock-order]}}
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&to->mu);
    pthread_mutex_unlock(&from->mu);
}

/* Looked up. */
void transfer_by_id(int from_id, int to_id);
void transfer_by_id(int from_id, int to_id) {
    struct account *from = account_find(from_id), *to = account_find(to_id);
    pthread_mutex_lock(&from->mu);
    pthread_mutex_lock(&to->mu); // expected-remark {{[aglet-lock-order]}}
    to->balance += from->balance;
    pthread_mutex_unlock(&to->mu);
    pthread_mutex_unlock(&from->mu);
}

/* A comparison, but of something else. */
void transfer_rich(struct account *from, struct account *to, long amount);
void transfer_rich(struct account *from, struct account *to, long amount) {
    if (amount < 0)
        return;
    pthread_mutex_lock(&from->mu);
    pthread_mutex_lock(&to->mu); // expected-remark {{[aglet-lock-order]}}
    to->balance += amount;
    pthread_mutex_unlock(&to->mu);
    pthread_mutex_unlock(&from->mu);
}

/* Dining: the last one's right is the first one's left. */
static struct account table[5] = {{PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0}};
void dine(unsigned i);
void dine(unsigned i) {
    pthread_mutex_lock(&table[i].mu);
    pthread_mutex_lock(&table[(i + 1) % 5].mu); // expected-remark {{[aglet-lock-order]}}
    table[i].balance++;
    pthread_mutex_unlock(&table[(i + 1) % 5].mu);
    pthread_mutex_unlock(&table[i].mu);
}

/* From the child to its parent, and from the parent to the child. */
void up(struct account *child);
void up(struct account *child) {
    pthread_mutex_lock(&child->mu);
    pthread_mutex_lock(&child->parent->mu); // expected-remark {{[aglet-lock-order]}}
    child->parent->balance += child->balance;
    pthread_mutex_unlock(&child->parent->mu);
    pthread_mutex_unlock(&child->mu);
}
void down(struct account *child);
void down(struct account *child) {
    struct account *parent = child->parent;
    pthread_mutex_lock(&parent->mu);
    pthread_mutex_lock(&child->mu);
    child->balance += parent->balance;
    pthread_mutex_unlock(&child->mu);
    pthread_mutex_unlock(&parent->mu);
}

/* Every account of a list that nobody sorts. */
void all(struct account **accounts, int n);
void all(struct account **accounts, int n) {
    for (int i = 0; i < n; i++)
        pthread_mutex_lock(&accounts[i]->mu); // expected-remark {{[aglet-lock-order]}}
    for (int i = 0; i < n; i++)
        accounts[i]->balance = 0;
    for (int i = 0; i < n; i++)
        pthread_mutex_unlock(&accounts[i]->mu);
}
