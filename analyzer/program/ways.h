/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What lies on every way through a function? Stands on ir/unit.h. By the graph alone: a branch may go either way, but for one
 * that asks whether a parameter is null. */
#ifndef AGLET_PROGRAM_WAYS_H
#define AGLET_PROGRAM_WAYS_H

#include <stdbool.h>
#include "../ir/unit.h"

#define WAYS_NO_PARAM UINT32_MAX

/* Is some marked block met on every way from the entry of f to a return? Ways on which parameter `param` (from 0) is null are
 * left out. False where no marked block can be reached.
 * Requires  marked has an element for each block of f, from its first. */
bool every_way_meets(const struct unit *u, const struct ir_func_rec *f, const bool *marked, uint32_t param);

/* Has parameter `param` (from 0) the value it was called with, all through the function? False where its address is taken. */
bool param_keeps_value(const struct unit *u, const struct ir_func_rec *f, uint32_t param);

/* Does some way from the entry lead to the block where parameter `param` (from 0) is null? Where it does not keep its value, any way
 * counts. */
bool reached_where_null(const struct unit *u, const struct ir_func_rec *f, uint32_t param, uint32_t block);

/* Does every way out of block `from` (by number in f) to a return meet block `to`? False where no way leads there. */
bool every_way_rejoins(const struct unit *u, const struct ir_func_rec *f, uint32_t from, uint32_t to);

/* The number in f of the block that holds the event; as many as there are blocks where none does. */
uint32_t block_with(const struct unit *u, const struct ir_func_rec *f, ir_event event);

#endif
