/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What tells whether a lock was got: a loop's counter, an argument, a negated result. Stands on pthreads. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>

struct slot {
    pthread_mutex_t mu;
    int n;
};

/* ---- a bounded number of tries ---- */
int spin(struct slot *s);
int spin(struct slot *s)
{
    int i;
    for (i = 0; i < 100; i++)
        if (pthread_mutex_trylock(&s->mu) == 0)
            break;
    if (i == 100)
        return -1; // no diagnostic: never got
    s->n++;
    pthread_mutex_unlock(&s->mu); // no diagnostic: got before the tries were used up
    return 0;
}
int spin_short(struct slot *s);
int spin_short(struct slot *s)
{
    int i;
    for (i = 0; i < 100; i++)
        if (pthread_mutex_trylock(&s->mu) == 0)
            break;
    if (i == 99)
        return -1; // expected-warning {{'s->mu' is still held on this return [aglet-lock-leak]}}
    s->n++;
    pthread_mutex_unlock(&s->mu); // expected-warning {{'s->mu' is released where taking it failed [aglet-unlock-unheld]}}
    return 0;
}
int spin_by_two(struct slot *s);
int spin_by_two(struct slot *s)
{
    int i;
    for (i = 0; i < 99; i += 2)
        if (pthread_mutex_trylock(&s->mu) == 0)
            break;
    if (i == 99)
        return -1;
    s->n++;
    pthread_mutex_unlock(&s->mu); // expected-warning {{'s->mu' is released where taking it failed [aglet-unlock-unheld]}}
    return 0;
}

/* ---- whether to wait is an argument ---- */
static int enter(struct slot *s, int wait)
{
    if (wait) {
        pthread_mutex_lock(&s->mu);
        return 1;
    }
    return pthread_mutex_trylock(&s->mu) == 0;
}
int enter_waiting(struct slot *s);
int enter_waiting(struct slot *s)
{
    enter(s, 1);
    s->n++;
    pthread_mutex_unlock(&s->mu); // no diagnostic: it waits until it has it
    return 0;
}
int enter_trying(struct slot *s);
int enter_trying(struct slot *s)
{
    if (!enter(s, 0))
        return -1;
    s->n++;
    pthread_mutex_unlock(&s->mu);
    return 0;
}
int enter_hoping(struct slot *s);
int enter_hoping(struct slot *s)
{
    enter(s, 0);
    s->n++;
    pthread_mutex_unlock(&s->mu); // expected-warning {{'s->mu' is released where taking it failed [aglet-unlock-unheld]}}
    return 0;
}

/* ---- a robust mutex, by a wrapper that returns 0 or a negative error ---- */
static int robust_lock(struct slot *s)
{
    const int rc = pthread_mutex_lock(&s->mu);
    if (rc == EOWNERDEAD) {
        const int again = pthread_mutex_consistent(&s->mu);
        if (again) {
            pthread_mutex_unlock(&s->mu);
            return -again;
        }
        return 0;
    }
    return -rc; // no diagnostic: 0 with the lock held, else negative
}
int robust_add(struct slot *s);
int robust_add(struct slot *s)
{
    const int rc = robust_lock(s);
    if (rc)
        return rc;
    s->n++;
    pthread_mutex_unlock(&s->mu);
    return 0;
}
int robust_leak(struct slot *s);
int robust_leak(struct slot *s)
{
    if (robust_lock(s) != 0)
        return -1;
    if (s->n > 9)
        return -2; // expected-warning {{'s->mu' is still held on this return [aglet-lock-leak]}}
    s->n++;
    pthread_mutex_unlock(&s->mu);
    return 0;
}

/* ---- by one of two wrappers, or by a wrapper and a plain call: who gives it back does the other half of each ---- */
static int slot_try(struct slot *s) { return -pthread_mutex_trylock(&s->mu); } // no diagnostic
static int slot_lock(struct slot *s) { return -pthread_mutex_lock(&s->mu); }
static int slot_ask(struct slot *s) { return pthread_mutex_trylock(&s->mu); } // no diagnostic
int either_wrapper(struct slot *s, int wait);
int either_wrapper(struct slot *s, int wait) {
    const int error = wait ? slot_lock(s) : slot_try(s);
    if (error < 0)
        return error;
    s->n++;
    pthread_mutex_unlock(&s->mu); // no diagnostic: held by either
    return 0;
}
int wrapper_or_call(struct slot *s, int wait);
int wrapper_or_call(struct slot *s, int wait) {
    int error = 0;
    if (wait)
        pthread_mutex_lock(&s->mu);
    else
        error = slot_ask(s);
    if (error)
        return error;
    s->n++;
    pthread_mutex_unlock(&s->mu); // no diagnostic: held by either
    return 0;
}
int wrapper_or_call_leaks(struct slot *s, int wait);
int wrapper_or_call_leaks(struct slot *s, int wait) {
    int error = 0;
    if (wait)
        pthread_mutex_lock(&s->mu);
    else
        error = slot_ask(s);
    if (error)
        return error;
    if (!s->n)
        return -1; // expected-warning {{'s->mu' is still held on this return [aglet-lock-leak]}}
    s->n--;
    pthread_mutex_unlock(&s->mu);
    return 0;
}
