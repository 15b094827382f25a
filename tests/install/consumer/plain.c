/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Needs the annotations' header and nothing else. */
#include <aglet/annotations.h>
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    long balance AGLET_GUARDED_BY(mu);
};

int main(void)
{
    struct account a = {PTHREAD_MUTEX_INITIALIZER, 0};
    pthread_mutex_lock(&a.mu);
    a.balance++;
    pthread_mutex_unlock(&a.mu);
    return 0;
}
