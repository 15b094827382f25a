/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A switch over what callers pass: a case that none of them asks for is no way through it.
 * Stands on pthreads. */
#include <pthread.h>

struct item {
    struct item *next;
    int n, active;
};
static struct item *items;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
enum list { HOT, WARM = 64, COLD = 128, LAST = 192 };

static int pull(enum list which) {
    int n = 0;
    for (struct item *i = items; i; i = i->next) {
        if (pthread_mutex_trylock(&mu) != 0)
            continue;
        switch (which) {
        case HOT:
        case WARM:
            n++;
            if (i->active) {
                pthread_mutex_unlock(&mu);
                continue;
            }
            break;
        case COLD:
            i->n = 0;
            break;
        }
        pthread_mutex_unlock(&mu);
        n++;
    }
    return n;
}
/* Without a case for what is passed, the lock stays held. */
static int pull_some(enum list which) {
    pthread_mutex_lock(&mu);
    switch (which) {
    case HOT:
        items->n++;
        pthread_mutex_unlock(&mu);
        break;
    case COLD:
        items->n--;
        pthread_mutex_unlock(&mu);
        break;
    }
    return 0; // expected-warning {{[aglet-lock-leak]}}
}
static int pull_known(enum list which) {
    pthread_mutex_lock(&mu);
    switch (which) {
    case HOT:
        items->n++;
        pthread_mutex_unlock(&mu);
        break;
    case COLD:
        items->n--;
        pthread_mutex_unlock(&mu);
        break;
    }
    return 0; // no diagnostic: nobody asks for another list
}
int pull_all(int n);
int pull_all(int n) {
    n += pull(HOT) + pull(WARM) + pull(COLD);
    n += pull_some(HOT) + pull_some(LAST);
    return n + pull_known(HOT) + pull_known(COLD);
}

/* ---- flags that go with one list only ---- */
static int drain(enum list which, int flags) {
    pthread_mutex_lock(&mu);
    if (which == HOT) {
        if (flags & 2)
            return -1; // no diagnostic: nobody asks for the hot list so
        items->n = 0;
    }
    pthread_mutex_unlock(&mu);
    return flags & 1;
}
static int drain_any(enum list which, int flags) {
    pthread_mutex_lock(&mu);
    if (which == HOT) {
        if (flags & 2)
            return -1; // expected-warning {{'mu' is still held on this return [aglet-lock-leak]}}
        items->n = 0;
    }
    pthread_mutex_unlock(&mu);
    return flags & 1;
}
int drain_all(void);
int drain_all(void) {
    return drain(HOT, 1) + drain(COLD, 3) + drain_any(HOT, 3) + drain_any(COLD, 1);
}
