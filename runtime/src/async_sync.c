/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Async mutex, condition, rwlock, semaphore, once: each is a state and a queue of waiters under one short
 * lock, and gives what it has to the first waiter itself, so that a woken task owns what it waited for.
 * Stands on task_sleep.h. */
#include "aglet/async_mutex.h"
#include "aglet/async_rwlock.h"
#include "aglet/async_semaphore.h"
#include "async_sync.h"
#include "check.h"
#include "task_check.h"

#define SAME_SHAPE(type) _Static_assert(sizeof(struct async_object) == sizeof(type), "one shape")
SAME_SHAPE(aglet_async_mutex);
SAME_SHAPE(aglet_async_cond);
SAME_SHAPE(aglet_async_rwlock);
SAME_SHAPE(aglet_async_semaphore);
SAME_SHAPE(aglet_async_once);
_Static_assert(offsetof(struct async_object, lock) == 0, "the checked library knows a lock by this word");

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

static struct async_object *shape(void *public) {
    return public;
}

/* Under the lock: take it if nobody stands in the way, and nobody waits. -EAGAIN: wait. */
static inline int take(struct async_object *o, enum async_want want) {
    switch (want) {
    case ASYNC_MUTEX:
        if (o->state)
            return -EAGAIN;
        o->state = 1;
        return 0;
    case ASYNC_READ:
        if (o->state < 0 || o->q.head)
            return -EAGAIN;
        o->state++;
        return 0;
    case ASYNC_WRITE:
        if (o->state != 0 || o->q.head)
            return -EAGAIN;
        o->state = -1;
        return 0;
    case ASYNC_PERMIT:
        if (o->state <= 0 || o->q.head)
            return -EAGAIN;
        o->state--;
        return 0;
    case ASYNC_ONCE:
        if (o->state == ONCE_RUNNING)
            return -EAGAIN;
        if (o->state == ONCE_DONE)
            return 0;
        o->state = ONCE_RUNNING;
        return 1;
    case ASYNC_SIGNAL: break;
    }
    return -EAGAIN;
}

int async_begin(struct async_object *o, enum async_want want, struct waiter *w) {
    object_lock(&o->lock);
    int result = take(o, want);
    if (result == -EAGAIN && w) {
        w->index = want;
        waitq_push(&o->q, w);
    }
    object_unlock(&o->lock);
    return result;
}

/* Take it or wait for it, as a stackful task or a thread. -EAGAIN, of a once only: ask again. */
static inline int enter(struct async_object *o, enum async_want want, aglet_time deadline, const char *why,
                        const void *caller) {
    object_lock(&o->lock);
    int result = take(o, want);
    if (result != -EAGAIN) {
        object_unlock(&o->lock);
        return result;
    }
    struct sleeper s;
    sleeper_init(&s);
    struct waiter w = {.sleeper = &s, .index = want};
    waitq_push(&o->q, &w);
    object_unlock(&o->lock);
    bool told = aglet_checked && deadline == AGLET_FOREVER;
    if (told)
        check_async_waits(o, why, caller);
    int error = sleeper_wait(&s, deadline, why);
    if (told)
        check_async_waits_no_more();
    if (error && async_unlink(o, &w))
        return error;
    return want == ASYNC_ONCE ? -EAGAIN : 0;
}

/* For the checked library: the caller has it now. Passes the result on. */
static inline int noted(struct async_object *o, enum check_kind kind, int mode, int error,
                        const void *caller) {
    if (aglet_checked && !error)
        check_async_taken(&o->lock, kind, mode, caller);
    return error;
}

int aglet_async_mutex_lock(aglet_async_mutex *mu) {
    int error = await_begin("async mutex", CALLER());
    if (!error)
        error = enter(shape(mu), ASYNC_MUTEX, AGLET_FOREVER, "async mutex", CALLER());
    return noted(shape(mu), CHECK_ASYNC_MUTEX, CHECK_EXCLUSIVE, error, CALLER());
}

int aglet_async_mutex_lock_until(aglet_async_mutex *mu, aglet_time deadline) {
    int error = await_begin("async mutex", CALLER());
    if (!error)
        error = enter(shape(mu), ASYNC_MUTEX, deadline, "async mutex", CALLER());
    return noted(shape(mu), CHECK_ASYNC_MUTEX, CHECK_EXCLUSIVE, error, CALLER());
}

bool aglet_async_mutex_try_lock(aglet_async_mutex *mu) {
    int error = async_begin(shape(mu), ASYNC_MUTEX, NULL);
    return noted(shape(mu), CHECK_ASYNC_MUTEX, CHECK_EXCLUSIVE | CHECK_TRIED, error, CALLER()) == 0;
}

static inline void give_mutex(struct async_object *o, const void *caller) {
    if (aglet_checked)
        check_async_given(&o->lock);
    object_lock(&o->lock);
    bool held = o->state;
    struct waiter *w = AGLET_UNLIKELY(o->q.head != NULL) ? waitq_pop(&o->q) : NULL;
    if (w) {
        struct wake wake = sleeper_fire(w->sleeper); /* it stays locked: the lock is the waiter's now */
        object_unlock(&o->lock);
        wake_send(wake);
    } else {
        o->state = 0;
        object_unlock(&o->lock);
    }
    if (aglet_checked && !held)
        check_async_unheld(o, "async mutex", caller);
}

void async_mutex_give(struct async_object *o, const void *caller) {
    give_mutex(o, caller);
}

void aglet_async_mutex_unlock(aglet_async_mutex *mu) {
    give_mutex(shape(mu), CALLER());
}

int aglet_async_cond_wait(aglet_async_cond *cond, aglet_async_mutex *mu, aglet_time deadline) {
    struct async_object *c = shape(cond), *m = shape(mu);
    int error = await_begin("async cond", CALLER());
    if (error)
        return error;
    struct sleeper s;
    sleeper_init(&s);
    struct waiter w = {.sleeper = &s};
    async_begin(c, ASYNC_SIGNAL, &w);
    async_mutex_give(m, CALLER());
    error = sleeper_wait(&s, deadline, "async cond");
    if (error && !async_unlink(c, &w))
        error = 0;
    /* The caller holds the lock on return, aborted or not; nobody keeps it for ever, so this wait ends. */
    struct sleeper again;
    sleeper_init(&again);
    struct waiter wm = {.sleeper = &again};
    bool taken = async_begin(m, ASYNC_MUTEX, &wm) == 0;
    while (!taken && !sleeper_is_fired(&again)) {
        if (again.task)
            task_park(again.task);
        else
            (void)sleeper_wait(&again, AGLET_FOREVER, "async mutex");
    }
    (void)noted(m, CHECK_ASYNC_MUTEX, CHECK_EXCLUSIVE, 0, CALLER());
    return error;
}

void aglet_async_cond_signal(aglet_async_cond *cond) {
    struct async_object *c = shape(cond);
    struct wake wake = {0};
    object_lock(&c->lock);
    struct waiter *w = waitq_pop(&c->q);
    if (w)
        wake = sleeper_fire(w->sleeper);
    object_unlock(&c->lock);
    wake_send(wake);
}

/* Fire up to 16 waiters that `admit` lets pass; returns whether there may be more. Takes and gives the lock.
 */
static bool fire_some(struct async_object *o, bool (*admit)(struct async_object *o, struct waiter *w)) {
    struct wake wakes[16];
    unsigned n = 0;
    object_lock(&o->lock);
    while (n < 16 && o->q.head && admit(o, o->q.head))
        wakes[n++] = sleeper_fire(waitq_pop(&o->q)->sleeper);
    object_unlock(&o->lock);
    bool more = n == 16;
    while (n > 0)
        wake_send(wakes[--n]);
    return more;
}

static bool admit_all(struct async_object *o, struct waiter *w) {
    (void)o;
    (void)w;
    return true;
}

void aglet_async_cond_broadcast(aglet_async_cond *cond) {
    while (fire_some(shape(cond), admit_all))
        ;
}

int aglet_async_rwlock_read(aglet_async_rwlock *rw, aglet_time deadline) {
    int error = await_begin("async rwlock", CALLER());
    if (!error)
        error = enter(shape(rw), ASYNC_READ, deadline, "async rwlock", CALLER());
    return noted(shape(rw), CHECK_ASYNC_RWLOCK, CHECK_SHARED, error, CALLER());
}

/* The first waiter may go in if nobody is in, or if it is a reader among readers; the state is raised for it.
 */
static bool admit_next(struct async_object *o, struct waiter *w) {
    if (w->index == ASYNC_WRITE) {
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

bool async_unlink(struct async_object *o, struct waiter *w) {
    object_lock(&o->lock);
    bool linked = w->linked;
    if (linked)
        waitq_remove(&o->q, w);
    object_unlock(&o->lock);
    /* Readers may have queued behind a writer that gave up. */
    if (linked && w->index == ASYNC_WRITE)
        while (fire_some(o, admit_next))
            ;
    return linked;
}

int aglet_async_rwlock_write(aglet_async_rwlock *rw, aglet_time deadline) {
    int error = await_begin("async rwlock", CALLER());
    if (!error)
        error = enter(shape(rw), ASYNC_WRITE, deadline, "async rwlock", CALLER());
    return noted(shape(rw), CHECK_ASYNC_RWLOCK, CHECK_EXCLUSIVE, error, CALLER());
}

void aglet_async_rwlock_unlock(aglet_async_rwlock *rw) {
    struct async_object *o = shape(rw);
    if (aglet_checked)
        check_async_given(&o->lock);
    object_lock(&o->lock);
    int32_t was = o->state;
    if (was < 0)
        o->state = 0;
    else if (was > 0)
        o->state--;
    object_unlock(&o->lock);
    if (aglet_checked && was == 0)
        check_async_unheld(o, "async rwlock", CALLER());
    while (fire_some(o, admit_next))
        ;
}

int aglet_async_semaphore_take(aglet_async_semaphore *s, aglet_time deadline) {
    int error = await_begin("async semaphore", CALLER());
    return error ? error : enter(shape(s), ASYNC_PERMIT, deadline, "async semaphore", CALLER());
}

bool aglet_async_semaphore_try_take(aglet_async_semaphore *s) {
    return async_begin(shape(s), ASYNC_PERMIT, NULL) == 0;
}

uint32_t aglet_async_semaphore_permits(aglet_async_semaphore *s) {
    struct async_object *o = shape(s);
    object_lock(&o->lock);
    int32_t left = o->state;
    object_unlock(&o->lock);
    return left > 0 ? (uint32_t)left : 0;
}

static bool admit_permit(struct async_object *o, struct waiter *w) {
    (void)w;
    if (o->state == 0)
        return false;
    o->state--;
    return true;
}

void aglet_async_semaphore_give(aglet_async_semaphore *s, uint32_t n) {
    struct async_object *o = shape(s);
    object_lock(&o->lock);
    o->state += (int32_t)n;
    object_unlock(&o->lock);
    while (fire_some(o, admit_permit))
        ;
}

void async_once_end(struct async_object *o, int error) {
    object_lock(&o->lock);
    o->state = error ? ONCE_NEW : ONCE_DONE;
    object_unlock(&o->lock);
    while (fire_some(o, admit_all))
        ;
}

int aglet_async_once_run(aglet_async_once *once, int (*make)(void *), void *arg) {
    int error = await_begin("async once", CALLER());
    if (error)
        return error;
    do
        error = enter(shape(once), ASYNC_ONCE, AGLET_FOREVER, "async once", CALLER());
    while (error == -EAGAIN);
    if (error != 1)
        return error;
    error = make(arg);
    async_once_end(shape(once), error);
    return error;
}
