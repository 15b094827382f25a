/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Aglet's stackless tasks in the task loops. One worker: the current-thread executor. Usage: peer LOOP
 * WORKERS N */
#include "timing.h"
#include <aglet/await.h>
#include <aglet/channel.h>
#include <aglet/executor.h>
#include <aglet/net.h>
#include <aglet/stackless.h>
#include <unistd.h>

AGLET_CHANNEL(numbers, long);

struct run {
    const char *loop;
    long n;
};

struct empty {
    AGLET_FRAME_HEADER;
};
AGLET_STACKLESS(nothing, struct empty) {
    AGLET_BEGIN(f);
    AGLET_END(f);
}

struct counter {
    AGLET_FRAME_HEADER;
    long n;
    int error;
};
AGLET_STACKLESS(yielder, struct counter) {
    AGLET_BEGIN(f);
    while (f->n-- > 0)
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    AGLET_END(f);
}
AGLET_STACKLESS(sleeper, struct counter) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(f->n)));
    AGLET_END(f);
}

struct node {
    AGLET_FRAME_HEADER;
    int i, error;
    long number, size, sum, v;
    numbers_sender out, tx;
    numbers_receiver rx;
};
static int skynet_spawn(aglet_task **task, struct node frame);
AGLET_STACKLESS(skynet, struct node) {
    AGLET_BEGIN(f);
    f->sum = f->number;
    if (f->size > 1) {
        f->sum = 0;
        numbers_bounded(&f->tx, &f->rx, 10);
        for (f->i = 0; f->i < 10; f->i++)
            skynet_spawn(NULL, (struct node){.out = numbers_clone(&f->tx),
                                             .number = f->number + f->i * f->size / 10,
                                             .size = f->size / 10});
        numbers_drop(&f->tx);
        for (f->i = 0; f->i < 10; f->i++) {
            AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->v));
            f->sum += f->v;
        }
        numbers_drop_receiver(&f->rx);
    }
    AGLET_AWAIT(f, f->error, aglet_send_poll(&f->aglet_, &f->out, &f->sum));
    numbers_drop(&f->out);
    AGLET_END(f);
}

struct pair {
    AGLET_FRAME_HEADER;
    int error;
    long i, n, v, sum;
    numbers_sender tx;
    numbers_receiver rx;
};
AGLET_STACKLESS(produce, struct pair) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < f->n; f->i++)
        AGLET_AWAIT(f, f->error, aglet_send_poll(&f->aglet_, &f->tx, &f->i));
    numbers_drop(&f->tx);
    AGLET_END(f);
}
AGLET_STACKLESS(consume, struct pair) {
    AGLET_BEGIN(f);
    while (!f->error) {
        AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->v));
        f->sum += f->v;
    }
    numbers_drop_receiver(&f->rx);
    AGLET_END(f);
}
AGLET_STACKLESS(answer_back, struct pair) {
    AGLET_BEGIN(f);
    while (!f->error) {
        AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->v));
        if (!f->error)
            AGLET_AWAIT(f, f->error, aglet_send_poll(&f->aglet_, &f->tx, &f->v));
    }
    numbers_drop(&f->tx);
    AGLET_END(f);
}
AGLET_STACKLESS(ask, struct pair) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < f->n; f->i++) {
        AGLET_AWAIT(f, f->error, aglet_send_poll(&f->aglet_, &f->tx, &f->i));
        AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->v));
    }
    numbers_drop(&f->tx);
    AGLET_END(f);
}

struct connection {
    AGLET_FRAME_HEADER;
    aglet_io io;
    int n, put;
    char *buf;
};
AGLET_STACKLESS(serve_one, struct connection) {
    enum { ROOM = 4096 };
    AGLET_BEGIN(f);
    f->buf = malloc(ROOM);
    for (;;) {
        AGLET_AWAIT(f, f->n, aglet_read_poll(&f->aglet_, &f->io, f->buf, ROOM, AGLET_FOREVER));
        if (f->n <= 0)
            break;
        AGLET_AWAIT(f, f->put, aglet_write_poll(&f->aglet_, &f->io, f->buf, (size_t)f->n, AGLET_FOREVER));
        if (f->put != f->n)
            break;
    }
    free(f->buf);
    aglet_io_close(&f->io);
    AGLET_END(f);
}
static void serve(void) {
    aglet_io l, c;
    if (aglet_tcp_listen(&l, "127.0.0.1", 0))
        exit(1);
    printf("%d\n", aglet_tcp_port(&l));
    fflush(stdout);
    for (;;)
        if (aglet_accept(&l, &c) == 0)
            serve_one_spawn(NULL, (struct connection){.io = c});
}

static long resident(void) {
    long pages = 0, skip;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &skip, &pages) != 2)
        exit(1);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void *body(void *arg) {
    struct run *r = arg;
    const char *loop = r->loop;
    long n = r->n;
    double start = now_ns(), system = system_ns();
    if (!strcmp(loop, "spawn") || !strcmp(loop, "spawn-again")) {
        aglet_task **t = malloc((size_t)n * sizeof *t);
        for (int times = loop[5] ? 2 : 1; times > 0; times--) {
            start = now_ns(), system = system_ns();
            for (long i = 0; i < n; i++)
                nothing_spawn(&t[i], (struct empty){0});
            for (long i = 0; i < n; i++)
                aglet_join(t[i], NULL);
        }
        print_per_op_system(start, system, (double)n);
    } else if (!strcmp(loop, "spawn-1000")) {
        aglet_task *t[1000];
        for (long done = 0; done < n; done += 1000) {
            for (int i = 0; i < 1000; i++)
                nothing_spawn(&t[i], (struct empty){0});
            for (int i = 0; i < 1000; i++)
                aglet_join(t[i], NULL);
        }
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "spawn-one")) {
        for (long i = 0; i < n; i++) {
            aglet_task *t;
            nothing_spawn(&t, (struct empty){0});
            aglet_join(t, NULL);
        }
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "yield")) {
        aglet_task *a, *b;
        yielder_spawn(&a, (struct counter){.n = n});
        yielder_spawn(&b, (struct counter){.n = n});
        aglet_join(a, NULL);
        aglet_join(b, NULL);
        print_per_op(start, 2.0 * (double)n);
    } else if (!strcmp(loop, "ping-pong")) {
        struct pair there = {0}, back = {.n = n};
        aglet_task *a, *b;
        numbers_bounded(&back.tx, &there.rx, 1);
        numbers_bounded(&there.tx, &back.rx, 1);
        answer_back_spawn(&a, there);
        ask_spawn(&b, back);
        aglet_join(b, NULL);
        print_per_op(start, (double)n);
        aglet_join(a, NULL);
    } else if (!strcmp(loop, "bounded-1") || !strcmp(loop, "bounded-4")) {
        int producers = loop[8] - '0';
        numbers_sender tx;
        struct pair c = {0};
        aglet_task *t;
        numbers_bounded(&tx, &c.rx, 128);
        for (int i = 0; i < producers; i++)
            produce_spawn(NULL, (struct pair){.tx = numbers_clone(&tx), .n = n / producers});
        numbers_drop(&tx);
        consume_spawn(&t, c);
        aglet_join(t, NULL);
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "skynet")) {
        numbers_sender tx;
        numbers_receiver rx;
        long sum = 0;
        numbers_bounded(&tx, &rx, 1);
        skynet_spawn(NULL, (struct node){.out = tx, .size = n});
        numbers_recv(&rx, &sum);
        print_per_op(start, 1);
        numbers_drop_receiver(&rx);
        if (sum != n * (n - 1) / 2)
            exit(1);
    } else if (!strcmp(loop, "timers")) {
        double cpu = cpu_ns();
        aglet_task **t = malloc((size_t)n * sizeof *t);
        for (long i = 0; i < n; i++)
            sleeper_spawn(&t[i], (struct counter){.n = 100});
        for (long i = 0; i < n; i++)
            aglet_join(t[i], NULL);
        print_timers(start, cpu);
    } else if (!strcmp(loop, "parked")) {
        enum { PARKED = 1000000 };
        long before = resident();
        for (long i = 0; i < PARKED; i++)
            sleeper_spawn(NULL, (struct counter){.n = 1000000});
        (void)aglet_sleep_ms(1000);
        printf("%.0f bytes\n", (double)(resident() - before) / PARKED);
        fflush(stdout);
        _exit(0);
    } else if (!strcmp(loop, "echo")) {
        serve();
    } else
        puts("none");
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    unsigned workers = (unsigned)atoi(argv[2]);
    struct run r = {argv[1], atol(argv[3])};
    struct aglet_executor_options options = {.workers = workers, .current_thread = workers == 1};
    return aglet_run(&options, body, &r, NULL) ? 1 : 0;
}
