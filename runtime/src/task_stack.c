/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Mapping stacks. A guard page splits a mapping in two, and the kernel allows some 65,000 mappings to a
 * process, so only the first stacks get one; later ones are cut from larger mappings and carry a canary at
 * the bottom. Stands on mmap(2), and on switch.c for the first frame. */
#include "task_stack.h"
#include "checked.h"
#include "task_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHUNK_STACKS = 64, CANARY_WORDS = 8 };
static const uint64_t canary = UINT64_C(0x5afe57acca9a7e11);

static _Atomic long guards_left = -1; /* -1: the system's limit was not read yet */
static struct slock chunk_lock;
static struct stack *chunk_free; /* unguarded stacks nobody uses, under chunk_lock */
static size_t chunk_free_size;   /* their size: only one size is kept this way */

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Of the preloaded library, where it is there. */
extern unsigned aglet_preload_check_yield_(const void *caller) __attribute__((weak, visibility("default")));

bool stack_has_report_room(void) {
    return aglet_checked || aglet_preload_check_yield_;
}

/* Below the stack and above its last guard: room for reports, and the page that is closed between them. */
static size_t below(void) {
    return stack_has_report_room() ? STACK_FOR_REPORTS + page_size() : 0;
}

/* A third of the system's limit, because a guarded stack takes two mappings, four in the checked library, and
 * the program needs some too. */
static long read_guard_limit(void) {
    long limit = 65530;
    FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
    if (f) {
        if (fscanf(f, "%ld", &limit) != 1)
            limit = 65530;
        fclose(f);
    }
    return limit / (stack_has_report_room() ? 6 : 3);
}

static bool take_guard(void) {
    long left = atomic_load_explicit(&guards_left, memory_order_relaxed);
    if (left == -1) {
        long fresh = read_guard_limit();
        atomic_compare_exchange_strong(&guards_left, &left, fresh);
    }
    left = atomic_load_explicit(&guards_left, memory_order_relaxed);
    while (left > 0)
        if (atomic_compare_exchange_weak(&guards_left, &left, left - 1)) {
            if (left == 1)
                fputs(
                    "aglet: from now on task stacks have a canary instead of a guard page: vm.max_map_count "
                    "allows no more mappings\n",
                    stderr);
            return true;
        }
    return false;
}

static struct stack *dress(char *bottom, char *top, void (*entry)(void *)) {
    struct stack *s = (struct stack *)(void *)(((uintptr_t)top - sizeof(struct stack)) & ~(uintptr_t)63);
    *s = (struct stack){.bottom = bottom, .usable = (size_t)((char *)s - bottom)};
    context_make(&s->ctx, bottom, s->usable, entry, s);
    return s;
}

static void put_canary(struct stack *s) {
    for (int i = 0; i < CANARY_WORDS; i++)
        memcpy(s->bottom + (size_t)i * sizeof canary, &canary, sizeof canary);
}

static void *map(size_t size) {
    void *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    return m == MAP_FAILED ? NULL : m;
}

static struct stack *unguarded(size_t size, void (*entry)(void *)) {
    slock_lock(&chunk_lock);
    struct stack *s = chunk_free_size == size ? chunk_free : NULL;
    if (s)
        chunk_free = s->next;
    slock_unlock(&chunk_lock);
    if (!s) {
        size_t each = size + below();
        char *m = map(each * CHUNK_STACKS);
        if (!m)
            return NULL;
        slock_lock(&chunk_lock);
        bool keep = !chunk_free || chunk_free_size == size;
        for (int i = 1; i < CHUNK_STACKS && keep; i++) {
            /* The head is written at first use: a touched page is what a stack costs. */
            struct stack *spare = (struct stack *)(void *)(m + (size_t)(i + 1) * each - 64);
            spare->next = chunk_free;
            spare->bottom = m + (size_t)i * each + below();
            chunk_free = spare;
            chunk_free_size = size;
        }
        slock_unlock(&chunk_lock);
        s = dress(m + below(), m + each, entry);
    } else {
        s = dress(s->bottom, s->bottom + size, entry);
    }
    put_canary(s);
    return s;
}

/* ThreadSanitizer has room for about 8,000 fibers and ends the process beyond. Tasks then wait for a stack.
 */
static bool fibers_are_left(int change) {
#ifdef AGLET_TSAN_
    static _Atomic int fibers;
    if (atomic_fetch_add(&fibers, change) < 7000)
        return true;
    if (change > 0)
        atomic_fetch_sub(&fibers, change);
    return false;
#else
    (void)change;
    return true;
#endif
}

struct stack *stack_new(size_t size, void (*entry)(void *)) {
    if (!fibers_are_left(1))
        return NULL;
    size_t page = page_size();
    size = (size + page - 1) & ~(page - 1);
    if (size < 4 * page)
        size = 4 * page;
    if (stack_has_report_room())
        size += STACK_SLACK;
    if (!take_guard())
        return unguarded(size, entry);
    size_t mapped = page + below() + size;
    char *m = map(mapped);
    if (!m || mprotect(m, page, PROT_NONE) != 0 || (below() && mprotect(m + below(), page, PROT_NONE) != 0)) {
        if (m)
            munmap(m, mapped);
        atomic_fetch_add(&guards_left, 1);
        return m ? unguarded(size, entry) : NULL;
    }
    struct stack *s = dress(m + page + below(), m + mapped, entry);
    s->guarded = true;
    s->mapped = mapped;
    return s;
}

void stack_delete(struct stack *s) {
    fibers_are_left(-1);
    context_drop(&s->ctx);
    if (s->guarded) {
        munmap(s->bottom - below() - page_size(), s->mapped);
        atomic_fetch_add(&guards_left, 1);
        return;
    }
    size_t size = (size_t)((char *)s - s->bottom + sizeof *s + 63) & ~(page_size() - 1);
    char *bottom = s->bottom;
    slock_lock(&chunk_lock);
    if (!chunk_free || chunk_free_size == size) {
        struct stack *spare = (struct stack *)(void *)(bottom + size - 64);
        spare->next = chunk_free;
        spare->bottom = bottom;
        chunk_free = spare;
        chunk_free_size = size;
    }
    slock_unlock(&chunk_lock);
}

bool stack_intact(const struct stack *s) {
    if (s->guarded || s->broken)
        return !s->broken;
    for (int i = 0; i < CANARY_WORDS; i++)
        if (memcmp(s->bottom + (size_t)i * sizeof canary, &canary, sizeof canary) != 0)
            return false;
    return true;
}

size_t stack_high_water(const struct stack *s) {
    size_t page = page_size();
    size_t pages = (s->usable + page - 1) / page;
    unsigned char *present = malloc(pages);
    if (!present)
        return 0;
    size_t first = 0;
    if (mincore(s->bottom, pages * page, present) == 0)
        while (first < pages && !(present[first] & 1))
            first++;
    free(present);
    return s->usable - first * page;
}

void stack_report(struct stack *s, bool begins) {
    if (s->guarded)
        mprotect(s->bottom - page_size(), page_size(), begins ? PROT_READ | PROT_WRITE : PROT_NONE);
    else if (begins)
        s->broken = !stack_intact(s);
    else if (!s->broken)
        put_canary(s);
}

bool stack_guard_hit(const struct stack *s, const void *address) {
    const char *a = address, *low = s->bottom - below();
    return s->guarded &&
           ((a >= s->bottom - page_size() && a < s->bottom) || (a >= low - page_size() && a < low));
}
