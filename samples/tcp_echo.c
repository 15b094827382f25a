/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A TCP echo server with a task per connection, and clients to try it. With an argument it serves that port
 * for ever: `tcp_echo 7777`. Beside it tcp_echo_threads.c, the same with a thread per connection. Stands on
 * aglet/net.h.
 *
 * Prints  1000 messages came back */
#include <aglet/executor.h>
#include <aglet/net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    for (;;) {
        aglet_io *c = malloc(sizeof *c);
        int error = c ? aglet_accept(listener, c) : -1;
        if (!error && aglet_spawn(NULL, serve_one, c) == 0)
            continue;
        if (!error)
            aglet_io_close(c);
        free(c);
        /* Out of descriptors or memory: connections end, so try again soon. Aborted: this fails as well. */
        if (aglet_sleep_ms(10))
            return NULL;
    }
}

static void *ask(void *arg) {
    aglet_io c;
    char out[64], in[64];
    long port = (long)(intptr_t)arg, same = 0;
    if (aglet_tcp_connect(&c, "127.0.0.1", (uint16_t)port, aglet_after_ms(5000)))
        return NULL;
    for (int i = 0; i < 20; i++) {
        memset(out, 'a' + i, sizeof out);
        if (aglet_write(&c, out, sizeof out) != sizeof out || aglet_read_all(&c, in, sizeof in) != sizeof in)
            break;
        same += memcmp(in, out, sizeof in) == 0;
    }
    aglet_io_close(&c);
    return (void *)(intptr_t)same;
}

AGLET_MAIN(argc, argv) {
    aglet_io listener;
    aglet_task *server, *clients[50];
    void *answered[50];
    long sum = 0;
    if (aglet_tcp_listen(&listener, argc > 1 ? NULL : "127.0.0.1", argc > 1 ? (uint16_t)atoi(argv[1]) : 0))
        return 1;
    if (aglet_spawn(&server, serve, &listener))
        return 1;
    if (argc > 1)
        return aglet_join(server, NULL);
    intptr_t port = aglet_tcp_port(&listener);
    for (int i = 0; i < 50; i++)
        if (aglet_spawn(&clients[i], ask, (void *)port))
            return 1;
    if (aglet_join_all(clients, answered, 50))
        return 1;
    for (int i = 0; i < 50; i++)
        sum += (long)(intptr_t)answered[i];
    aglet_abort(server);
    (void)aglet_join(server, NULL);
    aglet_io_close(&listener);
    printf("%ld messages came back\n", sum);
    return sum == 1000 ? 0 : 1;
}
