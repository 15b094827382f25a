/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The engine's one header for its hosts (plugin and tool): units in, solved program, findings out.
 * The facts that rules read are in the headers beside this one, each named by the question it answers. */
#ifndef AGLET_PROGRAM_PROGRAM_H
#define AGLET_PROGRAM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include "../ir/unit.h"
#include "../report/finding.h"

#ifdef __cplusplus
extern "C" {
#endif

struct program;
struct memo;   /* program/memo.h: what earlier runs solved */
struct models; /* program/models.h: what functions we cannot edit do */

/* A guard taken as if it were written: numbers of linked.h, which are the same in every program of the same units. */
struct assumed_guard {
    uint32_t item, lock; /* items (linked.h): a member and a lock of the same struct, or two globals */
};

struct program_options {
    int level;  /* 1 default, 2 strict */
    bool whole; /* the units are the whole program (lint); false: one unit of an open program (plugin) */
    const struct models *models;         /* not owned; NULL: the models compiled in */
    const char *const *rules;            /* ids to run, NULL-terminated; NULL: all */
    const struct assumed_guard *assumed; /* not owned; n_assumed of them */
    size_t n_assumed;
    struct memo *
        memo; /* not owned; NULL: everything is solved. Made with these very options, and by this very tool */
};

/* Returns a program with no units. The options are copied, what they point to is not. */
struct program *program_new(const struct program_options *options);
/* Takes ownership of u. */
void program_add(struct program *p, struct unit *u);
/* The same, with a hash of all that the unit says: what is solved from it may be kept in the memo. */
void program_add_known(struct program *p, struct unit *u, uint64_t id);
/* Link, build the call graph, solve to a fixpoint. After it the facts can be read and nothing more be added. */
void program_solve(struct program *p);
/* Run the rules chosen in the options over a solved program; errors in annotations (a lock that names nothing …) are added too, always. */
void program_check(const struct program *p, struct report *out);
/* The processor time of each phase of program_solve, in their order; *n of them. */
struct program_phase {
    const char *name;
    double seconds;
};
/* How many calls go through a pointer, and for how many of them it is known what they may run. */
void program_indirect_calls(const struct program *p, size_t *calls, size_t *resolved);
/* How many groups of locks were so entangled that the search for lock-order cycles was ended in them: there may be more cycles. */
size_t program_cycles_cut_short(const struct program *p);
const struct program_phase *program_phases(const struct program *p, size_t *n);
void program_free(struct program *p);
/* The same, but hand the units back, in the order in which they were added; `out` has room for them all. */
void program_free_keep_units(struct program *p, struct unit **out);

#ifdef __cplusplus
}
#endif
#endif
