/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A helper that takes the lock unless its flag says that the caller has it, and only if it is free: the flag and the result
 * together tell, and that they do is lost. */
#include <pthread.h>

struct device {
    pthread_mutex_t mu;
    int n;
};
static int device_try(struct device *d, int have_lock) {
    if (have_lock)
        return 0;
    if (pthread_mutex_trylock(&d->mu))
        return -1;
    return 0;
}

int device_add(struct device *d, int have_lock);
int device_add(struct device *d, int have_lock) { // expected-no-diagnostics
    if (device_try(d, have_lock))
        return -1;
    d->n++;
    if (!have_lock)
        pthread_mutex_unlock(&d->mu);
    return 0;
}
