/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A graph that knows at once whether a new arc closes a circle. Stands on nothing; its owner locks.
 *
 * Cost model. Every node has a rank, and arcs go from lower to higher ranks; an arc that fits cannot close a
 * circle and costs two comparisons. One that does not fit is looked at among the nodes ranked between its
 * ends only, and these get their ranks anew (Pearce and Kelly, "A dynamic topological sort algorithm for
 * directed acyclic graphs", 2006). Arcs that closed a circle stand against the ranks; while there is one, a
 * way back may lead over it, and each new arc looks at all that is to be reached. The plain way, to look at
 * all of it for each arc, took seconds from a thousand locks on. Zero is an empty graph and a lone node. */
#ifndef AGLET_SRC_CHECKED_RANKS_H
#define AGLET_SRC_CHECKED_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rank_arc;

struct rank_node {
    struct rank_arc *out, *in;
    struct rank_arc *came_by;    /* of the last search: how it was reached */
    struct rank_node *next_seen; /* and which was reached after it */
    int64_t rank;                /* 0: it has no arcs */
    int64_t next_rank;
    uint32_t mark; /* the search that saw it last */
    uint32_t note; /* for the owner's searches */
};

struct rank_arc {
    struct rank_node *from, *to;
    struct rank_arc *next_out, *next_in, **link_out, **link_in;
    struct rank_arc *next_pair; /* in its bucket of rank_graph */
    bool against;               /* it goes to a lower rank: it closed a circle when it came */
};

enum { RANK_PAIR_BITS = 16 };

struct rank_graph {
    int64_t lowest, highest;
    uint32_t search;                             /* the number of the last one */
    unsigned against;                            /* arcs against the ranks */
    struct rank_arc *pairs[1 << RANK_PAIR_BITS]; /* arcs by the two nodes they join */
};

/* Put an arc with `from` and `to` set, two different nodes, into the graph. Returns whether there is a way
 * back from `to` to `from`. */
bool rank_link(struct rank_graph *g, struct rank_arc *arc);

/* The next arc from one node to the other after `arc`, or the first after NULL; NULL after the last. */
struct rank_arc *rank_between(const struct rank_graph *g, const struct rank_node *from,
                              const struct rank_node *to, const struct rank_arc *arc);

/* Take it out. Its memory is the caller's again. */
void rank_unlink(struct rank_graph *g, struct rank_arc *arc);

/* The shortest way from arc->to to arc->from of arcs each of which may follow the one before it (all may,
 * where `follows` is NULL). Returns whether there is one; from arc->from it then goes backwards by came_by,
 * and ends with the arc itself. */
bool rank_way_back(struct rank_graph *g, struct rank_arc *arc,
                   bool (*follows)(const struct rank_arc *before, const struct rank_arc *next));

#endif
