/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A thread with a global handle: one function starts it, another one joins it, and the other order comes after that, two calls down. */
#include <pthread.h>

static pthread_mutex_t work_mu = PTHREAD_MUTEX_INITIALIZER, stop_mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_t worker;
static int stopped;

static void *work(void *arg) {
    pthread_mutex_lock(&work_mu);
    pthread_mutex_lock(&stop_mu); // no diagnostic: the other order is taken when this thread has ended
    stopped = 0;
    pthread_mutex_unlock(&stop_mu);
    pthread_mutex_unlock(&work_mu);
    return arg;
}
static int start_worker(void) {
    return pthread_create(&worker, NULL, work, NULL);
}
static void stop_worker(void) {
    pthread_join(worker, NULL);
}
static void finish(void) {
    pthread_mutex_lock(&stop_mu);
    pthread_mutex_lock(&work_mu);
    stopped = 1;
    pthread_mutex_unlock(&work_mu);
    pthread_mutex_unlock(&stop_mu);
}
static void stop_all(void) {
    stop_worker();
    finish();
}
int main(void) {
    if (start_worker())
        return 1;
    stop_all();
    return !stopped;
}
