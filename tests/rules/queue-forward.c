/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A queue that forwards to another one, by recursion, and frees what comes when it is closed: after the call its caller has the object
 * no more, whatever became of it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct queue;
struct op {
    struct op *next;
    struct queue *reply_to;
    int type, error;
};
struct queue {
    pthread_mutex_t mu;
    pthread_cond_t filled;
    struct op *first, **last;
    struct queue *forward;
    int closed;
    void (*wake)(void *);
    void *wake_arg;
};

static int enqueue(struct queue *q, struct op *op, int lock);

static void op_free(struct op *op)
{
    free(op);
}

static void reply(struct op *op, int error)
{
    if (!op->reply_to) {
        op_free(op);
        return;
    }
    op->error = error;
    enqueue(op->reply_to, op, 1);
}

static int enqueue(struct queue *q, struct op *op, int lock)
{
    struct queue *forward;
    if (lock)
        pthread_mutex_lock(&q->mu);
    if (q->closed) {
        if (lock)
            pthread_mutex_unlock(&q->mu);
        reply(op, -1);
        return 0;
    }
    forward = q->forward;
    if (!forward) {
        op->next = NULL;
        *q->last = op;
        q->last = &op->next;
        if (!q->first)
            q->first = op;
        pthread_cond_signal(&q->filled);
        if (q->wake)
            q->wake(q->wake_arg); /* it may wait for anything: no excuse, for the object may be freed as well */
        if (lock)
            pthread_mutex_unlock(&q->mu);
    } else {
        if (lock)
            pthread_mutex_unlock(&q->mu);
        enqueue(forward, op, 1);
    }
    return 1;
}

static struct op *dequeue(struct queue *q)
{
    struct op *op;
    pthread_mutex_lock(&q->mu);
    while (!q->first)
        pthread_cond_wait(&q->filled, &q->mu);
    op = q->first;
    q->first = op->next;
    if (!q->first)
        q->last = &q->first;
    pthread_mutex_unlock(&q->mu);
    return op;
}

static void *serve(void *arg)
{
    struct queue *q = arg;
    for (;;) {
        struct op *op = dequeue(q);
        printf("%d\n", op->type);
        op_free(op);
    }
    return NULL;
}

int start(struct queue *q)
{
    pthread_t t;
    if (pthread_create(&t, NULL, serve, q) != 0)
        return -1;
    pthread_detach(t);
    return 0;
}

int send_op(struct queue *q, int type)
{
    struct op *op = calloc(1, sizeof *op);
    if (!op)
        return -1;
    op->type = type;
    return enqueue(q, op, 1); // no diagnostic: nothing comes behind it
}

int write_behind(struct queue *q, int type)
{
    struct op *op = calloc(1, sizeof *op);
    if (!op)
        return -1;
    enqueue(q, op, 1);
    op->type = type; // expected-warning {{'op->type' is written after it was given to another thread [aglet-use-after-send]}}
    return 0;
}

void local_op(struct queue *q)
{
    struct op op = {.type = 1};
    enqueue(q, &op, 1); // expected-warning {{local 'op' may die while the other thread still uses it [aglet-stack-escape]}}
}

/* Its parameter goes on: callers are judged as if they called enqueue. */
static void post(struct queue *q, struct op *op)
{
    enqueue(q, op, 1);
}

int read_behind_a_helper(struct queue *q)
{
    struct op *op = calloc(1, sizeof *op);
    if (!op)
        return -1;
    post(q, op);
    return op->type; // expected-warning {{'op->type' is read after it was given to another thread [aglet-use-after-send]}}
}

/* What was given away is forgotten, and asked for. */
int handle(struct queue *q, struct op *op)
{
    switch (op->type) {
    case 1:
        reply(op, 0);
        op = NULL;
        break;
    case 2:
        post(q, op);
        op = NULL;
        break;
    default:
        break;
    }
    if (op)
        op_free(op); // no diagnostic: only what was not given away
    return 0;
}

/* A queue that never frees: who waits for its answer has the object back. */
struct call {
    struct call *next;
    int done, result;
};
static struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct call *first;
} calls = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};

static void *answer(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&calls.mu);
        while (!calls.first)
            pthread_cond_wait(&calls.changed, &calls.mu);
        struct call *c = calls.first;
        calls.first = c->next;
        c->result = 1;
        c->done = 1;
        pthread_cond_broadcast(&calls.changed);
        pthread_mutex_unlock(&calls.mu);
    }
    return unused;
}

int answers_start(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, answer, NULL) != 0)
        return -1;
    pthread_detach(t);
    return 0;
}

int ask(void)
{
    struct call c = {0};
    pthread_mutex_lock(&calls.mu);
    c.next = calls.first;
    calls.first = &c;
    pthread_cond_broadcast(&calls.changed);
    while (!c.done)
        pthread_cond_wait(&calls.changed, &calls.mu);
    pthread_mutex_unlock(&calls.mu);
    return c.result; // no diagnostic: the answer was waited for
}

/* An element named by a loop's variable, until the variable changes. */
struct part {
    int from, sum;
};
static void *add(void *arg)
{
    struct part *p = arg;
    p->sum += p->from;
    return NULL;
}

int each_part(void)
{
    pthread_t t[4];
    struct part parts[4];
    int sum = 0;
    for (int i = 0; i < 4; i++) {
        parts[i] = (struct part){.from = i}; // no diagnostic: written before, and in the next turn another one
        if (pthread_create(&t[i], NULL, add, &parts[i]) != 0)
            abort();
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        sum += parts[i].sum;
    }
    return sum;
}

int late_part(void)
{
    pthread_t t[4];
    struct part parts[4] = {{0}};
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&t[i], NULL, add, &parts[i]) != 0) // expected-warning {{'parts[i].from' is used by both threads after this hand-off, unguarded [aglet-sync]}}
            abort();
        parts[i].from = i;
    }
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    return parts[0].sum;
}

/* What is done where the program dies excuses nothing. */
static void check(int ok)
{
    if (!ok) {
        pthread_mutex_lock(&calls.mu);
        while (!calls.first)
            pthread_cond_wait(&calls.changed, &calls.mu);
        fprintf(stderr, "failed\n");
        abort();
    }
}

int checked(struct part *p)
{
    pthread_t t;
    int error = pthread_create(&t, NULL, add, p); // expected-warning {{'p->from' is used by both threads after this hand-off, unguarded [aglet-sync]}}
    check(error == 0);
    p->from = 1;
    pthread_join(t, NULL);
    return p->sum;
}
