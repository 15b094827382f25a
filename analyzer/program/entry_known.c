/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is known, of values that callers can name, where something happens: by that they tell one way through a function from another.
 * Stands on solver.h. */
#include "solver.h"

#include <string.h>

uint32_t add_known(struct solver *s, const struct world *w, struct precondition *when, uint32_t n,
                   uint32_t max) {
    for (uint32_t i = 0; i < w->n_facts; i++) {
        const struct fact f = w->facts[i];
        const enum term_op op = s->t.recs[f.of].op;
        const term path = op == TERM_FRESH || op == TERM_PHI ? 0 : to_path(s, NULL, f.of, 0);
        if (path && n == max)
            return max + 1;
        if (path)
            when[n++] = (struct precondition){path, f.range};
    }
    return n;
}

uint32_t keep_known(struct precondition *when, uint32_t n, const struct precondition *other,
                    uint32_t n_other) {
    for (uint32_t i = 0; i < n; i++) {
        bool known = false;
        for (uint32_t k = 0; k < n_other; k++)
            if (other[k].of == when[i].of) {
                when[i].range = range_hull(when[i].range, other[k].range);
                known = !range_is_all(when[i].range);
            }
        if (!known)
            when[i--] = when[--n];
    }
    return n;
}

void meet_known(struct solver *s, struct entry_known *all, const struct world *w) {
    struct precondition here[MAX_WHEN];
    const uint32_t n = add_known(s, w, here, 0, MAX_WHEN), kept = n > MAX_WHEN ? MAX_WHEN : n;

    if (all->any) {
        all->n = keep_known(all->when, all->n, here, kept);
        return;
    }
    all->any = true;
    all->n = kept;
    memcpy(all->when, here, kept * sizeof *here);
}

/* Is it made of what callers pass, not of memory that may be another by then? */
static bool is_passed(const struct program *p, term path) {
    const struct term_rec *r = term_at(&p->paths, path);

    switch (r->op) {
    case TERM_PARAM:
    case TERM_CONST: return true;
    case TERM_UNARY: return is_passed(p, r->a);
    case TERM_BINARY: return is_passed(p, r->a) && is_passed(p, r->b);
    default: return false;
    }
}

bool told_by_caller(const struct program *p, const struct entry_known *x, const struct entry_known *y) {
    for (uint32_t i = 0; i < x->n; i++)
        for (uint32_t k = 0; k < y->n; k++)
            if (x->when[i].of == y->when[k].of && is_passed(p, x->when[i].of) &&
                range_is_empty(range_meet(x->when[i].range, y->when[k].range)))
                return true;
    return false;
}
