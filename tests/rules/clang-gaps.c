/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What Clang's own thread-safety analysis gets wrong in C, each case right here: who is accused and who is not.
 * Stands on pthreads, C11 threads and the annotations. The cases across files are in tests/programs/clang-gaps. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

struct table {
    pthread_mutex_t mu;
    int a AGLET_GUARDED_BY(mu);
    int b AGLET_GUARDED_BY(late);
    pthread_mutex_t late;
};

static struct table one = {PTHREAD_MUTEX_INITIALIZER, 0, 0, PTHREAD_MUTEX_INITIALIZER};
static struct table two = {PTHREAD_MUTEX_INITIALIZER, 0, 0, PTHREAD_MUTEX_INITIALIZER};
static struct table *published;

/* The program has threads, and all of the above is shared between them. */
static void *worker(void *argument);
int start(struct table *t);
int start(struct table *t) {
    static pthread_t thread;
    published = t;
    int failed = pthread_create(&thread, NULL, worker, t);
    return failed ? failed : pthread_detach(thread);
}
static void *worker(void *argument) {
    struct table *t = argument;
    pthread_mutex_lock(&t->mu);
    t->a++; // no diagnostic: a sibling field guards it and is held
    pthread_mutex_unlock(&t->mu);
    return NULL;
}

/* A sibling field, by value and through a pointer. */
int sibling_by_value(void);
int sibling_by_value(void) {
    pthread_mutex_lock(&one.mu);
    int n = one.a; // no diagnostic: held
    pthread_mutex_unlock(&one.mu);
    return n + one.a; // expected-warning {{[aglet-guarded-by]}}
}
void sibling_declared_later(struct table *t);
void sibling_declared_later(struct table *t) {
    pthread_mutex_lock(&t->late);
    t->b = 1; // no diagnostic: held, though the field stands before its lock
    pthread_mutex_unlock(&t->late);
    t->b = 2; // expected-warning {{[aglet-guarded-by]}}
}

/* Another instance's lock. */
void other_instance(struct table *s, struct table *t);
void other_instance(struct table *s, struct table *t) {
    pthread_mutex_lock(&s->mu);
    t->a = 1; // expected-warning {{[aglet-guarded-by]}}
    s->a = 1; // no diagnostic: its own lock
    pthread_mutex_unlock(&s->mu);
}

/* An alias of the lock, and a pointer to the data. */
void alias_of_the_lock(struct table *t);
void alias_of_the_lock(struct table *t) {
    pthread_mutex_t *m = &t->mu;
    pthread_mutex_lock(m);
    t->a = 1; // no diagnostic: m is &t->mu
    pthread_mutex_unlock(m);
}
void pointer_to_the_data(struct table *t);
void pointer_to_the_data(struct table *t) {
    int *q = &t->a;
    *q = 4; // expected-warning {{[aglet-guarded-by]}}
    pthread_mutex_lock(&t->mu);
    *q = 5; // no diagnostic: held
    pthread_mutex_unlock(&t->mu);
}
int *escape(struct table *t);
int *escape(struct table *t) {
    return &t->a; // expected-warning {{[aglet-guarded-escape]}}
}
static int *kept;
void escape_by_store(struct table *t);
void escape_by_store(struct table *t) {
    pthread_mutex_lock(&t->mu);
    kept = &t->a; // expected-warning {{[aglet-guarded-escape]}}
    pthread_mutex_unlock(&t->mu);
}

/* The whole object at once. */
struct plain_table {
    pthread_mutex_t *mu;
    int a AGLET_GUARDED_BY(mu);
};
static struct plain_table left, right;
void whole_copy(void);
void whole_copy(void) {
    left = right; // expected-warning 1+ {{[aglet-guarded-by]}}
}
void whole_memset(void);
void whole_memset(void) {
    memset(&left, 0, sizeof left); // expected-warning {{[aglet-guarded-by]}}
}

/* One owner: before publication and after. */
struct table *table_new(void);
struct table *table_new(void) {
    struct table *t = malloc(sizeof *t);
    if (!t)
        return NULL;
    t->a = 1; // no diagnostic: nobody else knows it yet
    pthread_mutex_init(&t->mu, NULL);
    pthread_mutex_init(&t->late, NULL);
    return t;
}
void table_init(struct table *t);
void table_init(struct table *t) {
    memset(t, 0, sizeof *t); // no diagnostic: its lock is initialised below
    pthread_mutex_init(&t->mu, NULL);
    pthread_mutex_init(&t->late, NULL);
    t->a = 1; // no diagnostic: still in its initialiser
}
void table_free(struct table *t);
void table_free(struct table *t) {
    t->a = 0; // no diagnostic: its lock is destroyed here
    pthread_mutex_destroy(&t->mu);
    pthread_mutex_destroy(&t->late);
    free(t);
}

/* Helpers. */
static int sum(struct table *t) {
    return t->a + 1; // no diagnostic: what it needs is its callers' to bring
}
int helper_with(struct table *t);
int helper_with(struct table *t) {
    pthread_mutex_lock(&t->mu);
    int n = sum(t); // no diagnostic: held
    pthread_mutex_unlock(&t->mu);
    return n;
}
int helper_without(struct table *t);
int helper_without(struct table *t) {
    return sum(t); // expected-warning {{[aglet-guarded-by]}}
}
struct table_ops {
    int (*read)(struct table *t);
};
static int ops_read(struct table *t) {
    return t->a; // no diagnostic: as above
}
static const struct table_ops ops = {.read = ops_read};
int through_the_ops_table(struct table *t);
int through_the_ops_table(struct table *t) {
    return ops.read(t); // expected-warning {{[aglet-guarded-by]}}
}
static int pointer_read(struct table *t) {
    return t->a; // no diagnostic: as above
}
int through_a_pointer(struct table *t);
int through_a_pointer(struct table *t) {
    int (*read)(struct table *) = pointer_read;
    pthread_mutex_lock(&t->mu);
    int n = read(t); // no diagnostic: held
    pthread_mutex_unlock(&t->mu);
    return n + read(t); // expected-warning {{[aglet-guarded-by]}}
}

/* Branches. */
void correlated(struct table *t, bool shared);
void correlated(struct table *t, bool shared) {
    if (shared)
        pthread_mutex_lock(&t->mu);
    int done = 0;
    (void)done;
    if (shared)
        pthread_mutex_unlock(&t->mu); // no diagnostic: the same condition as the lock
}
int early_return(struct table *t, int n);
int early_return(struct table *t, int n) {
    pthread_mutex_lock(&t->mu);
    if (n < 0)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    t->a = n;
    pthread_mutex_unlock(&t->mu);
    return 0;
}
int unlock_by_goto(struct table *t, int n);
int unlock_by_goto(struct table *t, int n) {
    int result = -1;
    pthread_mutex_lock(&t->mu);
    if (n < 0)
        goto out; // no diagnostic: unlocked there
    t->a = n;
    result = 0;
out:
    pthread_mutex_unlock(&t->mu);
    return result;
}
static void unlock(pthread_mutex_t **mu) {
    pthread_mutex_unlock(*mu);
}
int by_cleanup(struct table *t, int n);
int by_cleanup(struct table *t, int n) {
    __attribute__((cleanup(unlock))) pthread_mutex_t *held = &t->mu;
    pthread_mutex_lock(held);
    if (n < 0)
        return -1; // no diagnostic: released where `held` ends
    t->a = n;
    return 0;
}

/* A lock elsewhere than beside the data. */
struct parent {
    pthread_mutex_t mu;
    int children AGLET_GUARDED_BY(mu);
};
struct child {
    struct parent *up;
    int n AGLET_GUARDED_BY(up->mu);
    int m AGLET_GUARDED_BY(later->mu);
    struct completed_later *later;
};
struct completed_later {
    pthread_mutex_t mu;
};
void parent_holds(struct child *c);
void parent_holds(struct child *c) {
    pthread_mutex_lock(&c->up->mu);
    c->n = 1; // no diagnostic: the parent's lock
    pthread_mutex_unlock(&c->up->mu);
    c->n = 2; // expected-warning {{[aglet-guarded-by]}}
}
void through_a_later_type(struct child *c);
void through_a_later_type(struct child *c) {
    pthread_mutex_lock(&c->later->mu);
    c->m = 1; // no diagnostic: the type was completed after the guard was written
    pthread_mutex_unlock(&c->later->mu);
    c->m = 2; // expected-warning {{[aglet-guarded-by]}}
}
struct row {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
};
static struct row rows[8];
void indexed_alike(int i, int j);
void indexed_alike(int i, int j) {
    pthread_mutex_lock(&rows[i].mu);
    rows[i].n = 1; // no diagnostic: the same element's lock
    rows[j].n = 1; // expected-warning {{[aglet-guarded-by]}}
    pthread_mutex_unlock(&rows[i].mu);
}

/* Lock functions whose result is looked at. */
int checked_lock(struct table *t);
int checked_lock(struct table *t) {
    if (pthread_mutex_lock(&t->mu) != 0)
        return -1; // no diagnostic: not held here
    t->a = 1;      // no diagnostic: held here
    pthread_mutex_unlock(&t->mu);
    return 0;
}
void tried(struct table *t);
void tried(struct table *t) {
    if (pthread_mutex_trylock(&t->mu) == 0) {
        t->a = 1; // no diagnostic: taken
        pthread_mutex_unlock(&t->mu);
    } else {
        t->a = 2; // expected-warning {{[aglet-guarded-by]}}
    }
}
void tried_negated(struct table *t);
void tried_negated(struct table *t) {
    if (pthread_mutex_trylock(&t->mu))
        return; // no diagnostic: not taken
    t->a = 1;
    pthread_mutex_unlock(&t->mu);
}
void tried_stored(struct table *t);
void tried_stored(struct table *t) {
    int busy = pthread_mutex_trylock(&t->mu);
    if (!busy) {
        t->a = 1; // no diagnostic: taken
        pthread_mutex_unlock(&t->mu);
    }
}

/* The lock types that C programs have. */
struct shared_table {
    pthread_rwlock_t rw;
    int n AGLET_GUARDED_BY(rw);
};
int read_locked(struct shared_table *t);
int read_locked(struct shared_table *t) {
    pthread_rwlock_rdlock(&t->rw);
    int n = t->n; // no diagnostic: a read under the read lock
    t->n = 1;     // expected-warning {{[aglet-guarded-by]}}
    pthread_rwlock_unlock(&t->rw);
    pthread_rwlock_wrlock(&t->rw);
    t->n = 2; // no diagnostic: a write under the write lock
    pthread_rwlock_unlock(&t->rw);
    return n;
}
struct c11_table {
    mtx_t mu;
    int n AGLET_GUARDED_BY(mu);
};
void c11_locked(struct c11_table *t);
void c11_locked(struct c11_table *t) {
    mtx_lock(&t->mu);
    t->n = 1; // no diagnostic: held
    mtx_unlock(&t->mu);
    t->n = 2; // expected-warning {{[aglet-guarded-by]}}
}

/* Wrappers that nobody annotated. */
void my_lock(struct table *t);
void my_lock(struct table *t) {
    pthread_mutex_lock(&t->mu); // no diagnostic: a wrapper
}
void my_unlock(struct table *t);
void my_unlock(struct table *t) {
    pthread_mutex_unlock(&t->mu); // no diagnostic: a wrapper
}
bool my_trylock(struct table *t);
bool my_trylock(struct table *t) {
    return pthread_mutex_trylock(&t->mu) == 0; // no diagnostic: a wrapper
}
void my_wait(struct table *t, pthread_cond_t *cond);
void my_wait(struct table *t, pthread_cond_t *cond) {
    pthread_cond_wait(cond, &t->mu); // no diagnostic: its callers loop
}
#define TABLE_LOCK(t) my_lock(t)
#define TABLE_UNLOCK(t) my_unlock(t)
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
void wrapped(struct table *t);
void wrapped(struct table *t) {
    TABLE_LOCK(t);
    while (t->a == 0)
        my_wait(t, &changed);
    t->a = 1; // no diagnostic: held by the wrapper
    TABLE_UNLOCK(t);
    t->a = 2; // expected-warning {{[aglet-guarded-by]}}
    if (my_trylock(t)) {
        t->a = 3; // no diagnostic: taken
        my_unlock(t);
    }
}
int wrapped_leak(struct table *t, int n);
int wrapped_leak(struct table *t, int n) {
    TABLE_LOCK(t);
    if (n < 0)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    TABLE_UNLOCK(t);
    return 0;
}
void wrapped_wait_once(struct table *t);
void wrapped_wait_once(struct table *t) {
    TABLE_LOCK(t);
    if (t->a == 0)
        my_wait(t, &changed); // expected-warning {{[aglet-cond-wait]}}
    TABLE_UNLOCK(t);
}

/* A lock is no value. */
void copied(void);
void copied(void) {
    struct table copy = two; // expected-warning {{[aglet-copy]}} expected-warning 0+ {{[aglet-guarded-by]}}
    (void)copy;
}
