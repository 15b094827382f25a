/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which events of a unit is a pass over all events about? One byte for each, and the members and globals that are read or whose address is
 * taken, so that a pass over a program looks at no more than it needs to: its units are tens of megabytes, which it would wait for.
 * Stands on ir/unit.h alone, so that it can be made while other files are still being parsed.
 *
 * A mark says that an event may be such a one: who asks looks again. An event without it is none. */
#ifndef AGLET_PROGRAM_MARKS_H
#define AGLET_PROGRAM_MARKS_H

#include "linked.h"

enum event_mark {
    MARK_FLOW =
        1, /* a call, an atomic, assembly; names a function, or moves what may hold one; writes to a global or a part of it */
    MARK_SETS =
        2, /* a store, an atomic or a call that writes a member, or all of a variable that is no function's own */
    MARK_OBJECT =
        4, /* moves what may be a struct, or a lock of any type, by value; calls memcpy, memmove or memcmp */
    MARK_OWN = 8 /* writes an object's address to a member of its own */
};

struct unit_marks {
    uint8_t *events; /* by ir_event: enum event_mark */
    ir_expr *loaded,
        *addressed; /* places: each member, and each variable, that something loads from or takes the address of, once */
    uint32_t n_loaded, n_addressed;
};

/* Made when it is first asked for, and kept as long as the unit, which is complete. Not for two threads at once. */
const struct unit_marks *unit_marks(const struct unit *u);

/* May a value of the type be a function's address, or lead to one? */
bool may_hold_function(const struct unit *u, ir_type t);

#endif
