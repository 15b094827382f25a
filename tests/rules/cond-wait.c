/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* cond-wait: waits that are not in a loop, or go with the wrong mutex. Stands on pthreads, C11 threads and Aglet's conditions. */
#include <aglet/cond.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <threads.h>

struct queue {
    pthread_mutex_t mu;
    pthread_mutex_t other;
    pthread_cond_t filled;
    int length;
    mtx_t c11_mu;
    cnd_t c11_filled;
};

void no_loop(struct queue *q);
void no_loop(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    if (q->length == 0)
        pthread_cond_wait(&q->filled, &q->mu); // expected-warning {{[aglet-cond-wait]}}
    q->length--;
    pthread_mutex_unlock(&q->mu);
}

void c11_no_loop(struct queue *q);
void c11_no_loop(struct queue *q) {
    mtx_lock(&q->c11_mu);
    if (q->length == 0)
        cnd_wait(&q->c11_filled, &q->c11_mu); // expected-warning {{[aglet-cond-wait]}}
    mtx_unlock(&q->c11_mu);
}

void looped(struct queue *q);
void looped(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    while (q->length == 0)
        pthread_cond_wait(&q->filled, &q->mu); // no diagnostic: looked at again
    q->length--;
    pthread_mutex_unlock(&q->mu);
}

int looped_by_for(struct queue *q);
int looped_by_for(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    for (;;) {
        if (q->length > 0)
            break;
        pthread_cond_wait(&q->filled, &q->mu); // no diagnostic: looked at again
    }
    int n = q->length;
    pthread_mutex_unlock(&q->mu);
    return n;
}

void without_the_mutex(struct queue *q);
void without_the_mutex(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    pthread_mutex_unlock(&q->mu);
    while (q->length == 0)
        pthread_cond_wait(&q->filled, &q->mu); // expected-warning {{[aglet-cond-wait]}}
}

void looped_by_its_caller(struct queue *q);
void looped_by_its_caller(struct queue *q) {
    pthread_cond_wait(&q->filled, &q->mu); // no diagnostic: a wrapper, its callers are judged
}
void the_caller(struct queue *q);
void the_caller(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    while (q->length == 0)
        looped_by_its_caller(q); // no diagnostic: looped here
    pthread_mutex_unlock(&q->mu);
}

/* ---- another mutex: one mistake, said once, though the one that is held then blocks, too ---- */
struct pair {
    pthread_mutex_t mu, other;
    pthread_cond_t filled;
    int n;
};
void waits_with_another(struct pair *p);
void waits_with_another(struct pair *p) {
    pthread_mutex_lock(&p->mu);
    while (p->n == 0)
        pthread_cond_wait(&p->filled, &p->other); // expected-warning {{[aglet-cond-wait]}}
    p->n--;
    pthread_mutex_unlock(&p->mu);
}
void waits_with_both(struct pair *p);
void waits_with_both(struct pair *p) {
    pthread_mutex_lock(&p->mu);
    pthread_mutex_lock(&p->other);
    while (p->n == 0)
        pthread_cond_wait(&p->filled, &p->other); // expected-warning {{[aglet-cond-wait]}}
    p->n--;
    pthread_mutex_unlock(&p->other);
    pthread_mutex_unlock(&p->mu);
}
void waits_rightly(struct pair *p);
void waits_rightly(struct pair *p) {
    pthread_mutex_lock(&p->mu);
    while (p->n == 0)
        pthread_cond_wait(&p->filled, &p->mu); // no diagnostic: its own
    while (p->n == 1)
        pthread_cond_wait(&p->filled, &p->mu);
    p->n--;
    pthread_mutex_unlock(&p->mu);
}

/* ---- tested again otherwise ---- */
struct worker {
    pthread_mutex_t mu, notify;
    pthread_cond_t filled;
    struct job {
        struct job *next;
    } *jobs;
    int active, idle;
};
void run_job(struct job *j);
void finish(struct worker *w);

void by_the_next_branch(struct worker *w);
void by_the_next_branch(struct worker *w) {
    struct job *j = NULL;
    pthread_mutex_lock(&w->mu);
    if (w->jobs == NULL)
        pthread_cond_wait(&w->filled, &w->mu); // no diagnostic: what was waited for is asked for before it is used
    if (w->jobs != NULL) {
        j = w->jobs;
        w->jobs = j->next;
    }
    pthread_mutex_unlock(&w->mu);
    if (j)
        run_job(j);
}
void by_no_branch(struct worker *w);
void by_no_branch(struct worker *w) {
    struct job *j;
    pthread_mutex_lock(&w->mu);
    if (w->jobs == NULL)
        pthread_cond_wait(&w->filled, &w->mu); // expected-warning {{[aglet-cond-wait]}}
    j = w->jobs;
    w->jobs = j->next;
    pthread_mutex_unlock(&w->mu);
    run_job(j);
}
void by_another_branch(struct worker *w);
void by_another_branch(struct worker *w) {
    pthread_mutex_lock(&w->mu);
    if (w->jobs == NULL)
        pthread_cond_wait(&w->filled, &w->mu); // expected-warning {{[aglet-cond-wait]}}
    if (w->active)
        w->jobs = w->jobs->next;
    pthread_mutex_unlock(&w->mu);
}
void by_the_next_turn(struct worker *w);
void by_the_next_turn(struct worker *w) {
    for (;;) {
        pthread_mutex_lock(&w->mu);
        if (w->active == 0) {
            pthread_mutex_unlock(&w->mu);
            break;
        }
        pthread_cond_wait(&w->filled, &w->mu); // no diagnostic: given back at once, and the next turn asks
        pthread_mutex_unlock(&w->mu);
    }
}
void by_a_late_turn(struct worker *w);
void by_a_late_turn(struct worker *w) {
    for (;;) {
        pthread_mutex_lock(&w->mu);
        if (w->idle)
            pthread_cond_wait(&w->filled, &w->mu); // expected-warning {{[aglet-cond-wait]}}
        pthread_mutex_unlock(&w->mu);
        finish(w);
    }
}
void by_a_turn_that_asks_nothing(struct worker *w);
void by_a_turn_that_asks_nothing(struct worker *w) {
    for (int i = 0; i < 3; i++) {
        finish(w);
        pthread_mutex_lock(&w->mu);
        pthread_cond_wait(&w->filled, &w->mu); // expected-warning {{[aglet-cond-wait]}}
        pthread_mutex_unlock(&w->mu);
    }
}

/* ---- Aglet's own conditions ---- */
static aglet_mutex own_mu = AGLET_MUTEX_INIT, own_other = AGLET_MUTEX_INIT;
static aglet_cond own_changed = AGLET_COND_INIT;
static int own_ready AGLET_GUARDED_BY(own_mu), own_more AGLET_GUARDED_BY(own_other);
void own_once(void);
void own_once(void) {
    aglet_mutex_lock(&own_mu);
    if (!own_ready)
        aglet_cond_wait(&own_changed, &own_mu); // expected-warning {{the wait on 'own_changed' is in no loop that tests its condition again [aglet-cond-wait]}}
    own_ready = 0;
    aglet_mutex_unlock(&own_mu);
}
void own_looped(void);
void own_looped(void) {
    aglet_mutex_lock(&own_mu);
    AGLET_COND_WAIT(&own_changed, &own_mu, own_ready); // no diagnostic: the macro is a loop
    own_ready = 0;
    aglet_mutex_unlock(&own_mu);
}
void own_without(void);
void own_without(void) {
    for (;;)
        aglet_cond_wait(&own_changed, &own_mu); // expected-warning {{'own_changed' is waited on without 'own_mu' held [aglet-cond-wait]}}
}
int own_with_other(aglet_time deadline);
int own_with_other(aglet_time deadline) {
    int failed = 0;
    aglet_mutex_lock(&own_other);
    while (!own_more && !failed)
        failed = aglet_cond_wait_until(&own_changed, &own_other, deadline); // expected-warning {{'own_changed' is waited on with 'own_other', elsewhere with another mutex [aglet-cond-wait]}}
    aglet_mutex_unlock(&own_other);
    return failed;
}

/* ---- what is done beside it, and what is done with it ---- */
int print(const char *format, ...);
void behind_a_line(struct worker *w);
void behind_a_line(struct worker *w) {
    struct job *j = NULL;
    pthread_mutex_lock(&w->mu);
    if (w->jobs == NULL) {
        w->idle++;
        pthread_cond_wait(&w->filled, &w->mu); // no diagnostic: a count and a line for a log, then it is asked again
        print("worker %d awake", w->active);
        w->idle--;
    }
    if (w->jobs != NULL) {
        j = w->jobs;
        w->jobs = j->next;
    }
    pthread_mutex_unlock(&w->mu);
    if (j)
        run_job(j);
}
void behind_its_use(struct worker *w);
void behind_its_use(struct worker *w) {
    pthread_mutex_lock(&w->mu);
    if (w->jobs == NULL)
        pthread_cond_wait(&w->filled, &w->mu); // expected-warning {{[aglet-cond-wait]}}
    w->jobs = w->jobs->next;
    if (w->jobs != NULL)
        w->active++;
    pthread_mutex_unlock(&w->mu);
}
void behind_a_call(struct worker *w);
void behind_a_call(struct worker *w) {
    pthread_mutex_lock(&w->mu);
    if (w->jobs == NULL)
        pthread_cond_wait(&w->filled, &w->mu); // expected-warning {{[aglet-cond-wait]}}
    finish(w);
    if (w->jobs != NULL)
        w->active++;
    pthread_mutex_unlock(&w->mu);
}

/* ---- a worker: empty, it waits; else it takes ---- */
struct piece {
    struct piece *next;
};
struct work {
    pthread_mutex_t mu;
    pthread_cond_t filled;
    struct piece *jobs;
    int done, n, hits;
};
static bool no_work(const struct work *w) {
    return w->jobs == NULL;
}
static struct piece *take_all(struct piece **from) {
    struct piece *all = *from;
    *from = NULL;
    return all;
}
void do_jobs(struct piece *jobs);

void worker(struct work *w);
void worker(struct work *w) {
    pthread_mutex_lock(&w->mu);
    for (;;) {
        struct piece *mine = NULL;
        if (no_work(w)) {
            if (w->done)
                break;
            pthread_cond_wait(&w->filled,
                              &w->mu); // no diagnostic: it took nothing, and the next turn asks again
        } else {
            mine = take_all(&w->jobs);
        }
        pthread_mutex_unlock(&w->mu);
        do_jobs(mine);
        pthread_mutex_lock(&w->mu);
    }
    pthread_mutex_unlock(&w->mu);
}

static struct piece *find_job(const struct work *w) {
    struct piece *j = w->jobs;
    while (j && j->next)
        j = j->next;
    return j;
}
void unlink_job(struct piece *j);

void worker_that_looks(struct work *w);
void worker_that_looks(struct work *w) {
    while (!w->done) {
        struct piece *j;
        pthread_mutex_lock(&w->mu);
        j = find_job(w);
        if (j)
            unlink_job(j);
        else
            pthread_cond_wait(&w->filled, &w->mu); // no diagnostic: nothing found
        pthread_mutex_unlock(&w->mu);
        if (j)
            do_jobs(j);
    }
}

void worker_that_believes(struct work *w);
void worker_that_believes(struct work *w) {
    for (;;) {
        struct piece *mine;
        pthread_mutex_lock(&w->mu);
        if (w->n == 0)
            pthread_cond_wait(&w->filled, &w->mu); // expected-warning {{[aglet-cond-wait]}}
        else
            w->hits++;
        mine = take_all(&w->jobs);
        w->n = 0;
        pthread_mutex_unlock(&w->mu);
        do_jobs(mine);
    }
}
