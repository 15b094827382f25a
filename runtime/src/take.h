/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Taking and giving locks on behalf of a caller whose address is known: for guards and condition variables.
 * Stands on aglet/mutex.h, aglet/rwlock.h; the contracts are theirs. */
#ifndef AGLET_SRC_TAKE_H
#define AGLET_SRC_TAKE_H

#include "aglet/mutex.h"
#include "aglet/rwlock.h"

void mutex_lock_from(aglet_mutex *mu, const void *caller);
bool mutex_try_lock_from(aglet_mutex *mu, const void *caller);
void mutex_unlock_from(aglet_mutex *mu, const void *caller);
void rwlock_read_from(aglet_rwlock *rw, const void *caller);
void rwlock_read_unlock_from(aglet_rwlock *rw, const void *caller);
void rwlock_write_from(aglet_rwlock *rw, const void *caller);
void rwlock_write_unlock_from(aglet_rwlock *rw, const void *caller);

#endif
