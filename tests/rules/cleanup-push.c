/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* pthread_cleanup_push and _pop: what was pushed runs where it is popped with a number that is not 0, and elsewhere only where the
 * thread is cancelled.
 * Stands on pthreads. */
#include <pthread.h>
#include <setjmp.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static int n;

static void give_back(void *lock) { pthread_mutex_unlock(lock); }

void popped(void);
void popped(void) {
    pthread_cleanup_push(give_back, &mu); // no diagnostic: runs here only when the thread is cancelled
    pthread_mutex_lock(&mu);
    n++;
    pthread_cleanup_pop(1); // no diagnostic: gives it back
}
int popped_again(void);
int popped_again(void) {
    while (n < 3) {
        pthread_mutex_lock(&mu);
        pthread_cleanup_push(give_back, &mu);
        n++;
        pthread_cleanup_pop(1);
        usleep(10); // no diagnostic: given back
    }
    return n;
}
int kept(void);
int kept(void) {
    int was;
    pthread_mutex_lock(&mu);
    pthread_cleanup_push(give_back, &mu);
    was = n++;
    pthread_cleanup_pop(0);
    return was; // expected-warning {{'mu' is still held on this return [aglet-lock-leak]}}
}
void twice(void);
void twice(void) {
    pthread_mutex_lock(&mu);
    pthread_cleanup_push(give_back, &mu);
    n++;
    pthread_mutex_unlock(&mu);
    pthread_cleanup_pop(1); // expected-warning {{'mu' is released a second time [aglet-unlock-unheld]}}
}

/* ---- setjmp ---- */
static jmp_buf back;
int tried(int v);
int tried(int v) {
    if (setjmp(back)) {
        pthread_mutex_unlock(&mu); // no diagnostic: what is held when it returns again is not known
        return -1;
    }
    pthread_mutex_lock(&mu);
    if (v > n)
        longjmp(back, 1);
    pthread_mutex_unlock(&mu);
    return n;
}
