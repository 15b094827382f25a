/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock path under construction: what lock_expr.c and lock_expr_names.c share. Private to them.
 * Stands on lock_expr.h. */
#ifndef AGLET_PROGRAM_LOCK_EXPR_WALK_H
#define AGLET_PROGRAM_LOCK_EXPR_WALK_H

#include "lock_expr.h"

#include <string.h>
#include "../base/arena.h"

enum { MAX_STEPS = 32 };

/* A path under construction, and the type of the place it has reached. */
struct walk {
    const struct lock_context *context;
    struct arena *arena;
    struct lock_path path;
    struct lock_step steps[MAX_STEPS];
    const struct unit *unit; /* of type */
    ir_type type;
    int address; /* how many & stand before the place */
    bool value;  /* what is named need be no lock */
    enum lock_status status;
    const char *why;
};

/* Set the sentence that says what is wrong; false. */
bool walk_wrong(struct walk *w, const char *why);
/* One step further, to a place of this type. */
bool walk_step(struct walk *w, enum lock_step_kind kind, ir_type type);
/* The type behind typedefs and qualifiers. */
ir_type bare_type(const struct unit *u, ir_type t);

/* A name that was written, and the nearest there is. */
struct guess {
    const char *name;
    size_t length;
    const char *best;
    unsigned distance;
};

/* The member `name` of struct t, looking into anonymous members; the steps to it are added. */
bool walk_to_member(struct walk *w, ir_type t, const char *name, size_t length, struct guess *g,
                    unsigned depth);
/* To what the name means here, innermost scope first. */
bool walk_to_name(struct walk *w, const char *text, size_t length);
/* To parameter i of the function, or of what a pointer of this function type points to. */
bool walk_to_parameter(struct walk *w, ir_func f, uint32_t i);
bool walk_to_pointer_parameter(struct walk *w, ir_type function, uint32_t i);
/* The function type behind pointers and typedefs. */
ir_type function_type(const struct unit *u, ir_type t);
/* To what the function returns. */
bool walk_to_result(struct walk *w);

#endif
