/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-leak: a lock still held on one return, released on others. Stands on pthreads. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct pool {
    pthread_mutex_t mu;
    int used, size;
    void *last;
};
int prepare(struct pool *p);

int on_an_error(struct pool *p);
int on_an_error(struct pool *p) {
    pthread_mutex_lock(&p->mu);
    if (p->used == p->size)
        return -ENOMEM; // expected-warning {{[aglet-lock-leak]}}
    p->used++;
    pthread_mutex_unlock(&p->mu);
    return 0;
}

int by_goto(struct pool *p);
int by_goto(struct pool *p) {
    int result = -1;
    pthread_mutex_lock(&p->mu);
    if (prepare(p) != 0)
        goto failed;
    p->used++;
    result = 0;
    pthread_mutex_unlock(&p->mu);
failed:
    return result; // expected-warning {{[aglet-lock-leak]}}
}

int in_a_loop(struct pool *p, int n);
int in_a_loop(struct pool *p, int n) {
    for (int i = 0; i < n; i++) {
        pthread_mutex_lock(&p->mu);
        if (p->used > i)
            return i; // expected-warning {{[aglet-lock-leak]}}
        pthread_mutex_unlock(&p->mu);
    }
    return -1;
}

void falls_off(struct pool *p);
void falls_off(struct pool *p) {
    pthread_mutex_lock(&p->mu);
    if (p->used == 0) {
        pthread_mutex_unlock(&p->mu);
        return;
    }
    p->used--;
} // expected-warning {{[aglet-lock-leak]}}

int takes(struct pool *p);
int takes(struct pool *p) {
    pthread_mutex_lock(&p->mu);
    p->used++;
    return p->used; // no diagnostic: held on all returns, a lock function
}

void gives(struct pool *p);
void gives(struct pool *p) {
    pthread_mutex_unlock(&p->mu); // no diagnostic: the other half of the pair
}

int takes_on_success(struct pool *p);
int takes_on_success(struct pool *p) {
    if (pthread_mutex_trylock(&p->mu) != 0)
        return -1;
    return 0; // no diagnostic: held exactly when it returns 0, a trylock
}

void does_not_return(struct pool *p);
void does_not_return(struct pool *p) {
    pthread_mutex_lock(&p->mu);
    if (p->used < 0)
        abort(); // no diagnostic: nobody waits any more
    pthread_mutex_unlock(&p->mu);
}

/* A guard that a function makes and returns: the struct keeps the lock, its cleanup releases it. */
struct scope {
    int depth;
    pthread_mutex_t *mu;
};
struct scoped {
    pthread_mutex_t mu;
    int n;
};
static void scope_end(struct scope *s) { pthread_mutex_unlock(s->mu); }
static struct scope scope_begin(pthread_mutex_t *mu) {
    pthread_mutex_lock(mu);
    return (struct scope){1, mu};
}
static struct scope scope_by_member(pthread_mutex_t *mu) {
    struct scope s;
    s.mu = mu;
    s.depth = 1;
    pthread_mutex_lock(mu);
    return s;
}

int in_a_returned_scope(struct scoped *s);
int in_a_returned_scope(struct scoped *s) {
    __attribute__((cleanup(scope_end))) struct scope g = scope_begin(&s->mu);
    if (s->n < 0)
        return -1; // no diagnostic
    s->n++;
    return 0; // no diagnostic
}

int made_by_member(struct scoped *s);
int made_by_member(struct scoped *s) {
    __attribute__((cleanup(scope_end))) struct scope g = scope_by_member(&s->mu);
    return s->n; // no diagnostic
}

void by_hand(struct scoped *s);
void by_hand(struct scoped *s) {
    struct scope g = scope_begin(&s->mu);
    s->n++;
    scope_end(&g); // no diagnostic
}

int ended_by_hand(struct scoped *s);
int ended_by_hand(struct scoped *s) {
    struct scope g = scope_begin(&s->mu);
    if (s->n < 0)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    s->n++;
    scope_end(&g);
    return 0; // no diagnostic
}

/* ---- a mistake is said once, where it is, also to callers that call each other ---- */
struct tree {
    pthread_mutex_t mu;
    struct tree *left, *right;
    int n;
};
static const char *label(struct tree *t, int brief) {
    pthread_mutex_lock(&t->mu);
    if (brief)
        return 0; // expected-warning {{[aglet-lock-leak]}}
    pthread_mutex_unlock(&t->mu);
    return "tree";
}
static void walk_right(struct tree *t, int depth);
static void walk_both(struct tree *t, int depth);
static void walk_left(struct tree *t, int depth) {
    if (depth & 1)
        walk_right(t, depth - 1);
    label(t, depth); // no diagnostic: what it forgets is said there
}
static void walk_right(struct tree *t, int depth) {
    if (depth & 2)
        walk_both(t, depth - 1);
}
static void walk_both(struct tree *t, int depth) {
    if (depth & 4)
        walk_left(t, depth - 1);
    if (depth & 8)
        walk_right(t, depth - 1);
}
void walk(struct tree *t);
void walk(struct tree *t) {
    walk_left(t, 9);
    pthread_mutex_lock(&t->mu); // no diagnostic: as above
    t->n++;
    pthread_mutex_unlock(&t->mu);
    walk_right(t, 9);
    pthread_mutex_lock(&t->mu); // no diagnostic: as above
    t->n++;
    pthread_mutex_unlock(&t->mu);
}

/* ---- who gives a lock back on one way knows of it: the leak is his, not his wrapper's ---- */
static void tree_enter(struct tree *t) { pthread_mutex_lock(&t->mu); }
static void tree_leave(struct tree *t) { pthread_mutex_unlock(&t->mu); }
int only_caller(struct tree *t, int x);
int only_caller(struct tree *t, int x) {
    tree_enter(t);
    if (x)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    tree_leave(t);
    return 0;
}

/* One mistake, whatever the list's elements are called in the loop's turns. */
struct link {
    pthread_mutex_t mu;
    struct link *next;
    int key;
};

int find_and_forget(struct link *head, int key);
int find_and_forget(struct link *head, int key) {
    struct link *before = head;
    pthread_mutex_lock(&before->mu);
    for (struct link *at = before->next; at != NULL; at = before->next) {
        pthread_mutex_lock(&at->mu);
        pthread_mutex_unlock(&before->mu);
        before = at;
        if (at->key == key)
            return 1; // expected-warning {{[aglet-lock-leak]}}
    }
    pthread_mutex_unlock(&before->mu);
    return 0;
}
