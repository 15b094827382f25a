/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock call's result, negated on its way to the caller as kernels and their kin do it, tells as before. */
#include <pthread.h>

struct device {
    pthread_mutex_t mu;
    int n;
};
static int device_begin(struct device *d) { return -pthread_mutex_lock(&d->mu); }

int device_add(struct device *d);
int device_add(struct device *d) {
    int error = device_begin(d);
    if (error)
        return error;
    d->n++;
    pthread_mutex_unlock(&d->mu);
    return 0;
}
int device_drop(struct device *d);
int device_drop(struct device *d) {
    int error = device_begin(d);
    if (error)
        return error;
    if (!d->n)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    d->n--;
    pthread_mutex_unlock(&d->mu);
    return 0;
}
