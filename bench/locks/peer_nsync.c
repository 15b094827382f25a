/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* nsync's mu in the lock loops (Debian: libnsync-dev); one type serves as both. */
#include <nsync.h>
typedef nsync_mu lock_type;
#define LOCK_INIT(l) nsync_mu_init(l)
#define LOCK(l) nsync_mu_lock(l)
#define UNLOCK(l) nsync_mu_unlock(l)
#define HAVE_RW
typedef nsync_mu rw_type;
#define RW_INIT(l) nsync_mu_init(l)
#define RW_RLOCK(l) nsync_mu_rlock(l)
#define RW_RUNLOCK(l) nsync_mu_runlock(l)
#define RW_WLOCK(l) nsync_mu_lock(l)
#define RW_WUNLOCK(l) nsync_mu_unlock(l)
#include "loops.h"
