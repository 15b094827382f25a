/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Cuts the text form into tokens.
 * Stands on text_lex.h; the bytes need not end in NUL. */
#include "text_lex.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct lexer {
    const char *at, *end, *line_start;
    uint32_t line;
    int depth; /* of () and [] */
    bool spaced;
    struct arena *arena;
    struct tokens *out;
    struct text_error *err;
};

void text_fail(struct text_error *err, uint32_t line, uint32_t col, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    int n = snprintf(err->sentence, err->size, "%s:%u:%u: ", err->name, line, col);
    if (n >= 0 && (size_t)n < err->size)
        vsnprintf(err->sentence + n, err->size - (size_t)n, format, ap);
    va_end(ap);
    longjmp(err->on_error, 1);
}

static uint32_t column(const struct lexer *l, const char *at) {
    return (uint32_t)(at - l->line_start) + 1;
}

#define FAIL(l, ...) text_fail((l)->err, (l)->line, column((l), (l)->at), __VA_ARGS__)

static int peek(const struct lexer *l, size_t ahead) {
    return (size_t)(l->end - l->at) > ahead ? (unsigned char)l->at[ahead] : -1;
}

static bool is_letter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static struct token *emit(struct lexer *l, enum token_kind kind) {
    struct token *t = vec_add(&l->out->list);
    t->kind = kind;
    t->line = l->line;
    t->col = column(l, l->at);
    t->spaced = l->spaced;
    t->nth = 1;
    l->spaced = false;
    return t;
}

static int hex_digit(int c) {
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static uint64_t lex_number(struct lexer *l, uint64_t max) {
    uint64_t value = 0, base = 10;
    if (peek(l, 0) == '0' && peek(l, 1) == 'x' && hex_digit(peek(l, 2)) >= 0) {
        base = 16;
        l->at += 2;
    } else if (!is_digit(peek(l, 0))) {
        FAIL(l, "a number is wanted here");
    }
    for (int d; (d = hex_digit(peek(l, 0))) >= 0 && (uint64_t)d < base; l->at++) {
        if (value > (max - (uint64_t)d) / base)
            FAIL(l, "the number is too big");
        value = value * base + (uint64_t)d;
    }
    return value;
}

/* From the opening quote on: the text between, escapes undone. */
static const char *lex_quoted(struct lexer *l) {
    char quote = *l->at++;
    VEC(char) text = {0};
    for (;;) {
        int c = peek(l, 0);
        if (c < 0 || c == '\n') {
            vec_free(&text);
            FAIL(l, "the %c is not closed on this line", quote);
        }
        l->at++;
        if (c == quote)
            break;
        if (c == '\\') {
            c = peek(l, 0);
            l->at += c >= 0;
            if (c == 'n') {
                c = '\n';
            } else if (c == 't') {
                c = '\t';
            } else if (c == 'x' && hex_digit(peek(l, 0)) >= 0 && hex_digit(peek(l, 1)) >= 0) {
                c = hex_digit(peek(l, 0)) * 16 + hex_digit(peek(l, 1));
                l->at += 2;
            } else if (c != '\\' && c != '"' && c != '`') {
                vec_free(&text);
                FAIL(l, "an escape is one of \\n \\t \\\\ \\\" \\` \\xHH");
            }
        }
        if (!c) {
            vec_free(&text);
            FAIL(l, "a NUL may not stand in a string");
        }
        vec_push(&text, (char)c);
    }
    const char *s = arena_strndup(l->arena, text.n ? text.at : "", text.n);
    vec_free(&text);
    return s;
}

static const char *lex_word(struct lexer *l) {
    const char *start = l->at;
    while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
        l->at++;
    return arena_strndup(l->arena, start, (size_t)(l->at - start));
}

static void lex_name(struct lexer *l) {
    struct token *t = emit(l, TOKEN_NAME);
    size_t index = l->out->list.n - 1;
    t->bare = *l->at != '`';
    const char *text = t->bare ? lex_word(l) : lex_quoted(l);
    t = &l->out->list.at[index];
    t->text = text;
    if (peek(l, 0) == '#' && is_digit(peek(l, 1))) {
        l->at++;
        t->nth = (uint32_t)lex_number(l, UINT32_MAX);
        t->bare = false;
    }
}

/* @- or @[file:]line:col[-[line:]col] [macro NAME] */
static void lex_loc(struct lexer *l) {
    struct token_loc *loc = arena_zalloc(l->arena, sizeof *loc);
    emit(l, TOKEN_LOC)->loc = loc;
    l->at++;
    if (peek(l, 0) == '-') {
        l->at++;
        loc->none = true;
        return;
    }
    uint32_t n[3] = {0};
    int k = 0;
    if (peek(l, 0) == '"') {
        loc->has_file = true;
        loc->file_name = lex_quoted(l);
        if (peek(l, 0) != ':')
            FAIL(l, "a position in a file is @\"file\":line:col");
        l->at++;
    }
    do {
        l->at += k ? 1 : 0;
        n[k++] = (uint32_t)lex_number(l, UINT32_MAX);
    } while (k < 3 && peek(l, 0) == ':' && is_digit(peek(l, 1)));
    if (k < 2 || (k == 3 && loc->has_file))
        FAIL(l, "a position is @line:col, @line:col-col, @line:col-line:col or @file:line:col");
    if (k == 3) {
        loc->has_file = true;
        loc->file_number = n[0];
    }
    loc->line = n[k - 2];
    loc->col = n[k - 1];
    if (peek(l, 0) == '-' && is_digit(peek(l, 1))) {
        l->at++;
        loc->end_line = loc->line;
        loc->end_col = (uint32_t)lex_number(l, UINT32_MAX);
        if (peek(l, 0) == ':') {
            l->at++;
            loc->end_line = loc->end_col;
            loc->end_col = (uint32_t)lex_number(l, UINT32_MAX);
        }
    }
    const char *back = l->at;
    while (peek(l, 0) == ' ')
        l->at++;
    if (l->end - l->at > 6 && !memcmp(l->at, "macro ", 6)) {
        l->at += 6;
        while (peek(l, 0) == ' ')
            l->at++;
        if (is_letter(peek(l, 0)))
            loc->macro = lex_word(l);
        else if (peek(l, 0) == '`')
            loc->macro = lex_quoted(l);
        else
            FAIL(l, "the name of a macro is wanted here");
    } else {
        l->at = back;
    }
}

/* @word, @word(raw text), @word"text" */
static void lex_annot(struct lexer *l) {
    size_t index = l->out->list.n;
    emit(l, TOKEN_ANNOT);
    l->at++;
    const char *word = lex_word(l), *args = "";
    if (peek(l, 0) == '"') {
        args = lex_quoted(l);
    } else if (peek(l, 0) == '(') {
        const char *start = ++l->at;
        for (int depth = 1;; l->at++) {
            int c = peek(l, 0);
            if (c < 0 || c == '\n' || c == 0)
                FAIL(l, "the ( of @%s is not closed on this line", word);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (!depth)
                break;
        }
        args = arena_strndup(l->arena, start, (size_t)(l->at - start));
        l->at++;
    }
    l->out->list.at[index].text = word;
    l->out->list.at[index].args = args;
}

static void lex_punct(struct lexer *l) {
    static const char *const two[] = {"...", "->", "==", "!=", "<=", ">=", "<<", ">>", "::", ".."};
    for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
        size_t n = strlen(two[i]);
        if ((size_t)(l->end - l->at) >= n && !memcmp(l->at, two[i], n)) {
            emit(l, TOKEN_PUNCT)->text = two[i];
            l->at += n;
            return;
        }
    }
    static const char one[] = "()[]{}<>.,:=+-*/%&|^~!?";
    int c = peek(l, 0);
    const char *found = c > 0 ? strchr(one, c) : NULL;
    if (!found)
        FAIL(l, c > 32 && c < 127 ? "'%c' means nothing here" : "the byte %d means nothing here", c);
    emit(l, TOKEN_PUNCT)->text = arena_strndup(l->arena, found, 1);
    l->at++;
    if (c == '(' || c == '[')
        l->depth++;
    else if ((c == ')' || c == ']') && l->depth)
        l->depth--;
}

static void end_line(struct lexer *l) {
    struct tokens *out = l->out;
    if (!l->depth && out->list.n && vec_last(&out->list).kind != TOKEN_LINE)
        emit(l, TOKEN_LINE);
}

void text_lex(const char *text, size_t len, struct arena *arena, struct tokens *out, struct text_error *err) {
    struct lexer l = {text, text + len, text, 1, 0, true, arena, out, err};
    while (l.at < l.end) {
        int c = peek(&l, 0), next = peek(&l, 1);
        if (c == '\n') {
            end_line(&l);
            l.line++;
            l.line_start = ++l.at;
            l.spaced = true;
        } else if (c == ';') {
            end_line(&l);
            l.at++;
            l.spaced = true;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            l.at++;
            l.spaced = true;
        } else if (c == '#' || (c == '/' && next == '/')) {
            while (l.at < l.end && *l.at != '\n')
                l.at++;
        } else if (is_letter(c) || c == '`') {
            lex_name(&l);
        } else if (is_digit(c)) {
            size_t index = out->list.n;
            emit(&l, TOKEN_NUMBER);
            uint64_t number = lex_number(&l, UINT64_MAX);
            out->list.at[index].number = number;
        } else if (c == '"') {
            size_t index = out->list.n;
            emit(&l, TOKEN_STRING);
            const char *s = lex_quoted(&l);
            out->list.at[index].text = s;
        } else if (c == '%' && is_digit(next)) {
            size_t index = out->list.n;
            emit(&l, TOKEN_TEMP);
            l.at++;
            uint64_t number = lex_number(&l, UINT32_MAX);
            out->list.at[index].number = number;
        } else if (c == '@' && (is_digit(next) || next == '-' || next == '"')) {
            lex_loc(&l);
        } else if (c == '@' && is_letter(next)) {
            lex_annot(&l);
        } else {
            lex_punct(&l);
        }
    }
    l.depth = 0;
    end_line(&l);
    emit(&l, TOKEN_END);
}
