/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Makes units: the calls by which the frontend (and the text parser) fills the tables of unit.h.
 * Stands on unit.h; callable from C++. Out of memory ends the process with a sentence (base/alloc.h). */
#ifndef AGLET_IR_BUILDER_H
#define AGLET_IR_BUILDER_H

#include "unit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A unit under construction. Strings, locations, files and expressions-without-location are interned (equal ones share an
 * index); records of one range (a struct's fields, a call's arguments) are given together as an array. */
struct unit_builder;

struct unit_builder *unit_builder_new(void);
/* Ends the building: sorts what must be in order and gives the unit to the caller; the builder is freed.
 * Ensures  unit_check passes on the result; a violation is a bug of the caller and ends the process, naming it. */
struct unit *unit_builder_finish(struct unit_builder *b);
/* The same for input that may be wrong (the text form): NULL, and the sentence of unit_check in *wrong, for a bad unit. */
struct unit *unit_builder_try_finish(struct unit_builder *b, const char **wrong);
void unit_builder_free(struct unit_builder *b); /* drop it unfinished; NULL is fine */
/* The tables as they are so far: read only; moves at the next call. */
const struct unit *unit_builder_unit(const struct unit_builder *b);
void unit_builder_set_origin(struct unit_builder *b, const char *main_file, const char *directory,
                             const char *target, const char *producer, uint32_t pointer_size);

ir_str build_str(struct unit_builder *b, const char *s, size_t len);
ir_file build_file(struct unit_builder *b, const char *path, uint32_t flags, uint64_t hash);
ir_loc build_loc(struct unit_builder *b, const struct ir_loc_rec *loc);
ir_expr build_expr(struct unit_builder *b, const struct ir_expr_rec *e);
struct ir_range build_expr_refs(struct unit_builder *b, const ir_expr *refs, uint32_t n);
struct ir_range build_type_refs(struct unit_builder *b, const ir_type *refs, uint32_t n);
struct ir_range build_annots(struct unit_builder *b, const struct ir_annot_rec *a, uint32_t n);
void build_note(struct unit_builder *b, enum ir_note_kind kind, const char *text, ir_loc loc);

/* Types may refer to types not described yet: reserve, then define. A type reserved and never defined stays unknown. */
ir_type build_type_reserve(struct unit_builder *b);
void build_type_define(struct unit_builder *b, ir_type t, const struct ir_type_rec *rec);
/* Fields of one struct, in order. Sets .parent. Returns the range to put into the type's record. */
struct ir_range build_fields(struct unit_builder *b, ir_type parent, const struct ir_field_rec *f,
                             uint32_t n);

void build_field_update(struct unit_builder *b, ir_field f,
                        const struct ir_field_rec *rec); /* .parent stays */

ir_var build_global(struct unit_builder *b, const struct ir_var_rec *v);
/* Replace a global's record (a later declaration added a definition, a type or annotations). */
void build_global_update(struct unit_builder *b, ir_var v, const struct ir_var_rec *rec);

/* A function is declared once, with its parameters (their .func is set), updated when more is known, and given a graph at most once. */
ir_func build_function(struct unit_builder *b, const struct ir_func_rec *f, const struct ir_var_rec *params,
                       uint32_t n_params);
void build_function_update(struct unit_builder *b, ir_func f,
                           const struct ir_func_rec *rec); /* ranges of rec other than annots are ignored */
void build_param_update(struct unit_builder *b, ir_func f, uint32_t index, const struct ir_var_rec *rec);

/* A local outside its graph: for a static local that the initialisers of globals name before its function is lowered. */
ir_var build_local(struct unit_builder *b, ir_func f, const struct ir_var_rec *v);

/* A graph: begin; locals, blocks and events in any order of blocks; end. One at a time per builder, no nesting.
 * Blocks are numbered from 0 within the graph until graph_end gives them their place in the table; the first made is the entry.
 * Blocks that no path from the entry reaches are dropped at the end. A block with no terminator is IR_TERM_UNREACHABLE. */
void graph_begin(struct unit_builder *b, ir_func f);
ir_var graph_local(struct unit_builder *b,
                   const struct ir_var_rec *v); /* local, static local or temp; .func is set */
void graph_local_update(struct unit_builder *b, ir_var v, const struct ir_var_rec *rec);
uint32_t graph_block(struct unit_builder *b);
void graph_event(struct unit_builder *b, uint32_t block, const struct ir_event_rec *ev);
/* succs[i].block are graph-local block numbers. Requires that the block has no terminator yet. */
void graph_terminate(struct unit_builder *b, uint32_t block, enum ir_term_kind term, ir_expr cond,
                     const struct ir_succ_rec *succs, uint32_t n_succs, ir_loc loc);
bool graph_terminated(const struct unit_builder *b, uint32_t block);
void graph_end(struct unit_builder *b);

#ifdef __cplusplus
}
#endif
#endif
