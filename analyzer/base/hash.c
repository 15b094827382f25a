/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The growing and shrinking halves of the hash tables, and the byte hash.
 * Stands on alloc.h and xxhash's header. */
#include "hash.h"
#include "alloc.h"
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(const void *p, size_t n) {
    return XXH3_64bits(p, n);
}

uint64_t hash_string(const char *s) {
    return XXH3_64bits(s, strlen(s));
}

enum { FIRST_SIZE = 64 };

/* Is there no room for one more in a table of mask + 1 slots? */
static bool full(const void *slots, uint32_t mask, uint32_t n) {
    return !slots || (uint64_t)(n + 1) * 4 > ((uint64_t)mask + 1) * 3;
}

/* So few in so large a table that it is better made anew: one large use would make every later clearing dear. */
static bool sparse(uint32_t mask, uint32_t n) {
    return mask >= 1024 && (uint64_t)n * 16 < mask;
}

static uint32_t next_size(const void *slots, uint32_t mask) {
    if (slots && mask >= UINT32_C(0x7fffffff))
        die("a table of more than 1,610,612,736 entries was asked for");
    return slots ? (mask + 1) * (mask < 4096 ? 4 : 2) : FIRST_SIZE;
}

static void index_put(struct index *ix, uint32_t hash, uint32_t id) {
    uint32_t i = hash & ix->mask;
    while (ix->slots[i].id)
        i = (i + 1) & ix->mask;
    ix->slots[i] = (struct index_slot){hash, id};
}

void index_add(struct index *ix, uint64_t hash, uint32_t id) {
    if (full(ix->slots, ix->mask, ix->n)) {
        struct index old = *ix;
        uint32_t size = next_size(ix->slots, ix->mask);
        ix->slots = xcalloc(size, sizeof *ix->slots);
        ix->mask = size - 1;
        for (uint32_t i = 0; old.slots && i <= old.mask; i++)
            if (old.slots[i].id)
                index_put(ix, old.slots[i].hash, old.slots[i].id);
        free(old.slots);
    }
    index_put(ix, (uint32_t)(hash ^ hash >> 32), id);
    ix->n++;
}

void index_clear(struct index *ix) {
    if (sparse(ix->mask, ix->n))
        index_free(ix);
    else if (ix->n)
        memset(ix->slots, 0, ((size_t)ix->mask + 1) * sizeof *ix->slots);
    ix->n = 0;
}

void index_free(struct index *ix) {
    free(ix->slots);
    *ix = (struct index){0};
}

static struct map64_slot *map64_slot_of(struct map64 *m, uint64_t key) {
    uint32_t i = (uint32_t)hash_mix(key) & m->mask;
    while (m->slots[i].used && m->slots[i].key != key)
        i = (i + 1) & m->mask;
    return &m->slots[i];
}

uint32_t *map64_place(struct map64 *m, uint64_t key, bool *is_new) {
    struct map64_slot *s = m->slots ? map64_slot_of(m, key) : NULL;
    if (is_new)
        *is_new = !s || !s->used;
    if (s && s->used)
        return &s->value;
    if (full(m->slots, m->mask, m->n)) {
        struct map64 old = *m;
        uint32_t size = next_size(m->slots, m->mask);
        m->slots = xcalloc(size, sizeof *m->slots);
        m->mask = size - 1;
        for (uint32_t i = 0; old.slots && i <= old.mask; i++)
            if (old.slots[i].used)
                *map64_slot_of(m, old.slots[i].key) = old.slots[i];
        free(old.slots);
        s = map64_slot_of(m, key);
    }
    *s = (struct map64_slot){key, 0, 1};
    m->n++;
    return &s->value;
}

/* Removal closes the gap it leaves (Knuth, TAOCP vol. 3, 6.4, algorithm R), so that no tombstones pile up. */
bool map64_remove(struct map64 *m, uint64_t key) {
    if (!m->slots)
        return false;
    struct map64_slot *s = map64_slot_of(m, key);
    if (!s->used)
        return false;
    uint32_t hole = (uint32_t)(s - m->slots), i = hole;
    for (;;) {
        i = (i + 1) & m->mask;
        if (!m->slots[i].used)
            break;
        uint32_t home = (uint32_t)hash_mix(m->slots[i].key) & m->mask;
        if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].used = 0;
    m->n--;
    return true;
}

void map64_clear(struct map64 *m) {
    if (sparse(m->mask, m->n))
        map64_free(m);
    else if (m->n)
        memset(m->slots, 0, ((size_t)m->mask + 1) * sizeof *m->slots);
    m->n = 0;
}

void map64_free(struct map64 *m) {
    free(m->slots);
    *m = (struct map64){0};
}
