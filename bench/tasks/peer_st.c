/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* State Threads in the task loops (Debian: libst-dev). Usage: peer LOOP WORKERS N */
#include "timing.h"
#include <netinet/in.h>
#include <st.h>
#include <sys/socket.h>

static int rounds;
static void *nothing(void *p) {
    return p;
}
static void *yielder(void *p) {
    for (int i = 0; i < rounds; i++)
        st_usleep(0);
    return p;
}
static void *sleeper(void *p) {
    st_usleep(100000);
    return p;
}
static void *serve(void *p) {
    st_netfd_t c = p;
    char buf[4096];
    ssize_t n;
    while ((n = st_read(c, buf, sizeof buf, ST_UTIME_NO_TIMEOUT)) > 0 &&
           st_write(c, buf, (size_t)n, ST_UTIME_NO_TIMEOUT) == n) {
    }
    st_netfd_close(c);
    return NULL;
}
int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    const char *loop = argv[1];
    int workers = atoi(argv[2]), n = atoi(argv[3]);
    if (workers != 1) {
        puts("none");
        return 0;
    }
    st_set_eventsys(ST_EVENTSYS_ALT);
    st_init();
    double start = now_ns();
    if (!strcmp(loop, "spawn-one")) {
        for (int i = 0; i < n; i++)
            st_thread_join(st_thread_create(nothing, NULL, 1, 16384), NULL);
        print_per_op(start, n);
    } else if (!strcmp(loop, "spawn-1000")) {
        st_thread_t t[1000];
        for (int done = 0; done < n; done += 1000) {
            for (int i = 0; i < 1000; i++)
                t[i] = st_thread_create(nothing, NULL, 1, 16384);
            for (int i = 0; i < 1000; i++)
                st_thread_join(t[i], NULL);
        }
        print_per_op(start, n);
    } else if (!strcmp(loop, "yield")) {
        rounds = n;
        st_thread_t a = st_thread_create(yielder, NULL, 1, 16384),
                    b = st_thread_create(yielder, NULL, 1, 16384);
        st_thread_join(a, NULL);
        st_thread_join(b, NULL);
        print_per_op(start, 2.0 * n);
    } else if (!strcmp(loop, "timers")) {
        if (n > 20000) { /* each costs a mapping with guard pages: the system's limit */
            puts("none");
            return 0;
        }
        double cpu = cpu_ns();
        st_thread_t *t = malloc(sizeof *t * (size_t)n);
        for (int i = 0; i < n; i++)
            t[i] = st_thread_create(sleeper, NULL, 1, 4096);
        for (int i = 0; i < n; i++)
            st_thread_join(t[i], NULL);
        print_timers(start, cpu);
    } else if (!strcmp(loop, "echo")) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof a;
        bind(fd, (struct sockaddr *)&a, sizeof a);
        listen(fd, 4096);
        getsockname(fd, (struct sockaddr *)&a, &len);
        printf("%d\n", ntohs(a.sin_port));
        fflush(stdout);
        st_netfd_t l = st_netfd_open_socket(fd), c;
        for (;;)
            if ((c = st_accept(l, NULL, NULL, ST_UTIME_NO_TIMEOUT)))
                st_thread_create(serve, c, 0, 16384);
    } else
        puts("none");
    return 0;
}
