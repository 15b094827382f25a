/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What does a function leave in its callers' memory by which they tell one return from another? `*overflow = true`, `out->item = item`.
 * Stands on solver.h. Only what lies in an object that a parameter points to: callers name it, and it is theirs to ask. */
#include "solver.h"

#include <string.h>

/* Was nothing put there by this function? */
static bool is_kept(const struct solver *s, term at, term value) {
    return s->t.recs[value].op == TERM_LOAD && s->t.recs[value].a == at;
}

/* The place in the callers' words; 0: none of theirs. */
static term callers_place(struct solver *s, term at) {
    const enum term_op op = s->t.recs[at].op;
    const term path = op == TERM_FIELD || op == TERM_LOAD ? to_path(s, NULL, at, 0) : 0;

    return path && term_at(&s->p->paths, term_object(&s->p->paths, path))->op == TERM_PARAM ? path : 0;
}

/* Two values that differ, or one that is not null where the other return leaves what was there: null, where callers want to know. */
static bool differ(struct range x, bool x_kept, struct range y, bool y_kept) {
    return range_is_empty(range_meet(x, y)) || (x_kept && !y_kept && y.nonzero) ||
           (y_kept && !x_kept && x.nonzero);
}

static bool leaves_other(struct solver *s, const struct exit_record *x, const struct exit_record *y) {
    for (uint32_t i = 0; i < x->w->n_cells; i++) {
        const struct cell c = x->w->cells[i];
        const term there = world_load(&s->t, y->w, c.at);
        if (c.value && c.value != there &&
            differ(world_range(&s->t, x->w, c.value), is_kept(s, c.at, c.value),
                   world_range(&s->t, y->w, there), is_kept(s, c.at, there)) &&
            callers_place(s, c.at))
            return true;
    }
    return false;
}

bool left_apart(const struct solver *s, const struct exit_record *x, const struct exit_record *y) {
    struct solver *terms = (struct solver *)(uintptr_t)s; /* loads are made */

    return leaves_other(terms, x, y) || leaves_other(terms, y, x);
}

/* What all the returns leave there. */
static struct left_value left_at(struct solver *s, const struct exit_record *const *exits, size_t n, term at,
                                 term path) {
    struct left_value left = {path, {INT64_MAX, INT64_MIN, true}, true};

    for (size_t i = 0; i < n; i++) {
        const term value = world_load(&s->t, exits[i]->w, at);
        left.kept &= is_kept(s, at, value);
        left.range = range_hull(left.range, world_range(&s->t, exits[i]->w, value));
    }
    return left;
}

/* Does what is there lead to a lock that the function takes or gives back? */
static bool leads_to_lock(struct solver *s, const struct returns *groups, uint32_t n, term place) {
    const term value = term_make(&s->p->paths, TERM_LOAD, place, 0, 0);

    for (uint32_t g = 0; g < n; g++)
        for (uint32_t i = 0; i < groups[g].of->n_effects; i++)
            if (term_mentions(&s->p->paths, groups[g].of->effects[i].lock, value))
                return true;
    return false;
}

static void keep_left_at(struct solver *s, const struct returns *groups, uint32_t n, term at, term path,
                         bool leads) {
    enum { GROUPS = 8 };
    struct left_value left[GROUPS];
    bool helps = false;

    for (uint32_t g = 0; g < n && n <= GROUPS; g++) {
        left[g] = left_at(s, groups[g].exits, groups[g].n, at, path);
        for (uint32_t k = 0; k < g; k++)
            helps |= (leads && left[g].kept != left[k].kept) ||
                     differ(left[g].range, left[g].kept, left[k].range, left[k].kept);
    }
    for (uint32_t g = 0; helps && g < n; g++)
        if (groups[g].of->n_left < MAX_LEFT && (left[g].kept || !range_is_all(left[g].range)))
            groups[g].of->left[groups[g].of->n_left++] = left[g];
}

void keep_left(struct solver *s, const struct returns *groups, uint32_t n) {
    enum { PLACES = 16 };
    term places[PLACES];
    uint32_t n_places = 0;

    for (int leads = 1; leads >= 0;
         leads--) /* there is room for few: those that lead to the locks matter most */
        for (uint32_t g = 0; g < n; g++)
            for (size_t i = 0; i < groups[g].n; i++)
                for (uint32_t k = 0; k < groups[g].exits[i]->w->n_cells && n_places < PLACES; k++) {
                    const term at = groups[g].exits[i]->w->cells[k].at, path = callers_place(s, at);
                    if (!path || term_in(places, n_places, at) || leads_to_lock(s, groups, n, path) != leads)
                        continue;
                    places[n_places++] = at;
                    keep_left_at(s, groups, n, at, path, leads);
                }
}
