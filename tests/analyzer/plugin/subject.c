/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One finding and nothing else, for the tests of the plugin's manners.
 * Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    long balance AGLET_GUARDED_BY(mu);
};

long account_read(struct account *a, int quick);
long account_read(struct account *a, int quick)
{
    pthread_mutex_lock(&a->mu);
    if (quick)
        return -1;
    long n = a->balance;
    pthread_mutex_unlock(&a->mu);
    return n;
}
