/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What every part of the text form's parser does: tokens, names, positions, flags, annotations.
 * Stands on text_parser.h. */
#include "text_parser.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- tokens ---- */

void parser_fail(struct parser *p, const struct token *at, const char *format, ...) {
    char text[300];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    text_fail(&p->err, at->line, at->col, "%s", text);
}

bool at_punct(const struct parser *p, const char *text) {
    const struct token *t = peek_token(p);
    return t->kind == TOKEN_PUNCT && !strcmp(t->text, text);
}

bool at_word(const struct parser *p, const char *text) {
    const struct token *t = peek_token(p);
    return t->kind == TOKEN_NAME && t->bare && !strcmp(t->text, text);
}

bool take_punct(struct parser *p, const char *text) {
    bool is = at_punct(p, text);
    p->at += is;
    return is;
}

bool take_word(struct parser *p, const char *text) {
    bool is = at_word(p, text);
    p->at += is;
    return is;
}

void want_punct(struct parser *p, const char *text) {
    if (!take_punct(p, text))
        parser_fail(p, peek_token(p), "'%s' is wanted here", text);
}

void want_line(struct parser *p) {
    if (peek_token(p)->kind == TOKEN_LINE)
        p->at++;
    else if (peek_token(p)->kind != TOKEN_END && !at_punct(p, "}"))
        parser_fail(p, peek_token(p), "the end of the line is wanted here");
}

void skip_lines(struct parser *p) {
    while (peek_token(p)->kind == TOKEN_LINE)
        p->at++;
}

const struct token *want_name(struct parser *p) {
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_NAME)
        parser_fail(p, t, "a name is wanted here");
    p->at++;
    return t;
}

uint32_t want_number(struct parser *p) {
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_NUMBER || t->number > UINT32_MAX)
        parser_fail(p, t, "a number below 4294967296 is wanted here");
    p->at++;
    return (uint32_t)t->number;
}

const char *want_string(struct parser *p) {
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_STRING)
        parser_fail(p, t, "a string is wanted here");
    p->at++;
    return t->text;
}

uint32_t name_key(struct parser *p, const struct token *t) {
    if (t->nth < 2)
        return intern_string(&p->names, t->text) + 1;
    return intern_string(&p->names, arena_printf(&p->arena, "%s\1%u", t->text, t->nth)) + 1;
}

ir_str token_str(struct parser *p, const char *text) {
    return build_str(p->b, text, strlen(text));
}

void nest(struct parser *p) {
    if (++p->nesting > MAX_NESTING)
        parser_fail(p, peek_token(p), "this nests more than %u deep", MAX_NESTING);
}

void unnest(struct parser *p) {
    p->nesting--;
}

/* ---- positions, flags, annotations ---- */

ir_loc make_loc(struct parser *p, const struct token *t) {
    const struct token_loc *l = t->loc;
    if (l->none)
        return 0;
    struct ir_loc_rec rec = {p->main_file, l->line, l->col, l->end_line, l->end_col, 0};
    if (l->file_name)
        rec.file = build_file(p->b, l->file_name, 0, 0);
    else if (l->has_file)
        rec.file = l->file_number;
    if (rec.file >= unit_of(p)->n_files)
        parser_fail(p, t, "there is no file %u: files are numbered from 1 in the order of their 'file' lines",
                    rec.file);
    if (l->macro)
        rec.macro = token_str(p, l->macro);
    return build_loc(p->b, &rec);
}

ir_loc take_loc(struct parser *p, ir_loc otherwise) {
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_LOC)
        return otherwise;
    p->at++;
    return make_loc(p, t);
}

uint32_t take_flags(struct parser *p, const struct word *words, const char *mark) {
    uint32_t flags = 0;
    for (;;) {
        size_t back = p->at;
        if (*mark && !take_punct(p, mark))
            return flags;
        const struct token *t = peek_token(p);
        uint32_t value =
            t->kind == TOKEN_NAME && t->bare ? word_value(words, t->text, strlen(t->text)) : UINT32_MAX;
        if (t->kind == TOKEN_NUMBER && t->number <= UINT32_MAX)
            value = (uint32_t)t->number;
        else if (value == UINT32_MAX) {
            p->at = back;
            return flags;
        }
        flags |= value;
        p->at++;
    }
}

struct ir_range parse_annots(struct parser *p, ir_loc *loc) {
    struct annot_list {
        struct ir_annot_rec rec;
        bool has_loc;
        struct annot_list *next;
    } *first = NULL, **end = &first;
    uint32_t n = 0;
    for (;;) {
        const struct token *t = peek_token(p);
        if (t->kind == TOKEN_LOC) {
            *loc = make_loc(p, t);
            p->at++;
            continue;
        }
        if (t->kind != TOKEN_ANNOT)
            break;
        uint32_t kind = word_value(annot_kind_words, t->text, strlen(t->text));
        if (kind == UINT32_MAX)
            parser_fail(p, t, "'%s' is no annotation", t->text);
        struct annot_list *a = arena_zalloc(&p->arena, sizeof *a);
        a->rec.kind = kind;
        a->rec.args = token_str(p, t->args);
        p->at++;
        if (at_punct(p, "[") && !peek_token(p)->spaced) {
            p->at++;
            a->has_loc = peek_token(p)->kind == TOKEN_LOC;
            a->rec.loc = take_loc(p, 0);
            a->rec.flags = take_flags(p, annot_words, "");
            want_punct(p, "]");
        }
        *end = a;
        end = &a->next;
        n++;
    }
    struct ir_annot_rec *annots = arena_array(&p->arena, struct ir_annot_rec, n);
    for (uint32_t i = 0; i < n; i++, first = first->next) {
        annots[i] = first->rec;
        if (!first->has_loc)
            annots[i].loc = *loc;
    }
    return build_annots(p->b, annots, n);
}
