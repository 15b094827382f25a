/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Receiving: waiting for it, not waiting, and asking whether there is something first. */
#include "fetch.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

static int receive(int fd, char *buffer, size_t n, int flags) {
    return (int)recv(fd, buffer, n, flags);
}
int fetch(int fd, char *buffer, size_t n) {
    return receive(fd, buffer, n, 0); // expected-warning {{'recv' may block the worker thread of task 'waits' [aglet-blocking-in-task]}}
}
int fetch_now(int fd, char *buffer, size_t n) {
    return receive(fd, buffer, n, MSG_DONTWAIT);
}
static int is_ready(int fd, int timeout) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout) == 1;
}
int fetch_ready(int fd, char *buffer, size_t n) {
    return is_ready(fd, 0) ? fetch_now(fd, buffer, n) : 0;
}
