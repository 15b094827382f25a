/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A graph as people look at it, in Graphviz's language: nodes in boxes, one edge for all that two nodes have with each other, each
 * with the places it was seen at. Stands on base/vec.h.
 *
 * An edge's label holds the first places and how many more there are; its tooltip, which an SVG shows under the mouse, holds all. */
#ifndef AGLET_TOOL_PICTURE_H
#define AGLET_TOOL_PICTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/hash.h"
#include "base/vec.h"

enum picture_look { LOOK_DASHED = 1, LOOK_RED = 2, LOOK_BOLD = 4 };

struct picture_node {
    char *name;    /* as it is shown */
    char *box;     /* the file, or whatever it stands in; or NULL */
    uint32_t same; /* how many before it bear its name: static locks of several files */
    unsigned looks;
    bool drawn;
};
struct picture_edge {
    uint32_t from, to;
    char *places; /* "one, x.c:6", one below the other */
    uint32_t n_places;
    unsigned looks; /* red where one place is, dashed where all are */
};
struct picture {
    VEC(struct picture_node) nodes;
    VEC(struct picture_edge) edges;
    struct map64 node_of, edge_of, named, placed;
};

/* The node with that key; made of a copy of name and box when it is new. */
uint32_t picture_node(struct picture *p, uint64_t key, const char *name, const char *box, unsigned looks);
/* A place that the edge has already is not added again. */
void picture_edge(struct picture *p, uint32_t from, uint32_t to, const char *place, unsigned looks);
/* Print what was drawn, as part of a graph. Names of nodes get `number` where several pictures share one graph (0: the only one); `title`
 * is written around it, or NULL. Then p is empty. */
void picture_print(struct picture *p, FILE *out, unsigned number, const char *title);

#endif
