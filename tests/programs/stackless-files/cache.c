/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Its lock is taken by one function and given back by another. */
#include "cache.h"

aglet_mutex cache_mu = AGLET_MUTEX_INIT;
int cache_n;

void cache_enter(void) {
    aglet_mutex_lock(&cache_mu);
}
void cache_leave(void) {
    aglet_mutex_unlock(&cache_mu);
}
