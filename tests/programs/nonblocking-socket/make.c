/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Sockets are made with SOCK_NONBLOCK. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
int make(int fd, int pair[2]);
int make(int fd, int pair[2]) {
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) + fd + !pair;
}
