/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Each member atomic, guarded or const: quiet. One that is not: that one is named, by its path. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <threads.h>

struct safe {
    pthread_mutex_t mu;
    long total AGLET_GUARDED_BY(mu);
    atomic_long hits;
    const int limit;
};

static void use_safe(struct safe *s)
{
    if (++s->hits > s->limit)
        return;
    pthread_mutex_lock(&s->mu);
    s->total++;
    pthread_mutex_unlock(&s->mu);
}

static void *safe_thread(void *arg)
{
    use_safe(arg);
    return NULL;
}

int all_safe(struct safe *s)
{
    pthread_t t;
    if (pthread_create(&t, NULL, safe_thread, s) != 0) // no diagnostic: each member is safe to share
        return -1;
    use_safe(s);
    return pthread_join(t, NULL);
}

/* One in a struct in a struct, and in a union without a name. */
struct details {
    union {
        int last_error;
        float rate;
    };
};
struct unsafe {
    pthread_mutex_t mu;
    long total AGLET_GUARDED_BY(mu);
    atomic_long hits;
    const int limit;
    struct {
        struct details details;
    } inner;
};

static void use_unsafe(struct unsafe *u)
{
    if (++u->hits > u->limit)
        u->inner.details.last_error = 1;
    pthread_mutex_lock(&u->mu);
    u->total++;
    pthread_mutex_unlock(&u->mu);
}

static void *unsafe_thread(void *arg)
{
    use_unsafe(arg);
    return NULL;
}

int one_unsafe(struct unsafe *u)
{
    pthread_t t;
    if (pthread_create(&t, NULL, unsafe_thread, u) != 0) // expected-warning {{'u->inner.details.last_error' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    use_unsafe(u);
    return pthread_join(t, NULL);
}

/* By an array in it, from every thread of a loop. */
struct histogram {
    atomic_int rounds;
    int bins[16];
};

static int fill(void *arg)
{
    struct histogram *h = arg;
    h->rounds++;
    h->bins[3]++;
    return 0;
}

void fill_all(struct histogram *h)
{
    thrd_t threads[4];
    for (int i = 0; i < 4; i++)
        if (thrd_create(&threads[i], fill, h) != thrd_success) // expected-warning {{'h->bins[3]' is shared by several threads with nothing to guard it [aglet-sync]}}
            abort();
    for (int i = 0; i < 4; i++)
        thrd_join(threads[i], NULL);
}

/* The promise made for the type, proved or refused where it is made. */
struct AGLET_SYNC promised {
    pthread_mutex_t mu;
    long total AGLET_GUARDED_BY(mu);
    atomic_long hits;
    const int limit;
};
struct AGLET_SYNC broken { // expected-warning {{'struct broken' says it is Sync, and a member is not [aglet-send]}}
    pthread_mutex_t mu;
    atomic_long hits;
    struct details details;
};
