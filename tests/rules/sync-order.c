/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What orders two threads, and what does not: that both take one lock, or touch one atomic, is no order; a state that one
 * changes and the other goes by is. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- a lock of somebody else's: a log, counters, a registry ---- */

static pthread_mutex_t log_mu = PTHREAD_MUTEX_INITIALIZER;
static FILE *log_file;
static long log_lines;

static void log_line(const char *text)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;
    pthread_mutex_lock(&log_mu);
    if (log_file) {
        strftime(stamp, sizeof stamp, "%T", localtime_r(&now, &parts));
        fprintf(log_file, "%s %ld %s\n", stamp, log_lines, text);
        if (++log_lines % 100 == 0)
            fflush(log_file);
    }
    pthread_mutex_unlock(&log_mu);
}

struct counter {
    pthread_mutex_t mu;
    long n;
    long done;   /* under mu */
    bool ready;  /* under mu */
    int result;
};

static void *count_and_log(void *argument)
{
    struct counter *c = argument;
    log_line("counting");
    c->n++;
    log_line("counted");
    return NULL;
}

long both_log(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_and_log, c) != 0) // expected-warning {{'c->n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    log_line("started");
    c->n++;
    log_line("counted here, too");
    pthread_join(t, NULL);
    return c->n;
}

/* Mended: joined first. */
long log_after_join(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_and_log, c) != 0) // no diagnostic: lent
        return -1;
    log_line("started");
    pthread_join(t, NULL);
    c->n++;
    return c->n;
}

static pthread_mutex_t stats_mu = PTHREAD_MUTEX_INITIALIZER;
static long started, finished;

static void *count_with_stats(void *argument)
{
    struct counter *c = argument;
    pthread_mutex_lock(&stats_mu);
    started++;
    pthread_mutex_unlock(&stats_mu);
    c->n++;
    pthread_mutex_lock(&stats_mu);
    finished++;
    pthread_mutex_unlock(&stats_mu);
    return NULL;
}

long print_stats(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_with_stats, c) != 0) // expected-warning {{'c->n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_mutex_lock(&stats_mu);
    printf("%ld of %ld\n", finished, started);
    pthread_mutex_unlock(&stats_mu);
    c->n++;
    pthread_join(t, NULL);
    return c->n;
}

/* Looked at, and whatever it says the thread goes on. */
long warn_of_stats(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_with_stats, c) != 0) // expected-warning {{'c->n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_mutex_lock(&stats_mu);
    if (finished > 1000)
        printf("many\n");
    pthread_mutex_unlock(&stats_mu);
    c->n++;
    pthread_join(t, NULL);
    return c->n;
}

/* Waited for. */
long wait_for_stats(struct counter *c)
{
    pthread_t t;
    bool all = false;
    if (pthread_create(&t, NULL, count_with_stats, c) != 0) // no diagnostic: goes on when the thread has counted
        return -1;
    while (!all) {
        pthread_mutex_lock(&stats_mu);
        all = finished == started;
        pthread_mutex_unlock(&stats_mu);
    }
    c->n++;
    pthread_join(t, NULL);
    return c->n;
}

struct entry {
    struct entry *next;
    const char *name;
};
static pthread_mutex_t names_mu = PTHREAD_MUTEX_INITIALIZER;
static struct entry *names;

static void add_name(struct entry *e)
{
    pthread_mutex_lock(&names_mu);
    e->next = names;
    names = e;
    pthread_mutex_unlock(&names_mu);
}

static void *register_and_count(void *argument)
{
    struct counter *c = argument;
    static struct entry self = {NULL, "worker"};
    add_name(&self);
    c->n++;
    return NULL;
}

long both_register(struct counter *c)
{
    static struct entry self = {NULL, "parent"};
    pthread_t t;
    if (pthread_create(&t, NULL, register_and_count, c) != 0) // expected-warning {{'c->n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    c->n++;
    add_name(&self);
    pthread_join(t, NULL);
    return c->n;
}

/* ---- an atomic that nobody goes by ---- */

static atomic_long events;

static void *count_event(void *argument)
{
    struct counter *c = argument;
    atomic_fetch_add(&events, 1);
    c->n++;
    return NULL;
}

long both_count_events(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count_event, c) != 0) // expected-warning {{'c->n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    c->n++;
    atomic_fetch_add(&events, 1);
    printf("%ld\n", atomic_load(&events));
    pthread_join(t, NULL);
    return c->n;
}

/* ---- a state that one tells the other ---- */

static void *fill(void *argument)
{
    struct counter *c = argument;
    c->result = 42;
    pthread_mutex_lock(&c->mu);
    c->ready = true;
    pthread_mutex_unlock(&c->mu);
    return NULL;
}

static bool is_ready(struct counter *c)
{
    pthread_mutex_lock(&c->mu);
    bool ready = c->ready;
    pthread_mutex_unlock(&c->mu);
    return ready;
}

int use_when_ready(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, fill, c) != 0) // no diagnostic: used where the flag says so
        return -1;
    if (is_ready(c))
        c->result++;
    pthread_join(t, NULL);
    return c->result;
}

int use_inside(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, fill, c) != 0) // no diagnostic: used where the flag says so
        return -1;
    pthread_mutex_lock(&c->mu);
    if (c->ready)
        c->result++;
    pthread_mutex_unlock(&c->mu);
    pthread_join(t, NULL);
    return c->result;
}

int use_too_late(struct counter *c)
{
    pthread_t t;
    int done = 0;
    if (pthread_create(&t, NULL, fill, c) != 0) // no diagnostic: the flag is kept in a local
        return -1;
    pthread_mutex_lock(&c->mu);
    if (c->ready)
        done = 1;
    pthread_mutex_unlock(&c->mu);
    if (done)
        c->result++;
    pthread_join(t, NULL);
    return c->result;
}

/* A gate: what the parent does with the lock that it held when it started the thread, the thread sees after it. */
static void *through_the_gate(void *argument)
{
    struct counter *c = argument;
    pthread_mutex_lock(&c->mu);
    pthread_mutex_unlock(&c->mu);
    c->n++;
    return NULL;
}

long opens_the_gate(struct counter *c)
{
    pthread_t t;
    pthread_mutex_lock(&c->mu);
    if (pthread_create(&t, NULL, through_the_gate, c) != 0) { // no diagnostic: the thread waits for the lock
        pthread_mutex_unlock(&c->mu);
        return -1;
    }
    c->n = 1;
    pthread_mutex_unlock(&c->mu);
    pthread_join(t, NULL);
    return c->n;
}

/* Wrong: after the gate is opened. */
long behind_the_gate(struct counter *c)
{
    pthread_t t;
    pthread_mutex_lock(&c->mu);
    if (pthread_create(&t, NULL, through_the_gate, c) != 0) { // expected-warning {{'c->n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        pthread_mutex_unlock(&c->mu);
        return -1;
    }
    pthread_mutex_unlock(&c->mu);
    c->n = 1;
    pthread_join(t, NULL);
    return c->n;
}

/* A thread frees what it got; that both log is no reason to use it here. */
static void *consume(void *argument)
{
    struct counter *c = argument;
    log_line("consumed");
    free(c);
    return NULL;
}

int log_and_use(int n)
{
    pthread_t t;
    struct counter *c = calloc(1, sizeof *c);
    if (!c)
        return -1;
    c->n = n;
    if (pthread_create(&t, NULL, consume, c) != 0) {
        free(c);
        return -1;
    }
    log_line("sent");
    n = c->result; // expected-warning {{'c->result' is read after it was given to another thread [aglet-use-after-send]}}
    pthread_detach(t);
    return n;
}
