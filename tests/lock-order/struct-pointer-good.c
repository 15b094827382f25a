/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The same, one order. */
#include <pthread.h>

struct store {
    pthread_mutex_t index, data;
    int n;
};
static struct store store = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, 0};

static void put(struct store *s) {
    pthread_mutex_lock(&s->index);
    pthread_mutex_lock(&s->data);
    s->n++;
    pthread_mutex_unlock(&s->data);
    pthread_mutex_unlock(&s->index);
}

static void get(struct store *s) {
    pthread_mutex_lock(&s->index);
    pthread_mutex_lock(&s->data);
    s->n++;
    pthread_mutex_unlock(&s->data);
    pthread_mutex_unlock(&s->index);
}

static void *one(void *arg) {
    put(&store);
    return arg;
}

static void *two(void *arg) {
    get(&store);
    return arg;
}

int main(void) {
    pthread_t t, u;
    pthread_create(&t, NULL, one, NULL);
    pthread_create(&u, NULL, two, NULL);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}
