/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finding the real functions. Stands on dlsym(3), which may itself call some of them: those calls go straight
 * to the C library by the names it keeps for that. */
#include "real.h"

#include "engine.h"

#include <dlfcn.h>
#include <string.h>

struct real real;
_Thread_local const void *on_behalf_of;
static _Atomic int state; /* 0 not found, 1 being found, 2 found */

static void *find(const char *name) {
    /* The condition functions have an older version too, which a plain dlsym may give. */
    void *f = NULL;
    if (strncmp(name, "pthread_cond_", 13) == 0)
        f = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    return f != NULL ? f : dlsym(RTLD_NEXT, name);
}

void real_find(void) {
    int seen = 0;
    if (!atomic_compare_exchange_strong(&state, &seen, 1)) {
        return;
    }
#define REAL_FIND(result, name, parameters) *(void **)(void *)&real.name = find(#name);
    REAL_FUNCTIONS(REAL_FIND)
#undef REAL_FIND
    atomic_store(&state, 2);
}

bool watching(void) {
    if (AGLET_UNLIKELY(atomic_load_explicit(&state, memory_order_acquire) != 2)) {
        real_find();
        if (atomic_load_explicit(&state, memory_order_acquire) != 2)
            return false;
    }
    struct check_thread *t = check_self;
    return t == NULL || t->inside == 0;
}

__attribute__((constructor(101))) static void find_early(void) {
    real_find();
}
