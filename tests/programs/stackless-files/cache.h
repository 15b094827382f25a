/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A cache that stackless tasks share. */
#include <aglet/await.h>
#include <aglet/mutex.h>
#include <aglet/stackless.h>
#include <aglet/task.h>
extern aglet_mutex cache_mu;
extern int cache_n AGLET_GUARDED_BY(cache_mu);
void cache_enter(void);
void cache_leave(void);
