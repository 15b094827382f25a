/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* libuv in the task loops: timers and echo, by callbacks (Debian: libuv1-dev). Usage: peer LOOP WORKERS N */
#include "timing.h"
#include <uv.h>

struct echo {
    uv_tcp_t tcp;
    uv_write_t write;
    char buf[4096];
};
static void on_timer(uv_timer_t *t) {
    uv_close((uv_handle_t *)t, NULL);
}
static void on_closed(uv_handle_t *h) {
    free(h);
}
static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf) {
    (void)size;
    *buf = uv_buf_init(((struct echo *)h)->buf, sizeof((struct echo *)h)->buf);
}
static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
    struct echo *e = (struct echo *)s;
    if (n < 0) {
        uv_close((uv_handle_t *)s, on_closed);
        return;
    }
    uv_buf_t out = uv_buf_init(buf->base, (unsigned)n);
    if (n > 0 && uv_try_write(s, &out, 1) < 0)
        uv_close((uv_handle_t *)s, on_closed);
}
static void on_connection(uv_stream_t *l, int status) {
    if (status < 0)
        return;
    struct echo *e = calloc(1, sizeof *e);
    uv_tcp_init(l->loop, &e->tcp);
    if (uv_accept(l, (uv_stream_t *)&e->tcp) == 0) {
        uv_tcp_nodelay(&e->tcp, 1);
        uv_read_start((uv_stream_t *)&e->tcp, on_alloc, on_read);
    }
}
int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    const char *name = argv[1];
    int n = atoi(argv[3]);
    uv_loop_t *loop = uv_default_loop();
    if (atoi(argv[2]) == 1 && !strcmp(name, "timers")) {
        double start = now_ns(), cpu = cpu_ns();
        uv_timer_t *t = malloc(sizeof *t * (size_t)n);
        for (int i = 0; i < n; i++) {
            uv_timer_init(loop, &t[i]);
            uv_timer_start(&t[i], on_timer, 100, 0);
        }
        uv_run(loop, UV_RUN_DEFAULT);
        print_timers(start, cpu);
    } else if (atoi(argv[2]) == 1 && !strcmp(name, "echo")) {
        uv_tcp_t l;
        struct sockaddr_storage a;
        int len = sizeof a;
        uv_tcp_init(loop, &l);
        uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&a);
        uv_tcp_bind(&l, (struct sockaddr *)&a, 0);
        uv_listen((uv_stream_t *)&l, 4096, on_connection);
        uv_tcp_getsockname(&l, (struct sockaddr *)&a, &len);
        printf("%d\n", ntohs(((struct sockaddr_in *)&a)->sin_port));
        fflush(stdout);
        uv_run(loop, UV_RUN_DEFAULT);
    } else
        puts("none");
    return 0;
}
