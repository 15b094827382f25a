/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* result-dropped: results that tell whether a lock is held. */
#include <pthread.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

void dropped(void)
{
    pthread_mutex_trylock(&mu); // expected-warning {{the result of 'pthread_mutex_trylock' is dropped [aglet-result-dropped]}}
    pthread_mutex_unlock(&mu); // expected-warning {{'mu' is released where taking it failed [aglet-unlock-unheld]}}
}

int looked_at(void)
{
    int result = pthread_mutex_trylock(&mu); // no diagnostic: kept
    if (result == 0)
        pthread_mutex_unlock(&mu);
    return result;
}

void dropped_on_purpose(void)
{
    pthread_mutex_lock(&mu);
    (void)pthread_mutex_unlock(&mu); // no diagnostic: said to be dropped
}
