/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which files make which program? Told by the build's link commands.
 * Stands on compile_db.h and link_db.h. */
#ifndef AGLET_TOOL_PROGRAMS_H
#define AGLET_TOOL_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include "compile_db.h"

struct linked_program {
    const char *name; /* its path; of the database */
    bool *in;         /* by row */
    size_t n;         /* rows in it */
    bool complete;    /* every object it is made of is a row's */
};

struct linked_programs {
    struct linked_program *at;
    size_t n; /* 0: they are not told apart, and all rows are one program */
};

/* An executable is a program, with all that it links statically or dynamically; so is a shared library that none of these links. Rows
 * that no program holds are none's. Where programs share so much that each would be solved many times over, which is said, or
 * where there is one that holds all, they are not told apart. */
struct linked_programs programs_of(const struct compile_db *db);
void programs_free(struct linked_programs *p);

#endif
