/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two pthread locks in both orders, inside a task: the report is written on the task's stack, which must have
 * room for it whichever libaglet the program is linked with. Stands on aglet/executor.h. */
#include <aglet/executor.h>
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void both(pthread_mutex_t *first, pthread_mutex_t *second) {
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *work(void *arg) {
    both(&a, &b);
    both(&b, &a);
    return arg;
}

int main(void) {
    return aglet_run(&(struct aglet_executor_options){.stack_size = 64 * 1024}, work, NULL, NULL);
}
