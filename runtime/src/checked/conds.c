/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Condition variables: which mutex they are waited for with, and signals that found nobody. Stands on
 * engine.h. */
#include "engine.h"

#include "misuse.h"

#include <stdio.h>
#include <string.h>

enum { BUCKETS = 1 << 10 };
static struct cond_record *_Atomic buckets[BUCKETS]; /* grows only; a record is used again for its address */
static struct ilock lock;

static struct cond_record *find(struct cond_record *c, const void *cond) {
    while (c != NULL && atomic_load_explicit(&c->cond, memory_order_relaxed) != cond)
        c = c->next;
    return c;
}

struct cond_record *cond_record_of(const void *cond, bool make) {
    size_t b = (size_t)(((uint64_t)(uintptr_t)cond * UINT64_C(0x9e3779b97f4a7c15)) >> 54);
    struct cond_record *c = find(atomic_load_explicit(&buckets[b], memory_order_acquire), cond);
    if (c != NULL || !make)
        return c;
    ilock_take(&lock);
    c = find(atomic_load_explicit(&buckets[b], memory_order_relaxed), cond);
    if (c == NULL && (c = find(atomic_load_explicit(&buckets[b], memory_order_relaxed), NULL)) != NULL)
        atomic_store_explicit(&c->cond, cond, memory_order_release); /* of one that was destroyed */
    if (c == NULL && (c = engine_memory(sizeof *c)) != NULL) {
        atomic_store_explicit(&c->cond, cond, memory_order_relaxed);
        c->next = atomic_load_explicit(&buckets[b], memory_order_relaxed);
        atomic_store_explicit(&buckets[b], c, memory_order_release);
    }
    ilock_give(&lock);
    return c;
}

static struct lock_record *record_of_lock(const void *mutex, const uint32_t *id) {
    return id != NULL ? record_by_id(mutex, __atomic_load_n(id, __ATOMIC_RELAXED)) : record_by_address(mutex);
}

static void report_not_held(struct check_thread *t, struct lock_record *r, const void *cond,
                            const void *mutex, const void *caller) {
    char words[LOCK_NAME_ROOM];
    t->inside++;
    struct misuse *m = misuse_open("cond-wait", cond, false);
    if (r != NULL)
        misuse_say(m, "thread '%s' waits for a condition with %s, which it does not hold", t->name,
                   lock_words(r, words));
    else
        misuse_say(m, "thread '%s' waits for a condition with the mutex at %p, which it does not hold",
                   t->name, mutex);
    note_here(m, "it waits", caller);
    note_held(m, t, true);
    misuse_close(m);
    t->inside--;
}

static void report_second(struct check_thread *t, struct cond_record *c, const void *cond, const void *mutex,
                          const void *caller) {
    char mine[LOCK_NAME_ROOM], other[LOCK_NAME_ROOM];
    t->inside++;
    struct misuse *m = misuse_open("cond-wait", cond, false);
    struct lock_record *r = record_by_address(mutex), *o = record_by_address(atomic_load(&c->lock));
    misuse_say(m, "thread '%s' waits for a condition with %s, while others wait for it with %s", t->name,
               r != NULL ? lock_words(r, mine) : "one mutex", o != NULL ? lock_words(o, other) : "another");
    note_here(m, "it waits", caller);
    note_here(m, "the other mutex was waited with", c->lock_site);
    misuse_close(m);
    t->inside--;
}

bool check_cond_wait(const void *cond, uint32_t *cond_id, const void *mutex, uint32_t *id,
                     const void *caller) {
    (void)cond_id;
    struct check_thread *t = thread_self();
    if (t->inside != 0)
        return true;
    struct lock_record *r = record_of_lock(mutex, id);
    if (r != NULL && r->left_alone)
        return true;
    if (r == NULL || held_find(t, r, CHECK_EXCLUSIVE) == NULL) {
        report_not_held(t, r, cond, mutex, caller);
        return false;
    }
    struct cond_record *c = cond_record_of(cond, true);
    if (c == NULL)
        return true;
    if (atomic_fetch_add_explicit(&c->waiting, 1, memory_order_acq_rel) != 0 &&
        atomic_load_explicit(&c->lock, memory_order_relaxed) != mutex)
        report_second(t, c, cond, mutex, caller);
    atomic_store_explicit(&c->lock, mutex, memory_order_relaxed);
    c->lock_site = caller;
    return true;
}

void check_cond_woken(const void *cond, bool in_time) {
    struct cond_record *c = cond_record_of(cond, false);
    if (c == NULL)
        return;
    atomic_fetch_sub_explicit(&c->waiting, 1, memory_order_acq_rel);
    if (in_time)
        atomic_store_explicit(&c->lost, 0, memory_order_relaxed);
}

void check_signal(const void *cond, uint32_t *cond_id, bool found_somebody, const void *caller) {
    (void)cond_id;
    if (found_somebody)
        return;
    struct check_thread *t = thread_self();
    if (t->inside != 0)
        return;
    struct cond_record *c = cond_record_of(cond, true);
    if (c == NULL)
        return;
    c->lost_site = caller;
    memcpy(c->lost_thread, t->name, sizeof c->lost_thread);
    atomic_fetch_add_explicit(&c->lost, 1, memory_order_release);
}

bool check_cond_waited(const void *cond) {
    struct cond_record *c = cond_record_of(cond, false);
    return c != NULL && atomic_load_explicit(&c->waiting, memory_order_acquire) != 0;
}

void check_cond_destroy(const void *cond, uint32_t *cond_id, const void *caller) {
    (void)cond_id;
    struct cond_record *c = cond_record_of(cond, false);
    if (c == NULL)
        return;
    if (atomic_load_explicit(&c->waiting, memory_order_acquire) != 0) {
        thread_self()->inside++;
        misuse_report("destroy-held", cond, false, caller,
                      "a condition is destroyed while a thread waits for it");
        thread_self()->inside--;
    }
    ilock_take(&lock);
    atomic_store_explicit(&c->waiting, 0, memory_order_relaxed);
    atomic_store_explicit(&c->lost, 0, memory_order_relaxed);
    atomic_store_explicit(&c->lock, NULL, memory_order_relaxed);
    atomic_store_explicit(&c->cond, NULL, memory_order_release);
    ilock_give(&lock);
}
