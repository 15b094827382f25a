/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which locks of one class are taken one inside the other with nothing that says which comes first? Stands on lock_order.h and
 * lock_relation.h; for the rule's hints. */
#include "lock_order.h"

#include "lock_relation.h"

static bool nests(const struct program *p, const struct lock_order *o, const struct order_edge *e) {
    const uint64_t c = order_class(p, e->from);
    const struct thread_context context = threads_context(o->threads, e->func, e->event);

    return c && c == order_class(p, e->to) && !(order_concrete(p, e->from) && order_concrete(p, e->to)) &&
           !(e->from_shared && e->to_shared) && !e->n_gates && threads_beside(o->threads, &context, &context);
}

static bool is_declared(const struct lock_order *o, uint64_t class) {
    for (size_t i = 0; i < o->nested_classes.n; i++)
        if (o->nested_classes.at[i] == class)
            return true;
    return false;
}

/* An edge the other way round through the same member: the child before its parent here, the parent before its child there. */
static const struct order_edge *opposite(const struct program *p, const struct lock_order *o,
                                         const struct order_edge *e) {
    for (size_t i = 0; i < o->edges.n; i++) {
        const struct order_edge *other = &o->edges.at[i];
        if (e->link && other->link == e->link && other->relation != e->relation && nests(p, o, other))
            return other;
    }
    return NULL;
}

void lock_order_find_nestings(struct program *p) {
    struct lock_order *o = p->lock_order;
    struct map64 told = {0};

    for (size_t i = 0; i < o->edges.n; i++) {
        const struct order_edge *e = &o->edges.at[i];
        const struct order_edge *other = NULL;
        bool fresh;
        if (!nests(p, o, e) || is_declared(o, class_key(term_class(&p->paths, e->from))))
            continue;
        if (e->relation == RELATED_DOWN)
            other = opposite(p, o, e);
        if (e->relation != RELATED_NOT && !other)
            continue;
        (void)map64_place(&told, key_pair(e->origin.func, e->origin.loc), &fresh);
        if (fresh)
            vec_push(&o->nestings, ((struct order_nesting){e, other}));
    }
    map64_free(&told);
}
