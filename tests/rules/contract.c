/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* contract: functions whose body breaks what they promise. Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <unistd.h>
#include <stdbool.h>

struct box {
    pthread_mutex_t mu;
    pthread_mutex_t other;
};

void takes(struct box *b) AGLET_ACQUIRES(b->mu);
void takes(struct box *b) {
    pthread_mutex_lock(&b->mu); // no diagnostic: as promised
}
void takes_nothing(struct box *b) AGLET_ACQUIRES(b->mu);
void takes_nothing(struct box *b) {
    (void)b;
} // expected-warning {{[aglet-contract]}}

void gives(struct box *b) AGLET_RELEASES(b->mu);
void gives(struct box *b) {
    pthread_mutex_unlock(&b->mu); // no diagnostic: as promised
}
void keeps(struct box *b) AGLET_RELEASES(b->mu);
void keeps(struct box *b) {
    (void)b;
} // expected-warning {{[aglet-contract]}}

bool tries(struct box *b) AGLET_TRY_ACQUIRES(true, b->mu);
bool tries(struct box *b) {
    return pthread_mutex_trylock(&b->mu) == 0; // no diagnostic: as promised
}
bool tries_the_wrong_way(struct box *b) AGLET_TRY_ACQUIRES(true, b->mu);
bool tries_the_wrong_way(struct box *b) {
    if (pthread_mutex_trylock(&b->mu) == 0)
        return false; // expected-warning {{[aglet-contract]}}
    return false;
}

pthread_mutex_t *its_lock(struct box *b) AGLET_RETURNS_LOCK(b->mu);
pthread_mutex_t *its_lock(struct box *b) {
    return &b->mu; // no diagnostic: as promised
}
pthread_mutex_t *another_lock(struct box *b) AGLET_RETURNS_LOCK(b->mu);
pthread_mutex_t *another_lock(struct box *b) {
    return &b->other; // expected-warning {{[aglet-contract]}}
}

static void third(void) {
    usleep(10);
}
static void second(void) {
    third();
}
static void first(void) {
    second();
}
void quick(void) AGLET_NO_BLOCK;
void quick(void) {
    first(); // expected-warning {{[aglet-contract]}}
}
void really_quick(void) AGLET_NO_BLOCK;
void really_quick(void) {
    quick(); // no diagnostic: its promise is taken, and checked there
}
