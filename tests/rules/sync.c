/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* sync: members that both sides of a hand-off use at once. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct counter {
    long count;
    long other;
    int id;
    pthread_mutex_t mu;
    pthread_cond_t done;
    int finished;
    atomic_int hits;
};

static void *count_up(void *arg)
{
    struct counter *c = arg;
    for (int i = 0; i < 1000; i++)
        c->count++;
    return NULL;
}

int both_count(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_up, c) != 0) // expected-warning {{'c->count' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    c->count++;
    return pthread_join(t, NULL);
}

static void *count_other(void *arg)
{
    struct counter *c = arg;
    c->other++;
    return NULL;
}

int different_members(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_other, c) != 0) // no diagnostic: each side has its own member
        return -1;
    c->count++;
    return pthread_join(t, NULL);
}

static void *count_locked(void *arg)
{
    struct counter *c = arg;
    pthread_mutex_lock(&c->mu);
    c->count++;
    pthread_mutex_unlock(&c->mu);
    return NULL;
}

int same_lock(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_locked, c) != 0) // no diagnostic: one lock on both sides
        return -1;
    pthread_mutex_lock(&c->mu);
    c->count++;
    pthread_mutex_unlock(&c->mu);
    return pthread_join(t, NULL);
}

int after_the_join(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_up, c) != 0)
        return -1;
    pthread_join(t, NULL);
    c->count++; // no diagnostic: lent, and back after the join
    return 0;
}

static void *read_id(void *arg)
{
    struct counter *c = arg;
    return c->id ? arg : NULL;
}

int written_before(struct counter *c)
{
    pthread_t t;
    c->id = 7; // no diagnostic: written before the hand-off, only read after
    if (pthread_create(&t, NULL, read_id, c) != 0)
        return -1;
    int id = c->id;
    pthread_join(t, NULL);
    return id;
}

static void *count_atomic(void *arg)
{
    struct counter *c = arg;
    c->hits++;
    return NULL;
}

int both_atomic(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_atomic, c) != 0) // no diagnostic: atomic on both sides
        return -1;
    c->hits++;
    return pthread_join(t, NULL);
}

static void *finish(void *arg)
{
    struct counter *c = arg;
    c->count = 1;
    pthread_mutex_lock(&c->mu);
    c->finished = 1;
    pthread_cond_signal(&c->done);
    pthread_mutex_unlock(&c->mu);
    return NULL;
}

long waited_for(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, finish, c) != 0)
        return -1;
    pthread_detach(t);
    pthread_mutex_lock(&c->mu);
    while (!c->finished)
        pthread_cond_wait(&c->done, &c->mu);
    pthread_mutex_unlock(&c->mu);
    return c->count; // no diagnostic: the condition may order the two sides
}

struct posted {
    long count;
    sem_t done;
};

static void *post(void *arg)
{
    struct posted *p = arg;
    p->count = 1;
    sem_post(&p->done);
    return NULL;
}

long posted_to(struct posted *p)
{
    pthread_t t;
    if (pthread_create(&t, NULL, post, p) != 0)
        return -1;
    pthread_detach(t);
    sem_wait(&p->done);
    return p->count; // no diagnostic: so may the semaphore
}

struct flagged {
    long count;
    atomic_int ready;
};

static void *raise_flag(void *arg)
{
    struct flagged *f = arg;
    f->count = 1;
    atomic_store(&f->ready, 1);
    return NULL;
}

long polled(struct flagged *f)
{
    pthread_t t;
    if (pthread_create(&t, NULL, raise_flag, f) != 0)
        return -1;
    pthread_detach(t);
    while (!atomic_load(&f->ready))
        ;
    return f->count; // no diagnostic: so may the flag
}

int slept(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_up, c) != 0) // expected-warning {{'c->count' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    sleep(1);
    long n = c->count;
    pthread_join(t, NULL);
    return n > 0;
}

/* One object for every thread of a loop. */
int one_for_all(struct counter *c, pthread_t *threads)
{
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, count_up, c) != 0) // expected-warning {{'c->count' is shared by several threads with nothing to guard it [aglet-sync]}}
            return -1;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

struct slot {
    long count;
};

static void *fill(void *arg)
{
    struct slot *s = arg;
    s->count++;
    return NULL;
}

long one_each(void)
{
    struct slot slots[4] = {{0}};
    pthread_t threads[4];
    long sum = 0;
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, fill, &slots[i]) != 0) // no diagnostic: an element each
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        sum += slots[i].count;
    return sum;
}

static void *print_number(void *arg)
{
    int *n = arg;
    return *n ? arg : NULL;
}

void loop_variable(pthread_t *threads)
{
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, print_number, &i) != 0) // expected-warning {{'i' is used by both threads after this hand-off, unguarded [aglet-sync]}}
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

/* A wrapper: judged at its callers. */
static int start_worker(struct counter *c, pthread_t *t)
{
    return pthread_create(t, NULL, count_up, c);
}

void through_a_wrapper(struct counter *c)
{
    pthread_t t;
    start_worker(c, &t); // expected-warning {{'c->count' is used by both threads after this hand-off, unguarded [aglet-sync]}}
    c->count = 0;
    pthread_join(t, NULL);
}

/* A lookup table that nobody writes. */
struct table {
    const int *rows;
    int n;
};

static void *look_up(void *arg)
{
    const struct table *t = arg;
    return t->n ? arg : NULL;
}

int read_only(const struct table *table)
{
    pthread_t t, u;
    if (pthread_create(&t, NULL, look_up, (void *)table) != 0)
        return -1;
    if (pthread_create(&u, NULL, look_up, (void *)table) != 0) // no diagnostic: only read
        return pthread_join(t, NULL);
    int n = table->n;
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return n;
}

/* A pool that hands itself to its threads and guards what they share. */
struct pool {
    pthread_mutex_t mu;
    int jobs;
    int size;
    pthread_t threads[4];
};

static void *pool_thread(void *arg)
{
    struct pool *p = arg;
    pthread_mutex_lock(&p->mu);
    while (p->jobs > 0)
        p->jobs--;
    pthread_mutex_unlock(&p->mu);
    return NULL;
}

int pool_start(struct pool *p)
{
    for (int i = 0; i < p->size; i++) // no diagnostic: only read by both
        if (pthread_create(&p->threads[i], NULL, pool_thread, p) != 0)
            return -1;
    return 0;
}

void pool_stop(struct pool *p)
{
    for (int i = 0; i < p->size; i++)
        pthread_join(p->threads[i], NULL);
}

/* A job that points back to its server, whose members are guarded. */
struct server {
    pthread_mutex_t mu;
    int active AGLET_GUARDED_BY(mu);
};
struct job {
    struct server *server;
    int fd;
};

static void *serve(void *arg)
{
    struct job *job = arg;
    pthread_mutex_lock(&job->server->mu);
    job->server->active--;
    pthread_mutex_unlock(&job->server->mu);
    close(job->fd);
    free(job);
    return NULL;
}

int accept_one(struct server *server, int fd)
{
    pthread_t t;
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return -1;
    job->server = server;
    job->fd = fd;
    pthread_mutex_lock(&server->mu);
    server->active++;
    pthread_mutex_unlock(&server->mu);
    if (pthread_create(&t, NULL, serve, job) != 0) { // no diagnostic: the server is guarded, the job is given away
        free(job);
        return -1;
    }
    return pthread_detach(t);
}

/* Told through a pipe. */
struct piped {
    int from, to;
    long result;
};

static void *tell(void *arg)
{
    struct piped *p = arg;
    p->result = 1;
    (void)write(p->to, "x", 1);
    return NULL;
}

long told(struct piped *p)
{
    pthread_t t;
    char c;
    if (pthread_create(&t, NULL, tell, p) != 0)
        return -1;
    pthread_detach(t);
    if (read(p->from, &c, 1) != 1)
        return -1;
    return p->result; // no diagnostic: what came through the pipe may order the two sides
}

/* Each member safe but one, deep inside. */
struct limits {
    const int most;
    long used;
};
struct shared {
    pthread_mutex_t mu;
    long guarded AGLET_GUARDED_BY(mu);
    atomic_long hits;
    struct limits limits;
};

static void *use_shared(void *arg)
{
    struct shared *s = arg;
    s->hits++;
    s->limits.used += s->limits.most;
    pthread_mutex_lock(&s->mu);
    s->guarded++;
    pthread_mutex_unlock(&s->mu);
    return NULL;
}

int one_of_many(struct shared *s)
{
    pthread_t t;
    if (pthread_create(&t, NULL, use_shared, s) != 0) // expected-warning {{'s->limits.used' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    s->hits++;
    s->limits.used = 0;
    pthread_mutex_lock(&s->mu);
    s->guarded++;
    pthread_mutex_unlock(&s->mu);
    return pthread_join(t, NULL);
}

/* A thread reads what this side writes after starting it, but only under a lock that a later function releases first. */
struct late {
    pthread_mutex_t mu;
    int empty;
    int limit;
};

static void *take_when_full(void *arg)
{
    struct late *l = arg;
    pthread_mutex_lock(&l->mu);
    int n = l->empty ? 0 : l->limit;
    pthread_mutex_unlock(&l->mu);
    return n ? arg : NULL;
}

int late_start(struct late *l, pthread_t *t)
{
    l->empty = 1;
    if (pthread_create(t, NULL, take_when_full, l) != 0)
        return -1;
    l->limit = 4; // no diagnostic: what callers release later may come before the thread's lock
    return 0;
}

/* A helper that is called with the lock held. */
static int grow(struct late *l, pthread_t *t)
{
    if (pthread_create(t, NULL, take_when_full, l) != 0)
        return -1;
    l->limit++; // no diagnostic: every caller holds the lock
    return pthread_join(*t, NULL);
}

int late_grow(struct late *l, pthread_t *t)
{
    pthread_mutex_lock(&l->mu);
    int result = grow(l, t);
    pthread_mutex_unlock(&l->mu);
    return result;
}

/* A lock of the program's own, told by annotations. */
struct AGLET_LOCK_TYPE own_lock {
    atomic_int word;
};
void own_acquire(struct own_lock *l) AGLET_ACQUIRES(l);
void own_release(struct own_lock *l) AGLET_RELEASES(l);

struct owned_count {
    struct own_lock lock;
    long safe, naked;
};

static void *count_owned(void *arg)
{
    struct owned_count *o = arg;
    o->naked++;
    own_acquire(&o->lock);
    o->safe++;
    own_release(&o->lock);
    return NULL;
}

int own_locks(struct owned_count *o)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_owned, o) != 0) // expected-warning {{'o->naked' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    o->naked++;
    own_acquire(&o->lock);
    o->safe++; // no diagnostic: the same lock on both sides
    own_release(&o->lock);
    return pthread_join(t, NULL);
}

/* An array of pointers, each to a worker of its own. */
struct pool_worker {
    pthread_t thread;
    unsigned ticks;
};
struct worker_pool {
    struct pool_worker *worker[8];
    unsigned n;
};
static void *count_ticks(void *argument) {
    struct pool_worker *w = argument;
    w->ticks++;
    return NULL;
}
int start_pool(struct worker_pool *p);
int start_pool(struct worker_pool *p) {
    for (unsigned i = 0; i < p->n; i++)
        if (pthread_create(&p->worker[i]->thread, NULL, count_ticks, p->worker[i]) != 0) // no diagnostic: another element each turn
            return -1;
    for (unsigned i = 0; i < p->n; i++)
        if (pthread_join(p->worker[i]->thread, NULL) != 0)
            return -1;
    return 0;
}

/* What the members of the argument point to, wherever the pointers were stored. */
struct tally {
    pthread_mutex_t mu;
    long naked, safe;
};
struct side {
    struct tally *tally;
    struct {
        struct tally *deep;
    } inside;
    unsigned bits : 3;
};
static void tally_add(struct tally *t)
{
    t->naked++;
}
static void *count_inside(void *argument)
{
    struct side *s = argument;
    pthread_mutex_lock(&s->tally->mu);
    s->tally->safe++;
    pthread_mutex_unlock(&s->tally->mu);
    s->inside.deep->safe++;
    tally_add(s->tally);
    s->bits = 1;
    return NULL;
}

int member_points_to(struct side *s)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_inside, s) != 0) // expected-warning {{'s->tally->naked' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_mutex_lock(&s->tally->mu);
    s->tally->safe++; // no diagnostic: the same lock on both sides
    pthread_mutex_unlock(&s->tally->mu);
    s->tally->naked = 0;
    return pthread_join(t, NULL);
}

int member_of_member_points_to(struct side *s)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_inside, s) != 0) // expected-warning {{'s->inside.deep->safe' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    s->inside.deep->safe = 0;
    return pthread_join(t, NULL);
}

int to_several_threads(pthread_t threads[4], struct side *s)
{
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, count_inside, s) != 0) // expected-warning {{'s->bits' is shared by several threads with nothing to guard it [aglet-sync]}} expected-warning {{'s->inside.deep->safe' is shared by several threads with nothing to guard it [aglet-sync]}} expected-warning {{'s->tally->naked' is shared by several threads with nothing to guard it [aglet-sync]}}
            return -1;
    return 0;
}

int another_object_meanwhile(struct side *s, struct tally *other)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_inside, s) != 0) // expected-warning {{'s->tally' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    s->tally = other;
    s->tally->naked = 0;
    return pthread_join(t, NULL);
}

/* All of it at once is one mistake. */
int cleared_whole(struct side *s)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_inside, s) != 0) // expected-warning {{is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    memset(s, 0, sizeof *s);
    return pthread_join(t, NULL);
}
