/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Solves each program with nothing assumed, then all of them with what any proposes, until none drops anything.
 * Stands on proposed.h. */
#include "proposed.h"

#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/hash.h"

/* The same member or global has the same key in every program; 0: nobody declares it. */
static uint64_t key_of(const struct program *p, uint32_t item) {
    const struct unit *u;

    if (!(item & ITEM_GLOBAL ? p->globals.at[item & ~ITEM_GLOBAL].unit : p->fields.at[item].unit))
        return 0;
    const ir_loc loc = item_loc(p, item, &u);
    const struct position at = program_position(u, loc);
    return hash_add(hash_add(hash_string(at.file ? at.file : ""), (uint64_t)at.line << 32 | at.col),
                    hash_string(item_name(p, item)));
}

static void solve(struct tried_program *t, const struct program_options *options) {
    struct program_options o = *options;

    if (t->solved)
        program_free_keep_units(t->solved, t->units->units);
    o.whole = t->units->whole;
    o.assumed = t->found.guards.at;
    o.n_assumed = t->found.guards.n;
    t->solved = program_new(&o);
    for (size_t i = 0; i < t->units->n; i++)
        program_add(t->solved, t->units->units[i]);
    program_solve(t->solved);
}

/* The first program that proposes a guard for a member decides by which lock. */
static void collect(struct proposed *of, const struct tried_program *t) {
    for (size_t i = 0; i < t->found.guards.n; i++) {
        const struct assumed_guard *g = &t->found.guards.at[i];
        const uint64_t item = key_of(t->solved, g->item);
        bool known = false;
        for (size_t k = 0; k < of->guards.n && !known; k++)
            known = of->guards.at[k].item == item;
        if (!known)
            vec_push(&of->guards, ((struct proposed_guard){item, key_of(t->solved, g->lock), false}));
    }
}

static uint32_t item_of(const struct map64 *items, uint64_t key) {
    return key ? map64_get(items, key, 0) : 0;
}

/* Assume in t what is not dropped of all guards. Returns whether that is other than it was. */
static bool assume(const struct proposed *of, struct tried_program *t) {
    struct proposals now = {0};
    struct map64 items = {0};

    for (uint32_t i = 1; i < t->solved->fields.n; i++)
        map64_put(&items, key_of(t->solved, i), i);
    for (uint32_t i = 1; i < t->solved->globals.n; i++)
        map64_put(&items, key_of(t->solved, i | ITEM_GLOBAL), i | ITEM_GLOBAL);
    for (size_t i = 0; i < of->guards.n; i++) {
        const struct proposed_guard *g = &of->guards.at[i];
        const uint32_t item = item_of(&items, g->item), lock = item_of(&items, g->lock);
        if (!g->dropped && item && lock)
            vec_push(&now.guards, ((struct assumed_guard){item, lock}));
    }
    map64_free(&items);
    proposals_sort(&now);
    const bool changed = now.guards.n != t->found.guards.n ||
                         (now.guards.n && memcmp(now.guards.at, t->found.guards.at,
                                                 now.guards.n * sizeof *now.guards.at) != 0);
    if (!changed) { /* t->found has the needs, too */
        proposals_free(&now);
        return false;
    }
    proposals_free(&t->found);
    t->found = now;
    return true;
}

/* Drop everywhere what was assumed in t and is dropped there now. */
static void drop_missing(struct proposed *of, const struct tried_program *t,
                         const struct assumed_guard *assumed, size_t n) {
    for (size_t i = 0, kept = 0; i < n; i++) {
        if (kept < t->found.guards.n && t->found.guards.at[kept].item == assumed[i].item) {
            kept++;
            continue;
        }
        for (size_t k = 0; k < of->guards.n; k++)
            if (of->guards.at[k].item == key_of(t->solved, assumed[i].item) && !of->guards.at[k].dropped) {
                of->guards.at[k].dropped = true;
                of->broken++;
            }
    }
}

static void try_out(struct proposed *of, struct tried_program *t) {
    const size_t n = t->found.guards.n;
    struct assumed_guard *assumed = xcalloc(n, sizeof *assumed);

    for (size_t i = 0; i < n; i++)
        assumed[i] = t->found.guards.at[i];
    if (!proposals_broken(t->solved, &t->found))
        proposals_needs(t->solved, &t->found);
    drop_missing(of, t, assumed, n);
    if (n) /* assume() sees by what was solved that there is less to assume now */
        memcpy(t->found.guards.at, assumed, n * sizeof *assumed);
    t->found.guards.n = n;
    free(assumed);
}

void proposed_find(struct proposed *out, struct program_units *programs, size_t n,
                   const struct program_options *options) {
    bool changed;

    out->n = n;
    out->programs = xcalloc(n, sizeof *out->programs);
    for (size_t i = 0; i < n; i++) {
        struct tried_program *t = &out->programs[i];
        t->units = &programs[i];
        solve(t, options);
        proposals_guards(t->solved, &t->found);
        collect(out, t);
        proposals_free(&t->found);
        t->found = (struct proposals){0};
    }
    do {
        changed = false;
        for (size_t i = 0; i < n; i++)
            if (assume(out, &out->programs[i])) {
                changed = true;
                solve(&out->programs[i], options);
                try_out(out, &out->programs[i]);
            }
    } while (changed);
}

void proposed_free(struct proposed *of) {
    for (size_t i = 0; i < of->n; i++) {
        proposals_free(&of->programs[i].found);
        program_free(of->programs[i].solved);
    }
    free(of->programs);
    vec_free(&of->guards);
}
