/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Interned strings.
 * Stands on arena.h and hash.h. */
#include "intern.h"
#include "alloc.h"
#include <stdlib.h>
#include <string.h>

uint32_t intern_find(const struct interner *in, const char *s, size_t length) {
    if (!length)
        return 0;
    struct index_probe p;
    for (p = index_first(&in->index, hash_bytes(s, length)); p.id; index_next(&in->index, &p))
        if (in->strings[p.id].length == length && !memcmp(in->strings[p.id].text, s, length))
            return p.id;
    return UINT32_MAX;
}

uint32_t intern(struct interner *in, const char *s, size_t length) {
    uint32_t id = intern_find(in, s, length);
    if (id != UINT32_MAX)
        return id;
    if (length > UINT32_MAX - 1)
        die("a string of %zu bytes is too long", length);
    if (in->n + 1 >= in->cap) {
        in->cap = in->cap ? in->cap * 2 : 64;
        in->strings = xrealloc(in->strings, in->cap * sizeof *in->strings);
    }
    if (!in->n)
        in->strings[in->n++] = (struct interned){"", 0};
    uint64_t hash = hash_bytes(s, length);
    in->strings[in->n] = (struct interned){arena_strndup(&in->arena, s, length), (uint32_t)length};
    index_add(&in->index, hash, in->n);
    return in->n++;
}

uint32_t intern_string(struct interner *in, const char *s) {
    return intern(in, s, strlen(s));
}

const char *intern_text(const struct interner *in, uint32_t id) {
    return id ? in->strings[id].text : "";
}

void intern_free(struct interner *in) {
    arena_free(&in->arena);
    index_free(&in->index);
    free(in->strings);
    *in = (struct interner){0};
}
