/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The lists of <sys/queue.h> under a lock. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

struct event {
    TAILQ_ENTRY(event) link;
    int kind;
};
struct loop {
    pthread_mutex_t mu;
    pthread_cond_t wake;
    TAILQ_HEAD(, event) events;
};

void loop_post(struct loop *l, struct event *e)
{
    pthread_mutex_lock(&l->mu);
    TAILQ_INSERT_TAIL(&l->events, e, link);
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->mu);
}

static void *loop_run(void *arg)
{
    struct loop *l = arg;
    for (;;) {
        struct event *e;
        pthread_mutex_lock(&l->mu);
        while (!(e = TAILQ_FIRST(&l->events)))
            pthread_cond_wait(&l->wake, &l->mu);
        TAILQ_REMOVE(&l->events, e, link);
        pthread_mutex_unlock(&l->mu);
        int kind = e->kind;
        free(e);
        if (kind == 0)
            return NULL;
    }
}

int loop_start(struct loop *l, pthread_t *t)
{
    return pthread_create(t, NULL, loop_run, l);
}

int post_and_look(struct loop *l, int kind)
{
    struct event *e = malloc(sizeof *e);
    if (!e)
        return -1;
    e->kind = kind;
    loop_post(l, e);
    return e->kind; // expected-warning {{'e->kind' is read after it was given to another thread [aglet-use-after-send]}}
}

int post(struct loop *l, int kind)
{
    struct event *e = malloc(sizeof *e);
    if (!e)
        return -1;
    e->kind = kind;
    loop_post(l, e); // no diagnostic: given away
    return kind;
}

struct line {
    STAILQ_ENTRY(line) next;
    char *text;
};
static STAILQ_HEAD(, line) lines = STAILQ_HEAD_INITIALIZER(lines);
static pthread_mutex_t lines_mu = PTHREAD_MUTEX_INITIALIZER;

/* Takes the whole list, then walks it without the lock. */
static void *write_lines(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&lines_mu);
        struct line *line = STAILQ_FIRST(&lines), *next;
        STAILQ_INIT(&lines);
        pthread_mutex_unlock(&lines_mu);
        for (; line; line = next) {
            next = STAILQ_NEXT(line, next);
            free(line->text);
            free(line);
        }
    }
    return unused;
}

int log_start(pthread_t *t)
{
    return pthread_create(t, NULL, write_lines, NULL);
}

void log_line(char *text)
{
    struct line *line = malloc(sizeof *line);
    if (!line)
        return;
    line->text = text;
    pthread_mutex_lock(&lines_mu);
    STAILQ_INSERT_TAIL(&lines, line, next);
    pthread_mutex_unlock(&lines_mu);
    if (*line->text) // expected-warning {{'line->text' is read after it was given to another thread [aglet-use-after-send]}}
        return;
}
