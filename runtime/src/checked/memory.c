/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The checker's memory: pieces cut from mapped blocks, never given back. Stands on mmap(2). */
#include "engine.h"

#include "misuse.h"

#include <errno.h>
#include <sys/mman.h>

enum { BLOCK = 256 * 1024 };

static struct ilock lock;
static char *block; /* under lock, as is the next */
static size_t block_left;

void *engine_memory(size_t size) {
    size = (size + 63) & ~(size_t)63;
    ilock_take(&lock);
    if (size > block_left) {
        size_t map = size > BLOCK ? (size + 4095) & ~(size_t)4095 : BLOCK;
        int saved = errno;
        void *fresh = mmap(NULL, map, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        errno = saved;
        if (fresh == MAP_FAILED) {
            ilock_give(&lock);
            misuse_warn("the checker got no more memory: some locks and threads go unchecked from here on");
            return NULL;
        }
        if (map > BLOCK) { /* a piece of its own; the block in use stays */
            ilock_give(&lock);
            return fresh;
        }
        block = fresh;
        block_left = map;
    }
    void *piece = block;
    block += size;
    block_left -= size;
    ilock_give(&lock);
    return piece;
}
