/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Hand-offs in two steps: a list under a lock, with no annotation and no model. What is pushed belongs to who pops it. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
    struct job *next;
    int id;
    char *text;
};
struct queue {
    pthread_mutex_t mu;
    pthread_cond_t nonempty;
    struct job *head, *tail;
    bool closed;
};

static void queue_push(struct queue *q, struct job *j)
{
    pthread_mutex_lock(&q->mu);
    j->next = NULL;
    if (q->tail)
        q->tail->next = j;
    else
        q->head = j;
    q->tail = j;
    pthread_cond_signal(&q->nonempty);
    pthread_mutex_unlock(&q->mu);
}

static struct job *queue_pop(struct queue *q)
{
    pthread_mutex_lock(&q->mu);
    while (!q->head && !q->closed)
        pthread_cond_wait(&q->nonempty, &q->mu);
    struct job *j = q->head;
    if (j) {
        q->head = j->next;
        if (!q->head)
            q->tail = NULL;
    }
    pthread_mutex_unlock(&q->mu);
    return j;
}

static void *worker(void *arg)
{
    struct queue *q = arg;
    struct job *j;
    while ((j = queue_pop(q))) {
        printf("%d %s\n", j->id, j->text);
        free(j->text);
        free(j);
    }
    return NULL;
}

int start(struct queue *q, pthread_t *t)
{
    return pthread_create(t, NULL, worker, q);
}

static struct job *job_new(int id)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        abort();
    j->id = id;
    return j;
}

int read_after(struct queue *q, int id)
{
    struct job *j = job_new(id);
    queue_push(q, j);
    return j->id; // expected-warning {{'j->id' is read after it was given to another thread [aglet-use-after-send]}}
}

int read_before(struct queue *q, int id)
{
    struct job *j = job_new(id);
    int same = j->id;
    queue_push(q, j); // no diagnostic: what is needed was taken out before
    return same;
}

void freed_after(struct queue *q, struct job *j)
{
    queue_push(q, j);
    free(j); // expected-warning {{'j' is freed after it was given to another thread [aglet-use-after-send]}}
}

void written_after(struct queue *q)
{
    struct job *j = job_new(1);
    queue_push(q, j);
    j->text = NULL; // expected-warning {{'j->text' is written after it was given to another thread [aglet-use-after-send]}}
}

void local(struct queue *q)
{
    struct job j = {.id = 1};
    queue_push(q, &j); // expected-warning {{local 'j' may die while the other thread still uses it [aglet-stack-escape]}}
}

void one_each_turn(struct queue *q)
{
    for (int i = 0; i < 10; i++) {
        struct job *j = job_new(i);
        j->text = NULL; // no diagnostic: a new one each turn
        queue_push(q, j);
    }
}

static void enqueue(struct queue *q, struct job *j)
{
    queue_push(q, j);
}

int through_two_wrappers(struct queue *q)
{
    struct job *j = job_new(2);
    enqueue(q, j);
    return j->id; // expected-warning {{'j->id' is read after it was given to another thread [aglet-use-after-send]}}
}

/* Taken back under the lock, if it is still there: who has it is told by the lock. */
bool cancel(struct queue *q, struct job *j)
{
    bool found = false;
    queue_push(q, j);
    pthread_mutex_lock(&q->mu);
    for (struct job **at = &q->head; *at; at = &(*at)->next)
        if (*at == j) {
            *at = j->next;
            found = true;
            break;
        }
    pthread_mutex_unlock(&q->mu);
    if (found)
        free(j); // no diagnostic: it was taken out again
    return found;
}
