/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Hash-consed bit sets, copied where they are written to. Stands on mods.h. */
#include "mods.h"

#include <string.h>
#include "../base/alloc.h"

#define PART_BYTES (MODS_PART / 8)

void mods_init(struct mods_maker *m, struct arena *arena, uint32_t n_bits) {
    memset(m, 0, sizeof *m);
    m->arena = arena;
    m->n_parts = n_bits / MODS_PART + 1;
    m->now = xcalloc(m->n_parts, sizeof *m->now);
    m->own = xcalloc(m->n_parts, sizeof *m->own);
    vec_push(&m->parts, NULL); /* number 0 is none */
    vec_push(&m->sets, NULL);
}

void mods_free(struct mods_maker *m) {
    free(m->now);
    free(m->own);
    index_free(&m->part_index);
    index_free(&m->set_index);
    vec_free(&m->parts);
    vec_free(&m->sets);
}

void mods_begin(struct mods_maker *m, mod_set from) {
    for (uint32_t i = 0; i < m->n_parts; i++)
        m->now[i] = from ? from[i] : NULL;
}

/* Part i, to be written to. */
static uint64_t *own_part(struct mods_maker *m, uint32_t i) {
    if (m->now[i] == m->own[i])
        return m->own[i];
    if (m->now[i])
        memcpy(m->own[i], m->now[i], PART_BYTES);
    else
        memset(m->own[i], 0, PART_BYTES);
    m->now[i] = m->own[i];
    return m->own[i];
}

void mods_add(struct mods_maker *m, uint32_t bit) {
    const uint32_t i = bit / MODS_PART;
    const uint64_t one = UINT64_C(1) << bit % 64;

    if (!m->now[i] || !(m->now[i][bit % MODS_PART / 64] & one))
        own_part(m, i)[bit % MODS_PART / 64] |= one;
}

void mods_join(struct mods_maker *m, mod_set other) {
    for (uint32_t i = 0; other && i < m->n_parts; i++) {
        uint64_t *mine, more = 0;
        if (!other[i] || other[i] == m->now[i])
            continue;
        if (!m->now[i]) {
            m->now[i] = other[i];
            continue;
        }
        for (uint32_t k = 0; k < MODS_PART / 64; k++)
            more |= other[i][k] & ~m->now[i][k];
        if (!more)
            continue;
        mine = own_part(m, i);
        for (uint32_t k = 0; k < MODS_PART / 64; k++)
            mine[k] |= other[i][k];
    }
}

static const uint64_t *shared_part(struct mods_maker *m, const uint64_t *part) {
    const uint64_t hash = hash_bytes(part, PART_BYTES);
    struct index_probe probe;

    for (probe = index_first(&m->part_index, hash); probe.id; index_next(&m->part_index, &probe))
        if (!memcmp(m->parts.at[probe.id], part, PART_BYTES))
            return m->parts.at[probe.id];
    index_add(&m->part_index, hash, (uint32_t)m->parts.n);
    vec_push(&m->parts, arena_copy(m->arena, part, PART_BYTES));
    return vec_last(&m->parts);
}

mod_set mods_end(struct mods_maker *m) {
    const size_t size = m->n_parts * sizeof *m->now;
    struct index_probe probe;
    bool any = false;
    uint64_t hash;

    for (uint32_t i = 0; i < m->n_parts; i++) {
        if (m->now[i] == m->own[i])
            m->now[i] = shared_part(m, m->own[i]);
        any |= m->now[i] != NULL;
    }
    if (!any)
        return NULL;
    hash = hash_bytes(m->now, size);
    for (probe = index_first(&m->set_index, hash); probe.id; index_next(&m->set_index, &probe))
        if (!memcmp(m->sets.at[probe.id], m->now, size))
            return m->sets.at[probe.id];
    index_add(&m->set_index, hash, (uint32_t)m->sets.n);
    vec_push(&m->sets, arena_copy(m->arena, m->now, size));
    return vec_last(&m->sets);
}
