/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* send: types that must stay on their thread, and reference counts that are not atomic. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>

struct object {
    int refs AGLET_REFCOUNT;
    int value;
};

static void object_put(struct object *o)
{
    if (--o->refs == 0)
        free(o);
}

static void *use_object(void *arg)
{
    struct object *o = arg;
    object_put(o);
    return NULL;
}

/* A reference stays here while the thread drops its own. */
int keep_one(struct object *o)
{
    pthread_t t;
    o->refs++;
    if (pthread_create(&t, NULL, use_object, o) != 0) // expected-warning {{a reference stays behind, and count 'o->refs' is not atomic [aglet-send]}}
        return -1;
    object_put(o);
    return pthread_join(t, NULL);
}

/* The only reference moves: no diagnostic. */
int give_the_only_one(void)
{
    pthread_t t;
    struct object *o = calloc(1, sizeof *o);
    if (!o)
        return -1;
    o->refs = 1;
    if (pthread_create(&t, NULL, use_object, o) != 0) {
        free(o);
        return -1;
    }
    return pthread_join(t, NULL);
}

struct counted {
    atomic_int refs AGLET_REFCOUNT;
    int value;
};

static void *use_counted(void *arg)
{
    struct counted *c = arg;
    if (atomic_fetch_sub(&c->refs, 1) == 1)
        free(c);
    return NULL;
}

/* An atomic count: no diagnostic. */
int keep_atomic(struct counted *c)
{
    pthread_t t;
    atomic_fetch_add(&c->refs, 1);
    if (pthread_create(&t, NULL, use_counted, c) != 0)
        return -1;
    if (atomic_fetch_sub(&c->refs, 1) == 1)
        free(c);
    return pthread_join(t, NULL);
}

struct shared_name {
    int refs AGLET_REFCOUNT;
    char text[16];
};
struct conn {
    int fd;
    struct shared_name *name;
};
struct job {
    int id;
    struct conn conn;
};

static void *run_job(void *arg)
{
    struct job *job = arg;
    return job->id ? arg : NULL;
}

int member_of_a_member(struct job *job)
{
    pthread_t t;
    if (pthread_create(&t, NULL, run_job, job) != 0) // expected-warning {{'struct job' reaches another thread here, and is not Send [aglet-send]}}
        return -1;
    return pthread_join(t, NULL);
}

struct AGLET_GUARD_TYPE guard {
    pthread_mutex_t *mu;
};

static void *use_guard(void *arg)
{
    struct guard *g = arg;
    return g->mu;
}

int held_guard(struct guard *g)
{
    pthread_t t;
    if (pthread_create(&t, NULL, use_guard, g) != 0) // expected-warning {{'struct guard' reaches another thread here, and is not Send [aglet-send]}}
        return -1;
    return pthread_join(t, NULL);
}

struct AGLET_NOT_SEND("its window belongs to the main thread") widget {
    int handle;
};
typedef struct {
    struct widget *widget;
    int n;
} task_data;

static void *draw(void *arg)
{
    task_data *d = arg;
    return d->n ? arg : NULL;
}

int marked_type(struct widget *w)
{
    pthread_t t;
    task_data data = {w, 1};
    if (pthread_create(&t, NULL, draw, &data) != 0) // no diagnostic: a pointer with no role is judged by its use
        return -1;
    return pthread_join(t, NULL);
}

struct frozen_stack {
    jmp_buf back;
    int id;
};

static void *go_back(void *arg)
{
    struct frozen_stack *f = arg;
    return f->id ? arg : NULL;
}

int jump_buffer(struct frozen_stack *f)
{
    pthread_t t;
    if (pthread_create(&t, NULL, go_back, f) != 0) // expected-warning {{'struct frozen_stack' reaches another thread here, and is not Send [aglet-send]}}
        return -1;
    return pthread_join(t, NULL);
}

/* Promises are proved, or the member named. */
struct AGLET_SYNC all_guarded {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
    atomic_int hits;
    const int limit;
};
struct AGLET_SYNC one_naked { // expected-warning {{'struct one_naked' says it is Sync, and a member is not [aglet-send]}}
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
    int naked;
};
struct AGLET_SEND owns_all {
    char *AGLET_OWNED text;
};
struct AGLET_SEND points_anywhere { // expected-warning {{'struct points_anywhere' says it is Send, and a member is not [aglet-send]}}
    char *text;
};
struct AGLET_TRUSTED_SEND("the text is never freed") trusted {
    char *text;
};

struct AGLET_SEND AGLET_NOT_SEND("it cannot be both") torn { // expected-error {{AGLET_SEND and AGLET_NOT_SEND stand on one type [aglet-annotation]}} expected-warning 0+ {{says it is Send [aglet-send]}}
    int value;
};

/* A count that nobody marked, known by its use. */
struct unmarked {
    int uses;
    int value;
};

static struct unmarked *unmarked_get(struct unmarked *u)
{
    u->uses++;
    return u;
}

static void unmarked_put(struct unmarked *u)
{
    if (--u->uses == 0)
        free(u);
}

static void *use_unmarked(void *arg)
{
    unmarked_put(arg);
    return NULL;
}

int keep_unmarked(struct unmarked *u)
{
    pthread_t t;
    unmarked_get(u);
    if (pthread_create(&t, NULL, use_unmarked, u) != 0) // expected-warning {{a reference stays behind, and count 'u->uses' is not atomic [aglet-send]}}
        return -1;
    unmarked_put(u);
    return pthread_join(t, NULL);
}

/* The reference is taken in the argument itself. */
int keep_unmarked_at_once(struct unmarked *u)
{
    pthread_t t;
    if (pthread_create(&t, NULL, use_unmarked, unmarked_get(u)) != 0) // expected-warning {{a reference stays behind, and count 'u->uses' is not atomic [aglet-send]}}
        return -1;
    unmarked_put(u);
    return pthread_join(t, NULL);
}

/* ---- a pointer to what belongs to one thread, set by the thread that gets the object ---- */
struct call_state {
    int fd;
    jmp_buf *escape; // of whoever runs the call
};
static void attempt(struct call_state *c) {
    jmp_buf here;
    jmp_buf *before = c->escape;
    c->escape = &here;
    if (!setjmp(here))
        c->fd++;
    c->escape = before;
}
static void *serve_call(void *arg) {
    attempt(arg);
    return NULL;
}
int accept_call(pthread_t *t, struct call_state *c);
int accept_call(pthread_t *t, struct call_state *c) {
    c->escape = NULL;
    return pthread_create(t, NULL, serve_call, c); // no diagnostic: it is set by the thread itself
}
struct carried_state {
    int fd;
    jmp_buf *escape;
};
static void *serve_carried(void *arg) {
    struct carried_state *c = arg;
    c->fd++;
    return NULL;
}
static jmp_buf out;
int accept_carried(pthread_t *t, struct carried_state *c);
int accept_carried(pthread_t *t, struct carried_state *c) {
    c->escape = &out;
    return pthread_create(t, NULL, serve_carried, c); // expected-warning {{'struct carried_state' reaches another thread here, and is not Send [aglet-send]}}
}
