/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Uses the annotations, and the runtime where it is installed. Stands on installed headers only. */
#include <aglet/annotations.h>
#include <stdio.h>

#ifdef CONSUMER_WITHOUT_RUNTIME
#include <pthread.h>
typedef pthread_mutex_t mutex;
#define MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define mutex_lock(mu) pthread_mutex_lock(mu)
#define mutex_unlock(mu) pthread_mutex_unlock(mu)
#else
#include <aglet/mutex.h>
typedef aglet_mutex mutex;
#define MUTEX_INIT AGLET_MUTEX_INIT
#define mutex_lock(mu) aglet_mutex_lock(mu)
#define mutex_unlock(mu) aglet_mutex_unlock(mu)
#endif

static struct {
    mutex mu;
    int count AGLET_GUARDED_BY(mu);
} state = {.mu = MUTEX_INIT};

int main(void) {
    for (int i = 0; i < 2; i++) {
        mutex_lock(&state.mu);
        state.count++;
        mutex_unlock(&state.mu);
    }
    mutex_lock(&state.mu);
    int count = state.count;
    mutex_unlock(&state.mu);
    printf("consumer: %d\n", count);
    return 0;
}
