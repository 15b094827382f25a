/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The inside of deriving traits: the table of answers, and how a type's answer follows from those of its parts. Private to
 * traits.c, traits_derive.c and traits_marks.c.
 * Stands on traits.h. */
#ifndef AGLET_PROGRAM_TRAITS_DERIVE_H
#define AGLET_PROGRAM_TRAITS_DERIVE_H

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/vec.h"
#include "traits.h"

struct node {
    const struct unit *unit;
    ir_type type;
    uint8_t trait, answer;
    bool entered, solved, queued, leaf; /* leaf: it asked nobody whose answer might still change */
    const struct trait_reason *reason;
    uint32_t parents; /* into traits.edges, chained; only while unsolved */
};

struct edge {
    uint32_t parent, next;
};

struct traits {
    const struct models *models;
    const struct unit *(*complete)(void *data, const char *name, ir_type *type);
    void *data;
    struct arena arena;
    struct map64 units;  /* unit's address → its number + 1 */
    struct map64 nodes;  /* unit number, type, trait → node */
    struct map64 counts; /* unit number, type → counter found by use */
    VEC(struct node) node;
    VEC(struct edge) edges;
    VEC(uint32_t) stack, queue;
    uint32_t evaluating; /* the node whose children are being asked for; 0: none */
    bool entering;       /* children are pushed and remember their parent */
};

/* Units are numbered in the order in which they are met. */
uint32_t traits_unit(struct traits *t, const struct unit *u);
/* The answer so far of a part; while nodes are entered, it also notes who asked. */
struct trait_verdict traits_ask(struct traits *t, const struct unit *u, ir_type type, enum trait trait);

/* One step down: what follows from the answers of the parts as they are now. */
struct trait_verdict traits_evaluate(struct traits *t, const struct unit *u, ir_type type, enum trait trait);
/* The same for what is no node: a pointer in a role, a place with annotations, a member, a struct without its marks. */
struct trait_verdict traits_pointer(struct traits *t, const struct unit *u, ir_type pointee, ir_type self,
                                    enum pointer_role role, bool pointee_guarded, enum trait trait);
struct trait_verdict traits_place(struct traits *t, const struct unit *u, ir_type type,
                                  struct ir_range annots, enum trait trait);
struct trait_verdict traits_member(struct traits *t, const struct unit *u, ir_field field, enum trait trait);
struct trait_verdict traits_record(struct traits *t, const struct unit *u, ir_type type, enum trait trait,
                                   bool marks);

/* A type without its typedefs and qualifiers; is one of these const? */
ir_type traits_stripped(const struct unit *u, ir_type type);
bool traits_is_const(const struct unit *u, ir_type type);
/* The first annotation of a kind among `annots`, or NULL. */
const struct ir_annot_rec *traits_annotated(const struct unit *u, struct ir_range annots,
                                            enum ir_annot_kind kind);

#endif
