/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock call's result, negated on its way to the caller as kernels and their kin do it, tells as before. */
#include <aglet/annotations.h>
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

/* ---- a try tested for its sign ---- */
static int device_try(struct device *d) { return -pthread_mutex_trylock(&d->mu); }

int device_poke(struct device *d);
int device_poke(struct device *d) {
    if (device_try(d) < 0)
        return -1;
    d->n++;
    pthread_mutex_unlock(&d->mu); // no diagnostic: what is not negative is 0
    return 0;
}
int device_peek(struct device *d);
int device_peek(struct device *d) {
    if (pthread_mutex_trylock(&d->mu) < 0) // it fails with positive numbers
        return -1;
    d->n++;
    pthread_mutex_unlock(&d->mu); // expected-warning {{[aglet-unlock-unheld]}}
    return 0;
}

/* ---- a function of which only the annotation is known: 0 is success, and a test of the sign that 0 passes is one for it ---- */
int device_wait(struct device *d) AGLET_TRY_ACQUIRES(0, d->mu);
int device_wait_negative(struct device *d);
int device_wait_negative(struct device *d) {
    const int error = device_wait(d);
    if (error < 0)
        return error;
    d->n++;
    pthread_mutex_unlock(&d->mu); // no diagnostic: errors are negative here
    return 0;
}
int device_wait_positive(struct device *d);
int device_wait_positive(struct device *d) {
    const int error = device_wait(d);
    if (error > 0)
        return error;
    d->n++;
    pthread_mutex_unlock(&d->mu); // no diagnostic: errors are positive here
    return 0;
}
int device_wait_leak(struct device *d);
int device_wait_leak(struct device *d) {
    const int error = device_wait(d);
    if (error < 0)
        return error;
    if (!d->n)
        return -2; // expected-warning {{[aglet-lock-leak]}}
    d->n--;
    pthread_mutex_unlock(&d->mu);
    return 0;
}
int device_wait_reversed(struct device *d);
int device_wait_reversed(struct device *d) {
    if (device_wait(d) < 0) {
        d->n++;
        pthread_mutex_unlock(&d->mu); // expected-warning {{[aglet-unlock-unheld]}}
        return -1;
    }
    pthread_mutex_unlock(&d->mu);
    return 0;
}
