/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Descriptors are made non-blocking with O_NONBLOCK, in this file or another. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
int make(int fd, int pair[2]);
int make(int fd, int pair[2]) {
    return fcntl(fd, F_SETFL, O_NONBLOCK) + !pair;
}
