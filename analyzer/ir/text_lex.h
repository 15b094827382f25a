/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The text form as tokens. Lines matter: a newline ends a statement, but not inside () and [].
 * Stands on base/arena.h. */
#ifndef AGLET_IR_TEXT_LEX_H
#define AGLET_IR_TEXT_LEX_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include "../base/arena.h"
#include "../base/vec.h"

enum token_kind {
    TOKEN_END,
    TOKEN_LINE, /* one or more newlines, or ; */
    TOKEN_NAME, /* text; `bare` when it stands without backquotes, so it may be a word of the language; nth */
    TOKEN_NUMBER, /* number */
    TOKEN_STRING, /* text */
    TOKEN_TEMP,   /* %3: number */
    TOKEN_LOC,    /* loc */
    TOKEN_ANNOT,  /* @word(args): text = word, args */
    TOKEN_PUNCT   /* text: one or two characters, or "..." */
};

struct token_loc {
    bool none;             /* @- */
    bool has_file;         /* else the main file */
    const char *file_name; /* quoted, or NULL: file_number */
    uint32_t file_number;
    uint32_t line, col, end_line, end_col;
    const char *macro;
};

struct token {
    enum token_kind kind;
    uint32_t line, col;
    bool spaced; /* white space before it */
    bool bare;
    uint32_t nth; /* of name#2; else 1 */
    uint64_t number;
    const char *text, *args;
    struct token_loc *loc;
};

/* What went wrong, and the way out: lexer and parser leave by longjmp(on_error, 1) with the sentence written. */
struct text_error {
    jmp_buf on_error;
    const char *name; /* of the text */
    char *sentence;
    size_t size;
};
void text_fail(struct text_error *err, uint32_t line, uint32_t col, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

struct tokens {
    VEC(struct token) list; /* ends in TOKEN_LINE, TOKEN_END */
};

/* Strings of the tokens live in the arena. */
void text_lex(const char *text, size_t len, struct arena *arena, struct tokens *out, struct text_error *err);

#endif
