/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* use-after-send: what was given away is used again. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct message {
    char text[32];
    int id;
};
struct channel;
int channel_send(struct channel *c, struct message *AGLET_SENDING m);

int touched_after(struct channel *c, struct message *m)
{
    channel_send(c, m);
    return m->id; // expected-warning {{'m->id' is read after it was given to another thread [aglet-use-after-send]}}
}

int touched_before(struct channel *c, struct message *m)
{
    int id = m->id; // no diagnostic: taken out before
    channel_send(c, m);
    return id;
}

int renewed(struct channel *c, struct message *m)
{
    channel_send(c, m);
    m = malloc(sizeof *m);
    if (!m)
        return -1;
    m->id = 1; // no diagnostic: another message
    return channel_send(c, m);
}

void in_a_loop(struct channel *c)
{
    for (int i = 0; i < 4; i++) {
        struct message *m = malloc(sizeof *m);
        if (!m)
            return;
        m->id = i; // no diagnostic: a new one each turn
        channel_send(c, m);
    }
}

static void *handle(void *arg)
{
    struct message *m = arg;
    m->id++;
    free(m);
    return NULL;
}

int freed_twice(void)
{
    pthread_t t;
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    if (pthread_create(&t, NULL, handle, m) != 0) {
        free(m); // no diagnostic: no thread was started
        return -1;
    }
    pthread_detach(t);
    free(m); // expected-warning {{'m' is freed after it was given to another thread [aglet-use-after-send]}}
    return 0;
}

int owned_by_the_thread(void)
{
    pthread_t t;
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    int failed = pthread_create(&t, NULL, handle, m);
    if (failed) {
        free(m);
        return -1;
    }
    return pthread_detach(t); // no diagnostic: the thread owns it now
}

static void *maybe_free(void *arg)
{
    struct message *m = arg;
    if (m->id)
        free(m);
    return NULL;
}

int may_be_freed(struct message *m)
{
    pthread_t t;
    if (pthread_create(&t, NULL, maybe_free, m) != 0)
        return -1;
    pthread_join(t, NULL);
    return m->id; // no diagnostic: the thread frees it on some ways only
}

void give(struct message *AGLET_OWNED m);

void given_to_an_owner(struct message *m)
{
    give(m);
    memset(m, 0, sizeof *m); // expected-warning {{'m' is written after it was given to another thread [aglet-use-after-send]}}
}

/* The thread waits until it is told to go on, and frees then. */
struct gated {
    pthread_mutex_t mu;
    int go;
    int id;
};

static void *wait_and_free(void *arg)
{
    struct gated *g = arg;
    for (int go = 0; !go;) {
        pthread_mutex_lock(&g->mu);
        go = g->go;
        pthread_mutex_unlock(&g->mu);
    }
    free(g);
    return NULL;
}

int let_it_go(struct gated *g)
{
    pthread_t t;
    if (pthread_create(&t, NULL, wait_and_free, g) != 0)
        return -1;
    pthread_detach(t);
    g->id = 7; // no diagnostic: it is freed only after it was told to go on
    pthread_mutex_lock(&g->mu);
    g->go = 1;
    pthread_mutex_unlock(&g->mu);
    return 0;
}

int kept_when_it_failed(struct channel *c, struct message *m)
{
    if (channel_send(c, m)) {
        free(m); // no diagnostic: the result may say that it was not sent
        return -1;
    }
    return 0;
}

static void message_free(struct message *m)
{
    if (!m)
        return;
    free(m);
}

static void *handle_kindly(void *arg)
{
    struct message *m = arg;
    m->id++;
    message_free(m);
    return NULL;
}

int freed_by_wrappers(struct message *m)
{
    pthread_t t;
    if (pthread_create(&t, NULL, handle_kindly, m) != 0)
        return -1;
    pthread_detach(t);
    message_free(m); // expected-warning {{'m' is freed after it was given to another thread [aglet-use-after-send]}}
    return 0;
}

static struct message *message_fill(struct message *m, int id)
{
    m->id = id;
    return m;
}

int handed_on_by_its_setter(struct message *m)
{
    pthread_t t;
    if (pthread_create(&t, NULL, handle, message_fill(m, 1)) != 0)
        return -1;
    pthread_detach(t);
    return m->id; // expected-warning {{'m->id' is read after it was given to another thread [aglet-use-after-send]}}
}

/* A flag says whether it was given away. */
int freed_where_not_started(struct message *m)
{
    pthread_t t;
    int started = 0;
    if (pthread_create(&t, NULL, handle, m) == 0) {
        pthread_detach(t);
        started = 1;
    }
    if (!started)
        free(m); // no diagnostic
    return started ? 0 : -1;
}

int freed_where_started(struct message *m)
{
    pthread_t t;
    int started = 0;
    if (pthread_create(&t, NULL, handle, m) == 0) {
        pthread_detach(t);
        started = 1;
    }
    if (started)
        free(m); // expected-warning {{'m' is freed after it was given to another thread [aglet-use-after-send]}}
    return started ? 0 : -1;
}

static struct {
    pthread_mutex_t mu;
    struct message *ring[8];
    unsigned head, tail;
} outbox = {.mu = PTHREAD_MUTEX_INITIALIZER};

static void *send_all(void *arg)
{
    for (;;) {
        struct message *m = NULL;
        pthread_mutex_lock(&outbox.mu);
        if (outbox.head != outbox.tail)
            m = outbox.ring[outbox.tail++ % 8];
        pthread_mutex_unlock(&outbox.mu);
        if (!m)
            return arg;
        free(m);
    }
}

int start_sender(pthread_t *t)
{
    return pthread_create(t, NULL, send_all, NULL);
}

int freed_where_there_was_no_room(int id)
{
    int result = -1;
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    m->id = id;
    pthread_mutex_lock(&outbox.mu);
    if (outbox.head - outbox.tail < 8) {
        outbox.ring[outbox.head++ % 8] = m;
        result = 0;
    }
    pthread_mutex_unlock(&outbox.mu);
    if (result)
        free(m); // no diagnostic: there was no room for it
    return result;
}

int freed_though_there_was_room(int id)
{
    int result = -1;
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    m->id = id;
    pthread_mutex_lock(&outbox.mu);
    if (outbox.head - outbox.tail < 8) {
        outbox.ring[outbox.head++ % 8] = m;
        result = 0;
    }
    pthread_mutex_unlock(&outbox.mu);
    if (result == 0)
        free(m); // expected-warning {{'m' is freed after it was given to another thread [aglet-use-after-send]}}
    return result;
}
