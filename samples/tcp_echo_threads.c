/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The echo server of tcp_echo.c with an OS thread per connection: the same calls block the thread. Stands on
 * aglet/net.h.
 *
 * Prints  8 of 8 came back */
#include <aglet/net.h>
#include <aglet/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 8 };

static void *serve_one(void *arg) {
    aglet_io *c = arg;
    char buffer[4096];
    ssize_t n;
    while ((n = aglet_read(c, buffer, sizeof buffer)) > 0)
        if (aglet_write(c, buffer, (size_t)n) != n)
            break;
    aglet_io_close(c);
    free(c);
    return NULL;
}

static void *serve(void *arg) {
    aglet_io *listener = arg;
    aglet_thread threads[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        aglet_io *c = malloc(sizeof *c);
        if (!c || aglet_accept(listener, c) || aglet_thread_spawn(&threads[i], serve_one, c))
            abort();
    }
    for (int i = 0; i < CLIENTS; i++)
        (void)aglet_thread_join(&threads[i], NULL);
    return NULL;
}

static int ask(int port) {
    aglet_io c;
    char in[6] = "";
    if (aglet_tcp_connect(&c, "127.0.0.1", (uint16_t)port, aglet_after_ms(5000)))
        return 0;
    int same = aglet_write(&c, "hello", 5) == 5 && aglet_read_all(&c, in, 5) == 5 && strcmp(in, "hello") == 0;
    aglet_io_close(&c);
    return same;
}

int main(void) {
    aglet_io listener;
    aglet_thread server;
    int same = 0;
    if (aglet_tcp_listen(&listener, "127.0.0.1", 0) || aglet_thread_spawn(&server, serve, &listener))
        return 1;
    for (int i = 0; i < CLIENTS; i++)
        same += ask(aglet_tcp_port(&listener));
    (void)aglet_thread_join(&server, NULL);
    aglet_io_close(&listener);
    printf("%d of %d came back\n", same, CLIENTS);
    return same == CLIENTS ? 0 : 1;
}
