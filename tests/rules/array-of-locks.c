/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* All locks of an array are taken in a loop, or by a function that does, and released by another.
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
int total(struct striped *s) {
    int n = 0;
    rows_lock(s);
    for (int i = 0; i < 16; i++)
        n += s->row[i].n; // no diagnostic: all are held
    rows_unlock(s);
    return n;
}
int total_late(struct striped *s);
int total_late(struct striped *s) {
    int n;
    rows_lock(s);
    n = s->row[0].n;
    rows_unlock(s);
    return n + s->row[1].n; // expected-warning {{[aglet-guarded-by]}}
}
int total_below(struct striped *s, int most);
int total_below(struct striped *s, int most) {
    int n = 0;
    rows_lock(s);
    for (int i = 0; i < 16; i++)
        if ((n += s->row[i].n) > most)
            return most; // expected-warning {{is still held on this return [aglet-lock-leak]}}
    rows_unlock(s);
    return n;
}
int total_here(struct striped *s, int most);
int total_here(struct striped *s, int most) {
    int n = 0;
    for (int i = 0; i < 16; i++)
        pthread_mutex_lock(&s->row[i].mu);
    if (most < 0)
        return 0; // expected-warning {{is still held on this return [aglet-lock-leak]}}
    for (int i = 0; i < 16; i++)
        n += s->row[i].n;
    for (int i = 0; i < 16; i++)
        pthread_mutex_unlock(&s->row[i].mu);
    return n;
}
int rows_trylock(struct striped *s);
int rows_trylock(struct striped *s) {
    for (int i = 0; i < 16; i++)
        if (pthread_mutex_trylock(&s->row[i].mu) != 0) {
            while (i-- > 0)
                pthread_mutex_unlock(&s->row[i].mu);
            return -1; // no diagnostic: given back
        }
    return 0; // no diagnostic: all are held, as callers can tell
}
int total_if_free(struct striped *s);
int total_if_free(struct striped *s) {
    int n = 0;
    if (rows_trylock(s) != 0)
        return -1;
    for (int i = 0; i < 16; i++)
        n += s->row[i].n; // no diagnostic: all are held
    rows_unlock(s);
    return n;
}

/* ---- and of a file ---- */
static pthread_mutex_t stripe[8];
static int count[8];
static void all_lock(void) {
    for (int i = 0; i < 8; i++)
        pthread_mutex_lock(&stripe[i]);
}
int sum(int stop);
int sum(int stop) {
    int n = 0;
    all_lock();
    if (stop)
        return -1; // expected-warning {{is still held on this return [aglet-lock-leak]}}
    for (int i = 0; i < 8; i++)
        n += count[i];
    for (int i = 0; i < 8; i++)
        pthread_mutex_unlock(&stripe[i]);
    return n;
}
int sum_one(int k);
int sum_one(int k) {
    pthread_mutex_lock(&stripe[k]);
    if (count[k] < 0)
        return -1; // expected-warning {{'stripe[k]' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&stripe[k]);
    return count[k];
}

/* ---- as many as the caller says, given back the other way round ---- */
long total_of(struct row *v, int n, int most);
long total_of(struct row *v, int n, int most) {
    long sum = 0;
    int i;
    for (i = 0; i < n; i++)
        pthread_mutex_lock(&v[i].mu);
    for (i = 0; i < n; i++)
        sum += v[i].n; // no diagnostic: all are held, be it one
    if (most < 0)
        return 0; // expected-warning {{is still held on this return [aglet-lock-leak]}}
    for (i = n - 1; i >= 0; i--)
        pthread_mutex_unlock(&v[i].mu); // no diagnostic: where there are none, nothing is released
    return sum;
}
