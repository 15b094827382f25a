/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* blocking-while-locked: what may stop the thread without bound while a lock is held. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int n;

void sleeps(void);
void sleeps(void) {
    pthread_mutex_lock(&mu);
    sleep(1); // expected-warning {{'sleep' may block, and 'mu' is held [aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
    sleep(1); // no diagnostic: nothing held
}

static void backoff(void) {
    usleep(100);
}
void sleeps_below(void);
void sleeps_below(void) {
    pthread_mutex_lock(&mu);
    backoff(); // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}

void polls(struct pollfd *p);
void polls(struct pollfd *p) {
    pthread_mutex_lock(&mu);
    poll(p, 1, 0);  // no diagnostic: a timeout of zero does not wait
    poll(p, 1, -1); // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}

void reaps(int pid);
void reaps(int pid) {
    pthread_mutex_lock(&mu);
    waitpid(pid, NULL, WNOHANG); // no diagnostic: does not wait
    waitpid(pid, NULL, 0);       // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}

void prints(FILE *f);
void prints(FILE *f) {
    pthread_mutex_lock(&mu);
    fprintf(f, "%d\n", n); // no diagnostic: stdio is not blocking
    pthread_mutex_unlock(&mu);
}

void waits(void);
void waits(void) {
    pthread_mutex_lock(&mu);
    while (!n)
        pthread_cond_wait(&ready, &mu); // no diagnostic: its own mutex is given up
    pthread_mutex_unlock(&mu);
}
void waits_with_another(void);
void waits_with_another(void) {
    pthread_mutex_lock(&other);
    pthread_mutex_lock(&mu);
    while (!n)
        pthread_cond_wait(&ready, &mu); // expected-warning {{'pthread_cond_wait' may block, and 'other' is held [aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
    pthread_mutex_unlock(&other);
}
