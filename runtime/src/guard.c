/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Guards: the lock and unlock calls of mutex.h and rwlock.h, with the caller's address that reports name
 * being the line of the guard. Stands on take.h. */
#include "aglet/guard.h"

#include "check.h"
#include "take.h"

aglet_guard aglet_guard_lock(aglet_mutex *mu) {
    mutex_lock_from(mu, CALLER());
    return (aglet_guard){mu};
}

aglet_guard aglet_guard_try(aglet_mutex *mu) {
    return (aglet_guard){mutex_try_lock_from(mu, CALLER()) ? mu : NULL};
}

void aglet_guard_release(aglet_guard *g) {
    aglet_mutex *mu = g->mu_;
    g->mu_ = NULL;
    if (mu != NULL)
        mutex_unlock_from(mu, CALLER());
}

aglet_read_guard aglet_guard_read(aglet_rwlock *rw) {
    rwlock_read_from(rw, CALLER());
    return (aglet_read_guard){rw};
}

aglet_write_guard aglet_guard_write(aglet_rwlock *rw) {
    rwlock_write_from(rw, CALLER());
    return (aglet_write_guard){rw};
}

void aglet_read_guard_release(aglet_read_guard *g) {
    aglet_rwlock *rw = g->rw_;
    g->rw_ = NULL;
    if (rw != NULL)
        rwlock_read_unlock_from(rw, CALLER());
}

void aglet_write_guard_release(aglet_write_guard *g) {
    aglet_rwlock *rw = g->rw_;
    g->rw_ = NULL;
    if (rw != NULL)
        rwlock_write_unlock_from(rw, CALLER());
}

aglet_mutex *aglet_guard_take_(aglet_mutex *mu) {
    mutex_lock_from(mu, CALLER());
    return mu;
}

aglet_mutex *aglet_guard_try_take_(aglet_mutex *mu) {
    return mutex_try_lock_from(mu, CALLER()) ? mu : NULL;
}

aglet_rwlock *aglet_guard_take_read_(aglet_rwlock *rw) {
    rwlock_read_from(rw, CALLER());
    return rw;
}

aglet_rwlock *aglet_guard_take_write_(aglet_rwlock *rw) {
    rwlock_write_from(rw, CALLER());
    return rw;
}
