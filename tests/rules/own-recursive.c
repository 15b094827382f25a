/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Recursive locks that a program makes itself of an owner, a count and a plain mutex. Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the owner asked first ---- */
struct mine {
    pthread_mutex_t mu;
    pthread_t owner;
    char depth;
};
void mine_lock(struct mine *m);
void mine_lock(struct mine *m) {
    if (m->owner == pthread_self()) {
        m->depth++;
        return;
    }
    pthread_mutex_lock(&m->mu);
    m->owner = pthread_self();
    m->depth = 1;
}
void mine_unlock(struct mine *m);
void mine_unlock(struct mine *m) {
    if (--m->depth)
        return;
    m->owner = 0;
    pthread_mutex_unlock(&m->mu); // no diagnostic
}
struct ring {
    struct mine lock;
    long n AGLET_GUARDED_BY(lock.mu);
    long seen;
};
void ring_add(struct ring *r, long by);
void ring_add(struct ring *r, long by) {
    mine_lock(&r->lock);
    r->n += by; // no diagnostic
    mine_unlock(&r->lock);
}
void ring_twice(struct ring *r);
void ring_twice(struct ring *r) {
    mine_lock(&r->lock);
    ring_add(r, 1); // no diagnostic: taken again
    mine_lock(&r->lock);
    mine_unlock(&r->lock);
    r->n++; // no diagnostic: one level is left
    mine_unlock(&r->lock);
}
void ring_pour(struct ring *from, struct ring *to);
void ring_pour(struct ring *from, struct ring *to) {
    mine_lock(&from->lock);
    mine_lock(&to->lock); // expected-remark {{[aglet-lock-order]}} two, as far as is known
    to->n += from->n;
    mine_unlock(&to->lock);
    mine_unlock(&from->lock);
}
void ring_bare(struct ring *r);
void ring_bare(struct ring *r) {
    r->n++; // expected-warning {{[aglet-guarded-by]}}
}
void ring_after(struct ring *r);
void ring_after(struct ring *r) {
    mine_lock(&r->lock);
    mine_unlock(&r->lock);
    r->n++; // expected-warning {{[aglet-guarded-by]}}
}
int ring_early(struct ring *r);
int ring_early(struct ring *r) {
    mine_lock(&r->lock);
    if (r->n < 0)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    mine_unlock(&r->lock);
    return 0;
}
int ring_one_level(struct ring *r);
int ring_one_level(struct ring *r) {
    mine_lock(&r->lock);
    mine_lock(&r->lock);
    mine_unlock(&r->lock);
    if (r->n < 0)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    mine_unlock(&r->lock);
    return 0;
}
void ring_too_often(struct ring *r);
void ring_too_often(struct ring *r) {
    mine_lock(&r->lock);
    mine_unlock(&r->lock);
    mine_unlock(&r->lock); // expected-warning {{[aglet-unlock-unheld]}}
}

/* ---- one way for both, the owner by a helper, a count that begins at none ---- */
struct joined {
    pthread_mutex_t mu;
    _Atomic(const void *) owner;
    unsigned count;
    int value AGLET_GUARDED_BY(mu);
};
static _Thread_local char me_;
static const void *me(void) {
    return &me_;
}
static bool is_mine(struct joined *j) {
    return atomic_load_explicit(&j->owner, memory_order_relaxed) == me();
}
static void joined_lock(struct joined *j) {
    const bool mine = is_mine(j);

    if (!mine) {
        pthread_mutex_t *mu = &j->mu;
        pthread_mutex_lock(mu);
        atomic_store_explicit(&j->owner, me(), memory_order_relaxed);
    }
    j->count++;
}
static void joined_unlock(struct joined *j) {
    j->count -= 1;
    if (j->count == 0) {
        atomic_store_explicit(&j->owner, NULL, memory_order_relaxed);
        pthread_mutex_unlock(&j->mu);
    }
}
int joined_get(struct joined *j);
int joined_get(struct joined *j) {
    joined_lock(j);
    const int value = j->value; // no diagnostic
    joined_unlock(j);
    return value;
}
int joined_twice(struct joined *j);
int joined_twice(struct joined *j) {
    joined_lock(j);
    const int value = j->value + joined_get(j); // no diagnostic
    joined_unlock(j);
    return value;
}
int joined_lost(struct joined *j, int k);
int joined_lost(struct joined *j, int k) {
    joined_lock(j);
    if (k)
        return j->value; // expected-warning {{[aglet-lock-leak]}}
    joined_unlock(j);
    return joined_get(j) + j->value; // expected-warning {{[aglet-guarded-by]}}
}

/* ---- a mutex of the program's own below, pthread_equal, levels above the first ---- */
typedef struct {
    pthread_mutex_t m;
} plain;
static void plain_lock(plain *p) {
    pthread_mutex_lock(&p->m);
}
static void plain_unlock(plain *p) {
    pthread_mutex_unlock(&p->m);
}
struct layered {
    plain base, other;
    pthread_t owner;
    int above;
};
void layered_lock(struct layered *l);
void layered_lock(struct layered *l) {
    const pthread_t self = pthread_self();

    if (pthread_equal(l->owner, self)) {
        ++l->above;
    } else {
        plain_lock(&l->base);
        l->owner = self;
        l->above = 0;
    }
}
void layered_unlock(struct layered *l);
void layered_unlock(struct layered *l) {
    if (l->above) {
        --l->above;
    } else {
        l->owner = 0;
        plain_unlock(&l->base);
    }
}
void layered_nested(struct layered *l);
void layered_nested(struct layered *l) {
    layered_lock(l);
    layered_lock(l); // no diagnostic
    layered_unlock(l);
    layered_unlock(l);
}
void layered_once(struct layered *l);
void layered_once(struct layered *l) {
    plain_lock(&l->other);
    plain_unlock(&l->other);
}
void layered_other(struct layered *l);
void layered_other(struct layered *l) {
    plain_lock(&l->other);
    plain_lock(&l->other); // expected-warning {{[aglet-double-lock]}} the base alone is recursive
    plain_unlock(&l->other);
}

/* ---- how often this thread took it ---- */
static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int big_depth;
static int total AGLET_GUARDED_BY(big);
void big_enter(void);
void big_enter(void) {
    if (big_depth++ == 0)
        pthread_mutex_lock(&big);
}
void big_leave(void);
void big_leave(void) {
    if (--big_depth == 0)
        pthread_mutex_unlock(&big);
}
void big_add(void);
void big_add(void) {
    big_enter();
    total++; // no diagnostic
    big_leave();
}
void big_twice(void);
void big_twice(void) {
    big_enter();
    big_add(); // no diagnostic
    big_leave();
    total++; // expected-warning {{[aglet-guarded-by]}}
}

/* ---- an owner that is asked to refuse makes nothing recursive ---- */
struct strict {
    pthread_mutex_t mu;
    pthread_t owner;
    int refused;
};
int strict_lock(struct strict *s);
int strict_lock(struct strict *s) {
    if (s->owner == pthread_self()) {
        s->refused++;
        return -1;
    }
    pthread_mutex_lock(&s->mu);
    s->owner = pthread_self();
    return 0;
}
void strict_unlock(struct strict *s);
void strict_unlock(struct strict *s) {
    s->owner = 0;
    pthread_mutex_unlock(&s->mu);
}
void strict_raw(struct strict *s);
void strict_raw(struct strict *s) {
    pthread_mutex_lock(&s->mu);
    pthread_mutex_lock(&s->mu); // expected-warning {{[aglet-double-lock]}}
    pthread_mutex_unlock(&s->mu);
}
int strict_twice(struct strict *s);
int strict_twice(struct strict *s) {
    if (strict_lock(s) != 0)
        return -1; // no diagnostic: refused
    strict_unlock(s);
    return 0;
}

/* ---- nor does a count of hits that no unlock counts down ---- */
struct hits {
    pthread_mutex_t mu;
    pthread_t last;
    int hits, n;
};
void hits_note(struct hits *h);
void hits_note(struct hits *h) {
    if (h->last == pthread_self()) {
        h->hits++;
        return;
    }
    pthread_mutex_lock(&h->mu);
    h->last = pthread_self();
    h->n++;
    pthread_mutex_unlock(&h->mu); // no diagnostic
}
void hits_raw(struct hits *h);
void hits_raw(struct hits *h) {
    pthread_mutex_lock(&h->mu);
    pthread_mutex_lock(&h->mu); // expected-warning {{[aglet-double-lock]}}
    pthread_mutex_unlock(&h->mu);
}

/* ---- results, and an unlock that refuses whoever is not the owner ---- */
struct told {
    pthread_mutex_t id;
    int recursive;
    pthread_t owner;
};
int told_lock(struct told *t);
int told_lock(struct told *t) {
    if (!t)
        return -1;
    if (t->owner == pthread_self()) {
        ++t->recursive;
    } else if (pthread_mutex_lock(&t->id) == 0) {
        t->owner = pthread_self();
        t->recursive = 0;
    } else {
        return -2;
    }
    return 0;
}
int told_try(struct told *t);
int told_try(struct told *t) {
    int result = 0;

    if (t->owner == pthread_self()) {
        ++t->recursive;
    } else if (pthread_mutex_trylock(&t->id) == 0) {
        t->owner = pthread_self();
        t->recursive = 0;
    } else {
        result = 1;
    }
    return result;
}
int told_unlock(struct told *t);
int told_unlock(struct told *t) {
    if (!t)
        return -1;
    if (pthread_self() != t->owner)
        return -3;
    if (t->recursive) {
        --t->recursive;
    } else {
        t->owner = 0;
        pthread_mutex_unlock(&t->id);
    }
    return 0;
}
struct till {
    struct told *lock;
    int money AGLET_GUARDED_BY(lock->id);
};
void till_add(struct till *t);
void till_add(struct till *t) {
    told_lock(t->lock);
    t->money++; // no diagnostic
    told_unlock(t->lock);
}
void till_twice(struct till *t);
void till_twice(struct till *t) {
    told_lock(t->lock);
    till_add(t); // no diagnostic
    told_unlock(t->lock);
}
int till_try(struct till *t);
int till_try(struct till *t) {
    if (told_try(t->lock))
        return 0; // no diagnostic
    till_add(t);
    if (told_unlock(t->lock) != 0)
        return -1;
    return 1;
}
int till_early(struct till *t);
int till_early(struct till *t) {
    told_lock(t->lock);
    if (t->money > 3)
        return 1; // expected-warning {{[aglet-lock-leak]}}
    told_unlock(t->lock);
    return 0;
}

/* ---- no functions at all, the thread by its number ---- */
struct file {
    pthread_mutex_t mu;
    int owner, count, pos;
};
#define LOCK(f)                                                                                                        \
    do {                                                                                                               \
        const int self_ = (int)syscall(SYS_gettid);                                                                    \
        if ((f)->owner != self_) {                                                                                     \
            pthread_mutex_lock(&(f)->mu);                                                                              \
            (f)->owner = self_;                                                                                        \
        }                                                                                                              \
        (f)->count++;                                                                                                  \
    } while (0)
#define UNLOCK(f)                                                                                                      \
    do {                                                                                                               \
        if (--(f)->count == 0) {                                                                                       \
            (f)->owner = 0;                                                                                            \
            pthread_mutex_unlock(&(f)->mu);                                                                            \
        }                                                                                                              \
    } while (0)
void file_put(struct file *f);
void file_put(struct file *f) {
    LOCK(f);
    f->pos++;
    UNLOCK(f);
}
void file_fill(struct file *f, int n);
void file_fill(struct file *f, int n) {
    LOCK(f);
    for (int i = 0; i < n; i++)
        file_put(f); // no diagnostic
    UNLOCK(f);
}
int file_lost(struct file *f, int n);
int file_lost(struct file *f, int n) {
    LOCK(f);
    if (n)
        return 3; // expected-warning {{[aglet-lock-leak]}}
    UNLOCK(f);
    return 0;
}

/* ---- tried first, the owner asked in two steps, given back by whoever owns it ---- */
struct tried {
    pthread_mutex_t mu;
    pthread_t owner;
    int owned, depth;
    int value AGLET_GUARDED_BY(mu);
};
void tried_lock(struct tried *t);
void tried_lock(struct tried *t) {
    if (pthread_mutex_trylock(&t->mu) != 0) {
        if (t->owned && pthread_equal(t->owner, pthread_self())) {
            t->depth++;
            return;
        }
        pthread_mutex_lock(&t->mu);
    }
    t->owned = 1;
    t->owner = pthread_self();
    t->depth = 1;
}
void tried_unlock(struct tried *t);
void tried_unlock(struct tried *t) {
    if (!t->owned || !pthread_equal(t->owner, pthread_self()))
        return;
    if (t->depth > 1) {
        t->depth--;
        return;
    }
    t->depth = t->owned = 0;
    pthread_mutex_unlock(&t->mu);
}
int tried_get(struct tried *t);
int tried_get(struct tried *t) {
    tried_lock(t);
    const int value = t->value; // no diagnostic
    tried_unlock(t);
    return value;
}
int tried_twice(struct tried *t);
int tried_twice(struct tried *t) {
    tried_lock(t);
    const int value = tried_get(t) + t->value; // no diagnostic
    tried_unlock(t);
    return value;
}

/* ---- a lock type of the program's own ---- */
struct AGLET_LOCK_TYPE typed {
    pthread_mutex_t mu;
    pthread_t owner;
    int depth;
};
void typed_lock(struct typed *t) AGLET_ACQUIRES(*t);
void typed_lock(struct typed *t) {
    if (t->owner == pthread_self()) {
        t->depth++;
        return;
    }
    pthread_mutex_lock(&t->mu);
    t->owner = pthread_self();
    t->depth = 1;
}
void typed_unlock(struct typed *t) AGLET_RELEASES(*t);
void typed_unlock(struct typed *t) {
    if (--t->depth)
        return;
    t->owner = 0;
    pthread_mutex_unlock(&t->mu); // no diagnostic
}
static struct typed all;
static int sum AGLET_GUARDED_BY(all);
void typed_twice(void);
void typed_twice(void) {
    typed_lock(&all);
    typed_lock(&all); // no diagnostic
    typed_unlock(&all);
    sum++; // no diagnostic
    typed_unlock(&all);
    sum++; // expected-warning {{[aglet-guarded-by]}}
}
