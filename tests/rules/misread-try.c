/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A try's result read the wrong way round: told once, where what failed is released. Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>

struct box {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu), uses;
};
int nonzero_is_busy(struct box *b);
int nonzero_is_busy(struct box *b) {
    if (pthread_mutex_trylock(&b->mu)) { // expected-note {{taking 'b->mu' is tried here}}
        b->n++;                          // no diagnostic: it follows
        pthread_mutex_unlock(&b->mu);    // expected-warning {{'b->mu' is released where taking it failed [aglet-unlock-unheld]}}
        return 1;
    }
    return 0; // no diagnostic: it follows
}
int early(struct box *b);
int early(struct box *b) {
    int e = pthread_mutex_trylock(&b->mu); // expected-note {{taking 'b->mu' is tried here}}
    if (e == 0)
        return e;
    b->uses++;
    pthread_mutex_unlock(&b->mu); // expected-warning {{'b->mu' is released where taking it failed [aglet-unlock-unheld]}}
    return 1;
}
void nothing_returned(struct box *b);
void nothing_returned(struct box *b) {
    if (!pthread_mutex_trylock(&b->mu)) // expected-note {{taking 'b->mu' is tried here}}
        return;
    b->uses++;
    pthread_mutex_unlock(&b->mu); // expected-warning {{'b->mu' is released where taking it failed [aglet-unlock-unheld]}}
}
/* Another try of the same function that leaks is a mistake of its own. */
int both(struct box *b, int again);
int both(struct box *b, int again) {
    if (!pthread_mutex_trylock(&b->mu)) {
        if (again)
            return -1; // expected-warning {{'b->mu' is still held on this return [aglet-lock-leak]}}
        b->n++;
        pthread_mutex_unlock(&b->mu);
    }
    if (pthread_mutex_trylock(&b->mu)) // expected-note {{taking 'b->mu' is tried here}}
        pthread_mutex_unlock(&b->mu);  // expected-warning {{'b->mu' is released where taking it failed [aglet-unlock-unheld]}}
    return 0;
}
