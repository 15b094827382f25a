/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which files make which program? Told by the build's link commands (programs.c), by what the files define and need
 * (programs_symbols.c), or by name (programs_named.c).
 * Stands on compile_db.h, link_db.h and program/config.h. */
#ifndef AGLET_TOOL_PROGRAMS_H
#define AGLET_TOOL_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include "compile_db.h"
#include "ir/unit.h"
#include "program/config.h"

struct linked_program {
    const char
        *name; /* its path, of the database; or as the configuration names it; NULL: what no program holds */
    bool *in;  /* by row */
    size_t n;  /* rows in it */
    bool complete; /* every object it is made of is a row's */
};

struct linked_programs {
    struct linked_program *at;
    size_t n;                    /* 0: they are not told apart, and all rows are one program */
    struct string_list left_out; /* sentences: what is said of those that are not analysed */
};

/* An executable is a program, with all that it links statically or dynamically; so is a shared library that none of these links. Rows
 * that no program holds are none's. Where programs share so much that each would be solved many times over, the largest are kept, and left_out says so; where
 * there is one that holds all, none. */
struct linked_programs programs_of(const struct compile_db *db);
/* The same, but whatever they share, and also where one holds all: to choose from. */
struct linked_programs programs_linked(const struct compile_db *db);

/* Where no link command is known: each file with a main, and those that define what it needs. None where there is no second main.
 * units[i]: of row i; NULL where it could not be analysed. */
struct linked_programs programs_by_symbols(struct unit *const *units, const struct compile_db *db);

/* Keep the largest, so many that each row is solved four times at most, on average; left_out says which are dropped. */
void programs_bound(struct linked_programs *p, size_t rows);

/* Those that the configuration names. files[i]: the main file of row i of n; NULL where it could not be analysed. */
struct linked_programs programs_named(const struct config *c, const char *const *files, size_t n);

/* Add what is there and no program holds as one more, which is not complete. Nothing where there is no such row, or no program. */
void programs_add_rest(struct linked_programs *p, const bool *there, size_t n);

/* Leave only the program of that name, which may be the end of its path. Returns false, having said what there is, when it is not there
 * or when several end so. */
bool programs_choose(struct linked_programs *p, const char *name);
void programs_say_left_out(const struct linked_programs *p);
void programs_free(struct linked_programs *p);

#endif
