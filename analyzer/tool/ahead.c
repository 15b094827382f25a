/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Does early what analyse.c asks for. Stands on ahead.h. */
#include "ahead.h"
#include "moved.h"
#include "base/alloc.h"
#include "program/marks.h"
#include <stdlib.h>

struct ahead {
    struct ignores *ignores;
    struct cache_id *codes;   /* by unit; zero: not yet */
    struct known_steps known; /* of all units as one program */
};

static struct ahead *begin(size_t n) {
    struct ahead *h = xcalloc(1, sizeof *h);
    h->ignores = ignores_new();
    h->codes = xcalloc(n + 1, sizeof *h->codes);
    return h;
}

static void read_ignores(struct ahead *h, const struct analysis *a) {
    for (size_t i = 0; i < a->n; i++)
        if (a->units[i])
            ignores_read_unit(h->ignores, a->units[i]);
}

struct ahead *ahead_new(const struct analysis *a, const char *const *files) {
    struct ahead *h = begin(a->n);
    const bool one = !config_n_programs(a->config) && !(a->programs && a->programs->n);
    read_ignores(h, a);
    for (size_t i = 0; i < a->n; i++)
        if (a->units[i]) {
            h->codes[i] = moved_code(a->units[i]);
            (void)unit_marks(a->units[i]);
        }
    if (one)
        h->known = known_steps_load(a, files, NULL, a->whole);
    return h;
}

size_t ahead_room(const struct ahead *h) {
    return h->known.room;
}

void ahead_free(struct ahead *h) {
    if (!h)
        return;
    ignores_free(h->ignores);
    known_steps_free(&h->known);
    free(h->codes);
    free(h);
}

static struct ahead *ahead_of(struct analysis *a) {
    if (!a->ahead)
        a->ahead = begin(a->n);
    return a->ahead;
}

struct ignores *ahead_ignores(struct analysis *a) {
    read_ignores(ahead_of(a), a);
    return a->ahead->ignores;
}

struct cache_id *ahead_codes(const struct analysis *a) {
    return a->ahead->codes;
}

struct known_steps ahead_steps(const struct analysis *a, const char *const *files, const bool *in,
                               bool whole) {
    struct known_steps known = a->ahead->known;
    if (!known_steps_are(&known, a, files, in, whole))
        return known_steps_load(a, files, in, whole);
    a->ahead->known = (struct known_steps){0};
    return known;
}
