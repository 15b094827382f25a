/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The entries: a key and bytes each, found by a hash table over the file as it was read. Stands on memo.h. */
#include "memo.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    uint64_t key;
    const unsigned char *at;
    uint32_t size;
    bool used, base;
};

struct memo {
    VEC(struct entry) entries; /* the first is none */
    struct map64 of_key;
    struct arena arena; /* of what was put */
    size_t asked, found, put;
};

/* What one run puts: a program of some six million lines. What comes later is not kept. */
#define MAX_PUT ((size_t)512 << 20)

/* Of the file: it is made and read by one build of the tool on one machine (the cache's key says so), and carries a hash. */
static const char magic[8] = "aglmemo";

struct memo *memo_new(void) {
    struct memo *m = xcalloc(1, sizeof *m);
    (void)vec_add(&m->entries);
    return m;
}

void memo_free(struct memo *m) {
    if (!m)
        return;
    vec_free(&m->entries);
    map64_free(&m->of_key);
    arena_free(&m->arena);
    free(m);
}

static void add(struct memo *m, const struct entry *e) {
    bool fresh;
    uint32_t *slot = map64_place(&m->of_key, e->key, &fresh);
    if (fresh)
        *slot = (uint32_t)m->entries.n;
    if (fresh)
        vec_push(&m->entries, *e);
    else
        m->entries.at[*slot] = *e;
}

bool memo_read(struct memo *m, enum memo_part part, const void *bytes, size_t size) {
    struct bytes_in in = {bytes, (const unsigned char *)bytes + size, false}, first;
    const void *head = get_bytes(&in, sizeof magic);
    if (!head || memcmp(head, magic, sizeof magic) != 0)
        return false;
    first = in;
    for (int pass = 0; pass < 2; pass++) { /* the first only looks */
        in = first;
        while (in.at < in.end && !in.bad) {
            const uint64_t key = get_word(&in);
            const uint32_t n = get_below(&in, UINT32_MAX);
            const unsigned char *at = get_bytes(&in, n);
            if (pass == 1 && !map64_find(&m->of_key, key))
                add(m, &(struct entry){key, at, n, false, part == MEMO_BASE});
        }
        if (in.bad)
            return false;
    }
    return true;
}

void *memo_write(const struct memo *m, enum memo_part part, size_t *size) {
    struct bytes_out out = {0};
    put_bytes(&out, magic, sizeof magic);
    for (size_t i = 1; i < m->entries.n; i++) {
        const struct entry *e = &m->entries.at[i];
        if (!e->used || (part == MEMO_NEWER && e->base))
            continue;
        put_word(&out, e->key);
        put_number(&out, e->size);
        put_bytes(&out, e->at, e->size);
    }
    *size = out.list.n;
    return out.list.at;
}

enum { NEWER_PART = 4, UNUSED_PART = 2 }; /* of the base: with more, a new base is written */

enum memo_change memo_changed(const struct memo *m) {
    size_t base = 0, newer = 0, unused = 0;
    bool same = !m->put;
    for (size_t i = 1; i < m->entries.n; i++) {
        const struct entry *e = &m->entries.at[i];
        base += e->base ? e->size : 0;
        newer += e->used && !e->base ? e->size : 0;
        unused += e->base && !e->used ? e->size : 0;
        same &= e->used || e->base;
    }
    if (newer * NEWER_PART > base || unused * UNUSED_PART > base)
        return MEMO_CHANGED;
    return same ? MEMO_SAME : MEMO_GREW;
}

void memo_counts(const struct memo *m, size_t *asked, size_t *found) {
    *asked = m->asked;
    *found = m->found;
}

bool memo_is_checked(void) {
    static int known = -1;
    if (known < 0) {
        const char *set = getenv("AGLET_CHECK_MEMO");
        known = set && *set && strcmp(set, "0") != 0;
    }
    return known;
}

bool memo_find_fact(struct memo *m, uint64_t key, struct bytes_in *in) {
    const uint32_t *slot = map64_find(&m->of_key, key);
    if (!slot)
        return false;
    struct entry *e = &m->entries.at[*slot];
    e->used = true;
    *in = (struct bytes_in){e->at, e->at + e->size, false};
    return true;
}

bool memo_find(struct memo *m, uint64_t key, struct bytes_in *in) {
    const bool found = memo_find_fact(m, key, in);
    m->asked++;
    m->found += found;
    return found;
}

void memo_compare(struct bytes_in known, const struct bytes_out *now, const char *what, const char *of) {
    const size_t n = (size_t)(known.end - known.at);

    if (n == now->list.n && (!n || !memcmp(known.at, now->list.at, n)))
        return;
    fprintf(stderr, "aglet: %s '%s' came to something else than what is kept of it\n", what, of);
    abort();
}

void memo_put(struct memo *m, uint64_t key, const struct bytes_out *out) {
    if (m->arena.total > MAX_PUT || out->list.n > MAX_PUT)
        return;
    const unsigned char *bytes = out->list.n ? arena_copy(&m->arena, out->list.at, out->list.n) : NULL;
    m->put++;
    add(m, &(struct entry){key, bytes, (uint32_t)out->list.n, true, false});
}
