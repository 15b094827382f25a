/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One function that locks, unlocks and tries, by an operation that is a plain int: what is left of an int between the cases
 * is not kept, so the way past the switch is not told from the failed try. */
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
int device_add(struct device *d) { // expected-no-diagnostics
    device_lock(d, 0);
    d->n++;
    device_lock(d, 1);
    return d->n;
}
