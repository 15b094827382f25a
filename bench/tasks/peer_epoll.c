/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The floor for echo: a bare epoll loop, one thread, no library. Usage: peer LOOP WORKERS N */
#define _GNU_SOURCE
#include "timing.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    if (strcmp(argv[1], "echo") || atoi(argv[2]) != 1) {
        puts("none");
        return 0;
    }
    int l = socket(AF_INET, SOCK_STREAM, 0), ep = epoll_create1(0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    bind(l, (struct sockaddr *)&a, sizeof a);
    listen(l, 4096);
    getsockname(l, (struct sockaddr *)&a, &len);
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = l}, got[256];
    epoll_ctl(ep, EPOLL_CTL_ADD, l, &e);
    static char buf[4096];
    for (;;) {
        int k = epoll_wait(ep, got, 256, -1);
        for (int i = 0; i < k; i++) {
            int fd = got[i].data.fd;
            if (fd == l) {
                int c = accept4(l, NULL, NULL, SOCK_NONBLOCK);
                if (c < 0)
                    continue;
                setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                e = (struct epoll_event){.events = EPOLLIN, .data.fd = c};
                epoll_ctl(ep, EPOLL_CTL_ADD, c, &e);
                continue;
            }
            ssize_t n = read(fd, buf, sizeof buf);
            if (n <= 0 || write(fd, buf, (size_t)n) != n)
                close(fd);
        }
    }
}
