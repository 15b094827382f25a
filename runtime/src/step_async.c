/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stackless tasks wait for async locks. Stands on task_step.h and async_sync.h. */
#include "aglet/await.h"
#include "async_sync.h"
#include "check.h"
#include "task_check.h"
#include "task_step.h"

static bool unlink_it(void *o, struct waiter *w) {
    return async_unlink(o, w);
}

/* step_NAME: the operation that takes `want`. */
#define TAKES(name, want, why)                                                                               \
    static int begin_##name(void *o, void *unused, struct waiter *w) {                                       \
        (void)unused;                                                                                        \
        return async_begin(o, want, w);                                                                      \
    }                                                                                                        \
    static const struct step_op op_##name = {begin_##name, unlink_it, why}

TAKES(mutex, ASYNC_MUTEX, "async mutex");
TAKES(read, ASYNC_READ, "async rwlock");
TAKES(write, ASYNC_WRITE, "async rwlock");
TAKES(permit, ASYNC_PERMIT, "async semaphore");
TAKES(once, ASYNC_ONCE, "async once");

/* step_poll for an object with a holder, of which the checked library takes note. */
static inline int take_poll(struct aglet_frame *f, const struct step_op *op, enum check_kind kind, int mode,
                            void *o, aglet_time deadline, const void *caller) {
    bool waited = f->stage_ != STEP_NEW;
    int result = step_poll(f, op, o, NULL, deadline, caller);
    if (aglet_checked && deadline == AGLET_FOREVER && waited != (f->stage_ != STEP_NEW)) {
        if (waited)
            check_async_waits_no_more();
        else
            check_async_waits(o, op->why, caller);
    }
    if (aglet_checked && !result)
        check_async_taken(&((struct async_object *)o)->lock, kind, mode, caller);
    return result;
}

int aglet_async_mutex_lock_poll(struct aglet_frame *f, aglet_async_mutex *mu, aglet_time deadline) {
    return take_poll(f, &op_mutex, CHECK_ASYNC_MUTEX, CHECK_EXCLUSIVE, mu, deadline, CALLER());
}

int aglet_async_rwlock_read_poll(struct aglet_frame *f, aglet_async_rwlock *rw, aglet_time deadline) {
    return take_poll(f, &op_read, CHECK_ASYNC_RWLOCK, CHECK_SHARED, rw, deadline, CALLER());
}

int aglet_async_rwlock_write_poll(struct aglet_frame *f, aglet_async_rwlock *rw, aglet_time deadline) {
    return take_poll(f, &op_write, CHECK_ASYNC_RWLOCK, CHECK_EXCLUSIVE, rw, deadline, CALLER());
}

int aglet_async_semaphore_take_poll(struct aglet_frame *f, aglet_async_semaphore *s, aglet_time deadline) {
    return step_poll(f, &op_permit, s, NULL, deadline, CALLER());
}

int aglet_async_once_begin_poll(struct aglet_frame *f, aglet_async_once *once) {
    for (;;) {
        bool waited = f->stage_ != STEP_NEW;
        int result = step_poll(f, &op_once, once, NULL, AGLET_FOREVER, CALLER());
        /* Whoever was at it has ended: it is done, or somebody else's turn. */
        if (result || !waited)
            return result;
    }
}

void aglet_async_once_end(aglet_async_once *once, int error) {
    async_once_end((struct async_object *)(void *)once, error);
}

int aglet_async_cond_wait_poll(struct aglet_frame *f, aglet_async_cond *cond, aglet_async_mutex *mu,
                               aglet_time deadline) {
    struct async_object *c = (struct async_object *)(void *)cond, *m = (struct async_object *)(void *)mu;
    struct step_wait *w = step_wait(f);
    /* Stages: STEP_WAITING for the signal; then for the mutex, one for each result of the first part. */
    enum { SIGNALLED = STEP_WAITING + 1, TIMED_OUT, ABORTED };
    static const int results[] = {0, -ETIMEDOUT, -ECANCELED};
    uint32_t next = SIGNALLED;
    if (f->stage_ == STEP_NEW) {
        int error = step_begin(f, CALLER());
        if (!error && deadline != AGLET_FOREVER)
            error = step_arm(f, deadline, 0);
        if (error)
            return error;
        async_begin(c, ASYNC_SIGNAL, &w->waiter);
        async_mutex_give(m, CALLER());
        return step_pending(f, STEP_WAITING, "async cond");
    }
    if (f->stage_ == STEP_WAITING) {
        int seen = step_look(f);
        if (seen == AGLET_PENDING)
            return seen;
        if (seen && async_unlink(c, &w->waiter))
            next = seen == -ETIMEDOUT ? TIMED_OUT : ABORTED;
        if (async_begin(m, ASYNC_MUTEX, step_again(f)) == -EAGAIN)
            return step_pending(f, next, "async mutex");
        if (aglet_checked)
            check_async_taken(&m->lock, CHECK_ASYNC_MUTEX, CHECK_EXCLUSIVE, CALLER());
        return step_end(f, results[next - SIGNALLED]);
    }
    /* Aborted or not, the caller gets the mutex back. */
    if (!sleeper_is_fired(&w->sleeper))
        return AGLET_PENDING;
    if (aglet_checked)
        check_async_taken(&m->lock, CHECK_ASYNC_MUTEX, CHECK_EXCLUSIVE, CALLER());
    return step_end(f, results[f->stage_ - SIGNALLED]);
}
