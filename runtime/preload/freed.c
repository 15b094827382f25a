/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* free and realloc, watched for locks in the memory that goes away. Stands on real.h, check.h. Allocation
 * itself is not touched, and neither is a free from within the checker. */
#include "real.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* In the program's own checked library, if it has one. */
void aglet_memory_freed_(const void *memory, size_t size) __attribute__((weak));

/* How large a piece of memory is, or 0 where the program's allocator is a library that does not tell: the C
 * library would read its answer from memory that is none of its own. */
static size_t size_of(void *memory) {
    static _Atomic int tells; /* 0 not asked yet, 1 no, 2 yes */
    int known = atomic_load_explicit(&tells, memory_order_relaxed);
    if (AGLET_UNLIKELY(known == 0)) {
        void *frees, *measures;
        memcpy(&frees, &real.free, sizeof frees);
        memcpy(&measures, &real.malloc_usable_size, sizeof measures);
        Dl_info a, b;
        known = dladdr(frees, &a) != 0 && dladdr(measures, &b) != 0 && a.dli_fbase == b.dli_fbase ? 2 : 1;
        atomic_store_explicit(&tells, known, memory_order_relaxed);
    }
    return known == 2 ? real.malloc_usable_size(memory) : 0;
}

static void note(const void *memory, size_t size, const void *caller) {
    check_memory_freed(memory, size, caller);
    if (aglet_memory_freed_ != NULL)
        aglet_memory_freed_(memory, size);
}

EXPORT void free(void *memory) {
    if (memory == NULL)
        return;
    if (!watching()) {
        if (real.free != NULL) /* else it is not known whose memory it is: a few bytes stay */
            real.free(memory);
        return;
    }
    note(memory, size_of(memory), CALLER());
    real.free(memory);
}

EXPORT void *realloc(void *memory, size_t size) {
    if (!watching())
        return real.realloc != NULL ? real.realloc(memory, size) : NULL;
    size_t before = memory != NULL ? size_of(memory) : 0;
    void *moved = real.realloc(memory, size);
    if (memory != NULL && moved != NULL && moved != memory)
        note(memory, before, CALLER());
    return moved;
}
