/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which of several locks is taken is chosen by a condition, which is asked again or not. Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>

struct node {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
};

/* In the order of their addresses, each named by a condition of its own. */
int move(struct node *a, struct node *b);
int move(struct node *a, struct node *b) {
    pthread_mutex_lock(a < b ? &a->mu : &b->mu);
    pthread_mutex_lock(a < b ? &b->mu : &a->mu);
    b->n += a->n; // no diagnostic: both are held
    a->n = 0;
    pthread_mutex_unlock(&b->mu);
    pthread_mutex_unlock(&a->mu);
    return 0;
}
int move_one(struct node *a, struct node *b);
int move_one(struct node *a, struct node *b) {
    struct node *first = a < b ? a : b;
    pthread_mutex_lock(&first->mu);
    if (a < b)
        a->n++; // no diagnostic: it is the first
    else
        b->n++;
    if (a->n) // expected-warning {{[aglet-guarded-by]}}
        b = a;
    pthread_mutex_unlock(&first->mu);
    return 0;
}
int move_early(struct node *a, struct node *b);
int move_early(struct node *a, struct node *b) {
    pthread_mutex_lock(a < b ? &a->mu : &b->mu);
    pthread_mutex_lock(a < b ? &b->mu : &a->mu);
    if (!a->n) {
        pthread_mutex_unlock(&b->mu);
        return -1; // expected-warning {{'a->mu' is still held on this return [aglet-lock-leak]}}
    }
    pthread_mutex_unlock(&b->mu);
    pthread_mutex_unlock(&a->mu);
    return 0;
}

/* One of two globals. */
static pthread_mutex_t in_mu = PTHREAD_MUTEX_INITIALIZER, out_mu = PTHREAD_MUTEX_INITIALIZER;
static int in AGLET_GUARDED_BY(in_mu), out AGLET_GUARDED_BY(out_mu);
void count(int incoming);
void count(int incoming) {
    pthread_mutex_t *mu = incoming ? &in_mu : &out_mu;
    pthread_mutex_lock(mu);
    if (incoming)
        in++; // no diagnostic
    else
        out++;
    pthread_mutex_unlock(mu);
}
void count_wrong(int incoming);
void count_wrong(int incoming) {
    pthread_mutex_t *mu = incoming ? &in_mu : &out_mu;
    pthread_mutex_lock(mu);
    if (incoming)
        out++; // expected-warning {{[aglet-guarded-by]}}
    pthread_mutex_unlock(mu);
}

/* For reading or for writing, as the caller says. */
enum mode { FOR_READING, FOR_WRITING };
struct table {
    pthread_rwlock_t rw;
    int n AGLET_GUARDED_BY(rw);
};
static void table_lock(struct table *t, enum mode m) {
    if (m == FOR_WRITING)
        pthread_rwlock_wrlock(&t->rw);
    else
        pthread_rwlock_rdlock(&t->rw);
}
static void table_unlock(struct table *t) {
    pthread_rwlock_unlock(&t->rw);
}
int table_read(struct table *t);
int table_read(struct table *t) {
    table_lock(t, FOR_READING);
    int n = t->n; // no diagnostic
    table_unlock(t);
    return n;
}
void table_write(struct table *t, int n);
void table_write(struct table *t, int n) {
    table_lock(t, FOR_WRITING);
    t->n = n; // no diagnostic
    table_unlock(t);
}
void table_write_read(struct table *t, int n);
void table_write_read(struct table *t, int n) {
    table_lock(t, FOR_READING);
    t->n = n; // expected-warning {{'t->n' is written with 't->rw' held for reading only [aglet-guarded-by]}}
    table_unlock(t);
}
void table_upgrade(struct table *t);
void table_upgrade(struct table *t) {
    table_lock(t, FOR_READING);
    if (t->n > 9) {
        table_lock(t, FOR_WRITING); // expected-warning {{[aglet-double-lock]}}
        table_unlock(t);
    }
    table_unlock(t);
}

/* A loop's own pointer is no choice: what is wrong in its turns is told once. */
struct shelf {
    struct node at[8];
};
static int take_one(struct node *v) {
    return v->n ? v->n-- : 0;
}
void shelf_sweep(struct shelf *h);
void shelf_sweep(struct shelf *h) {
    for (struct node *v = h->at; v < h->at + 8; v++) {
        pthread_mutex_lock(&v->mu);
        while (take_one(v)) // expected-warning 1 {{call it with 'v->mu' held [aglet-guarded-by]}}
            pthread_mutex_unlock(&v->mu);
        pthread_mutex_unlock(&v->mu);
    }
}

/* Both in order, each named by a variable of its own: pointers, elements by their index, and parameters that change places. */
int move_ordered(struct node *a, struct node *b);
int move_ordered(struct node *a, struct node *b) {
    struct node *first = a < b ? a : b, *second = a < b ? b : a;
    if (a == b)
        return 0;
    pthread_mutex_lock(&first->mu);
    pthread_mutex_lock(&second->mu);
    b->n += a->n; // no diagnostic: both are held
    pthread_mutex_unlock(&second->mu);
    pthread_mutex_unlock(&first->mu);
    return a->n; // expected-warning {{[aglet-guarded-by]}}
}
struct nodes {
    unsigned size;
    struct node *at;
};
static struct node all[8];
void move_indexed(unsigned i, unsigned j);
void move_indexed(unsigned i, unsigned j) {
    const unsigned low = i < j ? i : j, high = i < j ? j : i;
    if (low == high)
        return;
    pthread_mutex_lock(&all[low].mu);
    pthread_mutex_lock(&all[high].mu);
    all[j].n += all[i].n; // no diagnostic: both are held
    pthread_mutex_unlock(&all[high].mu);
    pthread_mutex_unlock(&all[low].mu);
}
void move_swapped(struct nodes *t, unsigned i, unsigned j);
void move_swapped(struct nodes *t, unsigned i, unsigned j) {
    struct node *a = &t->at[i], *b = &t->at[j];
    if (i == j)
        return;
    if (i > j) {
        struct node *other = a;
        a = b;
        b = other;
    }
    pthread_mutex_lock(&a->mu);
    pthread_mutex_lock(&b->mu);
    t->at[j].n += t->at[i].n; // no diagnostic: both are held
    pthread_mutex_unlock(&b->mu);
    pthread_mutex_unlock(&a->mu);
}
static void lock_two(pthread_mutex_t *a, pthread_mutex_t *b) {
    if (a > b) {
        pthread_mutex_t *other = a;
        a = b;
        b = other;
    }
    pthread_mutex_lock(a);
    if (a != b)
        pthread_mutex_lock(b);
}
static void unlock_two(pthread_mutex_t *a, pthread_mutex_t *b) {
    pthread_mutex_unlock(a);
    if (a != b)
        pthread_mutex_unlock(b);
}
void move_by_helper(struct node *a, struct node *b, struct node *c);
void move_by_helper(struct node *a, struct node *b, struct node *c) {
    lock_two(&a->mu, &b->mu);
    b->n += a->n; // no diagnostic: both are held
    c->n++;       // expected-warning {{[aglet-guarded-by]}}
    unlock_two(&a->mu, &b->mu);
}
