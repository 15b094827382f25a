/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An array of pointers to objects, all of which one helper locks and another unlocks: a collection is known by the array its
 * locks lie in, and these lie in none. */
#include <pthread.h>

struct device {
    pthread_mutex_t mu;
    int n;
};
static void lock_all(struct device **d, int n) {
    for (int i = 0; i < n; i++)
        pthread_mutex_lock(&d[i]->mu);
}
static void unlock_all(struct device **d, int n) {
    for (int i = 0; i < n; i++)
        pthread_mutex_unlock(&d[i]->mu);
}

int total(struct device **d, int n);
int total(struct device **d, int n) { // expected-no-diagnostics
    int sum = 0;
    lock_all(d, n);
    for (int i = 0; i < n; i++)
        sum += d[i]->n;
    unlock_all(d, n);
    return sum;
}
