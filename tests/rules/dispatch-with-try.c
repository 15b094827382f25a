/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One function that locks, unlocks and tries, told by an operation that is a plain int.
 * Stands on pthreads. */
#include <pthread.h>

struct device {
    pthread_mutex_t mu;
    int n;
};
static int device_lock(struct device *d, int operation) {
    switch (operation) {
    case 0: pthread_mutex_lock(&d->mu); return 1;
    case 1: pthread_mutex_unlock(&d->mu); return 1;
    case 2:
        if (pthread_mutex_trylock(&d->mu))
            return 0;
        return 1;
    }
    return 0;
}

int device_add(struct device *d);
int device_add(struct device *d) {
    int n;
    device_lock(d, 0);
    n = ++d->n;
    device_lock(d, 1); // no diagnostic: taken by the call before it
    return n;
}
int device_try_add(struct device *d);
int device_try_add(struct device *d) {
    if (!device_lock(d, 2))
        return -1; // no diagnostic: not got
    d->n++;
    device_lock(d, 1); // no diagnostic: got
    return 0;
}
int device_add_below(struct device *d, int most);
int device_add_below(struct device *d, int most) {
    device_lock(d, 0);
    if (d->n >= most)
        return -1; // expected-warning {{'d->mu' is still held on this return [aglet-lock-leak]}}
    d->n++;
    device_lock(d, 1);
    return 0;
}
