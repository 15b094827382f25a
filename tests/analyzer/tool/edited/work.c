/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Threads that take orders, and main. */
#include "shop.h"

static pthread_t workers[2];
static struct {
    pthread_mutex_t mu;
    int running;
    long done;
} state = {PTHREAD_MUTEX_INITIALIZER, 0, 0};

static void add(long n) {
    pthread_mutex_lock(&state.mu);
    state.done += n;
    served += n;
    pthread_mutex_unlock(&state.mu);
}

static void *work(void *arg) {
    struct box *b = arg;
    struct item *i;
    while ((i = box_take(b)) != NULL) {
        i->taken = 1;
        run_ops(&shelves[i->price & 3], i);
        add(1);
    }
    return NULL;
}

int work_start(struct box *b) {
    pthread_mutex_lock(&state.mu);
    if (state.running)
        return -1;
    state.running = 2;
    pthread_mutex_unlock(&state.mu);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&workers[i], NULL, work, b) != 0)
            return -1;
    return 0;
}

void work_stop(void) {
    box_close(&orders);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);
    pthread_mutex_lock(&state.mu);
    state.running = 0;
    pthread_mutex_unlock(&state.mu);
}

static void told(struct till *t, void *context) {
    (void)t;
    sweep_all(context, 2);
}

int main(void) {
    for (int i = 0; i < 4; i++) {
        pthread_mutex_init(&shelves[i].mu, NULL);
        shelves[i].ops = ops_of(i & 1);
        shelves[i].next = i < 3 ? &shelves[i + 1] : NULL;
    }
    till_tell(&till, told, &shelves[0]);
    if (work_start(&orders) != 0)
        return 1;
    for (int n = 0; n < 100; n++) {
        struct item *i = calloc(1, sizeof *i);
        if (!i)
            break;
        i->price = n;
        box_put(&orders, i);
    }
    shelf_move(&shelves[1], &shelves[2]);
    pthread_mutex_init(&till.again, NULL);
    till_twice(&till);
    till.timeout = 0;
    till_wait(&till);
    till_touch(&till, 0);
    till_touch(&till, 1);
    work_stop();
    return till_close(&till) + shelf_count(&shelves[0], 9) + till_name(&till, true) > 0 ? rows_all() : guarded_rows(3);
}
