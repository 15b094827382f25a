/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An allocator in a library of its own that tells nobody how large its memory is, and keeps something before
 * each piece that the C library would take for a size. Stands on mmap(2). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { ROOM = 16 << 20 };

struct head {
    size_t size;
    uint64_t check; /* where glibc keeps its chunk's size */
};

static _Atomic size_t used;
static char *_Atomic area;

void *malloc(size_t size) {
    if (area == NULL)
        area = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t whole = (sizeof(struct head) + size + 15) & ~(size_t)15;
    size_t at = __atomic_fetch_add(&used, whole, __ATOMIC_RELAXED);
    if (at + whole > ROOM)
        return NULL;
    struct head *h = (struct head *)(area + at);
    h->size = size;
    h->check = UINT64_C(0x5a5a5a5a5a5a5a58);
    return h + 1;
}

void free(void *memory) {
    (void)memory;
}

void *calloc(size_t count, size_t size) {
    return malloc(count * size); /* fresh from the system: zero */
}

void *realloc(void *memory, size_t size) {
    void *moved = malloc(size);
    if (moved != NULL && memory != NULL)
        memcpy(moved, memory, ((struct head *)memory - 1)->size < size ? ((struct head *)memory - 1)->size : size);
    return moved;
}
