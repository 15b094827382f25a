/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* abseil's Mutex in the lock loops, through abseil_shim.cpp; one type serves as both. */
void absl_init(void *m);
void absl_lock(void *m);
void absl_unlock(void *m);
void absl_rlock(void *m);
void absl_runlock(void *m);
typedef struct {
    _Alignas(8) char bytes[8];
} lock_type;
#define LOCK_INIT(l) absl_init(l)
#define LOCK(l) absl_lock(l)
#define UNLOCK(l) absl_unlock(l)
#define HAVE_RW
typedef lock_type rw_type;
#define RW_INIT(l) absl_init(l)
#define RW_RLOCK(l) absl_rlock(l)
#define RW_RUNLOCK(l) absl_runlock(l)
#define RW_WLOCK(l) absl_lock(l)
#define RW_WUNLOCK(l) absl_unlock(l)
#include "loops.h"
