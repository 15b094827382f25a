/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The inside of a walk: where it is, and what is known on all ways it takes. Private to boundary_walk.c, boundary_known.c
 * and boundary_loops.c.
 * Stands on boundary_walk.h and region_flow.h. */
#ifndef AGLET_PROGRAM_BOUNDARY_WALKER_H
#define AGLET_PROGRAM_BOUNDARY_WALKER_H

#include "boundary_walk.h"
#include "region_flow.h"

struct walker {
    struct walk *w;
    const struct region_flow *f;
    const struct unit *u;
    const struct ir_func_rec *fr;
    bool *seen, *stops; /* by block; stops: the head of a loop that joins, however often it turns */
    uint64_t *acquired; /* by block: at its start */
    uint64_t now;
    bool *moved_at,
        moved; /* by block, and now: on every way there the variable has changed that names the region's element */
    bool began; /* the hand-off itself lies behind */
    VEC(uint32_t) work;
    place_id object;              /* that the region lies in */
    struct lifted_touches lifted; /* of that object */
    struct {
        uint32_t var;
        bool result; /* it holds what the call that hands over returned … */
        int64_t is;  /* … else this */
    } constants[4];  /* locals that hold one value all the way */
    uint32_t n_constants;
};

static inline const struct ir_block_rec *walker_block(const struct walker *k, uint32_t b) {
    return &k->u->blocks[k->fr->blocks.first + b];
}

static inline uint32_t walker_successor(const struct walker *k, const struct ir_block_rec *b, uint32_t i) {
    return k->u->succs[b->succs.first + i].block - k->fr->blocks.first;
}

/* Region events of the IR event ev. */
static inline void walker_events(const struct walker *k, ir_event ev, size_t *from, size_t *to) {
    *from = k->f->first[ev - k->f->first_event];
    *to = k->f->first[ev - k->f->first_event + 1];
}

enum join_match { JOIN_OTHER, JOIN_THIS, JOIN_MAYBE };
/* Is the thread that e joins the one that the walk began with? */
enum join_match walker_join(const struct walker *k, const struct region_event *e);

/* ---- boundary_known.c ---- */
/* The local that the event gives a value to; 0: none that can be told. */
uint32_t walker_written_var(const struct unit *u, const struct ir_event_rec *r);
/* Can the result that the hand-off needs also take the given side of the branch? */
bool result_agrees(const struct result_when *when, const struct branch_fact *b, bool taken);
/* put(job); result = 0; out: … if (result) free(job): what the hand-off and all that
 * surely follows it leave in locals that nothing sets later. */
void walker_find_constants(struct walker *k, uint32_t start);
/* Do the constants, or the result with which the hand-off worked, decide the condition? */
bool walker_decides(const struct walker *k, ir_expr condition, bool *holds);
/* job = NULL; … free(job): is a local that is null on all ways an argument of the call that e stands in? */
bool walker_gives_null(const struct walker *k, const struct region_event *e);

/* ---- boundary_loops.c ---- */
/* Mark the heads of the loops that wait, and that the hand-off is outside of. */
void walker_find_loops(const struct walker *k, uint32_t start_block);

#endif
