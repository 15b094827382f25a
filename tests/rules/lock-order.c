/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-order in one file: two functions that anybody may call. The whole programs are in tests/lock-order. */
#include <pthread.h>

static pthread_mutex_t index_lock = PTHREAD_MUTEX_INITIALIZER, data_lock = PTHREAD_MUTEX_INITIALIZER, log_lock = PTHREAD_MUTEX_INITIALIZER;

void put(void);
void put(void) {
    pthread_mutex_lock(&index_lock); // expected-note {{'index_lock' is taken here, in 'put'}}
    pthread_mutex_lock(&data_lock);  // expected-warning {{'data_lock' is waited for with 'index_lock' held, and elsewhere the other way round [aglet-lock-order]}}
    pthread_mutex_unlock(&data_lock);
    pthread_mutex_unlock(&index_lock);
}

static void find(void) {
    pthread_mutex_lock(&index_lock); // expected-note {{which takes it here, in 'find'}}
    pthread_mutex_unlock(&index_lock);
}
static void search(void) {
    find(); // expected-note {{'search' calls 'find'}}
}

void get(void);
void get(void) {
    pthread_mutex_lock(&data_lock); // expected-note {{'data_lock' is taken here, in 'get'}}
    search();                       // expected-note {{then 'index_lock', in 'get'}}
    pthread_mutex_unlock(&data_lock);
}

void note(void);
void note(void) {
    pthread_mutex_lock(&index_lock);
    pthread_mutex_lock(&log_lock); // no diagnostic: nobody takes them the other way round
    pthread_mutex_unlock(&log_lock);
    pthread_mutex_unlock(&index_lock);
    pthread_mutex_lock(&log_lock);
    if (pthread_mutex_trylock(&index_lock) == 0) // no diagnostic: a trylock waits for nothing
        pthread_mutex_unlock(&index_lock);
    pthread_mutex_unlock(&log_lock);
}
