/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The words of the text form, one table for the printer and the parser, so that they cannot disagree.
 * Stands on unit.h. */
#ifndef AGLET_IR_TEXT_WORDS_H
#define AGLET_IR_TEXT_WORDS_H

#include "unit.h"

struct word {
    const char *text;
    uint32_t value;
};

/* Tables end in a NULL text. */
extern const struct word file_words[], type_words[], annot_words[], var_words[], func_words[], event_words[],
    annot_kind_words[], atomic_words[], order_words[], note_words[], unary_words[], binary_words[];

/* The value of a word of this length, or UINT32_MAX; the word of a value, or NULL. */
uint32_t word_value(const struct word *table, const char *text, size_t length);
const char *word_text(const struct word *table, uint32_t value);

/* Must this name stand in backquotes: is it no identifier, or a word that means something else in the text form? */
bool name_needs_quotes(const char *name);

/* The builtin types that need no declaration: their words joined by one space, with their size and flags. */
struct builtin {
    const char *name;
    uint32_t kind, size, flags;
};
const struct builtin *builtin_named(const char *name);
/* Is this a word that such names are made of? */
bool is_builtin_word(const char *text, size_t length);

/* What the type of an expression is when the text does not say: another type, one qualified by flags, a pointer to one, or
 * a builtin. */
struct inferred {
    enum { INFER_SAME, INFER_QUALIFIED, INFER_POINTER_TO, INFER_BUILTIN, INFER_POINTER_TO_BUILTIN } how;
    ir_type type;
    uint32_t flags;
    const char *builtin; /* "void" is the void type */
};
/* A name, a constant or an address: it has no position unless one is written, for whoever uses it has one. */
static inline bool is_leaf(uint32_t op) {
    return op == IR_E_VAR || op == IR_E_CONST || op == IR_E_FLOAT || op == IR_E_STRING || op == IR_E_LABEL ||
           op == IR_E_UNKNOWN || op == IR_E_INIT || op == IR_E_ADDR;
}
struct inferred infer_type(const struct unit *u, const struct ir_expr_rec *e);

/* Through typedefs, qualifiers and _Atomic to what the type is. At most `IR_MAX_TYPE_DEPTH` steps, so it ends on any unit. */
ir_type type_core(const struct unit *u, ir_type t);

#endif
