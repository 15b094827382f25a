/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What goes down Aglet's own channels is the receiver's where the send worked, and still the sender's where it did not.
 * Stands on aglet/channel.h and broadcast.h. */
#include <aglet/broadcast.h>
#include <aglet/channel.h>
#include <aglet/task.h>
#include <errno.h>
#include <stdlib.h>

struct job {
    int id;
};
AGLET_CHANNEL(jobs, struct job *);
AGLET_ONESHOT(answer, struct job *);
AGLET_BROADCAST(news, struct job *);
AGLET_WATCH(latest, struct job *);
AGLET_CHANNEL(numbers, int);

/* ---- the result is tested at once ---- */

void used_where_it_went(jobs_sender *tx, struct job *job)
{
    if (jobs_send(tx, job) == 0)
        job->id = 1; // expected-warning {{'job->id' is written after it was given to another thread [aglet-use-after-send]}}
}

void used_where_it_stayed(jobs_sender *tx, struct job *job)
{
    if (jobs_send(tx, job) != 0)
        free(job); // no diagnostic: nobody has taken it
}

int freed_on_both_ways(jobs_sender *tx, struct job *job)
{
    int id = job->id;
    if (jobs_send(tx, job) < 0)
        id = -1;
    free(job); // expected-warning {{'job' is freed after it was given to another thread [aglet-use-after-send]}}
    return id;
}

/* ---- … or through a variable ---- */

int used_later(jobs_sender *tx, struct job *job)
{
    int rc = jobs_send(tx, job);
    if (rc) {
        free(job); // no diagnostic: it stayed
        return rc;
    }
    return job->id; // expected-warning {{'job->id' is read after it was given to another thread [aglet-use-after-send]}}
}

int sent_on_some_ways(jobs_sender *tx, struct job *job, int now)
{
    int rc = -1;
    if (now)
        rc = jobs_send(tx, job);
    if (rc != 0)
        free(job); // no diagnostic: it was not sent, or stayed
    return rc;
}

int sent_on_some_ways_and_used(jobs_sender *tx, struct job *job, int now)
{
    int rc = -1, copy;
    if (now)
        rc = jobs_send(tx, job);
    copy = rc;
    if (copy == 0)
        return job->id; // expected-warning {{is read after it was given to another thread [aglet-use-after-send]}}
    free(job); // no diagnostic: it stayed
    return rc;
}

/* ---- every kind of send ---- */

void tried_again(jobs_sender *tx, struct job *job)
{
    while (jobs_try_send(tx, job) == -EAGAIN)
        job->id++; // no diagnostic: there was no room, it is still here
}

void tried_once(jobs_sender *tx, struct job *job)
{
    int rc = jobs_try_send(tx, job);
    if (rc == -EAGAIN) {
        job->id = 0; // no diagnostic: there was no room
        jobs_send(tx, job);
        return;
    }
    if (rc == 0)
        job->id++; // expected-warning {{'job->id' is read after it was given to another thread [aglet-use-after-send]}}
}

int waited_a_while(jobs_sender *tx, struct job *job, aglet_time deadline)
{
    if (jobs_send_until(tx, job, deadline) == -ETIMEDOUT)
        return job->id; // no diagnostic: time was up, it is still here
    return job->id; // expected-warning {{'job->id' is read after it was given to another thread [aglet-use-after-send]}}
}

void answered(answer_sender *tx, struct job *job)
{
    if (answer_put(tx, job) < 0) {
        free(job); // no diagnostic: nobody waits for it
        return;
    }
    job->id = 2; // expected-warning {{'job->id' is written after it was given to another thread [aglet-use-after-send]}}
}

void told_to_many(const news_sender *tx, struct job *job)
{
    if (!news_send(tx, job))
        job->id = 3; // expected-warning {{'job->id' is written after it was given to another thread [aglet-use-after-send]}}
}

void told_the_latest(const latest_sender *tx, struct job *job)
{
    if (latest_send(tx, job))
        free(job); // no diagnostic: it stayed
    else
        free(job); // expected-warning {{'job' is freed after it was given to another thread [aglet-use-after-send]}}
}

void counted(numbers_sender *tx, int n)
{
    if (numbers_send(tx, n) == 0)
        n++; // no diagnostic: a number is copied
}

/* ---- through a wrapper, and in a task ---- */

static int submit(jobs_sender *tx, struct job *job)
{
    job->id++;
    return jobs_send(tx, job);
}

int submitted(jobs_sender *tx, struct job *job)
{
    if (submit(tx, job) != 0) {
        free(job); // no diagnostic: it stayed
        return -1;
    }
    return job->id; // expected-warning {{'job->id' is read after it was given to another thread [aglet-use-after-send]}}
}

void produce(void *argument)
{
    jobs_sender *tx = argument;
    for (int i = 0; i < 9; i++) {
        struct job *job = malloc(sizeof *job);
        if (!job)
            break;
        job->id = i;
        if (jobs_send(tx, job) != 0) {
            free(job); // no diagnostic: nobody receives any more
            break;
        }
        if (job->id > 7) // expected-warning {{'job->id' is read after it was given to another thread [aglet-use-after-send]}}
            break;
        aglet_yield();
    }
    jobs_drop(tx);
}
