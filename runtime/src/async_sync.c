/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Async mutex, condition, rwlock, semaphore, once: each is a state and a queue of waiters under one short
 * lock, and gives what it has to the first waiter itself, so that a woken task owns what it waited for.
 * Stands on task_sleep.h. */
#include "aglet/async_mutex.h"
#include "aglet/async_rwlock.h"
#include "aglet/async_semaphore.h"
#include "check.h"
#include "misuse.h"
#include "task_sleep.h"

/* The common shape of the public types. */
struct object {
    struct slock lock;
    int32_t state; /* under lock */
    struct waitq q;
};
_Static_assert(sizeof(struct object) == sizeof(aglet_async_mutex), "one shape");
_Static_assert(sizeof(struct object) == sizeof(aglet_async_cond), "one shape");
_Static_assert(sizeof(struct object) == sizeof(aglet_async_rwlock), "one shape");
_Static_assert(sizeof(struct object) == sizeof(aglet_async_semaphore), "one shape");
_Static_assert(sizeof(struct object) == sizeof(aglet_async_once), "one shape");

enum { READER, WRITER }; /* waiter.index in an rwlock */

static struct object *shape(void *public) {
    return public;
}

/* Link, unlock, sleep. Returns 0 when somebody has fired us, else why not; the lock is free on return. */
static int wait_in(struct object *o, uint16_t index, aglet_time deadline, const char *why) {
    struct sleeper s;
    sleeper_init(&s);
    struct waiter w = {.sleeper = &s, .index = index};
    waitq_push(&o->q, &w);
    slock_unlock(&o->lock);
    int error = sleeper_wait(&s, deadline, why);
    if (!error)
        return 0;
    slock_lock(&o->lock);
    bool linked = w.linked;
    if (linked)
        waitq_remove(&o->q, &w);
    slock_unlock(&o->lock);
    return linked ? error : 0;
}

static int lock_mutex(struct object *o, aglet_time deadline) {
    slock_lock(&o->lock);
    if (!o->state) {
        o->state = 1;
        slock_unlock(&o->lock);
        return 0;
    }
    return wait_in(o, 0, deadline, "async mutex");
}

int aglet_async_mutex_lock(aglet_async_mutex *mu) {
    int error = await_begin("async mutex", CALLER());
    return error ? error : lock_mutex(shape(mu), AGLET_FOREVER);
}

int aglet_async_mutex_lock_until(aglet_async_mutex *mu, aglet_time deadline) {
    int error = await_begin("async mutex", CALLER());
    return error ? error : lock_mutex(shape(mu), deadline);
}

bool aglet_async_mutex_try_lock(aglet_async_mutex *mu) {
    struct object *o = shape(mu);
    slock_lock(&o->lock);
    bool taken = !o->state;
    if (taken)
        o->state = 1;
    slock_unlock(&o->lock);
    return taken;
}

static inline void unlock_mutex(struct object *o, const void *caller) {
    slock_lock(&o->lock);
    bool held = o->state;
    struct waiter *w = AGLET_UNLIKELY(o->q.head != NULL) ? waitq_pop(&o->q) : NULL;
    if (w) {
        struct wake wake = sleeper_fire(w->sleeper); /* it stays locked: the lock is the waiter's now */
        slock_unlock(&o->lock);
        wake_send(wake);
    } else {
        o->state = 0;
        slock_unlock(&o->lock);
    }
    if (aglet_checked && !held)
        misuse_report("unlock-unheld", o, false, caller, "an async mutex is unlocked that nobody holds");
}

void aglet_async_mutex_unlock(aglet_async_mutex *mu) {
    unlock_mutex(shape(mu), CALLER());
}

int aglet_async_cond_wait(aglet_async_cond *cond, aglet_async_mutex *mu, aglet_time deadline) {
    struct object *c = shape(cond), *m = shape(mu);
    struct aglet_task *t = task_self();
    int error = await_begin("async cond", CALLER());
    if (error)
        return error;
    struct sleeper s;
    sleeper_init(&s);
    struct waiter w = {.sleeper = &s};
    slock_lock(&c->lock);
    waitq_push(&c->q, &w);
    slock_unlock(&c->lock);
    unlock_mutex(m, CALLER());
    error = sleeper_wait(&s, deadline, "async cond");
    if (error) {
        slock_lock(&c->lock);
        if (w.linked)
            waitq_remove(&c->q, &w);
        else
            error = 0;
        slock_unlock(&c->lock);
    }
    /* The caller holds the lock on return, aborted or not; nobody keeps it for ever, so this wait ends. */
    slock_lock(&m->lock);
    if (!m->state) {
        m->state = 1;
        slock_unlock(&m->lock);
        return error;
    }
    struct sleeper again;
    sleeper_init(&again);
    struct waiter wm = {.sleeper = &again};
    waitq_push(&m->q, &wm);
    slock_unlock(&m->lock);
    while (!sleeper_is_fired(&again)) {
        if (again.task)
            task_park(t);
        else
            (void)sleeper_wait(&again, AGLET_FOREVER, "async mutex");
    }
    return error;
}

void aglet_async_cond_signal(aglet_async_cond *cond) {
    struct object *c = shape(cond);
    struct wake wake = {0};
    slock_lock(&c->lock);
    struct waiter *w = waitq_pop(&c->q);
    if (w)
        wake = sleeper_fire(w->sleeper);
    slock_unlock(&c->lock);
    wake_send(wake);
}

/* Fire up to 16 waiters that `admit` lets pass; returns whether there may be more. Takes and gives the lock.
 */
static bool fire_some(struct object *o, bool (*admit)(struct object *o, struct waiter *w)) {
    struct wake wakes[16];
    unsigned n = 0;
    slock_lock(&o->lock);
    while (n < 16 && o->q.head && admit(o, o->q.head))
        wakes[n++] = sleeper_fire(waitq_pop(&o->q)->sleeper);
    slock_unlock(&o->lock);
    bool more = n == 16;
    while (n > 0)
        wake_send(wakes[--n]);
    return more;
}

static bool admit_all(struct object *o, struct waiter *w) {
    (void)o;
    (void)w;
    return true;
}

void aglet_async_cond_broadcast(aglet_async_cond *cond) {
    while (fire_some(shape(cond), admit_all))
        ;
}

int aglet_async_rwlock_read(aglet_async_rwlock *rw, aglet_time deadline) {
    struct object *o = shape(rw);
    int error = await_begin("async rwlock", CALLER());
    if (error)
        return error;
    slock_lock(&o->lock);
    if (o->state >= 0 && !o->q.head) {
        o->state++;
        slock_unlock(&o->lock);
        return 0;
    }
    return wait_in(o, READER, deadline, "async rwlock");
}

/* The first waiter may go in if nobody is in, or if it is a reader among readers; the state is raised for it.
 */
static bool admit_next(struct object *o, struct waiter *w) {
    if (w->index == WRITER) {
        if (o->state != 0)
            return false;
        o->state = -1;
        return true;
    }
    if (o->state < 0)
        return false;
    o->state++;
    return true;
}

int aglet_async_rwlock_write(aglet_async_rwlock *rw, aglet_time deadline) {
    struct object *o = shape(rw);
    int error = await_begin("async rwlock", CALLER());
    if (error)
        return error;
    slock_lock(&o->lock);
    if (o->state == 0 && !o->q.head) {
        o->state = -1;
        slock_unlock(&o->lock);
        return 0;
    }
    error = wait_in(o, WRITER, deadline, "async rwlock");
    /* Readers may have queued behind a writer that gave up. */
    if (error)
        while (fire_some(o, admit_next))
            ;
    return error;
}

void aglet_async_rwlock_unlock(aglet_async_rwlock *rw) {
    struct object *o = shape(rw);
    slock_lock(&o->lock);
    int32_t was = o->state;
    if (was < 0)
        o->state = 0;
    else if (was > 0)
        o->state--;
    slock_unlock(&o->lock);
    if (aglet_checked && was == 0)
        misuse_report("unlock-unheld", rw, false, CALLER(), "an async rwlock is unlocked that nobody holds");
    while (fire_some(o, admit_next))
        ;
}

int aglet_async_semaphore_take(aglet_async_semaphore *s, aglet_time deadline) {
    struct object *o = shape(s);
    int error = await_begin("async semaphore", CALLER());
    if (error)
        return error;
    slock_lock(&o->lock);
    if (o->state > 0 && !o->q.head) {
        o->state--;
        slock_unlock(&o->lock);
        return 0;
    }
    return wait_in(o, 0, deadline, "async semaphore");
}

bool aglet_async_semaphore_try_take(aglet_async_semaphore *s) {
    struct object *o = shape(s);
    slock_lock(&o->lock);
    bool taken = o->state > 0 && !o->q.head;
    if (taken)
        o->state--;
    slock_unlock(&o->lock);
    return taken;
}

static bool admit_permit(struct object *o, struct waiter *w) {
    (void)w;
    if (o->state == 0)
        return false;
    o->state--;
    return true;
}

void aglet_async_semaphore_give(aglet_async_semaphore *s, uint32_t n) {
    struct object *o = shape(s);
    slock_lock(&o->lock);
    o->state += (int32_t)n;
    slock_unlock(&o->lock);
    while (fire_some(o, admit_permit))
        ;
}

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

int aglet_async_once_run(aglet_async_once *once, int (*make)(void *), void *arg) {
    struct object *o = shape(once);
    int error = await_begin("async once", CALLER());
    if (error)
        return error;
    for (;;) {
        slock_lock(&o->lock);
        if (o->state == ONCE_DONE) {
            slock_unlock(&o->lock);
            return 0;
        }
        if (o->state == ONCE_NEW) {
            o->state = ONCE_RUNNING;
            slock_unlock(&o->lock);
            error = make(arg);
            slock_lock(&o->lock);
            o->state = error ? ONCE_NEW : ONCE_DONE;
            slock_unlock(&o->lock);
            while (fire_some(o, admit_all))
                ;
            return error;
        }
        error = wait_in(o, 0, AGLET_FOREVER, "async once");
        if (error)
            return error;
    }
}
