/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A connection knows how it receives. */
struct conn {
    int fd;
    int flags;
    int timeout;
};
int conn_receive(struct conn *c, char *buffer, int n);
int conn_wait(struct conn *c);
void conn_now(struct conn *c, int fd);
void conn_later(struct conn *c, int fd);
