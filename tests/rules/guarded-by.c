/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* guarded-by: accesses that need a lock, in the forms that clang-gaps.c does not show.
 * Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct item {
    int n;
    char name[16];
};
struct store {
    pthread_mutex_t mu;
    pthread_mutex_t io;
    int count AGLET_GUARDED_BY(mu);
    int both AGLET_GUARDED_BY(mu, io);
    struct item *items AGLET_PT_GUARDED_BY(mu);
    struct item inner AGLET_GUARDED_BY(mu);
};
static pthread_mutex_t global_mu = PTHREAD_MUTEX_INITIALIZER;
static int global AGLET_GUARDED_BY(global_mu);

int a_global(void);
int a_global(void) {
    pthread_mutex_lock(&global_mu);
    global = 1; // no diagnostic: held
    pthread_mutex_unlock(&global_mu);
    return global; // expected-warning {{[aglet-guarded-by]}}
}

void fill_items(struct store *s);
void fill_items(struct store *s) {
    memset(s->items, 0, 2 * sizeof *s->items); // expected-warning {{'*s->items' is written without 's->mu' held [aglet-guarded-by]}}
    pthread_mutex_lock(&s->mu);
    memset(s->items, 0, 2 * sizeof *s->items); // no diagnostic: held
    pthread_mutex_unlock(&s->mu);
}

/* Each is ended in a loop that first empties it. */
struct shelf {
    struct store at[8];
};
static int take_one(struct store *s) {
    return s->count ? s->count-- : 0;
}
void shelf_free(struct shelf *h);
void shelf_free(struct shelf *h) {
    for (int i = 0; i < 8; i++) {
        struct store *s = &h->at[i];
        while (take_one(s)) // no diagnostic: nobody else knows it any more
            ;
        pthread_mutex_destroy(&s->mu);
    }
    free(h);
}
void shelf_clear(struct shelf *h);
void shelf_clear(struct shelf *h) {
    for (int i = 0; i < 8; i++) {
        struct store *s = &h->at[i];
        while (take_one(s)) // expected-warning {{[aglet-guarded-by]}}
            ;
    }
}

int two_locks(struct store *s);
int two_locks(struct store *s) {
    pthread_mutex_lock(&s->mu);
    int n = s->both; // no diagnostic: a read needs any one of them
    s->both = n + 1; // expected-warning {{[aglet-guarded-by]}}
    pthread_mutex_lock(&s->io);
    s->both = n + 2; // no diagnostic: both are held
    pthread_mutex_unlock(&s->io);
    pthread_mutex_unlock(&s->mu);
    return n;
}

int the_pointee(struct store *s);
int the_pointee(struct store *s) {
    struct item *items = s->items; // no diagnostic: the pointer itself is not guarded
    if (!items)
        return 0;
    pthread_mutex_lock(&s->mu);
    s->items->n = 1; // no diagnostic: held
    pthread_mutex_unlock(&s->mu);
    return s->items->n; // expected-warning {{[aglet-guarded-by]}}
}

int a_member_of_it(struct store *s);
int a_member_of_it(struct store *s) {
    return s->inner.n; // expected-warning {{[aglet-guarded-by]}}
}

void by_a_library_call(struct store *s, const char *name);
void by_a_library_call(struct store *s, const char *name) {
    strncpy(s->inner.name, name, sizeof s->inner.name - 1); // expected-warning {{[aglet-guarded-by]}}
    pthread_mutex_lock(&s->mu);
    memset(&s->inner, 0, sizeof s->inner); // no diagnostic: held
    pthread_mutex_unlock(&s->mu);
}

size_t unevaluated(struct store *s);
size_t unevaluated(struct store *s) {
    return sizeof s->count + offsetof(struct store, count); // no diagnostic: nothing is read
}

void in_a_loop(struct store *s, int n);
void in_a_loop(struct store *s, int n) {
    for (int i = 0; i < n; i++) {
        pthread_mutex_lock(&s->mu);
        s->count++; // no diagnostic: held in each round
        pthread_mutex_unlock(&s->mu);
    }
    do {
        s->count--; // expected-warning {{[aglet-guarded-by]}}
    } while (--n > 0);
}

int in_a_switch(struct store *s, int what);
int in_a_switch(struct store *s, int what) {
    int result = 0;
    pthread_mutex_lock(&s->mu);
    switch (what) {
    case 0:
        result = s->count; // no diagnostic: held in every case
        break;
    case 1:
        pthread_mutex_unlock(&s->mu);
        return -1;
    default:
        s->count = what; // no diagnostic: as above
    }
    pthread_mutex_unlock(&s->mu);
    return result;
}

static int deeper(struct store *s) {
    return s->count; // no diagnostic: its callers are judged
}
static int deep(struct store *s) {
    return deeper(s) + 1; // no diagnostic: and so are theirs
}
int two_helpers_away(struct store *s);
int two_helpers_away(struct store *s) {
    pthread_mutex_lock(&s->mu);
    int n = deep(s); // no diagnostic: held
    pthread_mutex_unlock(&s->mu);
    return n + deep(s); // expected-warning {{[aglet-guarded-by]}}
}

AGLET_UNCHECKED("called before any thread starts") int unchecked(struct store *s);
int unchecked(struct store *s) {
    return s->count; // no diagnostic: the function says why
}

int ignored(struct store *s);
int ignored(struct store *s) {
    return s->count; // aglet-ignore(guarded-by): a statistic
}

/* A mutex wrapped together with who took it: the struct is what fields name as their lock. */
struct traced {
    pthread_mutex_t m;
    const char *who;
};
struct traced_pot {
    struct traced lock;
    int coins AGLET_GUARDED_BY(lock);
};
static void traced_lock(struct traced *t, const char *who) {
    pthread_mutex_lock(&t->m);
    t->who = who;
}
static void traced_unlock(struct traced *t) {
    t->who = NULL;
    pthread_mutex_unlock(&t->m);
}

void wrapped_with_its_taker(struct traced_pot *p, struct traced_pot *q);
void wrapped_with_its_taker(struct traced_pot *p, struct traced_pot *q) {
    traced_lock(&p->lock, __func__);
    p->coins++; // no diagnostic
    q->coins--; // expected-warning {{[aglet-guarded-by]}}
    traced_unlock(&p->lock);
}

/* Two names of one object, or of two: where they are equal the one lock is held for both. */
struct purse {
    pthread_mutex_t mu;
    int coins AGLET_GUARDED_BY(mu);
};

void one_or_two(struct purse *a, struct purse *b);
void one_or_two(struct purse *a, struct purse *b) {
    if (a == b) {
        pthread_mutex_lock(&a->mu);
    } else if (a < b) {
        pthread_mutex_lock(&a->mu);
        pthread_mutex_lock(&b->mu);
    } else {
        pthread_mutex_lock(&b->mu);
        pthread_mutex_lock(&a->mu);
    }
    a->coins--; // no diagnostic
    b->coins++; // no diagnostic
    pthread_mutex_unlock(&a->mu);
    if (a != b)
        pthread_mutex_unlock(&b->mu);
}

void not_equal(struct purse *a, struct purse *b);
void not_equal(struct purse *a, struct purse *b) {
    if (a == b)
        return;
    pthread_mutex_lock(&a->mu);
    b->coins++; // expected-warning {{[aglet-guarded-by]}}
    pthread_mutex_unlock(&a->mu);
}

/* ---- one member touched again and again without the lock is one mistake ---- */
struct board {
    pthread_mutex_t mu;
    int b[8] AGLET_GUARDED_BY(mu), n AGLET_GUARDED_BY(mu);
};
void in_a_row(struct board *x);
void in_a_row(struct board *x) {
    x->b[1] = 0; // expected-warning {{[aglet-guarded-by]}}
    x->b[2] = 0; // no diagnostic: said on the line before
    x->b[3] = 0;
    x->n = 1; // expected-warning {{[aglet-guarded-by]}}
    x->n++;   // no diagnostic: said on the line before
    pthread_mutex_lock(&x->mu);
    x->n++;
    pthread_mutex_unlock(&x->mu);
    x->n++; // expected-warning {{[aglet-guarded-by]}}
}

/* ---- a lock that is not there guards nothing ---- */
struct gate {
    pthread_mutex_t mu;
};
static int gate_lock(struct gate *g) {
    if (!g)
        return -1;
    pthread_mutex_lock(&g->mu);
    return 0;
}
static void gate_unlock(struct gate *g) {
    if (g)
        pthread_mutex_unlock(&g->mu);
}
struct yard {
    struct gate *gate; /* NULL where there is one thread only */
    int carts AGLET_GUARDED_BY(gate->mu);
};
void come_in(struct yard *y);
void come_in(struct yard *y) {
    gate_lock(y->gate);
    y->carts++; // no diagnostic
    gate_unlock(y->gate);
}
void walk_in(struct yard *y);
void walk_in(struct yard *y) {
    if (!y->gate)
        y->carts = 0; // no diagnostic
    else
        y->carts = 1; // expected-warning {{[aglet-guarded-by]}}
}
