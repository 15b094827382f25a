/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A chat over TCP: what one says, a broadcast carries to all others; a task per connection, which waits for both in one
 * select. With an argument it serves that port for ever: `tcp_chat 7777`. Stands on aglet/broadcast.h, aglet/net.h.
 *
 * Prints  20 lines were heard */
#include <aglet/broadcast.h>
#include <aglet/executor.h>
#include <aglet/net.h>
#include <aglet/select.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    int from;
    char text[64];
};

AGLET_BROADCAST(room, struct line);

enum { GUESTS = 5, HEARD = GUESTS * (GUESTS - 1) };

static struct chat {
    aglet_io listener;
    room_sender all;
    aglet_group members;
} chat;

struct member {
    aglet_io io;
    room_receiver heard;
    int number;
};

/* Read what is there, and say each whole line. Returns false at the end. */
static bool listen_to(struct member *m, struct line *said, size_t *n) {
    ssize_t got = aglet_read(&m->io, said->text + *n, sizeof said->text - 1 - *n);
    if (got <= 0)
        return false;
    *n += (size_t)got;
    said->text[*n] = '\0';
    if (said->text[*n - 1] == '\n' || *n == sizeof said->text - 1) {
        (void)room_send(&chat.all, *said);
        *n = 0;
    }
    return true;
}

static void *serve(void *arg) {
    struct member *m = arg;
    struct line said = {.from = m->number}, other;
    size_t n = 0;
    for (bool on = true; on;) {
        struct aglet_case cases[] = {AGLET_CASE_NEXT(&m->heard, &other), AGLET_CASE_READABLE(&m->io)};
        int which = aglet_select(cases, 2, AGLET_FOREVER);
        if (which == 1)
            on = listen_to(m, &said, &n);
        else if (which != 0 || (cases[0].result && cases[0].result != -EOVERFLOW))
            on = false; /* aborted, or the room is closed */
        else if (!cases[0].result &&
                 other.from != m->number) /* EOVERFLOW: too slow, and some lines are lost */
            on = aglet_write(&m->io, other.text, strlen(other.text)) >= 0;
    }
    room_leave(&m->heard);
    aglet_io_close(&m->io);
    free(m);
    return NULL;
}

static void *welcome(void *arg) {
    for (int number = 1;; number++) {
        struct member *m = malloc(sizeof *m);
        int error = m ? aglet_accept(&chat.listener, &m->io) : -ENOMEM;
        if (!error) {
            m->number = number;
            m->heard = room_subscribe(&chat.all);
            if (aglet_group_spawn(&chat.members, serve, m) == 0)
                continue;
            room_leave(&m->heard);
            aglet_io_close(&m->io);
        }
        free(m);
        if (aglet_sleep_ms(10)) /* out of descriptors or memory; aborted: this fails as well */
            return arg;
    }
}

/* Waits for the others, says something, and counts the lines that it hears. */
static void *visit(void *port) {
    aglet_io io;
    char text[256];
    long heard = 0;
    if (aglet_tcp_connect(&io, "127.0.0.1", (uint16_t)(intptr_t)port, aglet_after_ms(5000)))
        return NULL;
    (void)aglet_sleep_ms(100);
    (void)aglet_write(&io, "hello\n", 6);
    aglet_time until = aglet_after_ms(5000);
    for (ssize_t n; heard < GUESTS - 1 && (n = aglet_read_until(&io, text, sizeof text, until)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            heard += text[i] == '\n';
    aglet_io_close(&io);
    return (void *)(intptr_t)heard;
}

AGLET_MAIN(argc, argv) {
    aglet_task *door, *guests[GUESTS];
    void *heard[GUESTS];
    long sum = 0;
    if (aglet_tcp_listen(&chat.listener, argc > 1 ? NULL : "127.0.0.1",
                         argc > 1 ? (uint16_t)atoi(argv[1]) : 0) ||
        room_open(&chat.all, 64) || aglet_spawn(&door, welcome, NULL))
        return 1;
    if (argc > 1)
        return aglet_join(door, NULL);
    for (int i = 0; i < GUESTS; i++)
        if (aglet_spawn(&guests[i], visit, (void *)(intptr_t)aglet_tcp_port(&chat.listener)))
            return 1;
    if (aglet_join_all(guests, heard, GUESTS))
        return 1;
    for (int i = 0; i < GUESTS; i++)
        sum += (long)(intptr_t)heard[i];
    aglet_abort(door);
    (void)aglet_join(door, NULL);
    aglet_io_close(&chat.listener);
    room_drop(&chat.all); /* ends those that still serve */
    (void)aglet_group_join(&chat.members);
    printf("%ld lines were heard\n", sum);
    return sum == HEARD ? 0 : 1;
}
