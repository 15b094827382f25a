/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Loads an echo server on the loopback: CONNECTIONS connections, one 64-byte message under way on each, for
 * SECONDS. Usage: echo_client PORT CONNECTIONS SECONDS. Prints "<requests per second> <p99 in microseconds>
 * <errors>". */
#define _GNU_SOURCE
#include "timing.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64, BUCKETS = 1 << 20 };
static unsigned histogram[BUCKETS]; /* by microseconds */

struct conn {
    int fd, got;
    double sent;
};
static int send_one(struct conn *c) {
    static const char message[MESSAGE] = "sixty-four bytes";
    c->got = 0;
    c->sent = now_ns();
    return write(c->fd, message, MESSAGE) == MESSAGE;
}
int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    int n = atoi(argv[2]), ep = epoll_create1(0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)atoi(argv[1])),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct conn *c = calloc((size_t)n, sizeof *c);
    for (int i = 0; i < n; i++) {
        c[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c[i].fd, (struct sockaddr *)&a, sizeof a) != 0) {
            perror("echo_client: connect");
            return 1;
        }
        setsockopt(c[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &c[i]};
        epoll_ctl(ep, EPOLL_CTL_ADD, c[i].fd, &e);
    }
    uint64_t done = 0, errors = 0;
    for (int i = 0; i < n; i++)
        errors += !send_one(&c[i]);
    double start = now_ns(), end = start + atof(argv[3]) * 1e9, t = start;
    while (t < end) {
        struct epoll_event got[256];
        int k = epoll_wait(ep, got, 256, 1000);
        if (k == 0)
            errors++;
        for (int i = 0; i < k; i++) {
            struct conn *x = got[i].data.ptr;
            char buf[4096];
            ssize_t r = read(x->fd, buf, sizeof buf);
            t = now_ns();
            if (r <= 0) {
                errors++;
                epoll_ctl(ep, EPOLL_CTL_DEL, x->fd, NULL);
                continue;
            }
            if ((x->got += (int)r) >= MESSAGE) {
                double us = (t - x->sent) / 1e3;
                histogram[us < BUCKETS - 1 ? (int)us : BUCKETS - 1]++;
                done++;
                errors += !send_one(x);
            }
        }
        t = now_ns();
    }
    uint64_t seen = 0;
    int p99 = 0;
    while (p99 < BUCKETS - 1 && (seen += histogram[p99]) < done * 99 / 100)
        p99++;
    printf("%.0f %d %llu\n", (double)done / ((t - start) / 1e9), p99, (unsigned long long)errors);
    return 0;
}
