/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tarjan's algorithm with a path of its own, and beside its stack the nodes in the order in which they were done.
 * Stands on components.h. */
#include "components.h"

#include "vec.h"

struct visit {
    uint32_t node, next;
};

uint32_t components_find(uint32_t n, components_successor *successor, const void *graph, uint32_t *component,
                         uint32_t *order) {
    uint32_t *number = xcalloc((size_t)n + 1, sizeof *number), *low = xcalloc((size_t)n + 1, sizeof *low);
    bool *on_stack = xcalloc((size_t)n + 1, sizeof *on_stack);
    VEC(uint32_t) stack = {NULL, 0, 0}, done = {NULL, 0, 0};
    VEC(struct visit) path = {NULL, 0, 0};
    uint32_t numbers = 0, components = 0, placed = 0, to;

    for (uint32_t root = 0; root < n; root++) {
        if (number[root])
            continue;
        vec_push(&path, ((struct visit){root, 0}));
        while (path.n) {
            struct visit *v = &vec_last(&path);
            const uint32_t node = v->node;
            if (!number[node]) {
                number[node] = low[node] = ++numbers;
                vec_push(&stack, node);
                on_stack[node] = true;
            }
            if (successor(graph, node, v->next++, &to)) {
                if (!number[to])
                    vec_push(&path, ((struct visit){to, 0}));
                else if (on_stack[to] && number[to] < low[node])
                    low[node] = number[to];
                continue;
            }
            vec_push(&done, node);
            if (low[node] == number[node]) {
                size_t members = 0;
                uint32_t member;
                do {
                    member = vec_pop(&stack);
                    on_stack[member] = false;
                    component[member] = components;
                    members++;
                } while (member != node);
                done.n -= members; /* those of components inside are out already */
                memcpy(order + placed, done.at + done.n, members * sizeof *order);
                placed += (uint32_t)members;
                components++;
            }
            (void)vec_pop(&path);
            if (path.n && low[node] < low[vec_last(&path).node])
                low[vec_last(&path).node] = low[node];
        }
    }
    free(number);
    free(low);
    free(on_stack);
    vec_free(&stack);
    vec_free(&done);
    vec_free(&path);
    return components;
}
