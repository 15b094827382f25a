/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A member says whether a lock is taken, and is asked again to give it back: what lies between does not change it, unless it is
 * handed the object and writes that member. Stands on pthreads. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct stream {
    pthread_mutex_t mu;
    pthread_cond_t room;
    bool shared, broken;
    int n, max;
};

/* Sets up another stream: a member of that name is written, not of ours. */
static struct stream *stream_new(int max) {
    struct stream *s = calloc(1, sizeof *s);
    if (s) {
        s->shared = max > 1;
        s->max = max;
        pthread_mutex_init(&s->mu, NULL);
    }
    return s;
}
static void grow(struct stream *s) {
    struct stream *more = stream_new(s->max * 2);
    if (more)
        s->max = more->max;
    free(more);
}
static void wait_for_room(struct stream *s) {
    if (!s->shared)
        return;
    while (s->n == s->max)
        pthread_cond_wait(&s->room, &s->mu);
}
static void forbid_sharing(struct stream *s) { s->shared = false; }
static void close_by(struct stream *s) { forbid_sharing(s); }

int put(struct stream *s);
int put(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    if (s->n == s->max)
        grow(s);
    s->n++;
    if (s->shared)
        pthread_mutex_unlock(&s->mu); // no diagnostic: taken when the same was so
    return 0;
}
int put_after_wait(struct stream *s);
int put_after_wait(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    wait_for_room(s);
    s->n++;
    if (s->shared)
        pthread_mutex_unlock(&s->mu); // no diagnostic: the wait does not make the stream another kind
    return 0;
}
int put_and_leave(struct stream *s);
int put_and_leave(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    grow(s);
    if (s->n == s->max)
        return -1; // expected-warning {{'s->mu' is still held on this return [aglet-lock-leak]}}
    s->n++;
    if (s->shared)
        pthread_mutex_unlock(&s->mu);
    return 0;
}
int put_if_whole(struct stream *s);
int put_if_whole(struct stream *s) {
    int result = -1;
    if (s->broken)
        goto end;
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    grow(s);
    s->n++;
    result = 0;
end:
    if (s->shared)
        pthread_mutex_unlock(&s->mu); // expected-warning {{[aglet-lock-mismatch]}}
    return result;
}
int put_last(struct stream *s);
int put_last(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    s->n++;
    close_by(s);
    if (s->shared)
        pthread_mutex_unlock(&s->mu); // expected-warning {{[aglet-lock-mismatch]}}
    return 0; // expected-warning {{'s->mu' is still held on this return [aglet-lock-leak]}}
}
int put_first(struct stream *s);
int put_first(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    s->n++;
    s->shared = true;
    pthread_mutex_unlock(&s->mu); // expected-warning {{[aglet-lock-mismatch]}}
    return 0;
}

/* ---- who waits only where the lock is taken ---- */
void drain(struct stream *s);
void drain(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    wait_for_room(s); // no diagnostic: where it is not held, nobody waits
    s->n = 0;
    if (s->shared)
        pthread_mutex_unlock(&s->mu);
}
static void drain_quietly(struct stream *s) {
    wait_for_room(s); // no diagnostic: what it does is not known here
    s->n = 0;
}
void drain_shared(struct stream *s);
void drain_shared(struct stream *s) {
    drain_quietly(s); // no diagnostic: it may be one that nobody shares
    if (!s->shared)
        return;
    pthread_mutex_lock(&s->mu);
    s->max = 0;
    pthread_mutex_unlock(&s->mu);
    wait_for_room(s); // expected-warning {{'s->room' is waited on without 's->mu' held [aglet-cond-wait]}}
}

/* ---- a pointer that was locked is none that is null ---- */
int put_by_pointer(pthread_mutex_t **which, struct stream *s);
int put_by_pointer(pthread_mutex_t **which, struct stream *s) {
    pthread_mutex_t *mu = s->broken ? NULL : *which;
    int result = -1;
    if (s->broken)
        goto end;
    pthread_mutex_lock(mu);
    if (s->n == s->max)
        goto end;
    s->n++;
    result = 0;
end:
    if (mu)
        pthread_mutex_unlock(mu); // no diagnostic: it is, where it was locked
    return result;
}

/* ---- a pool's lock is its owner's, by a pointer in each ---- */
struct owner {
    pthread_mutex_t *mu;
    int n;
};
struct pool {
    pthread_mutex_t *owner_mu;
    void (*work)(void *arg);
    void *arg;
};
static void work_unlocked(void *arg) {
    struct owner *o = arg;
    o->n++;
    pthread_mutex_unlock(o->mu); // no diagnostic: what is held here by the pool's pointer may be this
    o->n = 0;
    pthread_mutex_lock(o->mu);
}
static void *pool_run(void *arg) {
    struct pool *p = arg;
    pthread_mutex_lock(p->owner_mu);
    p->work(p->arg);
    pthread_mutex_unlock(p->owner_mu);
    return NULL;
}
static struct pool the_pool;
int pool_start(struct owner *o, pthread_t *t);
int pool_start(struct owner *o, pthread_t *t) {
    the_pool = (struct pool){o->mu, work_unlocked, o};
    return pthread_create(t, NULL, pool_run, &the_pool);
}

/* ---- who gives the lock up only where something is so ---- */
static void stop(struct stream *s) {
    if (!s->broken && s->shared)
        pthread_mutex_unlock(&s->mu); // no diagnostic: end() took it
}
void end(struct stream *s);
void end(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    stop(s);
    if (s->shared)
        pthread_mutex_destroy(&s->mu); // no diagnostic: whether stop() gave it up is not known here
    free(s);
}
void end_early(struct stream *s);
void end_early(struct stream *s) {
    pthread_mutex_lock(&s->mu);
    s->n = 0;
    pthread_mutex_destroy(&s->mu); // expected-warning {{[aglet-destroy-held]}}
}

/* ---- one of two members says so, set before it is asked ---- */
struct stream *stream_open(int max, bool alone, bool waited);
struct stream *stream_open(int max, bool alone, bool waited) {
    struct stream *s = stream_new(max);
    if (!s)
        return NULL;
    s->shared = !alone;
    s->broken = waited;
    if (s->shared || s->broken)
        pthread_mutex_lock(&s->mu);
    grow(s);
    s->n = 1;
    if (s->shared || s->broken)
        pthread_mutex_unlock(&s->mu); // no diagnostic: asked as it was when it was taken
    return s;
}

/* ---- callers say whether they have the locks ---- */
struct event_list {
    pthread_mutex_t order, mu;
    int n, frozen;
};
static int due(const struct event_list *l) { return l->n > 3; }
static void plan(struct event_list *l, bool mine) {
    if (!mine) {
        pthread_mutex_lock(&l->order);
        pthread_mutex_lock(&l->mu);
    }
    if (l->frozen || !due(l)) {
        pthread_mutex_unlock(&l->mu); // no diagnostic: plan()'s own, or the caller's, as `mine` says
        pthread_mutex_unlock(&l->order);
        return;
    }
    l->n--;
    pthread_mutex_unlock(&l->mu);
    pthread_mutex_unlock(&l->order);
}
void plan_now(struct event_list *l);
void plan_now(struct event_list *l) {
    plan(l, false); // no diagnostic: plan() takes them
}
void plan_again(struct event_list *l, int n);
void plan_again(struct event_list *l, int n) {
    pthread_mutex_lock(&l->order);
    pthread_mutex_lock(&l->mu);
    if (due(l)) {
        l->n += n;
        plan(l, true); // no diagnostic: plan() gives them back
    } else {
        pthread_mutex_unlock(&l->mu);
        pthread_mutex_unlock(&l->order);
    }
}
void plan_twice(struct event_list *l);
void plan_twice(struct event_list *l) {
    pthread_mutex_lock(&l->order);
    plan(l, false); // expected-warning {{'plan' takes 'l->order', which is held already [aglet-double-lock]}}
    pthread_mutex_unlock(&l->order); // no diagnostic: the same mistake
}
static struct event_list the_list = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, 0, 0};
void plan_without(void);
void plan_without(void) {
    plan(&the_list, true); // expected-warning 2 {{which is not held here [aglet-unlock-unheld]}}
}
void plan_by_chance(struct event_list *l);
void plan_by_chance(struct event_list *l) {
    const int many = due(l);
    if (many)
        pthread_mutex_lock(&l->mu);
    l->n--;
    pthread_mutex_unlock(&l->mu); // expected-warning {{'l->mu' is released here, but held only on some of the ways [aglet-lock-mismatch]}}
}

/* ---- what leads to the lock is gone where the callee gave it back, and only there ---- */
struct response {
    pthread_mutex_t mu;
    int (*reader)(void *of);
    int size;
};
struct connection {
    struct response *response;
    int state;
    bool suspended;
};
void log_close(struct connection *c);
/* Gives the lock back where it is not ready; the response may be gone then. */
static int make_ready(struct connection *c) {
    struct response *r = c->response;
    int n;
    if (!r->reader)
        return 1;
    n = r->reader(r);
    if (n < 0) {
        pthread_mutex_unlock(&r->mu);
        log_close(c);
        c->response = NULL;
        return 0;
    }
    r->size = n;
    return 1;
}
void queue(struct connection *c);
void idle(struct connection *c);
void idle(struct connection *c) {
    while (!c->suspended) {
        switch (c->state) {
        case 1:
            queue(c);
            if (c->response == NULL)
                return;
            continue;
        case 2:
            if (c->response->reader)
                pthread_mutex_lock(&c->response->mu);
            if (c->response->size == 0) {
                if (c->response->reader)
                    pthread_mutex_unlock(&c->response->mu); // no diagnostic: as it was taken
                c->state = 3;
                continue;
            }
            if (make_ready(c)) {
                if (c->response->reader)
                    pthread_mutex_unlock(&c->response->mu); // no diagnostic: as it was taken
                c->state = 3;
                break;
            }
            break; // no diagnostic: given back by make_ready()
        default: break;
        }
        break;
    }
}
void idle_forgetful(struct connection *c);
void idle_forgetful(struct connection *c) {
    if (c->response->reader)
        pthread_mutex_lock(&c->response->mu);
    if (make_ready(c)) {
        c->state = 3;
        return; // expected-warning {{'c->response->mu' is still held on this return [aglet-lock-leak]}}
    }
}
