/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Aglet's mutex and rwlock in the lock loops; the same binary runs with the release and the checked library. */
#include <aglet/mutex.h>
#if __has_include(<aglet/rwlock.h>)
#include <aglet/rwlock.h>
#define HAVE_RW
typedef aglet_rwlock rw_type;
#define RW_INIT(l) aglet_rwlock_init(l)
#define RW_RLOCK(l) aglet_rwlock_read(l)
#define RW_RUNLOCK(l) aglet_rwlock_read_unlock(l)
#define RW_WLOCK(l) aglet_rwlock_write(l)
#define RW_WUNLOCK(l) aglet_rwlock_write_unlock(l)
#endif
typedef aglet_mutex lock_type;
#define LOCK_INIT(l) aglet_mutex_init(l)
#define LOCK(l) aglet_mutex_lock(l)
#define UNLOCK(l) aglet_mutex_unlock(l)
#include "loops.h"
