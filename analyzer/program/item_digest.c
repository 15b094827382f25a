/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the whole program makes of a member or global. Stands on inputs.h and the tables that are filled before functions are solved. */
#include "inputs.h"
#include "habits.h"

static uint64_t hash_lock(struct lock_kind k, bool recursive, uint64_t lock_in) {
    const uint64_t bits = (uint64_t)k.lock << 5 | (uint64_t)k.rw << 4 | (uint64_t)k.recursive << 3 |
                          (uint64_t)k.async << 2 | (uint64_t)k.spin << 1 | recursive;

    return bits || lock_in ? hash_add(hash_mix(bits + 1), lock_in) : 0;
}

static uint64_t lock_of_field(const struct program *p, uint32_t field) {
    const struct linked_field *f = &p->fields.at[field];

    return hash_lock(f->lock, f->recursive, f->lock_in ? symbol_of_item(p, f->lock_in) : 0);
}

uint64_t struct_digest(const struct program *p, uint32_t number) {
    const struct linked_struct *s = &p->structs.at[number];
    uint64_t sum = s->has_lock;

    for (uint32_t i = s->first_field; i < s->first_field + s->n_fields; i++) {
        const uint64_t lock = lock_of_field(p, i);
        if (lock)
            sum += hash_add(lock, symbol_of_item(p, i));
    }
    return sum;
}

/* The locks that its file defines, in their order: habits count them by it. */
static uint64_t siblings_of_global(struct program *p, uint32_t global) {
    uint32_t locks[MAX_SIBLINGS];
    const uint32_t n = habit_siblings(p, global | ITEM_GLOBAL, locks);
    uint64_t h = n;

    for (uint32_t i = 0; i < n; i++)
        h = hash_add(h, symbol_of_item(p, locks[i]));
    return h;
}

/* Is a lock taken by what is in memory of that class, or does it tell what a thread is in the middle of? */
static unsigned decides(const struct program *p, uint32_t memory, struct object_class c) {
    return (map64_find(&p->lock_deciders, memory) != NULL) << 1 |
           (map64_find(&p->section_flags, class_key(c)) != NULL);
}

static uint64_t digest_anew(struct program *p, uint32_t item) {
    const uint64_t symbol = symbol_of_item(p, item);

    if (item & ITEM_GLOBAL) {
        const uint32_t global = item & ~ITEM_GLOBAL;
        const struct linked_global *g = &p->globals.at[global];
        const uint64_t lock =
            hash_lock(g->lock, g->recursive, g->lock_in ? symbol_of_item(p, g->lock_in) : 0);
        const unsigned bits = decides(p, global << 2 | 2, (struct object_class){.global = global}) << 1 |
                              (global && never_written(p, global));
        return hash_add(hash_add(symbol, lock), hash_add(siblings_of_global(p, global), bits));
    }
    return hash_add(hash_add(symbol, lock_of_field(p, item)),
                    hash_add(struct_digest(p, p->fields.at[item].parent),
                             decides(p, item << 2 | 1, (struct object_class){.field = item}) |
                                 (unsigned)p->fields.at[item].own << 2));
}

uint64_t item_digest(struct program *p, uint32_t item) {
    uint64_t *known;

    if (!p->memo)
        return item;
    if (!p->digests.field) {
        p->digests.field = arena_array(&p->arena, uint64_t, p->fields.n + 1);
        p->digests.global = arena_array(&p->arena, uint64_t, p->globals.n + 1);
    }
    known = item & ITEM_GLOBAL ? &p->digests.global[item & ~ITEM_GLOBAL] : &p->digests.field[item];
    if (!*known)
        *known = digest_anew(p, item) | 1;
    return *known;
}
