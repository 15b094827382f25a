/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* free and realloc, watched for locks in the memory that goes away. Stands on real.h, check.h. Allocation
 * itself is not touched, and neither is a free from within the checker. */
#include "real.h"

#include <malloc.h>
#include <stdlib.h>

/* In the program's own checked library, if it has one. */
void aglet_memory_freed_(const void *memory, size_t size) __attribute__((weak));

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
    note(memory, malloc_usable_size(memory), CALLER());
    real.free(memory);
}

EXPORT void *realloc(void *memory, size_t size) {
    if (!watching())
        return real.realloc != NULL ? real.realloc(memory, size) : NULL;
    size_t before = memory != NULL ? malloc_usable_size(memory) : 0;
    void *moved = real.realloc(memory, size);
    if (memory != NULL && moved != NULL && moved != memory)
        note(memory, before, CALLER());
    return moved;
}
