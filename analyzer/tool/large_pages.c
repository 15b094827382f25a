/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The heap in large pages, where the kernel gives them to who asks. Stands on glibc's malloc and Linux. */
#include "large_pages.h"

#include <stdint.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

void heap_in_large_pages(void) {
#if defined(__GLIBC__) && defined(MADV_HUGEPAGE)
    enum { PAGE = 2 << 20, GROWN = 16 << 20, HEAP = 512 << 20 };
    char *const before = sbrk(0);
    char *from, *to;

    if (!mallopt(M_MMAP_THRESHOLD, 2 * GROWN) || !mallopt(M_TRIM_THRESHOLD, HEAP) ||
        !mallopt(M_TOP_PAD, HEAP))
        return;
    void *volatile grown = malloc(GROWN); /* the heap grows by HEAP: addresses, no memory yet */
    free(grown);
    from = (char *)(((uintptr_t)before + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
    to = sbrk(0);
    (void)mallopt(M_TOP_PAD, PAGE);
    if (to > from)
        (void)madvise(from, (size_t)(to - from), MADV_HUGEPAGE);
#endif
}
