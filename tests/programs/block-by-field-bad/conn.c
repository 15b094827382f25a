/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Every connection of this program is made by conn_later: all its calls wait. */
#include "conn.h"
#include <poll.h>
#include <sys/socket.h>

void conn_later(struct conn *c, int fd) {
    c->fd = fd;
    c->flags = 0;
    c->timeout = -1;
}
int conn_receive(struct conn *c, char *buffer, int n) {
    return (int)recv(c->fd, buffer, (unsigned)n, c->flags);
}
int conn_wait(struct conn *c) {
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    return poll(&p, 1, c->timeout);
}
