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
    struct rank_arc arc;
    const void *from_site, *to_site;
    char thread[NAME_ROOM];
    bool by_task;
};

struct lock_class {
    struct rank_node node;
    uint64_t key;
    struct lock_class *next;
    const void *made_at;
    const char *name;
    uint8_t kind;
};

enum { BUCKET_BITS = 12 };
static struct lock_class *buckets[1 << BUCKET_BITS]; /* under engine_lock, as is the next */
static struct rank_graph graph;

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
    struct lock_class **bucket = &buckets[(key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - BUCKET_BITS)];
    struct lock_class *c = *bucket;
    while (c != NULL && c->key != key)
        c = c->next;
    if (c == NULL && (c = engine_memory(sizeof *c)) != NULL) {
        c->key = key;
        c->made_at = r->made_at;
        c->name = r->name;
        c->kind = r->kind;
        c->next = *bucket;
        *bucket = c;
    }
    return c;
}

unsigned classes_note(const struct edge *fresh, struct class_hint *out) {
    if (fresh->gate_count != 0 || options.hints == 0)
        return 0;
    struct lock_class *from = class_of(edge_from(fresh)), *to = class_of(edge_to(fresh));
    if (from == NULL || to == NULL || from == to ||
        rank_between(&graph, &from->node, &to->node, NULL) != NULL)
        return 0;
    struct class_edge *e = engine_memory(sizeof *e);
    if (e == NULL)
        return 0;
    e->arc.from = &from->node;
    e->arc.to = &to->node;
    e->from_site = fresh->from_site;
    e->to_site = fresh->to_site;
    memcpy(e->thread, fresh->thread, sizeof e->thread);
    e->by_task = fresh->by_task;
    if (!rank_link(&graph, &e->arc) || !rank_way_back(&graph, &e->arc, NULL))
        return 0;
    unsigned count = 0;
    struct rank_arc *arc = e->arc.from->came_by; /* backwards from here; the new one comes last */
    for (struct rank_arc *a = arc; a != NULL; a = a != &e->arc ? a->from->came_by : NULL)
        count++;
    for (unsigned at = count; at-- > 0; arc = arc->from->came_by) {
        const struct class_edge *link = (const struct class_edge *)(const void *)arc;
        const struct lock_class *holder = (const struct lock_class *)(const void *)arc->from;
        if (at >= HINT_ROOM - 1 && at != count - 1)
            continue;
        struct class_hint *hint = &out[at < HINT_ROOM - 1 ? at : HINT_ROOM - 1];
        *hint = (struct class_hint){holder->kind,  holder->name, holder->made_at, link->from_site,
                                    link->to_site, "",           link->by_task};
        memcpy(hint->thread, link->thread, sizeof hint->thread);
    }
    return count;
}

void classes_forget(const void *memory, size_t size) {
    const uint64_t nothing = 0; /* no place, and no name's hash but by a rare chance */
    ilock_take(&engine_lock);
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++)
        for (struct lock_class *c = buckets[i]; c != NULL; c = c->next)
            if (c->name == NULL && c->key - (uintptr_t)memory < size)
                c->key = nothing;
    ilock_give(&engine_lock);
}

void classes_report(const struct class_hint *hints, unsigned count) {
    struct misuse *m = misuse_open("lock-order", NULL, false);
    misuse_hint(m);
    misuse_say(m, "locks of %u kinds are taken in a circle of orders, though never the same ones", count);
    for (unsigned i = 0; i < count && i < HINT_ROOM; i++) {
        const struct class_hint *h = &hints[i];
        if (count > HINT_ROOM && i == HINT_ROOM - 1)
            misuse_note(m, "and so on, over %u orders more, until", count - HINT_ROOM);
        const char *kind = kind_words(h->kind), *name = h->name != NULL ? h->name : "";
        const char *quote = h->name != NULL ? "'" : "";
        misuse_note(
            m,
            h->by_task ? "%s held %s %s%s%s%s%s, taken here" : "thread '%s' held %s %s%s%s%s%s, taken here",
            h->thread, kind[0] == 'a' ? "an" : "a", kind, h->name != NULL ? " " : "", quote, name, quote);
        misuse_place(m, h->from_site);
        misuse_note(m, "and took the next here");
        misuse_place(m, h->to_site);
    }
    misuse_close(m);
}
