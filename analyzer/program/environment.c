/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What all functions are solved in: facts of the whole program that no function's own key tells (memo.h). Stands on memo.h and the
 * tables that are filled before functions are solved. Sums, where a table has no order that is the same in every program. */
#include "lock_facts.h"
#include "memo.h"

static uint64_t hash_annots(const struct unit *u, struct ir_range annots) {
    uint64_t h = annots.count;

    for (uint32_t i = annots.first; i < annots.first + annots.count; i++)
        h = hash_add(h, hash_add(key_pair(u->annots[i].kind, u->annots[i].flags),
                                 hash_string(unit_str(u, u->annots[i].args))));
    return h;
}

/* Members and globals of which something is said. */
static uint64_t hash_items(const struct program *p) {
    uint64_t sum = 0;

    for (size_t i = 1; i < p->fields.n; i++) {
        const struct linked_field *f = &p->fields.at[i];
        const struct unit *u = f->unit->unit;
        const struct ir_range annots = u->fields[f->field].annots;
        if (annots.count || f->guard || f->pointee_guard)
            sum += hash_add(hash_add(symbol_of_item(p, (uint32_t)i), hash_annots(u, annots)),
                            (uint64_t)(f->guard != NULL) << 1 | (f->pointee_guard != NULL));
    }
    for (size_t i = 1; i < p->globals.n; i++) {
        const struct linked_global *g = &p->globals.at[i];
        const struct unit *u = g->unit->unit;
        const struct ir_range annots = u->vars[g->var].annots;
        if (annots.count || g->guard || g->pointee_guard)
            sum += hash_add(hash_add(symbol_of_item(p, (uint32_t)i | ITEM_GLOBAL), hash_annots(u, annots)),
                            (uint64_t)(g->guard != NULL) << 1 | (g->pointee_guard != NULL));
    }
    return sum;
}

uint64_t memo_environment(const struct program *p) {
    uint64_t h = key_pair((uint32_t)p->options.level,
                          (uint32_t)p->options.whole << 2 | (uint32_t)p->has_spawn << 1 | p->nonblocking);

    h = hash_add(h, p->options.n_assumed);
    h = hash_add(h, p->symbols.shared);
    return hash_add(h, hash_items(p));
}
