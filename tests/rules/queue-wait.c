/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A request that is queued and waited for: it comes back when the thread that served it says so. */
#include <pthread.h>
#include <stdlib.h>

struct request {
    struct request *next;
    int number, answer;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int done;
};
static struct {
    pthread_mutex_t mu;
    pthread_cond_t nonempty;
    struct request *first;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};

static void submit(struct request *r)
{
    pthread_mutex_lock(&queue.mu);
    r->next = queue.first;
    queue.first = r;
    pthread_cond_signal(&queue.nonempty);
    pthread_mutex_unlock(&queue.mu);
}

static void *server(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&queue.mu);
        while (!queue.first)
            pthread_cond_wait(&queue.nonempty, &queue.mu);
        struct request *r = queue.first;
        queue.first = r->next;
        pthread_mutex_unlock(&queue.mu);
        r->answer = 2 * r->number;
        pthread_mutex_lock(&r->mu);
        r->done = 1;
        pthread_cond_signal(&r->changed);
        pthread_mutex_unlock(&r->mu);
    }
    return unused;
}

int ask(int number)
{
    struct request r = {.number = number};
    pthread_mutex_init(&r.mu, NULL);
    pthread_cond_init(&r.changed, NULL);
    submit(&r); // no diagnostic: waited for below
    pthread_mutex_lock(&r.mu);
    while (!r.done)
        pthread_cond_wait(&r.changed, &r.mu);
    pthread_mutex_unlock(&r.mu);
    return r.answer;
}

int ask_and_run(int number)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return -1;
    r->number = number;
    submit(r); // expected-warning {{'r->answer' is used by both threads after this hand-off, unguarded [aglet-sync]}}
    return r->answer;
}

int ask_and_leave(int number)
{
    struct request r = {.number = number};
    submit(&r); // expected-warning {{local 'r' may die while the other thread still uses it [aglet-stack-escape]}}
    return number;
}

int main(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, server, NULL) != 0)
        return 1;
    int sum = ask(1) + ask_and_run(2) + ask_and_leave(3);
    pthread_join(t, NULL);
    return sum;
}
