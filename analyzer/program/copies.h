/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where are things copied that live at their address: locks, conditions, and what contains them?
 * Stands on linked.h. Found by walking the graphs once; no solving needed. */
#ifndef AGLET_PROGRAM_COPIES_H
#define AGLET_PROGRAM_COPIES_H

#include "linked.h"

enum copy_kind {
    COPY_ASSIGNED,
    COPY_PASSED,
    COPY_RETURNED,
    COPY_BYTES /* memcpy and kin */,
    COPY_MOVED /* realloc */,
    COPY_COMPARED
};
struct copied {
    enum copy_kind kind;
    const struct unit *unit;
    uint32_t func;
    ir_loc at;
    const char *type;   /* of the object copied: "struct job" */
    const char *member; /* the path to what may not be copied, ".mu", or "" when it is the object itself */
    ir_loc declared;    /* of that member, in `unit`; 0: none */
    const char *callee; /* BYTES, MOVED, COMPARED */
};

/* Call `found` for each copy in the program. */
void program_copies(const struct program *p, void (*found)(void *data, const struct copied *c), void *data);

#endif
