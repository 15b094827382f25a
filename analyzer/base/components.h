/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The strongly connected components of a directed graph, without recursion.
 * Stands on vec.h. R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1972. */
#ifndef AGLET_BASE_COMPONENTS_H
#define AGLET_BASE_COMPONENTS_H

#include <stdbool.h>
#include <stdint.h>

/* The i-th successor of a node, in *to; false when it has no more. */
typedef bool components_successor(const void *graph, uint32_t node, uint32_t i, uint32_t *to);

/* Ensures   component[v], for each node v < n, is the number of its component: those it leads to have smaller ones; order holds
 *           the nodes by component, in each as a search in depth is done with them: after those they lead to, but
 *           where that closes a circle.
 * Returns   how many components there are. */
uint32_t components_find(uint32_t n, components_successor *successor, const void *graph, uint32_t *component,
                         uint32_t *order);

#endif
