/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the result of a lock call says: held, busy, held although its owner died, or NULL for an object that was not locked.
 * Stands on pthreads and the annotations. */
#define _GNU_SOURCE
#include <aglet/annotations.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct counter {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
};

/* ---- busy is the one way on which a trylock does not have it ---- */
int count(struct counter *c);
int count(struct counter *c) {
    if (pthread_mutex_trylock(&c->mu) == EBUSY)
        return -1;
    int n = c->n++; // no diagnostic: what is not busy is held; other errors are mistakes
    pthread_mutex_unlock(&c->mu);
    return n;
}

int count_busy(struct counter *c);
int count_busy(struct counter *c) {
    if (pthread_mutex_trylock(&c->mu) == EBUSY)
        return c->n; // expected-warning {{[aglet-guarded-by]}}
    int n = c->n++;
    pthread_mutex_unlock(&c->mu);
    return n;
}

int count_in_time(struct counter *c, const struct timespec *until);
int count_in_time(struct counter *c, const struct timespec *until) {
    int n;
    switch (pthread_mutex_timedlock(&c->mu, until)) {
    case 0: break;
    case ETIMEDOUT: return -1;
    default: return -2; // no diagnostic: nothing is held here
    }
    n = c->n++;
    pthread_mutex_unlock(&c->mu);
    return n;
}

int count_and_leak(struct counter *c);
int count_and_leak(struct counter *c) {
    if (pthread_mutex_trylock(&c->mu) == EBUSY)
        return -1;
    if (c->n > 100)
        return -2; // expected-warning {{[aglet-lock-leak]}}
    c->n++;
    pthread_mutex_unlock(&c->mu);
    return 0;
}

/* ---- a robust mutex ---- */
int next(struct counter *s);
int next(struct counter *s) {
    int error = pthread_mutex_lock(&s->mu), n;
    switch (error) {
    case 0: break;
    case EOWNERDEAD:
        s->n = 0; // no diagnostic: held, too
        pthread_mutex_consistent(&s->mu);
        break;
    default: return -error;
    }
    n = s->n++;
    pthread_mutex_unlock(&s->mu);
    return n;
}

int next_by_ifs(struct counter *s);
int next_by_ifs(struct counter *s) {
    int error = pthread_mutex_lock(&s->mu), n;
    if (error != 0) {
        if (error != EOWNERDEAD)
            return -1;
        s->n = 0; // no diagnostic: held, too
        pthread_mutex_consistent(&s->mu);
    }
    n = s->n++;
    pthread_mutex_unlock(&s->mu);
    return n;
}

int owner_died_and_left(struct counter *s);
int owner_died_and_left(struct counter *s) {
    int error = pthread_mutex_lock(&s->mu);
    if (error == EOWNERDEAD)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    if (error)
        return -2;
    s->n++;
    pthread_mutex_unlock(&s->mu);
    return 0;
}

static int robust_lock(pthread_mutex_t *mu) {
    int error = pthread_mutex_lock(mu);
    if (error == EOWNERDEAD) {
        pthread_mutex_consistent(mu);
        error = 0;
    }
    return error;
}
int next_by_wrapper(struct counter *s);
int next_by_wrapper(struct counter *s) {
    if (robust_lock(&s->mu) != 0)
        return -1; // no diagnostic: not held
    s->n++;
    pthread_mutex_unlock(&s->mu);
    return 0;
}
int wrapper_and_leak(struct counter *s);
int wrapper_and_leak(struct counter *s) {
    if (robust_lock(&s->mu) != 0)
        return -1;
    if (s->n > 100)
        return -2; // expected-warning {{[aglet-lock-leak]}}
    pthread_mutex_unlock(&s->mu);
    return 0;
}

/* ---- the object, or NULL ---- */
static struct counter *enter(struct counter *c) { return pthread_mutex_lock(&c->mu) ? NULL : c; }
static struct counter *try_enter(struct counter *c) {
    if (pthread_mutex_trylock(&c->mu))
        return NULL;
    return c;
}

int use(struct counter *shared);
int use(struct counter *shared) {
    struct counter *c = enter(shared);
    if (!c)
        return -1; // no diagnostic: nothing was locked
    c->n = 3;
    pthread_mutex_unlock(&c->mu);
    return 0;
}
int use_tried(struct counter *shared);
int use_tried(struct counter *shared) {
    struct counter *c = try_enter(shared);
    if (!c)
        return -1; // no diagnostic: nothing was locked
    c->n = 3;
    pthread_mutex_unlock(&c->mu);
    return 0;
}
int use_and_leak(struct counter *shared);
int use_and_leak(struct counter *shared) {
    struct counter *c = enter(shared);
    if (!c)
        return -1;
    if (c->n)
        return -2; // expected-warning {{[aglet-lock-leak]}}
    pthread_mutex_unlock(&c->mu);
    return 0;
}

/* ---- a library function gives back its argument, or NULL ---- */
int count_lines(struct counter *c, FILE *f);
int count_lines(struct counter *c, FILE *f) {
    char line[80];
    pthread_mutex_lock(&c->mu);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#')
            return -1; // expected-warning {{'c->mu' is still held on this return [aglet-lock-leak]}}
        c->n++;
    }
    pthread_mutex_unlock(&c->mu);
    return 0;
}
int count_words(struct counter *c, char *text);
int count_words(struct counter *c, char *text) {
    char *rest, *word = strtok_r(text, " ", &rest);
    pthread_mutex_lock(&c->mu);
    while ((word = strtok_r(NULL, " ", &rest)))
        if (!strchr(word, 'e'))
            return -1; // expected-warning {{'c->mu' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&c->mu);
    return 0;
}
int count_pairs(struct counter *c);
int count_pairs(struct counter *c) {
    char text[] = "a=b", *at = strchr(text, '=');
    if (at)
        pthread_mutex_lock(&c->mu);
    int n = at ? c->n++ : 0; // no diagnostic: the same test
    if (at)
        pthread_mutex_unlock(&c->mu);
    return n;
}

/* ---- a robust lock's wrapper, which may give up mending what the dead owner left ---- */
static int mend_and_lock(struct counter *c) {
    int e = pthread_mutex_lock(&c->mu);
    if (e == EOWNERDEAD) {
        c->n = 0;
        e = pthread_mutex_consistent(&c->mu);
        if (e) {
            pthread_mutex_unlock(&c->mu);
            return e;
        }
    }
    return e; // no diagnostic: held when this is 0
}
int count_mended(struct counter *c);
int count_mended(struct counter *c) {
    if (mend_and_lock(c))
        return -1;
    int n = c->n++;
    pthread_mutex_unlock(&c->mu);
    return n;
}
int count_mended_and_leak(struct counter *c);
int count_mended_and_leak(struct counter *c) {
    if (mend_and_lock(c))
        return -1;
    if (c->n++ > 3)
        return 3; // expected-warning {{'c->mu' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&c->mu);
    return 0;
}

/* ---- a failure that is only told of ---- */
#define TELL(call)                                                                                                     \
    do {                                                                                                               \
        int told_;                                                                                                     \
        if ((told_ = (call)) != 0)                                                                                     \
            fprintf(stderr, "%s: %s\n", #call, strerror(told_));                                                       \
    } while (0)
struct table {
    pthread_rwlock_t lock;
    int n;
};

int table_read(struct table *t);
int table_read(struct table *t) {
    TELL(pthread_rwlock_rdlock(&t->lock));
    if (t->n < 0) {
        TELL(pthread_rwlock_unlock(&t->lock)); // no diagnostic: the program goes on as if it had worked
        return 0;
    }
    int n = t->n;
    TELL(pthread_rwlock_unlock(&t->lock));
    return n;
}
int table_leak(struct table *t);
int table_leak(struct table *t) {
    TELL(pthread_rwlock_rdlock(&t->lock));
    if (t->n < 0)
        return 0; // expected-warning {{[aglet-lock-leak]}}
    int n = t->n;
    TELL(pthread_rwlock_unlock(&t->lock));
    return n;
}
int table_twice(struct table *t);
int table_twice(struct table *t) {
    TELL(pthread_rwlock_rdlock(&t->lock));
    int n = t->n;
    TELL(pthread_rwlock_unlock(&t->lock));
    TELL(pthread_rwlock_unlock(&t->lock)); // expected-warning {{[aglet-unlock-unheld]}}
    return n;
}
int table_status(struct table *t);
int table_status(struct table *t) {
    int error = pthread_rwlock_wrlock(&t->lock);
    if (error)
        fprintf(stderr, "no lock: %s\n", strerror(error));
    t->n++;
    pthread_rwlock_unlock(&t->lock); // no diagnostic: the result is handed on, and decides nothing here
    return error;
}
int table_kept_apart(struct table *t);
int table_kept_apart(struct table *t) {
    int error = pthread_rwlock_wrlock(&t->lock);
    if (error)
        fprintf(stderr, "no lock: %s\n", strerror(error));
    else
        t->n++;
    if (!error)
        pthread_rwlock_unlock(&t->lock); // no diagnostic: released where it was taken
    return error;
}
int table_failed(struct table *t);
int table_failed(struct table *t) {
    if (pthread_rwlock_wrlock(&t->lock) != 0) {
        pthread_rwlock_unlock(&t->lock); // expected-warning {{[aglet-unlock-unheld]}}
        return -1;
    }
    t->n++;
    pthread_rwlock_unlock(&t->lock);
    return 0;
}
int table_wrong_label(struct table *t, int (*step)(struct table *));
int table_wrong_label(struct table *t, int (*step)(struct table *)) {
    if (pthread_rwlock_wrlock(&t->lock) != 0)
        goto unlock;
    if (step(t) < 0)
        goto unlock;
    pthread_rwlock_unlock(&t->lock);
    return 0;
unlock:
    pthread_rwlock_unlock(&t->lock); // expected-warning {{[aglet-unlock-unheld]}}
    return -1;
}
