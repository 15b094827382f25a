/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A TCP echo server without stacks: a connection is a frame of some hundred bytes, and any worker goes on
 * with it. An async mutex, held across an await, keeps the log in order. Stands on aglet/await.h.
 *
 * Prints  20 of 20 answered, 100 bytes */
#include <aglet/await.h>
#include <aglet/executor.h>
#include <stdio.h>
#include <string.h>

enum { CLIENTS = 20 };

static struct {
    aglet_async_mutex mu;
    long lines AGLET_GUARDED_BY(mu), bytes AGLET_GUARDED_BY(mu);
} book;

struct connection {
    AGLET_FRAME_HEADER;
    aglet_io io;
    int n, error;
    char buffer[64];
};

AGLET_STACKLESS(echo, struct connection) {
    AGLET_BEGIN(f);
    for (;;) {
        AGLET_AWAIT(f, f->n,
                    aglet_read_poll(&f->aglet_, &f->io, f->buffer, sizeof f->buffer, aglet_after_ms(10000)));
        if (f->n <= 0)
            break;
        AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &book.mu, AGLET_FOREVER));
        if (f->error)
            break;
        book.lines++;
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
        book.bytes += f->n;
        aglet_async_mutex_unlock(&book.mu);
        AGLET_AWAIT(f, f->error,
                    aglet_write_poll(&f->aglet_, &f->io, f->buffer, (size_t)f->n, AGLET_FOREVER));
        if (f->error < 0)
            break;
    }
    aglet_io_close(&f->io);
    AGLET_END(f);
}

struct server {
    AGLET_FRAME_HEADER;
    aglet_io *listener;
    struct connection next;
    int error;
};

AGLET_STACKLESS(serve, struct server) {
    AGLET_BEGIN(f);
    for (;;) {
        AGLET_AWAIT(f, f->error, aglet_accept_poll(&f->aglet_, f->listener, &f->next.io, AGLET_FOREVER));
        if (f->error)
            break;
        if (echo_spawn(NULL, f->next))
            aglet_io_close(&f->next.io);
    }
    AGLET_END(f);
}

static void *ask(void *port) {
    aglet_io io;
    char answer[6] = "";
    if (aglet_tcp_connect(&io, "127.0.0.1", (uint16_t)(uintptr_t)port, aglet_after_ms(5000)))
        return NULL;
    bool good =
        aglet_write(&io, "hello", 5) == 5 && aglet_read_all(&io, answer, 5) == 5 && !strcmp(answer, "hello");
    aglet_io_close(&io);
    return good ? (void *)1 : NULL;
}

AGLET_MAIN(argc, argv) {
    aglet_io listener;
    aglet_task *server, *clients[CLIENTS];
    int answered = 0;
    if (aglet_tcp_listen(&listener, "127.0.0.1", 0))
        return 1;
    void *port = (void *)(uintptr_t)aglet_tcp_port(&listener);
    if (serve_spawn(&server, (struct server){.listener = &listener}))
        return 1;
    for (int i = 0; i < CLIENTS; i++)
        if (aglet_spawn(&clients[i], ask, port))
            return 1;
    for (int i = 0; i < CLIENTS; i++) {
        void *good;
        if (aglet_join(clients[i], &good))
            return 1;
        answered += good != NULL;
    }
    aglet_abort(server);
    if (aglet_join(server, NULL))
        return 1;
    aglet_io_close(&listener);
    if (aglet_async_mutex_lock(&book.mu))
        return 1;
    long lines = book.lines, bytes = book.bytes;
    aglet_async_mutex_unlock(&book.mu);
    printf("%d of %d answered, %ld bytes\n", answered, CLIENTS, bytes);
    return answered == CLIENTS && lines >= CLIENTS && bytes == 5L * CLIENTS ? 0 : 1;
}
