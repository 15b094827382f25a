/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The syntax of lock expressions: text in, tree out, no names resolved.
 * Stands on base/arena.h. Private to lock_expr.c, lock_expr_parse.c and their tests. */
#ifndef AGLET_PROGRAM_LOCK_EXPR_PARSE_H
#define AGLET_PROGRAM_LOCK_EXPR_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum lock_tree_kind {
    LOCK_TREE_NAME,   /* text, length */
    LOCK_TREE_PARAM,  /* number, from 0: `$1` */
    LOCK_TREE_RESULT, /* `return`, `$return` */
    LOCK_TREE_NUMBER, /* number */
    LOCK_TREE_MEMBER, /* a, text; arrow */
    LOCK_TREE_DEREF,  /* a */
    LOCK_TREE_ADDR,   /* a */
    LOCK_TREE_INDEX,  /* a, b; b NULL: any */
    LOCK_TREE_NOT     /* a */
};
struct lock_tree {
    enum lock_tree_kind kind;
    bool arrow;
    const char *text;
    size_t length;
    int64_t number;
    struct lock_tree *a, *b;
};

/* Returns the tree, or NULL with a sentence in *why. Deep nesting is refused, not followed. */
struct lock_tree *lock_tree_parse(struct arena *arena, const char *text, size_t length, const char **why);

/* Cut text at its top-level commas: the i-th part in *part, *part_length, trimmed. Returns false when there are fewer. */
bool lock_text_part(const char *text, size_t length, unsigned i, const char **part, size_t *part_length);

/* A constant as C code writes one after macro expansion: 0, -1, ((void *)0), true, thrd_success. */
bool lock_text_constant(const char *text, size_t length, int64_t *value);

#endif
