/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Descriptors are made non-blocking with FIONBIO. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
int make(int fd, int pair[2]);
int make(int fd, int pair[2]) {
    int on = 1;
    return ioctl(fd, FIONBIO, &on) + !pair;
}
