/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An echo server with many connections: talkers, silent ones, and slow readers that never take their answers; at half time one
 * of the two client processes, with half of the connections, is killed. The talkers that stay must see no error.
 * Stands on the public headers.
 *
 *   stress_connections SECONDS [CONNECTIONS]      prints messages, errors and the server's memory; 1,000 unless told */
#include "aglet/executor.h"
#include "aglet/net.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE = 64 };

static long seconds, connections = 1000;
static uint16_t port;
static aglet_io listener;
static atomic_long messages, errors, open_now, open_most;

static void *serve_one(void *arg)
{
    aglet_io *c = arg;
    char buffer[1024];
    ssize_t n;
    long now = atomic_fetch_add(&open_now, 1) + 1;
    if (now > atomic_load(&open_most))
        atomic_store(&open_most, now);
    while ((n = aglet_read(c, buffer, sizeof buffer)) > 0)
        if (aglet_write(c, buffer, (size_t)n) != n)
            break;
    atomic_fetch_sub(&open_now, 1);
    aglet_io_close(c);
    free(c);
    return NULL;
}

static void *serve(void *arg)
{
    for (;;) {
        aglet_io *c = malloc(sizeof *c);
        int error = c ? aglet_accept(&listener, c) : -ENOMEM;
        if (!error && aglet_spawn(NULL, serve_one, c) == 0)
            continue;
        if (!error)
            aglet_io_close(c);
        free(c);
        if (error == -ECANCELED)
            return arg;
        if (aglet_sleep_ms(5))
            return arg;
    }
}

static void *talk(void *arg)
{
    aglet_io c;
    long number = (long)(intptr_t)arg;
    char out[MESSAGE], in[MESSAGE];
    aglet_time end = aglet_after_ms(seconds * 1000);
    if (aglet_sleep_ms(number % 500) || aglet_tcp_connect(&c, "127.0.0.1", port, aglet_after_ms(20000))) {
        atomic_fetch_add(&errors, 1);
        return NULL;
    }
    if (number % 10 == 1) { /* silent */
        (void)aglet_sleep_until(end);
    } else if (number % 10 == 2) { /* never reads, and sends until nothing fits any more */
        static const char block[16384];
        while (aglet_now() < end && aglet_write_until(&c, block, sizeof block, aglet_after_ms(200)) > 0)
            ;
        (void)aglet_sleep_until(end);
    } else {
        while (aglet_now() < end) {
            memset(out, (int)number, sizeof out);
            if (aglet_write(&c, out, sizeof out) != MESSAGE || aglet_read_all(&c, in, sizeof in) != MESSAGE ||
                memcmp(in, out, sizeof in) != 0) {
                atomic_fetch_add(&errors, 1);
                break;
            }
            atomic_fetch_add(&messages, 1);
            if (aglet_sleep_ms(20 + number % 100))
                break;
        }
    }
    aglet_io_close(&c);
    return NULL;
}

static void *talk_all(void *arg)
{
    aglet_group group = {{0}};
    for (intptr_t i = 0; i < connections / 2; i++)
        if (aglet_group_spawn(&group, talk, (void *)i))
            atomic_fetch_add(&errors, 1);
    (void)aglet_group_join(&group);
    return arg;
}

static pid_t client(void)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    close(listener.fd);
    struct aglet_executor_options options = {.workers = 1, .stack_size = 32768};
    int error = aglet_run(&options, talk_all, NULL, NULL);
    printf("%ld messages, %ld errors in the clients that stayed\n", atomic_load(&messages), atomic_load(&errors));
    fflush(stdout);
    _exit(error || atomic_load(&errors) || !atomic_load(&messages));
}

struct pair {
    pid_t stays, killed;
    int status;
};

static void *oversee(void *arg)
{
    struct pair *p = arg;
    aglet_task *server;
    if (aglet_spawn(&server, serve, NULL))
        return "no memory";
    (void)aglet_sleep_ms(seconds * 500);
    kill(p->killed, SIGKILL);
    for (int i = 0; waitpid(p->stays, &p->status, WNOHANG) == 0; i++)
        (void)aglet_sleep_ms(20);
    aglet_abort(server);
    (void)aglet_join(server, NULL);
    for (int i = 0; i < 500 && atomic_load(&open_now) > 0; i++)
        (void)aglet_sleep_ms(10);
    return NULL;
}

int main(int argc, char **argv)
{
    seconds = argc > 1 ? atol(argv[1]) : 4;
    if (argc > 2)
        connections = atol(argv[2]);
    if (seconds < 2)
        seconds = 2;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if ((long)limit.rlim_cur < connections + 100) {
        printf("skipped: %ld descriptors are allowed\n", (long)limit.rlim_cur);
        return 0;
    }
    if (aglet_tcp_listen(&listener, "127.0.0.1", 0))
        return 1;
    port = (uint16_t)aglet_tcp_port(&listener);
    struct pair p = {client(), client(), 0};
    struct aglet_executor_options options = {.workers = 2, .stack_size = 32768};
    void *wrong = NULL;
    int error = aglet_run(&options, oversee, &p, &wrong);
    aglet_io_close(&listener);
    waitpid(p.killed, NULL, 0);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf("%ld connections at most, %ld left open, %ld MiB, %ld bytes per connection with stack and all\n",
           atomic_load(&open_most), atomic_load(&open_now), use.ru_maxrss / 1024,
           use.ru_maxrss * 1024 / (atomic_load(&open_most) ? atomic_load(&open_most) : 1));
    return error || wrong || p.status || atomic_load(&open_most) < connections / 2 || atomic_load(&open_now) > 0;
}
