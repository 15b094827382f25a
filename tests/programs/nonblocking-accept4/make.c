/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Connections are accepted with SOCK_NONBLOCK. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
int make(int fd, int pair[2]);
int make(int fd, int pair[2]) {
    return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) + !pair;
}
