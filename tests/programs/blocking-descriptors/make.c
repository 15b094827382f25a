/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The same calls with no flag that makes a descriptor non-blocking. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
int make(int fd, int pair[2]);
int make(int fd, int pair[2]) {
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) + accept4(fd, NULL, NULL, SOCK_CLOEXEC) + pipe2(pair, O_CLOEXEC) +
           fcntl(fd, F_SETFD, FD_CLOEXEC) + open("/dev/null", O_RDONLY);
}
