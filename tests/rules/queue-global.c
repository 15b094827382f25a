/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One slot in a global under a lock; locks behind wrappers of the program's own. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct config {
    int port;
    char *name;
};
static struct config *pending;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void mutex_lock(pthread_mutex_t *m)
{
    if (pthread_mutex_lock(m) != 0)
        abort();
}

static void mutex_unlock(pthread_mutex_t *m)
{
    if (pthread_mutex_unlock(m) != 0)
        abort();
}

static void *apply(void *unused)
{
    for (;;) {
        mutex_lock(&mu);
        while (!pending)
            pthread_cond_wait(&changed, &mu);
        struct config *c = pending;
        pending = NULL;
        mutex_unlock(&mu);
        free(c->name);
        free(c);
    }
    return unused;
}

void configure(int port)
{
    struct config *c = calloc(1, sizeof *c);
    if (!c)
        return;
    c->port = port;
    mutex_lock(&mu);
    if (pending)
        free(pending);
    pending = c;
    pthread_cond_signal(&changed);
    mutex_unlock(&mu);
    c->port = 0; // expected-warning {{'c->port' is written after it was given to another thread [aglet-use-after-send]}}
}

void configure_right(int port)
{
    struct config *c = calloc(1, sizeof *c);
    if (!c)
        return;
    mutex_lock(&mu);
    pending = c;
    c->port = port; // no diagnostic: still under the lock
    pthread_cond_signal(&changed);
    mutex_unlock(&mu);
}

int main(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, apply, NULL) != 0)
        return 1;
    configure(80);
    configure_right(80);
    return pthread_join(t, NULL);
}
