/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Hashing, and the two hash tables everything here is made of: an index over records that live elsewhere, and a map
 * from 64-bit keys to 32-bit values. Stands on alloc.h and xxhash. Zeroed tables are valid and empty. Not thread-safe.
 *
 * Cost model. Open addressing with linear probing, at most three quarters full, power-of-two sizes: a hit costs one or
 * two cache lines. Chained tables (uthash) were rejected for the pointer in every record and the malloc behind it. */
#ifndef AGLET_BASE_HASH_H
#define AGLET_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* XXH3, 64 bits: the same on every machine, so it may be stored. */
uint64_t hash_bytes(const void *p, size_t n);
uint64_t hash_string(const char *s);

/* A bijective mix of 64 bits (the finaliser of Stafford's variant 13), and a way to chain it: the same on every machine. */
static inline uint64_t hash_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}
static inline uint64_t hash_add(uint64_t h, uint64_t x) {
    return hash_mix(h * UINT64_C(0x9e3779b97f4a7c15) + x);
}
/* Of n 32-bit words, as in small fixed-size records. */
static inline uint64_t hash_words(const uint32_t *w, size_t n) {
    uint64_t h = n;
    size_t i = 0;
    for (; i + 1 < n; i += 2)
        h = hash_add(h, w[i] | (uint64_t)w[i + 1] << 32);
    return i < n ? hash_add(h, w[i]) : h;
}

/* ---- an index: hash → id of a record that the caller keeps; the caller compares. id 0 is "none". ----
 *     struct index_probe p;
 *     for (p = index_first(&ix, h); p.id; index_next(&ix, &p))
 *         if (same(table[p.id], want)) return p.id;
 *     index_add(&ix, h, new_id);                                                                      */
struct index_slot {
    uint32_t hash, id;
};
struct index {
    struct index_slot *slots;
    uint32_t mask, n; /* size - 1; ids in it */
};
struct index_probe {
    uint32_t id; /* a candidate with this hash, or 0: there is none (any more) */
    uint32_t hash, slot;
};

static inline void index_scan_(const struct index *ix, struct index_probe *p) {
    while (ix->slots[p->slot].id && ix->slots[p->slot].hash != p->hash)
        p->slot = (p->slot + 1) & ix->mask;
    p->id = ix->slots[p->slot].id;
}
static inline struct index_probe index_first(const struct index *ix, uint64_t hash) {
    struct index_probe p = {0, (uint32_t)(hash ^ hash >> 32), 0};
    if (!ix->slots)
        return p;
    p.slot = p.hash & ix->mask;
    index_scan_(ix, &p);
    return p;
}
static inline void index_next(const struct index *ix, struct index_probe *p) {
    p->slot = (p->slot + 1) & ix->mask;
    index_scan_(ix, p);
}
/* Requires id != 0. The same hash may be added many times. */
void index_add(struct index *ix, uint64_t hash, uint32_t id);
void index_clear(struct index *ix); /* keeps the memory, if much of it was in use */
void index_free(struct index *ix);

/* ---- a map from uint64_t to uint32_t; any key, any value ---- */
struct map64_slot {
    uint64_t key;
    uint32_t value, used;
};
struct map64 {
    struct map64_slot *slots;
    uint32_t mask, n;
};

/* The value's place, or NULL when the key is not there. Valid until the next put. */
static inline uint32_t *map64_find(const struct map64 *m, uint64_t key) {
    if (!m->slots)
        return NULL;
    for (uint32_t i = (uint32_t)hash_mix(key) & m->mask; m->slots[i].used; i = (i + 1) & m->mask)
        if (m->slots[i].key == key)
            return &m->slots[i].value;
    return NULL;
}
static inline uint32_t map64_get(const struct map64 *m, uint64_t key, uint32_t otherwise) {
    uint32_t *v = map64_find(m, key);
    return v ? *v : otherwise;
}
/* The key's place, made with value 0 when it is new (*is_new then says so; it may be NULL). Valid until the next put. */
uint32_t *map64_place(struct map64 *m, uint64_t key, bool *is_new);
static inline void map64_put(struct map64 *m, uint64_t key, uint32_t value) {
    *map64_place(m, key, NULL) = value;
}
bool map64_remove(struct map64 *m, uint64_t key); /* was it there? */
void map64_clear(struct map64 *m);                /* keeps the memory, if much of it was in use */
void map64_free(struct map64 *m);
/* All entries, in no order that may be relied on: for (uint32_t i = 0; (s = map64_each(&m, &i));) */
static inline struct map64_slot *map64_each(const struct map64 *m, uint32_t *i) {
    if (m->slots)
        while (*i <= m->mask)
            if (m->slots[(*i)++].used)
                return &m->slots[*i - 1];
    return NULL;
}

/* Two 32-bit halves as a key. */
static inline uint64_t key_pair(uint32_t a, uint32_t b) {
    return (uint64_t)a << 32 | b;
}

#ifdef __cplusplus
}
#endif
#endif
