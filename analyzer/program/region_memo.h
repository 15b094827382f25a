/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Flows kept from one run to the next (memo.h). Private to region_*.c.
 * Stands on region_flow.h. */
#ifndef AGLET_PROGRAM_REGION_MEMO_H
#define AGLET_PROGRAM_REGION_MEMO_H

#include "memo.h"
#include "region_flow.h"

/* ---- region_seen.c ---- */
/* All that callers are told of a flow while they are solved, as one number; never 0. Two flows of one function that are alike in it
 * make the same of each caller. */
uint64_t region_seen(const struct region_flow *f);
/* Of all that solving the function reads outside it, but for what its entry itself says of members and globals (region_memo.c).
 * 0: it is not kept. */
uint64_t region_key(struct regions *r, uint32_t func);
/* Event numbers of a function count from here, where others speak of them. */
ir_event region_event_base(const struct program *p, uint32_t func);
/* The slot as an item of linked.h. */
static inline uint32_t slot_item(uint32_t slot) {
    return slot & SLOT_GLOBAL ? (slot & ~SLOT_GLOBAL) | ITEM_GLOBAL : slot;
}
static inline uint32_t item_slot(uint32_t item) {
    return item & ITEM_GLOBAL ? (item & ~ITEM_GLOBAL) | SLOT_GLOBAL : item;
}

/* ---- region_write.c, region_read.c ---- */
/* What an entry goes by of a member or global: its classes, whether it is guarded, and, where a pointer is loaded from it, whether the
 * function may write it. */
uint32_t region_item_facts(struct regions *r, uint32_t func, uint32_t slot, bool loaded);
/* As bytes, with f->seen. */
void region_write(struct regions *r, const struct region_flow *f, struct bytes_out *out);
/* NULL: the bytes are of a function that was solved where members were different, or are none. */
struct region_flow *region_read(struct regions *r, uint32_t func, struct bytes_in in);

/* ---- region_memo.c ---- */
/* The function's flow: kept, or solved and kept; with `seen` where anybody asks for it. */
struct region_flow *region_remember(struct regions *r, uint32_t func);

/* How the members of an event differ from those of the event before it: one bit each. */
enum event_part {
    PART_OP = 1,
    PART_INTO = 2,
    PART_LOCKS = 4,
    PART_ACQUIRED = 8,
    PART_ACQUIRED_INSIDE = 16,
    PART_RELEASED = 32,
    PART_TAKES = 64,
    PART_GIVES = 128,
    PART_WAITS = 256,
    PART_AWAITED_AFTER = 512,
    PART_AWAITED_INSIDE = 1024,
    PART_FUNC = 2048,
    PART_SPAWN = 4096, /* there is one */
    PART_EVENT = 8192
};
enum { CALL_LOCKS = 1, CALL_ACQUIRED = 2, CALL_RELEASED = 4, CALL_CLASSES = 8 /* and the next three */ };

#endif
