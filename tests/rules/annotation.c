/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Annotations that mean nothing where they stand are errors. */
#include <aglet/annotations.h>
#include <pthread.h>

static pthread_mutex_t global_mu = PTHREAD_MUTEX_INITIALIZER;

/* Of another file, and named here by annotations alone. */
extern pthread_mutex_t far_mu AGLET_ACQUIRED_BEFORE(farther_mu);   // no diagnostic
extern pthread_mutex_t farther_mu AGLET_ACQUIRED_AFTER(far_mu);    // no diagnostic
extern pthread_mutex_t *shared_mu;
extern long far AGLET_GUARDED_BY(shared_mu);                       // no diagnostic
void needs_far(void) AGLET_REQUIRES(far_mu);                       // no diagnostic

struct account {
    pthread_mutex_t mu;
    long balance AGLET_GUARDED_BY(mu);        // no diagnostic: a field beside it
    long total AGLET_GUARDED_BY(global_mu);   // no diagnostic: a global
    long wrong AGLET_GUARDED_BY(mux);         // expected-error {{[aglet-annotation]}}
};

void known(struct account *a) AGLET_REQUIRES(a->mu);      // no diagnostic: a parameter's field
void unknown(struct account *a) AGLET_REQUIRES(b->mu);    // expected-error {{[aglet-annotation]}}

struct job;
int give(struct job *AGLET_SENDING_IF(return == 0) j);    // no diagnostic: a test of the result
int offer(struct job *AGLET_SENDING_IF(worked) j);        // expected-error {{[aglet-annotation]}}
int begin(void (*run)(void *), void *what) AGLET_SPAWNS_IF(worked, run, what); // expected-error {{[aglet-annotation]}}

void dropped(struct job *AGLET_SENDING_IF(return == 0) j); // expected-error {{'dropped', which returns nothing [aglet-annotation]}}
int start(struct account *a) AGLET_SPAWNS(a, a);           // expected-error {{'a' is no function that could be started [aglet-annotation]}}
int launch(struct account *a) AGLET_SPAWNS(nowhere, a);     // expected-error {{'nowhere' names nothing here [aglet-annotation]}}
int aside(long n AGLET_GUARDED_BY(global_mu));             // expected-error {{cannot stand on a parameter: it is for fields, variables [aglet-annotation]}}

void swaps(struct account *a) AGLET_ACQUIRES(a->mu) AGLET_RELEASES(global_mu); // no diagnostic: two locks
void both(struct account *a) AGLET_ACQUIRES(a->mu)
    AGLET_RELEASES(global_mu, a -> mu);                    // expected-error {{on 'a->mu': a function that gives it back and takes it again AGLET_REQUIRES it [aglet-annotation]}}
void never(struct account *a) AGLET_REQUIRES(a->mu)
    AGLET_EXCLUDES(a->mu);                                 // expected-error {{AGLET_REQUIRES and AGLET_EXCLUDES contradict each other on 'a->mu' [aglet-annotation]}}
void waits(void) AGLET_YIELDS
    AGLET_NO_YIELD;                                        // expected-error {{AGLET_YIELDS and AGLET_NO_YIELD contradict each other [aglet-annotation]}}

struct counted {
    char *references AGLET_REFCOUNT;                       // expected-error {{stands on a pointer: it is for the number of references [aglet-annotation]}}
    int alone AGLET_GUARDED_BY(alone);                     // expected-error {{'alone' cannot be guarded by itself [aglet-annotation]}}
    char *name AGLET_OWNED AGLET_SHARED;                   // expected-error {{AGLET_OWNED and AGLET_SHARED contradict each other [aglet-annotation]}}
};

int hand(struct job *j) {
    return offer(j);
}

void use(struct account *a) {
    pthread_mutex_lock(&global_mu);
    a->total = 0;
    pthread_mutex_unlock(&global_mu);
    pthread_mutex_lock(&a->mu);
    known(a);
    pthread_mutex_unlock(&a->mu);
    unknown(a);
}

long use_far(void) {
    needs_far(); // expected-warning {{'needs_far' requires 'far_mu', which is not held here [aglet-requires]}}
    return far;  // expected-warning {{'far' is read without 'shared_mu' held [aglet-guarded-by]}}
}
