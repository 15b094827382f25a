/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the halves of the text form's printer share: text_print_expr.c prints names, types and expressions, text_print.c
 * what they stand in. Stands on text_words.h. */
#ifndef AGLET_IR_TEXT_PRINTER_H
#define AGLET_IR_TEXT_PRINTER_H

#include "../base/hash.h"
#include "text.h"
#include "text_words.h"

struct printer {
    const struct unit *u;
    FILE *out;
    unsigned parts;
    ir_file main_file; /* positions in it do not name it */
    ir_type
        *canon; /* the first type equal to this one, structs and named types being equal to themselves only */
    struct index canons; /* over canon */
    uint32_t *type_nth;  /* which of the types of this kind and name: 1, 2 … */
    uint32_t *var_nth, *func_nth;
    ir_func func;                         /* being printed */
    struct map64 file_names, local_names; /* name → how many */
};

void put(struct printer *p, const char *s);
void put_quoted(struct printer *p, const char *s, char quote);
void put_name(struct printer *p, const char *name, uint32_t nth);
/* Flags as words, each after a space and `mark`; what has no word as a number. */
void put_flags(struct printer *p, const struct word *words, uint32_t flags, const char *mark);
void put_loc(struct printer *p, ir_loc at);
/* The position of a declaration or event, after a space: nothing when there is none. */
void put_own_loc(struct printer *p, ir_loc at);
void put_annots(struct printer *p, struct ir_range annots, ir_loc of);

bool is_named_type(uint32_t kind);
bool is_standard_builtin(const struct unit *u, const struct ir_type_rec *t);
/* The first type equal to this one: structs and other named types are equal to themselves only. */
ir_type canon_of(struct printer *p, ir_type t);
void put_type(struct printer *p, ir_type t);

void put_var(struct printer *p, ir_var v);
/* ATOM: an operand, so anything but a name or a postfix form stands in parentheses. around: the position not repeated. */
enum { WHOLE = 0, ATOM = 1 };
void put_expr(struct printer *p, ir_expr e, ir_loc around, int as);

#endif
