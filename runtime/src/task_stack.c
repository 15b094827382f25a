/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Mapping stacks: many in one mapping, which is never unmapped, so that whoever looks at a task that ends
 * meanwhile reads an old stack at worst. Stacks that are given back give their pages back, many at a time:
 * each time every processor that runs the program is interrupted, which costs more than the rest.
 *
 * Below each lies a page that faults. Since Linux 6.13 such a page needs no mapping of its own
 * (MADV_GUARD_INSTALL). Before, it splits a mapping in two, and the kernel allows some 65,000 of them to a
 * process: only the first stacks get one, and later ones carry a canary at the bottom, where somebody looks
 * at it. Stands on mmap(2), and on switch.c for the first frame. */
#include "task_stack.h"
#include "checked.h"
#include "fork.h"
#include "task_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

enum { CHUNK_STACKS = 64, FIRST_CHUNK = 4, DIRTY_MAX = 48, DIRTY_RUN = 8, CANARY_WORDS = 8 };
static const uint64_t canary = UINT64_C(0x5afe57acca9a7e11);

/* Stacks of one size, side by side. Never freed. */
struct stack_chunk {
    struct stack_chunk *next_all, *next_open;
    char *memory;
    size_t size, each;           /* of a stack; with what lies below it */
    uint64_t free, dirty;        /* bit i: nobody uses stack i; and it still has its pages */
    bool open;                   /* it is in the list of open chunks */
    uint8_t guard[CHUNK_STACKS]; /* enum stack_guard; of a stack that is in use, its user's */
};

struct slock task_stack_lock;                        /* protects the chunks and the lists of them */
static struct stack_chunk *all_chunks, *open_chunks; /* the second: those with a free stack, some without */

static _Atomic long guards_left = -1; /* of the kind that is a mapping; -1: the limit was not read yet */
static _Atomic bool no_light_guards;  /* this kernel has none */

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

/* Close the pages below a stack that is used for the first time, by `close`. */
static bool close_pages(char *lowest, int (*close)(char *page, size_t size)) {
    size_t page = page_size();
    return close(lowest, page) == 0 && (!below() || close(lowest + below(), page) == 0);
}

static int close_light(char *page, size_t size) {
    return madvise(page, size, MADV_GUARD_INSTALL);
}

static int close_mapping(char *page, size_t size) {
    return mprotect(page, size, PROT_NONE);
}

static enum stack_guard make_guard(char *lowest) {
    if (!atomic_load_explicit(&no_light_guards, memory_order_relaxed)) {
        if (close_pages(lowest, close_light))
            return STACK_GUARD_LIGHT;
        atomic_store_explicit(&no_light_guards, true, memory_order_relaxed);
    }
    if (!take_guard())
        return STACK_CANARY;
    if (close_pages(lowest, close_mapping))
        return STACK_GUARD_MAPPED;
    mprotect(lowest, page_size(), PROT_READ | PROT_WRITE);
    atomic_fetch_add(&guards_left, 1);
    return STACK_CANARY;
}

static void put_canary(struct stack *s) {
    for (int i = 0; i < CANARY_WORDS; i++)
        memcpy(s->bottom + (size_t)i * sizeof canary, &canary, sizeof canary);
}

/* Map one more chunk, the first of the open ones then. The lock is held; it is given up meanwhile. */
static struct stack_chunk *grow(size_t size) {
    unsigned n = all_chunks ? CHUNK_STACKS : FIRST_CHUNK;
    size_t each = page_size() + below() + size;
    slock_unlock(&task_stack_lock);
    struct stack_chunk *chunk = calloc(1, sizeof *chunk);
    char *m = mmap(NULL, each * n, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    slock_lock(&task_stack_lock);
    if (!chunk || m == MAP_FAILED) {
        free(chunk);
        if (m != MAP_FAILED)
            munmap(m, each * n);
        return NULL;
    }
    *chunk = (struct stack_chunk){.next_all = all_chunks,
                                  .next_open = open_chunks,
                                  .memory = m,
                                  .size = size,
                                  .each = each,
                                  .free = ~UINT64_C(0) >> (64 - n),
                                  .open = true};
    all_chunks = open_chunks = chunk;
    return chunk;
}

static struct stack_chunk *take(size_t size, unsigned *at) {
    slock_lock(&task_stack_lock);
    struct stack_chunk **link = &open_chunks;
    while (*link && ((*link)->size != size || !(*link)->free))
        link = &(*link)->next_open;
    struct stack_chunk *chunk = *link;
    if (!chunk) {
        chunk = grow(size);
        link = &open_chunks;
    }
    if (chunk) {
        uint64_t best = chunk->free & chunk->dirty ? chunk->free & chunk->dirty : chunk->free;
        uint64_t bit = best & (~best + 1);
        *at = (unsigned)__builtin_ctzll(bit);
        chunk->free &= ~bit;
        chunk->dirty &= ~bit;
        chunk->open = chunk->free != 0;
        if (!chunk->open)
            *link = chunk->next_open;
    }
    slock_unlock(&task_stack_lock);
    return chunk;
}

/* ThreadSanitizer has room for about 8,000 fibers and ends the process beyond. Tasks then wait for a stack.
 */
static bool fibers_are_left(int change) {
#ifdef AGLET_FIBERS_
    if (!__tsan_create_fiber)
        return true;
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
    unsigned at;
    struct stack_chunk *chunk = take(size, &at);
    if (!chunk) {
        fibers_are_left(-1);
        return NULL;
    }
    char *lowest = chunk->memory + at * chunk->each, *bottom = lowest + page + below(), *top = bottom + size;
    tsan_observe(bottom); /* what its last user did there */
    struct stack *s = (struct stack *)(void *)(((uintptr_t)top - sizeof *s) & ~(uintptr_t)63);
    *s = (struct stack){.bottom = bottom, .usable = (size_t)((char *)s - bottom), .chunk = chunk, .at = at};
    if (chunk->guard[at] == STACK_NEW)
        chunk->guard[at] = (uint8_t)make_guard(lowest);
    s->guard = (enum stack_guard)chunk->guard[at];
    context_make(&s->ctx, bottom, s->usable, entry, s);
    if (s->guard == STACK_CANARY && stack_has_report_room())
        put_canary(s);
    return s;
}

/* These stacks can be taken. The lock is held. */
static void put_free(struct stack_chunk *chunk, uint64_t stacks) {
    chunk->free |= stacks;
    if (chunk->open)
        return;
    chunk->open = true;
    chunk->next_open = open_chunks;
    open_chunks = chunk;
}

/* Give the pages of these stacks back, neighbours together. Their guards stay. */
static void drop_pages(struct stack_chunk *chunk, uint64_t stacks) {
    while (stacks) {
        unsigned first = (unsigned)__builtin_ctzll(stacks);
        uint64_t from = stacks >> first;
        unsigned n = from == ~UINT64_C(0) ? CHUNK_STACKS : (unsigned)__builtin_ctzll(~from);
        madvise(chunk->memory + first * chunk->each, n * chunk->each, MADV_DONTNEED);
        stacks &= stacks + (UINT64_C(1) << first); /* clears the run */
    }
}

/* Shall the pages of these stacks be given back now? Where few lie side by side, only when most of the chunk
 * is among them. */
static bool is_worth_a_call(uint64_t dirty) {
    int n = __builtin_popcountll(dirty), runs = __builtin_popcountll(dirty & ~(dirty << 1));
    return n >= DIRTY_MAX || (n >= 2 * DIRTY_RUN && n >= DIRTY_RUN * runs);
}

void stack_delete(struct stack *s) {
    struct stack_chunk *chunk = s->chunk;
    unsigned at = s->at;
    fibers_are_left(-1);
    context_drop(&s->ctx);
    tsan_publish(s->bottom);
    slock_lock(&task_stack_lock);
    chunk->dirty |= UINT64_C(1) << at;
    put_free(chunk, UINT64_C(1) << at);
    uint64_t clean = is_worth_a_call(chunk->dirty) ? chunk->dirty : 0;
    chunk->free &= ~clean; /* nobody else takes them meanwhile */
    chunk->dirty &= ~clean;
    slock_unlock(&task_stack_lock);
    if (clean) {
        drop_pages(chunk, clean);
        slock_lock(&task_stack_lock);
        put_free(chunk, clean);
        slock_unlock(&task_stack_lock);
    }
}

bool stack_intact(const struct stack *s) {
    if (s->guard != STACK_CANARY || s->broken)
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
    char *closed = s->bottom - page_size();
    if (s->guard == STACK_GUARD_LIGHT)
        madvise(closed, page_size(), begins ? MADV_GUARD_REMOVE : MADV_GUARD_INSTALL);
    else if (s->guard == STACK_GUARD_MAPPED)
        mprotect(closed, page_size(), begins ? PROT_READ | PROT_WRITE : PROT_NONE);
    else if (begins)
        s->broken = !stack_intact(s);
    else if (!s->broken)
        put_canary(s);
}

bool stack_guard_hit(const struct stack *s, const void *address) {
    const char *a = address, *low = s->bottom - below();
    return s->guard != STACK_CANARY &&
           ((a >= s->bottom - page_size() && a < s->bottom) || (a >= low - page_size() && a < low));
}
