/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the parts of the text form's parser share: text_parse.c reads declarations, text_types.c types,
 * text_body.c graphs.
 * Stands on builder.h and text_lex.h. */
#ifndef AGLET_IR_TEXT_PARSER_H
#define AGLET_IR_TEXT_PARSER_H

#include "../base/hash.h"
#include "../base/intern.h"
#include "builder.h"
#include "text_lex.h"
#include "text_words.h"

/* A function whose body is still to be read. */
struct pending_body {
    ir_func func;
    size_t at; /* the token after its { ; after its locals were read: the one after them */
};

struct parser {
    struct text_error err;
    struct unit_builder *b;
    struct arena arena;
    struct tokens tokens;
    size_t at;
    struct interner names; /* "name" or "name\1nth" */
    struct map64 types; /* class and name → type; class 0: typedefs and builtins, else the kind of its tag */
    struct map64 file_scope;  /* name → global, or function with IS_FUNC */
    struct map64 locals;      /* function and name → var */
    struct map64 block_names; /* of the body being read: name → block + 1 */
    struct index derived;     /* unnamed types by their parts */
    VEC(struct pending_body) bodies;
    VEC(ir_type) laid_out; /* structs whose size and offsets the text leaves to us */
    ir_file main_file;
    uint32_t pointer_size;
    uint32_t nesting;
};
#define IS_FUNC 0x80000000u
/* How deep types, expressions and parentheses may nest in text: an expression that a unit may have is printed with a parenthesis around
 * each operand, and each of its levels is then at most five here. */
#define MAX_NESTING (5u * IR_MAX_EXPR_DEPTH + 500u)
#define LOC_INHERITED UINT32_MAX

static inline const struct unit *unit_of(const struct parser *p) {
    return unit_builder_unit(p->b);
}
static inline const struct token *peek_token(const struct parser *p) {
    return &p->tokens.list.at[p->at];
}

void parser_fail(struct parser *p, const struct token *at, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
bool at_punct(const struct parser *p, const char *text);
bool at_word(const struct parser *p, const char *text);
bool take_punct(struct parser *p, const char *text); /* if it is next */
bool take_word(struct parser *p, const char *text);
void want_punct(struct parser *p, const char *text); /* else an error */
void want_line(struct parser *p);
void skip_lines(struct parser *p);
const struct token *want_name(struct parser *p);
const char *want_string(struct parser *p);
uint32_t want_number(struct parser *p); /* at most UINT32_MAX */
uint32_t name_key(struct parser *p, const struct token *t);
ir_str token_str(struct parser *p, const char *text);
void nest(struct parser *p);
void unnest(struct parser *p);

ir_loc make_loc(struct parser *p, const struct token *t);
ir_loc take_loc(struct parser *p, ir_loc otherwise); /* if one is next */
uint32_t take_flags(struct parser *p, const struct word *words,
                    const char *mark); /* words, each after the mark */

ir_type parse_type(struct parser *p);
uint32_t
tag_kind(const struct parser *p); /* IR_T_STRUCT, IR_T_UNION or IR_T_ENUM when that word is next, else 0 */
/* An unnamed type, one record for equal ones; rec's params are ignored. */
ir_type derived_type(struct parser *p, struct ir_type_rec rec, const ir_type *params, uint32_t n_params);
ir_type builtin_type(struct parser *p, const char *name);
ir_type pointer_type(struct parser *p, ir_type elem);
/* The type of an expression that the text leaves unsaid. */
ir_type inferred_type(struct parser *p, const struct ir_expr_rec *e);
struct ir_range parse_annots(struct parser *p, ir_loc *loc); /* a position may stand before or among them */
ir_func implicit_function(struct parser *p, const struct token *name);

void lay_out_types(struct parser *p); /* the last pass */

/* The locals at the head of a body; then the body itself. */
void parse_locals(struct parser *p, struct pending_body *body);
void parse_body(struct parser *p, const struct pending_body *body);

#endif
