/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Aglet's stackful tasks, channels and pool in the task loops. One worker: the current-thread executor.
 * Usage: peer LOOP WORKERS N */
#include "timing.h"
#include <aglet/async_mutex.h>
#include <aglet/channel.h>
#include <aglet/executor.h>
#include <aglet/net.h>
#include <aglet/pool.h>
#include <unistd.h>

AGLET_CHANNEL(numbers, long);
AGLET_ONESHOT(answer, long);

struct run {
    const char *loop;
    long n;
};

static void *nothing(void *p) {
    return p;
}
static void *yielder(void *p) {
    for (long i = (long)p; i > 0; i--)
        (void)aglet_yield();
    return NULL;
}
static void *sleeper(void *p) {
    (void)aglet_sleep_ms(100);
    return p;
}
static void *sleep_long(void *p) {
    (void)aglet_sleep_ms(1000000);
    return p;
}

struct pair {
    numbers_receiver rx;
    numbers_sender tx;
    long n;
};
static void *answer_back(void *p) {
    struct pair *k = p;
    long v;
    while (numbers_recv(&k->rx, &v) == 0)
        if (numbers_send(&k->tx, v))
            break;
    return NULL;
}
static void *play(void *p) {
    struct pair *k = p;
    for (long v = k->n, i = 0; i < v; i++)
        if (numbers_recv(&k->rx, &k->n) || numbers_send(&k->tx, k->n))
            break;
    return NULL;
}
static void *produce(void *p) {
    struct pair *k = p;
    for (long i = 0; i < k->n; i++)
        if (numbers_send(&k->tx, i))
            break;
    numbers_drop(&k->tx);
    return NULL;
}
static void queue(int producers, long n) {
    numbers_sender tx;
    numbers_receiver rx;
    struct pair p[4];
    long v, sum = 0;
    if (numbers_bounded(&tx, &rx, 128))
        exit(1);
    for (int i = 0; i < producers; i++) {
        p[i] = (struct pair){.tx = numbers_clone(&tx), .n = n / producers};
        aglet_spawn(NULL, produce, &p[i]);
    }
    numbers_drop(&tx);
    while (numbers_recv(&rx, &v) == 0)
        sum += v;
    numbers_drop_receiver(&rx);
    if (sum < 0)
        exit(1);
}
static void *put(void *p) {
    answer_put(p, 7);
    return NULL;
}

struct node {
    numbers_sender out;
    long number, size;
};
static void *skynet(void *p) {
    struct node mine = *(struct node *)p, *n = &mine; /* the parent's frame ends when it has our value */
    if (n->size == 1) {
        numbers_send(&n->out, n->number);
        numbers_drop(&n->out);
        return NULL;
    }
    numbers_sender tx;
    numbers_receiver rx;
    struct node children[10];
    long sum = 0, v;
    numbers_bounded(&tx, &rx, 10);
    for (int i = 0; i < 10; i++) {
        children[i] = (struct node){numbers_clone(&tx), n->number + i * n->size / 10, n->size / 10};
        aglet_spawn(NULL, skynet, &children[i]);
    }
    numbers_drop(&tx);
    for (int i = 0; i < 10; i++) {
        numbers_recv(&rx, &v);
        sum += v;
    }
    numbers_drop_receiver(&rx);
    numbers_send(&n->out, sum);
    numbers_drop(&n->out);
    return NULL;
}

struct tree {
    long number, size, sum;
};
static void fork_range(void *p);

struct halves {
    struct tree *t;
    int n;
};
static void fork_many(void *p) {
    struct halves *h = p;
    if (h->n == 1) {
        fork_range(h->t);
        return;
    }
    struct halves a = {h->t, h->n / 2}, b = {h->t + h->n / 2, h->n - h->n / 2};
    aglet_join2(fork_many, &a, fork_many, &b);
}
static void fork_range(void *p) {
    struct tree *t = p;
    if (t->size == 1) {
        t->sum = t->number;
        return;
    }
    struct tree children[10];
    for (int i = 0; i < 10; i++)
        children[i] = (struct tree){t->number + i * t->size / 10, t->size / 10, 0};
    fork_many(&(struct halves){children, 10});
    for (int i = 0; i < 10; i++)
        t->sum += children[i].sum;
}

static void add(void *array, size_t from, size_t to, void *sum) {
    uint64_t s = 0;
    for (size_t i = from; i < to; i++)
        s += ((uint64_t *)array)[i] ^ ((uint64_t *)array)[i] >> 3;
    *(uint64_t *)sum += s;
}
static void add_sums(void *context, void *a, const void *b) {
    (void)context;
    *(uint64_t *)a += *(const uint64_t *)b;
}
#define LESS(a, b) ((a) < (b))
AGLET_PARALLEL_SORT(sort_numbers, uint64_t, LESS);

static void *serve_one(void *p) {
    aglet_io c = *(aglet_io *)p;
    char buf[4096];
    ssize_t n;
    free(p);
    while ((n = aglet_read(&c, buf, sizeof buf)) > 0 && aglet_write(&c, buf, (size_t)n) == n)
        ;
    aglet_io_close(&c);
    return NULL;
}
static void serve(void) {
    aglet_io l;
    if (aglet_tcp_listen(&l, "127.0.0.1", 0))
        exit(1);
    printf("%d\n", aglet_tcp_port(&l));
    fflush(stdout);
    for (;;) {
        aglet_io *c = malloc(sizeof *c);
        if (aglet_accept(&l, c) == 0)
            aglet_spawn(NULL, serve_one, c);
    }
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
                aglet_spawn(&t[i], nothing, NULL);
            for (long i = 0; i < n; i++)
                aglet_join(t[i], NULL);
        }
        print_per_op_system(start, system, (double)n);
    } else if (!strcmp(loop, "spawn-1000")) {
        aglet_task *t[1000];
        for (long done = 0; done < n; done += 1000) {
            for (int i = 0; i < 1000; i++)
                aglet_spawn(&t[i], nothing, NULL);
            for (int i = 0; i < 1000; i++)
                aglet_join(t[i], NULL);
        }
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "spawn-one")) {
        for (long i = 0; i < n; i++) {
            aglet_task *t;
            aglet_spawn(&t, nothing, NULL);
            aglet_join(t, NULL);
        }
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "yield")) {
        aglet_task *a, *b;
        aglet_spawn_local(&a, yielder, (void *)n);
        aglet_spawn_local(&b, yielder, (void *)n);
        aglet_join(a, NULL);
        aglet_join(b, NULL);
        print_per_op(start, 2.0 * (double)n);
    } else if (!strcmp(loop, "ping-pong")) {
        struct pair there;
        numbers_sender tx;
        numbers_receiver rx;
        aglet_task *t;
        long v;
        numbers_bounded(&tx, &there.rx, 1);
        numbers_bounded(&there.tx, &rx, 1);
        aglet_spawn(&t, answer_back, &there);
        for (long i = 0; i < n; i++) {
            numbers_send(&tx, i);
            numbers_recv(&rx, &v);
        }
        print_per_op(start, (double)n);
        numbers_drop(&tx);
        aglet_join(t, NULL);
    } else if (!strcmp(loop, "ping-pong-same")) {
        struct pair a = {.n = n}, b = {.n = n};
        aglet_task *t, *u;
        numbers_bounded(&a.tx, &b.rx, 1);
        numbers_bounded(&b.tx, &a.rx, 1);
        numbers_send(&a.tx, 0);
        aglet_spawn(&t, play, &a);
        aglet_spawn(&u, play, &b);
        aglet_join(t, NULL);
        aglet_join(u, NULL);
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "bounded-1") || !strcmp(loop, "bounded-4")) {
        queue(loop[8] - '0', n);
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "oneshot")) {
        for (long i = 0; i < n; i++) {
            answer_sender tx;
            answer_receiver rx;
            long v;
            answer_oneshot(&tx, &rx);
            aglet_spawn(NULL, put, &tx);
            answer_get(&rx, &v);
        }
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "skynet")) {
        numbers_sender tx;
        numbers_receiver rx;
        long sum = 0;
        numbers_bounded(&tx, &rx, 1);
        struct node root = {tx, 0, n};
        aglet_spawn(NULL, skynet, &root);
        numbers_recv(&rx, &sum);
        print_per_op(start, 1);
        numbers_drop_receiver(&rx);
        if (sum != n * (n - 1) / 2)
            exit(1);
    } else if (!strcmp(loop, "timers")) {
        double cpu = cpu_ns();
        aglet_task **t = malloc((size_t)n * sizeof *t);
        for (long i = 0; i < n; i++)
            aglet_spawn(&t[i], sleeper, NULL);
        for (long i = 0; i < n; i++)
            aglet_join(t[i], NULL);
        print_timers(start, cpu);
    } else if (!strcmp(loop, "parked")) {
        enum { PARKED = 100000 };
        long before = resident();
        for (long i = 0; i < PARKED; i++)
            aglet_spawn(NULL, sleep_long, NULL);
        (void)aglet_sleep_ms(1000);
        printf("%.0f bytes\n", (double)(resident() - before) / PARKED);
        fflush(stdout);
        _exit(0);
    } else if (!strcmp(loop, "mutex")) {
        aglet_async_mutex mu = {0};
        for (long i = 0; i < n; i++) {
            if (aglet_async_mutex_lock(&mu))
                exit(1);
            aglet_async_mutex_unlock(&mu);
        }
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "echo")) {
        serve();
    } else
        puts("none");
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    const char *loop = argv[1];
    unsigned workers = (unsigned)atoi(argv[2]);
    long n = atol(argv[3]);
    if (!strcmp(loop, "fork-join") || !strcmp(loop, "sum") || !strcmp(loop, "sort")) {
        aglet_pool *pool = aglet_pool_new(workers);
        uint64_t *array = NULL, x = 88172645463325252u, zero = 0, sum;
        if (strcmp(loop, "fork-join")) {
            array = malloc((size_t)n * sizeof *array);
            for (long i = 0; i < n; i++)
                array[i] = next_random(&x);
        }
        double start = now_ns();
        if (array && !strcmp(loop, "sum"))
            aglet_parallel_reduce(pool, 0, (size_t)n, 0,
                                  &(struct aglet_reduction){sizeof zero, &zero, add, add_sums}, array, &sum);
        else if (array)
            sort_numbers(pool, array, (size_t)n);
        else {
            struct tree root = {0, n, 0};
            aglet_pool_run(pool, fork_range, &root);
            if (root.sum != n * (n - 1) / 2)
                return 1;
        }
        print_per_op(start, array ? (double)n : 1);
        return 0;
    }
    struct run r = {loop, n};
    struct aglet_executor_options options = {
        .workers = workers, .current_thread = workers == 1, .stacks_kept = 8192};
    return aglet_run(&options, body, &r, NULL) ? 1 : 0;
}
