/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Receives under a lock; the descriptors come from the other file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

void serve(int fd, char *to);
void serve(int fd, char *to) {
    pthread_mutex_lock(&mu);
    recv(fd, to, 1, 0); // no diagnostic: the program makes descriptors that do not block
    accept(fd, NULL, NULL); // no diagnostic: the program makes descriptors that do not block
    connect(fd, NULL, 0); // no diagnostic: the program makes descriptors that do not block
    pthread_mutex_unlock(&mu);
}
