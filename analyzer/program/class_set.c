/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Sets of lock classes, as short sorted lists.
 * Stands on class_set.h. */
#include "class_set.h"

#include "../base/arena.h"

bool class_set_holds(const struct class_set *x, uint32_t class) {
    uint32_t lo = 0, hi = x->n;

    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (x->at[mid] < class)
            lo = mid + 1;
        else
            hi = mid;
    }
    return x->all || (lo < x->n && x->at[lo] == class);
}

void class_set_add(struct class_set *x, uint32_t class) {
    uint32_t k = x->n;

    if (class_set_holds(x, class))
        return;
    for (; k && x->at[k - 1] > class; k--)
        x->at[k] = x->at[k - 1];
    x->at[k] = class;
    x->n++;
}

bool class_set_meet(struct arena *arena, struct class_set *x, const struct class_set *a,
                    const struct class_set *b) {
    const uint32_t before = x->n;
    uint32_t n = 0;

    if ((a && a->all) || (b && b->all))
        return false;
    if (x->all) {
        *x = (struct class_set){arena_array(arena, uint32_t, (a ? a->n : 0) + (b ? b->n : 0) + 1), 0, false,
                                x->pass};
        for (uint32_t i = 0, k = 0; (a && i < a->n) || (b && k < b->n);) {
            const uint32_t of_a = a && i < a->n ? a->at[i] : UINT32_MAX,
                           of_b = b && k < b->n ? b->at[k] : UINT32_MAX;
            x->at[x->n++] = of_a < of_b ? of_a : of_b;
            i += of_a <= of_b;
            k += of_b <= of_a;
        }
        return true;
    }
    for (uint32_t i = 0; i < before; i++)
        if ((a && class_set_holds(a, x->at[i])) || (b && class_set_holds(b, x->at[i])))
            x->at[n++] = x->at[i];
    x->n = n;
    return n != before;
}
