/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A helper two calls down gives up the lock that its callers hold before it takes the other one, and takes both in order. */
#include <pthread.h>

struct zones {
    pthread_mutex_t mu;
    int n;
};
struct transfer {
    pthread_mutex_t mu;
    struct zones *zones;
    int n;
};
static struct zones zones = {PTHREAD_MUTEX_INITIALIZER, 0};
static struct transfer transfer = {PTHREAD_MUTEX_INITIALIZER, &zones, 0};

static void reacquire(struct transfer *t) {
    pthread_mutex_unlock(&t->mu);
    pthread_mutex_lock(&t->zones->mu);
    pthread_mutex_lock(&t->mu); // no diagnostic: the transfer was given up before the zones were taken
    t->zones->n++;
    pthread_mutex_unlock(&t->zones->mu);
}
static void process(struct transfer *t) {
    t->n++;
    reacquire(t);
    t->n--;
}
static void *work(void *arg) {
    struct transfer *t = arg;
    pthread_mutex_lock(&t->mu);
    process(t);
    pthread_mutex_unlock(&t->mu);
    return NULL;
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, &transfer))
        return 1;
    pthread_mutex_lock(&zones.mu);
    pthread_mutex_lock(&transfer.mu);
    zones.n += transfer.n;
    pthread_mutex_unlock(&transfer.mu);
    pthread_mutex_unlock(&zones.mu);
    return pthread_join(thread, NULL);
}
