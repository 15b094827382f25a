/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How locks are used in code that is right: nothing may be said of any of it. Stands on pthreads. */
// expected-no-diagnostics
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* two-lock transfer by address */
struct acc {
    pthread_mutex_t mu;
    long bal;
};
void transfer(struct acc *a, struct acc *b, long n);
void transfer(struct acc *a, struct acc *b, long n) {
    struct acc *first = a < b ? a : b, *second = a < b ? b : a;
    if (a == b)
        return;
    pthread_mutex_lock(&first->mu);
    pthread_mutex_lock(&second->mu);
    a->bal -= n;
    b->bal += n;
    pthread_mutex_unlock(&second->mu);
    pthread_mutex_unlock(&first->mu);
}
/* queue with goto */
struct q {
    pthread_mutex_t mu;
    pthread_cond_t c;
    int n, closed;
    void *items[16];
};
int q_put(struct q *q, void *p);
int q_put(struct q *q, void *p) {
    int rc = 0;
    pthread_mutex_lock(&q->mu);
    while (q->n == 16 && !q->closed)
        pthread_cond_wait(&q->c, &q->mu);
    if (q->closed) {
        rc = -1;
        goto out;
    }
    q->items[q->n++] = p;
    pthread_cond_signal(&q->c);
out:
    pthread_mutex_unlock(&q->mu);
    return rc;
}
/* for-loop scoped macro */
#define WITH_LOCK(m) for (int once_ = (pthread_mutex_lock(m), 1); once_; once_ = (pthread_mutex_unlock(m), 0))
int with(struct q *q);
int with(struct q *q) {
    int n = 0;
    WITH_LOCK(&q->mu) {
        n = q->n;
    }
    return n;
}
/* lock released in switch */
int sw(struct q *q, int op);
int sw(struct q *q, int op) {
    pthread_mutex_lock(&q->mu);
    switch (op) {
    case 0:
        q->n = 0;
        break;
    case 1:
        pthread_mutex_unlock(&q->mu);
        return 1;
    default:
        q->closed = 1;
        break;
    }
    pthread_mutex_unlock(&q->mu);
    return 0;
}
/* unlock around callback */
int drain(struct q *q, void (*cb)(void *));
int drain(struct q *q, void (*cb)(void *)) {
    int k = 0;
    pthread_mutex_lock(&q->mu);
    while (q->n > 0) {
        void *p = q->items[--q->n];
        pthread_mutex_unlock(&q->mu);
        cb(p);
        k++;
        pthread_mutex_lock(&q->mu);
    }
    pthread_mutex_unlock(&q->mu);
    return k;
}
/* retry trylock */
int spin(struct q *q);
int spin(struct q *q) {
    int t = 0;
    while (pthread_mutex_trylock(&q->mu) != 0) {
        if (++t > 100)
            return -1;
    }
    q->n = 0;
    pthread_mutex_unlock(&q->mu);
    return 0;
}
/* hash buckets */
struct ht {
    struct bucket {
        pthread_mutex_t mu;
        int n;
    } b[64];
};
void ht_inc(struct ht *h, unsigned k);
void ht_inc(struct ht *h, unsigned k) {
    struct bucket *b = &h->b[k % 64];
    pthread_mutex_lock(&b->mu);
    b->n++;
    pthread_mutex_unlock(&b->mu);
}
int ht_sum(struct ht *h);
int ht_sum(struct ht *h) {
    int s = 0;
    for (int i = 0; i < 64; i++) {
        pthread_mutex_lock(&h->b[i].mu);
        s += h->b[i].n;
        pthread_mutex_unlock(&h->b[i].mu);
    }
    return s;
}
/* refcount */
struct obj {
    pthread_mutex_t mu;
    int refs;
    char *name;
};
void obj_put(struct obj *o);
void obj_put(struct obj *o) {
    bool last;
    pthread_mutex_lock(&o->mu);
    last = --o->refs == 0;
    pthread_mutex_unlock(&o->mu);
    if (last) {
        free(o->name);
        pthread_mutex_destroy(&o->mu);
        free(o);
    }
}
struct obj *obj_get(struct obj *o);
struct obj *obj_get(struct obj *o) {
    pthread_mutex_lock(&o->mu);
    o->refs++;
    pthread_mutex_unlock(&o->mu);
    return o;
}
void obj_rename(struct obj *o, const char *s);
void obj_rename(struct obj *o, const char *s) {
    char *n = strdup(s), *old;
    pthread_mutex_lock(&o->mu);
    old = o->name;
    o->name = n;
    pthread_mutex_unlock(&o->mu);
    free(old);
}
/* rwlock upgrade by re-taking */
struct cache {
    pthread_rwlock_t l;
    int v, valid;
};
int cache_get(struct cache *c);
int cache_get(struct cache *c) {
    int v;
    pthread_rwlock_rdlock(&c->l);
    if (!c->valid) {
        pthread_rwlock_unlock(&c->l);
        pthread_rwlock_wrlock(&c->l);
        if (!c->valid) {
            c->v = 3;
            c->valid = 1;
        }
    }
    v = c->v;
    pthread_rwlock_unlock(&c->l);
    return v;
}
/* find returns locked */
struct node {
    struct node *next;
    int key;
    pthread_mutex_t mu;
    int val;
};
static pthread_mutex_t list_mu = PTHREAD_MUTEX_INITIALIZER;
static struct node *list;
struct node *find_locked(int key);
struct node *find_locked(int key) {
    struct node *n;
    pthread_mutex_lock(&list_mu);
    for (n = list; n; n = n->next)
        if (n->key == key) {
            pthread_mutex_lock(&n->mu);
            break;
        }
    pthread_mutex_unlock(&list_mu);
    return n;
}
int bump(int key);
int bump(int key) {
    struct node *n = find_locked(key);
    int v;
    if (!n)
        return -1;
    v = ++n->val;
    pthread_mutex_unlock(&n->mu);
    return v;
}
/* error-path cleanup with flags */
int flags(struct q *q, struct acc *a);
int flags(struct q *q, struct acc *a) {
    bool ql = false, al = false;
    int rc = -1;
    if (pthread_mutex_lock(&q->mu))
        goto out;
    ql = true;
    if (q->closed)
        goto out;
    if (pthread_mutex_lock(&a->mu))
        goto out;
    al = true;
    a->bal++;
    rc = 0;
out:
    if (al)
        pthread_mutex_unlock(&a->mu);
    if (ql)
        pthread_mutex_unlock(&q->mu);
    return rc;
}
/* lazily created */
static struct q *the_q;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void make(void) {
    the_q = calloc(1, sizeof *the_q);
    if (the_q) {
        pthread_mutex_init(&the_q->mu, NULL);
        pthread_cond_init(&the_q->c, NULL);
    }
}
struct q *get_q(void);
struct q *get_q(void) {
    pthread_once(&once, make);
    return the_q;
}
/* init partial failure */
struct q *q_new(void);
struct q *q_new(void) {
    struct q *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    if (pthread_mutex_init(&q->mu, NULL)) {
        free(q);
        return NULL;
    }
    if (pthread_cond_init(&q->c, NULL)) {
        pthread_mutex_destroy(&q->mu);
        free(q);
        return NULL;
    }
    q->n = 0;
    return q;
}
/* lock ptr chosen */
static pthread_mutex_t m1 = PTHREAD_MUTEX_INITIALIZER, m2 = PTHREAD_MUTEX_INITIALIZER;
void chosen(int k);
void chosen(int k) {
    pthread_mutex_t *m = k ? &m1 : &m2;
    pthread_mutex_lock(m);
    puts("x");
    pthread_mutex_unlock(m);
}
/* timed wait loop */
int twait(struct q *q, const struct timespec *ts);
int twait(struct q *q, const struct timespec *ts) {
    int rc = 0;
    pthread_mutex_lock(&q->mu);
    while (!q->n && rc == 0)
        rc = pthread_cond_timedwait(&q->c, &q->mu, ts);
    if (rc == ETIMEDOUT) {
        pthread_mutex_unlock(&q->mu);
        return -1;
    }
    q->n--;
    pthread_mutex_unlock(&q->mu);
    return 0;
}
/* array of locks lock all ascending in one function */
void all(struct ht *h);
void all(struct ht *h) {
    for (int i = 0; i < 64; i++)
        pthread_mutex_lock(&h->b[i].mu);
    for (int i = 0; i < 64; i++)
        h->b[i].n = 0;
    for (int i = 63; i >= 0; i--)
        pthread_mutex_unlock(&h->b[i].mu);
}
/* do while(0) break */
int dw(struct q *q);
int dw(struct q *q) {
    int rc = -1;
    pthread_mutex_lock(&q->mu);
    do {
        if (q->closed)
            break;
        if (q->n == 16)
            break;
        q->n++;
        rc = 0;
    } while (0);
    pthread_mutex_unlock(&q->mu);
    return rc;
}
/* noreturn abort helper */
static void die_(void) {
    fprintf(stderr, "x");
    abort();
}
void chk(struct q *q);
void chk(struct q *q) {
    pthread_mutex_lock(&q->mu);
    if (q->n < 0)
        die_();
    pthread_mutex_unlock(&q->mu);
}
/* recursive via attr */
struct rec {
    pthread_mutex_t mu;
    int d;
};
void rec_init(struct rec *r);
void rec_init(struct rec *r) {
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&r->mu, &a);
    pthread_mutexattr_destroy(&a);
}
void rec_in(struct rec *r, int k);
void rec_in(struct rec *r, int k) {
    pthread_mutex_lock(&r->mu);
    if (k)
        rec_in(r, k - 1);
    r->d++;
    pthread_mutex_unlock(&r->mu);
}
/* lock struct assert wrapper */
#define CHECK(x)                                                                                                       \
    do {                                                                                                               \
        int e_ = (x);                                                                                                  \
        if (e_) {                                                                                                      \
            fprintf(stderr, "%s\n", strerror(e_));                                                                     \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)
void ck(struct q *q);
void ck(struct q *q) {
    CHECK(pthread_mutex_lock(&q->mu));
    q->n++;
    CHECK(pthread_mutex_unlock(&q->mu));
}
/* conditional need_unlock param */
void maybe(struct q *q, bool have);
void maybe(struct q *q, bool have) {
    if (!have)
        pthread_mutex_lock(&q->mu);
    q->n++;
    if (!have)
        pthread_mutex_unlock(&q->mu);
}

/* ---- a lock by a pointer that nobody sets ---- */
static pthread_mutex_t line_mutex = PTHREAD_MUTEX_INITIALIZER, *line_lock = &line_mutex;
static pthread_cond_t line_filled = PTHREAD_COND_INITIALIZER, *line_cond = &line_filled;
static int line_length, line_busy;
int line_log(const char *what);
static void line_give_back(void *lock) { pthread_mutex_unlock(lock); }
void line_serve(void);
void line_serve(void) {
    while (line_log("next")) {
        pthread_cleanup_push(line_give_back, line_lock);
        pthread_mutex_lock(line_lock);
        line_busy = line_length > 0;
        while (line_length == 0) {
            line_log("waiting");
            pthread_cond_wait(line_cond, line_lock); // no diagnostic: waits with the one lock it holds
            line_log("awake");
        }
        line_busy = 1;
        pthread_cleanup_pop(1);
    }
}
