/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* All locks of an array are taken by one function and released by another: which of them are held in between is lost.
 * Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>

struct striped {
    struct row {
        pthread_mutex_t mu;
        int n AGLET_GUARDED_BY(mu);
    } row[16];
};
static void rows_lock(struct striped *s) {
    for (int i = 0; i < 16; i++)
        pthread_mutex_lock(&s->row[i].mu);
}
static void rows_unlock(struct striped *s) {
    for (int i = 16; i-- > 0;)
        pthread_mutex_unlock(&s->row[i].mu);
}

int total(struct striped *s);
int total(struct striped *s) { // expected-no-diagnostics
    int n = 0;
    rows_lock(s);
    for (int i = 0; i < 16; i++)
        n += s->row[i].n;
    rows_unlock(s);
    return n;
}
