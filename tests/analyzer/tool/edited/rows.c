/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks of an array, and a lock that ends with its scope. */
#include "shop.h"

pthread_mutex_t rows[8];
static pthread_mutex_t all = PTHREAD_MUTEX_INITIALIZER;
static long totals[8];
pthread_mutex_t served_mu = PTHREAD_MUTEX_INITIALIZER;
long served;

void row_add(int row, long *at) {
    pthread_mutex_lock(&rows[row]);
    totals[row] += *at;
    pthread_mutex_unlock(&rows[row]);
}

int rows_all(void) {
    pthread_mutex_lock(&all);
    for (int i = 0; i < 8; i++)
        pthread_mutex_lock(&rows[i]);
    totals[0]++;
    for (int i = 7; i >= 0; i--)
        pthread_mutex_unlock(&rows[i]);
    pthread_mutex_unlock(&all);
    return 0;
}

int guarded_rows(int row) {
    HOLD(&all);
    if (row < 0)
        return -1;
    row_add(row, &totals[row]);
    return 0;
}
