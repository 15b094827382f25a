/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Receives under a lock. */
#include "conn.h"
#include <pthread.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct conn conn;

int pump(int fd);
int pump(int fd) {
    char buffer[16];
    int n;
    conn_later(&conn, fd);
    pthread_mutex_lock(&mu);
    n = conn_wait(&conn) > 0 ? 1 : 0; // expected-warning {{[aglet-blocking-while-locked]}}
    n += conn_receive(&conn, buffer, 16); // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
    return n;
}
