/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Touches guarded data without the lock: with the plugin and -Werror this must not compile. Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>

static struct {
    pthread_mutex_t mu;
    int count AGLET_GUARDED_BY(mu);
} state = {PTHREAD_MUTEX_INITIALIZER, 0};

static void *work(void *unused) {
    state.count++;
    return unused;
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0)
        return 1;
    state.count++;
    return pthread_join(thread, NULL);
}
