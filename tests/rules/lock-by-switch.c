/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks that a switch decides on: cases that share their code, asked again or not, and enumerators that are all there.
 * Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>

enum op { GET, PUT, DROP, LIST };
struct table {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
};
void work(void);

void asked_again(struct table *t, int mode);
void asked_again(struct table *t, int mode) {
    switch (mode) {
    case 1:
    case 5: pthread_mutex_lock(&t->mu); break;
    default: break;
    }
    work();
    switch (mode) {
    case 1:
    case 5: pthread_mutex_unlock(&t->mu); break; // no diagnostic: the same cases as above
    default: break;
    }
}
void asked_by_if(struct table *t, int mode);
void asked_by_if(struct table *t, int mode) {
    switch (mode) {
    case 1:
    case 5: pthread_mutex_lock(&t->mu); break;
    }
    work();
    if (mode == 1 || mode == 5)
        pthread_mutex_unlock(&t->mu); // no diagnostic: the same
}
void forgotten(struct table *t, int mode);
void forgotten(struct table *t, int mode) {
    switch (mode) {
    case 1:
    case 5: pthread_mutex_lock(&t->mu); break;
    }
    work();
    if (mode == 1)
        pthread_mutex_unlock(&t->mu);
} // expected-warning {{'t->mu' is still held on this return [aglet-lock-leak]}}

int every_enumerator(struct table *t, enum op op);
int every_enumerator(struct table *t, enum op op) {
    int result = 0;
    switch (op) {
    case PUT:
    case DROP: pthread_mutex_lock(&t->mu); break;
    case GET:
    case LIST: break;
    }
    switch (op) {
    case GET: result = 1; break;
    case PUT: t->n++; break; // no diagnostic: held for this one
    case DROP: t->n--; break;
    case LIST: result = t->n; break; // expected-warning {{[aglet-guarded-by]}}
    }
    if (op != GET && op != LIST)
        pthread_mutex_unlock(&t->mu); // no diagnostic: the two others
    return result;
}
int each_gives_back(struct table *t, enum op op);
int each_gives_back(struct table *t, enum op op) {
    pthread_mutex_lock(&t->mu);
    switch (op) {
    case GET:
    case LIST: pthread_mutex_unlock(&t->mu); return 0;
    case PUT: t->n++; break;
    case DROP: return -1; // expected-warning {{[aglet-lock-leak]}}
    }
    pthread_mutex_unlock(&t->mu);
    return 1; // no diagnostic: there is no other way here
}
int no_enumerator(struct table *t, int op);
int no_enumerator(struct table *t, int op) {
    pthread_mutex_lock(&t->mu);
    switch (op) {
    case GET:
    case LIST: pthread_mutex_unlock(&t->mu); return 0;
    case PUT:
    case DROP: pthread_mutex_unlock(&t->mu); return 1;
    }
    return 2; // expected-warning {{[aglet-lock-leak]}}
}
