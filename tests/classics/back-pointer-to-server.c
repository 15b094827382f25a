/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A job with a back-pointer to its server, whose members are guarded. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct server {
    pthread_mutex_t mu;
    int active AGLET_GUARDED_BY(mu);
    long served;
    int listener;
};
struct job {
    struct server *server;
    int fd;
};

static void server_left(struct server *s)
{
    pthread_mutex_lock(&s->mu);
    s->active--;
    s->served++;
    pthread_mutex_unlock(&s->mu);
}

static void *serve(void *arg)
{
    struct job *job = arg;
    close(job->fd);
    server_left(job->server);
    free(job);
    return NULL;
}

int server_accept(struct server *s, int fd)
{
    pthread_t t;
    struct job *job = malloc(sizeof *job);
    if (!job)
        return -1;
    job->server = s;
    job->fd = fd;
    pthread_mutex_lock(&s->mu);
    s->active++;
    pthread_mutex_unlock(&s->mu);
    if (pthread_create(&t, NULL, serve, job) != 0) { // no diagnostic: what both reach is guarded
        free(job);
        return -1;
    }
    pthread_detach(t);
    return s->listener;
}

/* Wrong: the thread counts without the lock. */
static void *serve_carelessly(void *arg)
{
    struct job *job = arg;
    close(job->fd);
    job->server->active--; // expected-warning {{[aglet-guarded-by]}}
    free(job);
    return NULL;
}

int server_accept_carelessly(struct server *s, int fd)
{
    pthread_t t;
    struct job *job = malloc(sizeof *job);
    if (!job)
        return -1;
    *job = (struct job){s, fd};
    if (pthread_create(&t, NULL, serve_carelessly, job) != 0) {
        free(job);
        return -1;
    }
    return pthread_detach(t);
}

/* Wrong, and nothing annotated: both write the server that the job points to. */
struct house {
    long guests;
};
struct visit {
    struct house *house;
    int hours;
};

static void *visit(void *arg)
{
    struct visit *v = arg;
    v->house->guests++;
    free(v);
    return NULL;
}

int house_visit(struct house *house)
{
    pthread_t t;
    struct visit *v = malloc(sizeof *v);
    if (!v)
        return -1;
    v->house = house;
    v->hours = 1;
    if (pthread_create(&t, NULL, visit, v) != 0) { // expected-warning {{[aglet-sync]}}
        free(v);
        return -1;
    }
    pthread_detach(t);
    house->guests++;
    return 0;
}
