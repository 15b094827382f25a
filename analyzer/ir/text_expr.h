/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Expressions of the text form: read into nodes, then built.
 * Stands on text_parser.h. Two steps, because the position that an expression inherits may come from the end of its line. */
#ifndef AGLET_IR_TEXT_EXPR_H
#define AGLET_IR_TEXT_EXPR_H

#include "text_parser.h"

/* An expression as written: op is an IR_E_*, or one of these. */
enum { NODE_NAME = IR_E_OPS, NODE_ARROW };

struct node {
    uint32_t op, code; /* code: unary or binary operator, 1 of a zeroed initialiser */
    struct node *a, *b;
    uint64_t number;           /* CONST; NAME: variable, or function with IS_FUNC */
    const char *text;          /* STRING */
    const struct token *field; /* FIELD, ARROW: a name or a number */
    ir_type holder;            /* FIELD, ARROW: the struct as written in braces, or 0 */
    bool typed;
    ir_type type; /* when typed */
    ir_loc loc;   /* or LOC_INHERITED */
    const struct token *at;
};

/* The body being read. */
struct body {
    struct parser *p;
    ir_func func;
    uint32_t block; /* being filled */
};

struct node *read_expr(struct body *b);
struct node *read_unary(struct body *b);                /* a place before =, or any operand */
struct node *read_primary(struct body *b, bool callee); /* a callee may be a function nobody declared … */
struct node *read_postfix(struct body *b, bool callee); /* … and ends before its ( */

/* Build what was read. around: the position of what holds it. A place where a value is wanted becomes its load, or the
 * address of an array. */
ir_expr build_place(struct body *b, const struct node *n, ir_loc around);
ir_expr build_value(struct body *b, const struct node *n, ir_loc around);

#endif
