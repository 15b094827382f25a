/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A plugin: it locks itself when it runs; and notes something in the core with its lock held elsewhere. */
#include "core.h"

static void run(struct plugin *p) {
    pthread_mutex_lock(&p->mu);
    p->n++;
    pthread_mutex_unlock(&p->mu);
}
struct plugin counter = {PTHREAD_MUTEX_INITIALIZER, run, 0};

static void *tell(void *arg) {
    struct plugin *p = arg;
    pthread_mutex_lock(&p->mu);
    core_note(p->n);
    pthread_mutex_unlock(&p->mu);
    return NULL;
}
int main(void) {
    pthread_t t;
    if (pthread_create(&t, NULL, tell, &counter))
        return 1;
    core_run(&counter);
    return pthread_join(t, NULL);
}
