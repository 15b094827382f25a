/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reference counts: a header of counts in front of each object. Stands on malloc, check.h, misuse.h.
 *
 * All strong references together hold one weak one, so the memory goes when `weak` reaches zero, the object
 * when `strong` does (Rust's Arc). The checked library keeps the last few hundred dead headers for a while,
 * to tell a drop too many from a use of freed memory. */
#include "aglet/arc.h"

#include "check.h"
#include "ilock.h"
#include "misuse.h"
#include "tsan.h"

#include <stdlib.h>

struct aglet_weak {
    _Atomic uint32_t strong, weak;
    void (*drop)(void *);
    uint64_t owner; /* of an rc: the thread that made it, checked library only; 0 for an arc */
    uint64_t tag;   /* ALIVE, or what a freed block happens to hold */
};

#define ALIVE UINT64_C(0x61676c65745f6172)
enum { HEADER = 32, QUARANTINE = 256 };
_Static_assert(sizeof(struct aglet_weak) <= HEADER, "the header keeps the object aligned");
#define TOO_MANY (UINT32_C(1) << 31)

static struct ilock quarantine_lock;
static struct aglet_weak *quarantine[QUARANTINE]; /* dead blocks, oldest at `next`; under quarantine_lock */
static unsigned quarantine_next;

static inline struct aglet_weak *header(const void *object) {
    return (struct aglet_weak *)((char *)(uintptr_t)object - HEADER);
}

static inline void *object_of(struct aglet_weak *h) {
    return (char *)h + HEADER;
}

static void free_block(struct aglet_weak *h) {
    if (aglet_checked) {
        ilock_take(&quarantine_lock);
        struct aglet_weak *oldest = quarantine[quarantine_next];
        quarantine[quarantine_next] = h;
        quarantine_next = (quarantine_next + 1) % QUARANTINE;
        ilock_give(&quarantine_lock);
        h = oldest;
    }
    free(h);
}

static void *new_object(size_t size, void (*drop)(void *), uint64_t owner) {
    struct aglet_weak *h = size > SIZE_MAX - HEADER ? NULL : calloc(1, HEADER + size);
    if (h == NULL)
        return NULL;
    atomic_init(&h->strong, 1);
    atomic_init(&h->weak, 1);
    h->drop = drop;
    h->owner = owner;
    h->tag = ALIVE;
    return object_of(h);
}

/* Checked: is this an object with references, of our making, on the right thread? */
static bool sound(const struct aglet_weak *h, bool is_rc, const char *verb, const void *caller) {
    if (h->tag != ALIVE) {
        misuse_report("arc-count", h, true, caller, "%s of %p, which is no reference-counted object", verb,
                      (const void *)((const char *)h + HEADER));
        return false;
    }
    if (atomic_load_explicit(&h->strong, memory_order_relaxed) == 0) {
        misuse_report("arc-count", h, true, caller, "%s of %p, whose last reference was given up already",
                      verb, (const void *)((const char *)h + HEADER));
        return false;
    }
    if (is_rc != (h->owner != 0)) {
        misuse_report("arc-count", h, true, caller, "%s of %p with the functions of the other kind of count",
                      verb, (const void *)((const char *)h + HEADER));
        return false;
    }
    if (is_rc && h->owner != check_thread_serial()) {
        misuse_report("affinity", h, false, caller,
                      "%s of %p, whose count is not atomic, in another thread than the one that made it",
                      verb, (const void *)((const char *)h + HEADER));
    }
    return true;
}

void *aglet_arc_new(size_t size, void (*drop)(void *)) {
    return new_object(size, drop, 0);
}

void *aglet_arc_keep(const void *object) {
    if (object == NULL)
        return NULL;
    struct aglet_weak *h = header(object);
    if (aglet_checked && !sound(h, false, "a keep", CALLER()))
        return (void *)(uintptr_t)object;
    /* Relaxed: who can call this has a reference already. */
    if (AGLET_UNLIKELY(atomic_fetch_add_explicit(&h->strong, 1, memory_order_relaxed) >= TOO_MANY))
        misuse_give_up("a reference count went past 2^31: references are kept and never dropped");
    return (void *)(uintptr_t)object;
}

static void drop_weak(struct aglet_weak *h) {
    tsan_publish(&h->weak);
    /* Pairs with the release of every other drop_weak. */
    if (atomic_fetch_sub_explicit(&h->weak, 1, memory_order_acq_rel) != 1)
        return;
    tsan_observe(&h->weak);
    free_block(h);
}

void aglet_arc_drop(const void *object) {
    if (object == NULL)
        return;
    struct aglet_weak *h = header(object);
    if (aglet_checked && !sound(h, false, "a drop", CALLER()))
        return;
    /* Release: what this thread did with the object comes before its drop; acquire: the last one sees it all.
     */
    tsan_publish(&h->strong);
    if (atomic_fetch_sub_explicit(&h->strong, 1, memory_order_acq_rel) != 1)
        return;
    tsan_observe(&h->strong);
    if (h->drop != NULL)
        h->drop(object_of(h));
    drop_weak(h);
}

size_t aglet_arc_count(const void *object) {
    if (object == NULL)
        return 0;
    size_t count = atomic_load_explicit(&header(object)->strong, memory_order_acquire);
    tsan_observe(&header(object)->strong); /* with one, the caller is alone, and after all others */
    return count;
}

aglet_weak *aglet_arc_weak(const void *object) {
    return object != NULL ? aglet_weak_keep(header(object)) : NULL;
}

aglet_weak *aglet_weak_keep(aglet_weak *weak) {
    if (weak == NULL)
        return NULL;
    if (atomic_fetch_add_explicit(&weak->weak, 1, memory_order_relaxed) >= TOO_MANY)
        misuse_give_up("a weak reference count went past 2^31: references are kept and never dropped");
    return weak;
}

void *aglet_weak_get(aglet_weak *weak) {
    uint32_t seen = weak != NULL ? atomic_load_explicit(&weak->strong, memory_order_relaxed) : 0;
    while (seen != 0)
        if (atomic_compare_exchange_weak_explicit(&weak->strong, &seen, seen + 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return object_of(weak);
    return NULL;
}

void aglet_weak_drop(aglet_weak *weak) {
    if (weak == NULL)
        return;
    if (aglet_checked && atomic_load_explicit(&weak->weak, memory_order_relaxed) == 0) {
        misuse_report("arc-count", weak, true, CALLER(), "a weak reference %p was given up twice",
                      (void *)weak);
        return;
    }
    drop_weak(weak);
}

void *aglet_rc_new(size_t size, void (*drop)(void *)) {
    return new_object(size, drop, aglet_checked ? check_thread_serial() : 1);
}

/* Loads and stores apart, without a locked instruction: one thread only. */
static inline uint32_t rc_add(struct aglet_weak *h, int32_t n) {
    uint32_t count = atomic_load_explicit(&h->strong, memory_order_relaxed) + (uint32_t)n;
    atomic_store_explicit(&h->strong, count, memory_order_relaxed);
    return count;
}

void *aglet_rc_keep(const void *object) {
    if (object == NULL)
        return NULL;
    struct aglet_weak *h = header(object);
    if (aglet_checked && !sound(h, true, "a keep", CALLER()))
        return (void *)(uintptr_t)object;
    if (rc_add(h, 1) >= TOO_MANY)
        misuse_give_up("a reference count went past 2^31: references are kept and never dropped");
    return (void *)(uintptr_t)object;
}

void aglet_rc_drop(const void *object) {
    if (object == NULL)
        return;
    struct aglet_weak *h = header(object);
    if (aglet_checked && !sound(h, true, "a drop", CALLER()))
        return;
    if (rc_add(h, -1) != 0)
        return;
    if (h->drop != NULL)
        h->drop(object_of(h));
    free_block(h);
}

size_t aglet_rc_count(const void *object) {
    return object == NULL ? 0 : atomic_load_explicit(&header(object)->strong, memory_order_relaxed);
}
