/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The order between kinds of locks: all that are made at one place are a class. Where objects of two kinds
 * are locked in both orders, but never the same two objects, nothing has gone wrong yet; it is a hint. Stands
 * on engine.h.
 *
 * A class is the name a lock was given, else the lock itself where it is a static variable, else where it was
 * initialised, else where it was first taken. Only orders taken with no further lock held are looked at: what
 * others serialise is not judged here. */
#include "engine.h"

#include "misuse.h"
#include "stack.h"

#include <dlfcn.h>
#include <string.h>

struct class_edge {
    struct lock_class *from, *to;
    struct class_edge *next;
    const void *from_site, *to_site;
    char thread[NAME_ROOM];
};

struct lock_class {
    uint64_t key;
    struct class_edge *out;
    struct lock_class *next;
    uint32_t mark;
    char words[LOCK_NAME_ROOM]; /* of its first lock; empty until a hint wants it */
    const void *made_at;
    const char *name;
    const void *lock;
    uint8_t kind;
};

enum { BUCKETS = 1 << 10, PATH_ROOM = 16 };
static struct lock_class *buckets[BUCKETS]; /* under engine_lock, as is all of this file's state */
static uint32_t search;

/* A static variable: it lies in a loaded object. */
static bool is_static(const void *lock) {
#ifdef DLFO_STRUCT_HAS_EH_DBASE /* glibc 2.35 or later */
    struct dl_find_object object;
    return _dl_find_object((void *)(uintptr_t)lock, &object) == 0;
#else
    (void)lock;
    return false;
#endif
}

static struct lock_class *class_of(const struct lock_record *r) {
    const void *lock = atomic_load_explicit(&r->lock, memory_order_relaxed);
    uint64_t key = UINT64_C(14695981039346656037);
    if (r->name != NULL)
        for (const char *c = r->name; *c != '\0'; c++)
            key = (key ^ (unsigned char)*c) * UINT64_C(1099511628211);
    else
        key = (uint64_t)(uintptr_t)(is_static(lock) ? lock : r->made_at);
    struct lock_class **bucket = &buckets[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 54];
    struct lock_class *c = *bucket;
    while (c != NULL && c->key != key)
        c = c->next;
    if (c == NULL && (c = engine_memory(sizeof *c)) != NULL) {
        c->key = key;
        c->made_at = r->made_at;
        c->name = r->name;
        c->lock = lock;
        c->kind = r->kind;
        c->next = *bucket;
        *bucket = c;
    }
    return c;
}

/* A way from `from` to `goal`, written backwards into path. */
static unsigned find_path(struct lock_class *from, struct lock_class *goal, struct class_edge **path,
                          unsigned depth) {
    from->mark = search;
    for (struct class_edge *e = from->out; e != NULL; e = e->next) {
        if (e->to != goal && e->to->mark == search)
            continue;
        unsigned found = e->to == goal ? depth : 0;
        if (found == 0 && depth + 1 < PATH_ROOM)
            found = find_path(e->to, goal, path, depth + 1);
        if (found != 0) {
            path[depth - 1] = e;
            return found;
        }
    }
    return 0;
}

unsigned classes_note(const struct edge *fresh, struct class_hint *out) {
    if (fresh->gate_count != 0 || options.hints == 0)
        return 0;
    struct lock_class *from = class_of(fresh->from), *to = class_of(fresh->to);
    if (from == NULL || to == NULL || from == to)
        return 0;
    for (struct class_edge *e = from->out; e != NULL; e = e->next)
        if (e->to == to)
            return 0;
    struct class_edge *e = engine_memory(sizeof *e);
    if (e == NULL)
        return 0;
    e->from = from;
    e->to = to;
    e->from_site = fresh->from_site;
    e->to_site = fresh->to_site;
    memcpy(e->thread, fresh->thread, sizeof e->thread);
    e->next = from->out;
    from->out = e;
    struct class_edge *path[PATH_ROOM];
    search++;
    unsigned length = find_path(to, from, path, 1);
    if (length == 0)
        return 0;
    for (unsigned i = 0; i <= length; i++) {
        struct class_edge *link = i == 0 ? e : path[i - 1];
        if (i == HINT_ROOM)
            return i;
        out[i] = (struct class_hint){link->from->kind, link->from->name, link->from->made_at,
                                     link->from_site,  link->to_site,    ""};
        memcpy(out[i].thread, link->thread, sizeof out[i].thread);
    }
    return length + 1;
}

void classes_report(const struct class_hint *hints, unsigned count) {
    struct misuse *m = misuse_open("lock-order", NULL, false);
    misuse_hint(m);
    misuse_say(m, "locks of %u kinds are taken in a circle of orders, though never the same ones", count);
    for (unsigned i = 0; i < count; i++) {
        const struct class_hint *h = &hints[i];
        if (h->name != NULL)
            misuse_note(m, "thread '%s' held a %s '%s', taken here", h->thread, kind_words(h->kind), h->name);
        else
            misuse_note(m, "thread '%s' held a %s, taken here", h->thread, kind_words(h->kind));
        misuse_place(m, h->from_site);
        misuse_note(m, "and took the next here");
        misuse_place(m, h->to_site);
    }
    misuse_close(m);
}
