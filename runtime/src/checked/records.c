/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A record per lock: found by the id inside the lock, or by its address. Stands on engine.h.
 *
 * All records lie in one reserved range, so that an id finds its record with one multiplication; pages of it
 * are real only once used. The table by address serves locks without an id field (plain pthreads), memory
 * that is used for a second lock, and the question which locks lie in a block that is being freed. */
#include "engine.h"

#include "misuse.h"

#include <string.h>
#include <sys/mman.h>

enum { RECORDS = 1 << 20, BUCKETS = 1 << 16, PAGES = 1 << 16 };

struct ilock engine_lock;
struct lock_record *lock_records;
uint32_t lock_record_limit;                          /* written under engine_lock; read anywhere */
static uint32_t used = 1;                            /* under engine_lock; record 0 is never used */
static struct lock_record *free_records;             /* under engine_lock, linked by next_by_address */
static struct lock_record *_Atomic buckets[BUCKETS]; /* by address; chains change under engine_lock only */
static _Atomic uint8_t pages[PAGES / 8];             /* bit: a lock may lie in a page of this hash */
static uint64_t last_serial;                         /* under engine_lock */

static size_t bucket_of(const void *lock) {
    uint64_t h = (uint64_t)(uintptr_t)lock * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 48) % BUCKETS;
}

static size_t page_of(uintptr_t address) {
    uint64_t h = (uint64_t)(address >> 12) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 48) % PAGES;
}

/* Chains are walked without the lock: a record that is taken out keeps its link, so a walk may at worst go on
 * in the free list or another chain, and finds nothing there that has this address. Bounded for that reason.
 */
struct lock_record *record_by_address(const void *lock) {
    struct lock_record *r = atomic_load_explicit(&buckets[bucket_of(lock)], memory_order_acquire);
    for (int steps = 0; r != NULL && steps < 10000; steps++) {
        if (atomic_load_explicit(&r->lock, memory_order_relaxed) == lock)
            return r;
        r = __atomic_load_n(&r->next_by_address, __ATOMIC_ACQUIRE);
    }
    return NULL;
}

/* Under engine_lock. */
static void unlink_record(struct lock_record *r) {
    size_t b = bucket_of(atomic_load_explicit(&r->lock, memory_order_relaxed));
    struct lock_record *at = atomic_load_explicit(&buckets[b], memory_order_relaxed);
    if (at == r) {
        atomic_store_explicit(&buckets[b], r->next_by_address, memory_order_release);
    } else {
        while (at != NULL && at->next_by_address != r)
            at = at->next_by_address;
        if (at != NULL)
            __atomic_store_n(&at->next_by_address, r->next_by_address, __ATOMIC_RELEASE);
    }
    order_forget(r);
    atomic_store_explicit(&r->lock, NULL, memory_order_release);
    atomic_store_explicit(&r->owner, NULL, memory_order_relaxed);
}

static bool reserve(void) {
    static bool failed;
    if (failed)
        return false;
    for (uint32_t n = RECORDS; n >= 4096; n /= 4) {
        void *range = mmap(NULL, n * sizeof(struct lock_record), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range == MAP_FAILED)
            continue;
        lock_records = range;
        __atomic_store_n(&lock_record_limit, n, __ATOMIC_RELEASE);
        return true;
    }
    failed = true;
    return false;
}

struct lock_record *record_new(enum check_kind kind, const void *lock, uint32_t *id, const char *name,
                               const void *made_at, bool initialised) {
    ilock_take(&engine_lock);
    struct lock_record *r = record_by_address(lock);
    if (r != NULL && !initialised &&
        (id == NULL || record_by_id(lock, __atomic_load_n(id, __ATOMIC_RELAXED)) == r)) {
        ilock_give(&engine_lock);
        return r;
    }
    struct check_thread *holder = NULL;
    if (r != NULL) { /* the memory was used for a lock before */
        holder = atomic_load_explicit(&r->owner, memory_order_relaxed);
        unlink_record(r);
        if (holder != NULL)
            r = NULL;
    }
    if (r == NULL && free_records != NULL) {
        r = free_records;
        free_records = r->next_by_address;
    } else if (r == NULL && (lock_records != NULL || reserve()) && used < lock_record_limit) {
        r = &lock_records[used];
        r->index = used++;
    }
    if (r != NULL) {
        r->serial = ++last_serial;
        r->name = name;
        r->made_at = made_at;
        r->kind = (uint8_t)kind;
        r->initialised = initialised;
        r->left_alone = false;
        atomic_store_explicit(&r->last_chain, 0, memory_order_relaxed);
        atomic_store_explicit(&r->owner, NULL, memory_order_relaxed);
        size_t b = bucket_of(lock), page = page_of((uintptr_t)lock);
        __atomic_store_n(&r->next_by_address, atomic_load_explicit(&buckets[b], memory_order_relaxed),
                         __ATOMIC_RELEASE);
        atomic_store_explicit(&r->lock, lock, memory_order_release);
        atomic_store_explicit(&buckets[b], r, memory_order_release);
        if (id != NULL)
            __atomic_store_n(id, r->index, __ATOMIC_RELAXED);
        atomic_fetch_or_explicit(&pages[page / 8], (uint8_t)(1u << page % 8), memory_order_relaxed);
    }
    ilock_give(&engine_lock);
    if (holder != NULL && !initialised && atomic_load(&holder->state) == THREAD_RUNS) {
        check_self->inside++;
        misuse_report("uninitialised-lock", lock, false, made_at,
                      "the %s at %p was overwritten while thread '%s' held it", kind_words(kind), lock,
                      holder->name);
        check_self->inside--;
    }
    if (r == NULL)
        misuse_warn("the checker has no room for more locks: new ones go unchecked");
    return r;
}

void record_free(struct lock_record *r) {
    ilock_take(&engine_lock);
    if (atomic_load_explicit(&r->lock, memory_order_relaxed) != NULL) {
        bool held = atomic_load_explicit(&r->owner, memory_order_relaxed) != NULL;
        unlink_record(r);
        if (!held) {
            __atomic_store_n(&r->next_by_address, free_records, __ATOMIC_RELEASE);
            free_records = r;
        }
    }
    ilock_give(&engine_lock);
}

void records_within(const void *memory, size_t size, void (*visit)(struct lock_record *, void *),
                    void *context) {
    uintptr_t at = ((uintptr_t)memory + 3) & ~(uintptr_t)3, end = (uintptr_t)memory + size;
    while (at < end) {
        uintptr_t page_end = (at | 4095) + 1;
        if (page_end > end)
            page_end = end;
        size_t page = page_of(at);
        if (atomic_load_explicit(&pages[page / 8], memory_order_relaxed) & (1u << page % 8))
            for (; at < page_end; at += 4) {
                struct lock_record *r = record_by_address((const void *)at);
                if (r != NULL)
                    visit(r, context);
            }
        at = page_end;
    }
}

unsigned records_made(void) {
    ilock_take(&engine_lock);
    unsigned n = (unsigned)last_serial;
    ilock_give(&engine_lock);
    return n;
}
