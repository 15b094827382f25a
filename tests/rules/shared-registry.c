/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What looks like a queue and is none: registries, counted caches, tables, lists of one thread. Only the last is handed over. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Live connections: each is put there by the thread that serves it, and taken out by the same. */
struct conn {
    struct conn *next, *prev;
    int fd;
    long bytes;
};
static struct {
    pthread_mutex_t mu;
    struct conn *live;
    long n;
} registry = {PTHREAD_MUTEX_INITIALIZER, NULL, 0};

static void conn_register(struct conn *c)
{
    pthread_mutex_lock(&registry.mu);
    c->prev = NULL;
    c->next = registry.live;
    if (registry.live)
        registry.live->prev = c;
    registry.live = c;
    registry.n++;
    pthread_mutex_unlock(&registry.mu);
}

static void conn_forget(struct conn *c)
{
    pthread_mutex_lock(&registry.mu);
    if (c->prev)
        c->prev->next = c->next;
    else
        registry.live = c->next;
    if (c->next)
        c->next->prev = c->prev;
    registry.n--;
    pthread_mutex_unlock(&registry.mu);
}

static void *serve(void *arg)
{
    struct conn *c = arg;
    conn_register(c);
    c->bytes = 1; // no diagnostic: nobody takes it out but this thread
    conn_forget(c);
    free(c);
    return NULL;
}

static void *count_live(void *unused)
{
    long fds = 0;
    pthread_mutex_lock(&registry.mu);
    for (struct conn *c = registry.live; c; c = c->next)
        fds += c->fd;
    pthread_mutex_unlock(&registry.mu);
    return fds ? unused : NULL;
}

int accept_loop(int (*next)(void))
{
    pthread_t t;
    for (int fd; (fd = next()) >= 0;) {
        struct conn *c = calloc(1, sizeof *c);
        if (!c)
            return -1;
        c->fd = fd;
        if (pthread_create(&t, NULL, serve, c) != 0) {
            free(c);
            return -1;
        }
        pthread_detach(t);
    }
    if (pthread_create(&t, NULL, count_live, NULL) != 0)
        return -1;
    return pthread_join(t, NULL);
}

/* A cache whose entries are counted: who takes one out drops the cache's reference only. */
struct entry {
    struct entry *next;
    atomic_int refs;
    char key[16];
    int value;
};
static struct entry *cache;
static pthread_mutex_t cache_mu = PTHREAD_MUTEX_INITIALIZER;

static void entry_put(struct entry *e)
{
    if (atomic_fetch_sub(&e->refs, 1) == 1)
        free(e);
}

static void cache_insert(struct entry *e)
{
    atomic_fetch_add(&e->refs, 1);
    pthread_mutex_lock(&cache_mu);
    e->next = cache;
    cache = e;
    pthread_mutex_unlock(&cache_mu);
}

static void *evict(void *unused)
{
    pthread_mutex_lock(&cache_mu);
    struct entry *e = cache;
    if (e)
        cache = e->next;
    pthread_mutex_unlock(&cache_mu);
    if (e)
        entry_put(e);
    return unused;
}

int cache_start(pthread_t *t)
{
    return pthread_create(t, NULL, evict, NULL);
}

int remember(const char *key, int value)
{
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return -1;
    atomic_init(&e->refs, 1);
    e->value = value;
    cache_insert(e);
    strncpy(e->key, key, sizeof e->key - 1); // no diagnostic: this thread has a reference of its own
    int same = e->value;
    entry_put(e);
    return same;
}

/* A table that is looked up. */
struct user {
    int id;
    int logins;
};
static struct user *users[100];
static pthread_mutex_t users_mu = PTHREAD_MUTEX_INITIALIZER;

static struct user *user_find(int id)
{
    pthread_mutex_lock(&users_mu);
    struct user *u = users[id % 100];
    pthread_mutex_unlock(&users_mu);
    return u;
}

static void *print_user(void *arg)
{
    struct user *u = user_find(7);
    return u && u->id ? arg : NULL;
}

int users_start(pthread_t *t)
{
    return pthread_create(t, NULL, print_user, NULL);
}

int user_add(int id)
{
    struct user *u = calloc(1, sizeof *u);
    if (!u)
        return -1;
    u->id = id;
    pthread_mutex_lock(&users_mu);
    users[id % 100] = u;
    pthread_mutex_unlock(&users_mu);
    return u->id; // no diagnostic: it stays in the table, and is only read
}

/* A list that only one thread fills and drains; the lock is for those who count. */
struct note {
    struct note *next;
    int n;
};
static struct note *notes;
static pthread_mutex_t notes_mu = PTHREAD_MUTEX_INITIALIZER;

static void *own_list(void *unused)
{
    struct note *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    pthread_mutex_lock(&notes_mu);
    n->next = notes;
    notes = n;
    pthread_mutex_unlock(&notes_mu);
    n->n = 1; // no diagnostic: only this thread takes it out
    pthread_mutex_lock(&notes_mu);
    struct note *first = notes;
    if (first)
        notes = first->next;
    pthread_mutex_unlock(&notes_mu);
    free(first);
    return unused;
}

int notes_start(pthread_t *t)
{
    return pthread_create(t, NULL, own_list, NULL);
}

/* The cache without counts: who takes an entry out frees it, under the feet of who put it there. */
struct plain_entry {
    struct plain_entry *next;
    int value;
};
static struct plain_entry *plain_cache;
static pthread_mutex_t plain_mu = PTHREAD_MUTEX_INITIALIZER;

static void *plain_evict(void *unused)
{
    pthread_mutex_lock(&plain_mu);
    struct plain_entry *e = plain_cache;
    if (e)
        plain_cache = e->next;
    pthread_mutex_unlock(&plain_mu);
    free(e);
    return unused;
}

int plain_start(pthread_t *t)
{
    return pthread_create(t, NULL, plain_evict, NULL);
}

int plain_remember(int value)
{
    struct plain_entry *e = calloc(1, sizeof *e);
    if (!e)
        return -1;
    pthread_mutex_lock(&plain_mu);
    e->next = plain_cache;
    plain_cache = e;
    pthread_mutex_unlock(&plain_mu);
    e->value = value; // expected-warning {{'e->value' is written after it was given to another thread [aglet-use-after-send]}}
    return 0;
}
