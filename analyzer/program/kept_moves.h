/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which calls suspend a task or bring it to another thread, and which function is a stackless task? For kept.c;
 * the solver asks about the frame. Stands on linked.h and summary.h. */
#ifndef AGLET_PROGRAM_KEPT_MOVES_H
#define AGLET_PROGRAM_KEPT_MOVES_H

#include "linked.h"
#include "summary.h"

/* Fill by function: a call of it may come back on another thread (marked AGLET_MIGRATES, or it calls such a
 * one); every yield in it may (a task entry so marked, or reached from one). Returns whether there is any. */
bool kept_find_moves(const struct program *p, bool *moves, bool *everywhere);
bool kept_yields(const struct program *p, uint32_t func);
/* Marked AGLET_AWAITS. */
bool kept_awaits(const struct program *p, uint32_t func);
bool kept_calls_one(const struct program *p, uint32_t func, const bool *of);
/* The struct that the frame parameter points to. */
ir_type kept_frame_struct(const struct unit *u, ir_var frame);
/* Is the value read from what the frame parameter points to? */
bool kept_from_frame(const struct unit *u, ir_expr value, ir_var frame);
/* Is it the call behind `errno`? */
bool kept_is_errno(const struct program *p, const struct linked_unit *lu, const struct ir_event_rec *call);

#endif
