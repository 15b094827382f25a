/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Places: made once each, compared by number, said in a caller's words, printed.
 * Stands on region.h. */
#include <stdio.h>
#include <string.h>
#include "../base/alloc.h"
#include "region.h"

/* Not stored, and asked for at every step. */
static uint64_t hash_of(enum place_op op, uint32_t a, uint32_t b) {
    const uint64_t h = key_pair(a, b) * UINT64_C(0x9e3779b97f4a7c15) + (uint32_t)op;

    return (h ^ h >> 32) * UINT64_C(0x94d049bb133111eb);
}

/* Of a flow that was read: most are never asked for another place. */
static void index_places(struct region_flow *f) {
    for (uint32_t i = 1; i < f->n_places; i++)
        index_add(&f->place_index, hash_of((enum place_op)f->places[i].op, f->places[i].a, f->places[i].b),
                  i);
}

place_id place_make(struct region_flow *f, enum place_op op, uint32_t a, uint32_t b) {
    for (place_id p = 1; op == PLACE_PARAM && p < f->n_places && f->places[p].op == PLACE_PARAM; p++)
        if (f->places[p].a == a && f->places[p].b == b) /* these are made first of all */
            return p;
    const uint64_t hash = hash_of(op, a, b);
    if (!f->place_index.slots && f->n_places)
        index_places(f);
    for (struct index_probe p = index_first(&f->place_index, hash); p.id; index_next(&f->place_index, &p))
        if (f->places[p.id].op == op && f->places[p.id].a == a && f->places[p.id].b == b)
            return p.id;
    if (f->n_places == f->cap_places) {
        f->cap_places = f->cap_places ? 2 * f->cap_places : 64;
        f->places = xrealloc(f->places, f->cap_places * sizeof *f->places);
    }
    if (!f->n_places)
        f->places[f->n_places++] = (struct place){0, 0, 0};
    f->places[f->n_places] = (struct place){op, a, b};
    index_add(&f->place_index, hash, f->n_places);
    return f->n_places++;
}

uint32_t place_slot(const struct region_flow *f, place_id p) {
    for (unsigned depth = 0; p && depth < 32; depth++) {
        const struct place *at = &f->places[p];
        if (at->op == PLACE_FIELD)
            return at->b;
        if (at->op == PLACE_GLOBAL)
            return SLOT_GLOBAL | at->a;
        if (at->op == PLACE_PHI) {
            size_t i = 0;
            while (i < f->phis.n && f->phis.at[i].phi != p)
                i++;
            p = i < f->phis.n ? f->phis.at[i].source : 0;
        } else if (at->op == PLACE_INDEX || at->op == PLACE_DEREF || at->op == PLACE_LOADED) {
            p = at->a;
        } else {
            return 0;
        }
    }
    return 0;
}

bool place_is_own(const struct region_flow *f, place_id p) {
    for (unsigned depth = 0; p && depth < 32; depth++) {
        enum place_op op = (enum place_op)f->places[p].op;
        if (op == PLACE_LOCAL || op == PLACE_HEAP)
            return true;
        if (op != PLACE_FIELD && op != PLACE_INDEX && op != PLACE_DEREF && op != PLACE_LOADED)
            return false;
        p = f->places[p].a;
    }
    return false;
}

/* Element `which` of what begins at p; of an array that begins at an element itself: some element. */
static place_id element_of(struct region_flow *f, place_id p, uint32_t which) {
    bool element = f->places[p].op == PLACE_INDEX;
    return place_make(f, PLACE_INDEX, element ? f->places[p].a : p, element ? 0 : which);
}

/* An element in another function's words: which one a local names is not known there. */
static uint32_t said_elsewhere(uint32_t which) {
    return which & PLACE_BY_VAR ? 0 : which;
}

place_id place_rebase(const struct region_flow *from, place_id p, place_id root, struct region_flow *to,
                      place_id region) {
    struct place chain[24];
    unsigned n = 0;
    for (; p && p != root; p = from->places[p].a) {
        enum place_op op = (enum place_op)from->places[p].op;
        bool step = op == PLACE_FIELD || op == PLACE_INDEX || op == PLACE_DEREF || op == PLACE_LOADED;
        if (!step || n == sizeof chain / sizeof *chain)
            return 0;
        chain[n++] = from->places[p];
    }
    place_id out = p ? region : 0;
    while (n-- && out) {
        enum place_op op = chain[n].op == PLACE_LOADED ? PLACE_DEREF : (enum place_op)chain[n].op;
        uint32_t which = from == to ? chain[n].b : said_elsewhere(chain[n].b);
        out = op == PLACE_INDEX ? element_of(to, out, which)
                                : place_make(to, op, out, op == PLACE_DEREF ? 0 : chain[n].b);
    }
    return out;
}

place_id place_object(const struct region_flow *f, place_id p) {
    while (p && (f->places[p].op == PLACE_FIELD || f->places[p].op == PLACE_INDEX))
        p = f->places[p].a;
    return p;
}

bool place_within(const struct region_flow *f, place_id p, place_id object) {
    while (p && p != object && (f->places[p].op == PLACE_FIELD || f->places[p].op == PLACE_INDEX))
        p = f->places[p].a;
    return p && p == object;
}

place_id place_translate(const struct region_flow *from, place_id p, struct region_flow *to,
                         const region_value *args, uint32_t n_args) {
    struct place chain[24];
    unsigned n = 0;
    for (; p; p = from->places[p].a) {
        enum place_op op = (enum place_op)from->places[p].op;
        if (op != PLACE_FIELD && op != PLACE_INDEX && op != PLACE_DEREF)
            break;
        if (n == sizeof chain / sizeof *chain)
            return 0;
        chain[n++] = from->places[p];
    }
    if (!p)
        return 0;
    place_id out = 0;
    if (from->places[p].op == PLACE_PARAM && from->places[p].a < n_args &&
        VALUE_KIND(args[from->places[p].a]) == VALUE_POINTER)
        out = VALUE_ITEM(args[from->places[p].a]);
    else if (from->places[p].op == PLACE_GLOBAL)
        out = place_make(to, PLACE_GLOBAL, from->places[p].a, 0);
    while (n-- && out) {
        uint32_t which = from == to ? chain[n].b : said_elsewhere(chain[n].b);
        out = chain[n].op == PLACE_INDEX ? element_of(to, out, which)
                                         : place_make(to, (enum place_op)chain[n].op, out, chain[n].b);
    }
    return out;
}

int place_print(const struct region_flow *f, place_id p, char *out, size_t size) {
    const struct unit *u = f->unit->unit;
    const struct place *at = &f->places[p];
    char inner[300];
    bool pointer;
    uint32_t holder = map64_get(&f->names, p, 0);
    if (holder)
        return snprintf(out, size, "*%s", unit_str(u, u->vars[holder - 1].name));
    switch ((enum place_op)at->op) {
    case PLACE_LOCAL:
        return snprintf(out, size, "%s",
                        *unit_str(u, u->vars[at->a].name) ? unit_str(u, u->vars[at->a].name) : "it");
    case PLACE_GLOBAL: return snprintf(out, size, "%s", f->p->globals.at[at->a].name);
    case PLACE_PARAM: {
        const struct ir_func_rec *rec = &u->funcs[f->p->funcs.at[f->func].func];
        const char *name =
            at->a < rec->params.count ? unit_str(u, u->vars[rec->params.first + at->a].name) : "";
        return snprintf(out, size, "*%s", *name ? name : "argument");
    }
    case PLACE_FIELD:
        place_print(f, at->a, inner, sizeof inner);
        pointer = *inner == '*';
        return snprintf(out, size, "%s%s%s", inner + pointer,
                        !*f->p->fields.at[at->b].name ? ""
                        : pointer                     ? "->"
                                                      : ".",
                        f->p->fields.at[at->b].name);
    case PLACE_INDEX:
        place_print(f, at->a, inner, sizeof inner);
        pointer = *inner == '*';
        if (at->b & PLACE_BY_VAR && *unit_str(u, u->vars[at->b & ~PLACE_BY_VAR].name))
            return snprintf(out, size, "%s[%s]", inner + pointer,
                            unit_str(u, u->vars[at->b & ~PLACE_BY_VAR].name));
        return place_element(at) ? snprintf(out, size, "%s[%u]", inner + pointer, at->b - 1)
                                 : snprintf(out, size, "%s[...]", inner + pointer);
    case PLACE_DEREF:
    case PLACE_LOADED: place_print(f, at->a, inner, sizeof inner); return snprintf(out, size, "*%s", inner);
    case PLACE_PHI: return snprintf(out, size, "*%s", unit_str(u, u->vars[at->b].name));
    case PLACE_HEAP:
    case PLACE_RESULT:
    case PLACE_ARG:
    case PLACE_NONE: break;
    }
    return snprintf(out, size, "*object");
}
