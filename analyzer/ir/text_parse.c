/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads units in the text form (docs/text-form.md): declarations; text_body.c reads the graphs.
 *
 * Passes. Names may be used before they are declared, and the tables must come out in the order of the text,
 * so that printing gives the text again: (1) reserve every named type; (2) read all declarations, skipping
 * bodies; (3) read the locals of all bodies, for the initialisers may name a static local of any; (4) read
 * the bodies; (5) lay out the structs that say no size. Stands on builder.h and text_lex.h. */
#include "text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text_parser.h"

/* ---- declarations ---- */

static ir_type reserved_type(struct parser *p, uint32_t class, const struct token *name) {
    return map64_get(&p->types, key_pair(class, name_key(p, name)), 0);
}

static void parse_fields(struct parser *p, ir_type parent, struct ir_type_rec *rec, bool sized) {
    struct field_list {
        struct ir_field_rec rec;
        struct field_list *next;
    } *first = NULL, **end = &first;
    uint32_t n = 0;
    bool placed = sized;
    skip_lines(p);
    while (!take_punct(p, "}")) {
        struct field_list *f = arena_zalloc(&p->arena, sizeof *f);
        const struct token *name = want_name(p);
        want_punct(p, ":");
        f->rec.name = token_str(p, name->text);
        f->rec.type = parse_type(p);
        if (take_word(p, "at")) {
            f->rec.bit_offset = want_number(p);
            placed = true;
        }
        if (take_word(p, "bits"))
            f->rec.bit_width = want_number(p);
        f->rec.annots = parse_annots(p, &f->rec.loc);
        want_line(p);
        skip_lines(p);
        *end = f;
        end = &f->next;
        n++;
    }
    struct ir_field_rec *fields = arena_array(&p->arena, struct ir_field_rec, n ? n : 1);
    for (uint32_t i = 0; i < n; i++, first = first->next)
        fields[i] = first->rec;
    rec->fields = build_fields(p->b, parent, fields, n);
    if (!placed)
        vec_push(&p->laid_out, parent);
}

static void parse_tag(struct parser *p, uint32_t kind) {
    const struct token *name = want_name(p);
    ir_type t = reserved_type(p, kind, name);
    struct ir_type_rec rec = {.kind = kind, .name = token_str(p, name->text)};
    bool sized = take_word(p, "size");
    if (sized)
        rec.size = want_number(p);
    rec.flags = take_flags(p, type_words, "");
    rec.annots = parse_annots(p, &rec.loc);
    if (kind != IR_T_ENUM && take_punct(p, "{"))
        parse_fields(p, t, &rec, sized);
    else if (kind != IR_T_ENUM)
        rec.flags |= IR_TF_INCOMPLETE;
    build_type_define(p->b, t, &rec);
}

static void parse_typedef(struct parser *p) {
    const struct token *name = want_name(p);
    struct ir_type_rec rec = {.kind = IR_T_TYPEDEF, .name = token_str(p, name->text)};
    want_punct(p, "=");
    rec.elem = parse_type(p);
    rec.flags = take_flags(p, type_words, "");
    rec.annots = parse_annots(p, &rec.loc);
    build_type_define(p->b, reserved_type(p, 0, name), &rec);
}

static void parse_builtin(struct parser *p) {
    const struct token *name = want_name(p);
    struct ir_type_rec rec = {.name = token_str(p, name->text)};
    rec.kind = take_word(p, "float") ? IR_T_FLOAT : IR_T_INT;
    if (rec.kind == IR_T_INT && !take_word(p, "int"))
        parser_fail(p, peek_token(p), "'int' or 'float' is wanted here");
    if (take_word(p, "size"))
        rec.size = want_number(p);
    rec.flags = take_flags(p, type_words, "");
    rec.annots = parse_annots(p, &rec.loc);
    build_type_define(p->b, reserved_type(p, 0, name), &rec);
}

static void declare(struct parser *p, const struct token *name, uint32_t what) {
    bool is_new;
    uint32_t *place = map64_place(&p->file_scope, name_key(p, name), &is_new);
    if (!is_new)
        parser_fail(p, name, "'%s' is declared twice: a second one is written %s#2", name->text, name->text);
    *place = what;
}

static void parse_global(struct parser *p, uint32_t flags) {
    struct ir_var_rec v = {.flags = flags};
    if (take_word(p, "static"))
        v.flags |= IR_VF_STATIC;
    const struct token *name = want_name(p);
    v.name = token_str(p, name->text);
    want_punct(p, ":");
    v.type = parse_type(p);
    v.flags |= take_flags(p, var_words, "");
    v.annots = parse_annots(p, &v.loc);
    declare(p, name, build_global(p->b, &v));
}

struct param_list {
    struct ir_var_rec rec;
    const struct token *name;
    struct param_list *next;
};

static struct param_list *parse_params(struct parser *p, uint32_t *n, uint32_t *flags) {
    struct param_list *first = NULL, **end = &first;
    want_punct(p, "(");
    for (*n = 0; !take_punct(p, ")"); (*n)++) {
        if (*n)
            want_punct(p, ",");
        if (take_punct(p, "...")) {
            *flags |= IR_FF_VARIADIC;
            want_punct(p, ")");
            break;
        }
        struct param_list *v = arena_zalloc(&p->arena, sizeof *v);
        if (peek_token(p)->kind == TOKEN_NAME && p->tokens.list.at[p->at + 1].kind == TOKEN_PUNCT &&
            !strcmp(p->tokens.list.at[p->at + 1].text, ":")) {
            v->name = want_name(p);
            v->rec.name = token_str(p, v->name->text);
            want_punct(p, ":");
        }
        v->rec.type = parse_type(p);
        v->rec.flags = take_flags(p, var_words, "");
        v->rec.annots = parse_annots(p, &v->rec.loc);
        *end = v;
        end = &v->next;
    }
    return first;
}

/* To the token after the } that closes the { just taken. */
static void skip_body(struct parser *p) {
    for (uint32_t depth = 1; depth;) {
        const struct token *t = peek_token(p);
        if (t->kind == TOKEN_END)
            parser_fail(p, t, "a { is not closed");
        depth += at_punct(p, "{") ? 1 : 0;
        depth -= at_punct(p, "}") ? 1 : 0;
        p->at++;
    }
}

static void parse_function(struct parser *p) {
    struct ir_func_rec f = {.flags = take_flags(p, func_words, "")};
    const struct token *name = want_name(p);
    uint32_t n;
    f.name = token_str(p, name->text);
    struct param_list *first = parse_params(p, &n, &f.flags);
    struct ir_var_rec *params = arena_array(&p->arena, struct ir_var_rec, n ? n : 1);
    ir_type *types = arena_array(&p->arena, ir_type, n ? n : 1);
    uint32_t i = 0;
    for (struct param_list *v = first; v; v = v->next, i++) {
        params[i] = v->rec;
        types[i] = v->rec.type;
    }
    if (take_word(p, "type")) {
        f.type = parse_type(p);
    } else {
        struct ir_type_rec rec = {.kind = IR_T_FUNCTION,
                                  .flags = f.flags & IR_FF_VARIADIC ? IR_TF_VARIADIC : 0};
        rec.elem = take_punct(p, "->") ? parse_type(p) : builtin_type(p, "void");
        f.type = derived_type(p, rec, types, n);
    }
    if (take_word(p, "as"))
        f.asm_name = token_str(p, want_string(p));
    f.annots = parse_annots(p, &f.loc);
    ir_func id = build_function(p->b, &f, params, n);
    declare(p, name, id | IS_FUNC);
    ir_var param = unit_of(p)->funcs[id].params.first;
    for (struct param_list *v = first; v; v = v->next, param++) {
        if (!v->name)
            continue;
        bool is_new;
        uint32_t *place = map64_place(&p->locals, key_pair(id, name_key(p, v->name)), &is_new);
        if (!is_new)
            parser_fail(p, v->name, "'%s' is declared twice in this function", v->name->text);
        *place = param;
    }
    ir_loc end = 0;
    if (take_punct(p, "{")) {
        struct pending_body body = {id, p->at};
        vec_push(&p->bodies, body);
        skip_body(p);
        end = take_loc(p, 0);
    } else if (take_word(p, "ends")) {
        end = take_loc(p, 0);
    }
    struct ir_func_rec rec = unit_of(p)->funcs[id];
    rec.body_end = end;
    build_function_update(p->b, id, &rec);
}

ir_func implicit_function(struct parser *p, const struct token *name) {
    ir_func id = build_function(p->b, &(struct ir_func_rec){.name = token_str(p, name->text)}, NULL, 0);
    declare(p, name, id | IS_FUNC);
    return id;
}

static void parse_note(struct parser *p) {
    const struct token *kind = want_name(p);
    uint32_t value = word_value(note_words, kind->text, strlen(kind->text));
    if (value == UINT32_MAX)
        parser_fail(p, kind, "a note is one of 'error' and 'incomplete'");
    const char *text = want_string(p);
    build_note(p->b, value, text, take_loc(p, 0));
}

/* ---- passes ---- */

/* unit, directory, target, producer, pointer, file lines; the main file exists after it. */
static void parse_origin(struct parser *p) {
    const char *unit = "", *directory = "", *target = "", *producer = "";
    p->pointer_size = 8;
    for (;;) {
        skip_lines(p);
        if (take_word(p, "unit")) {
            unit = want_string(p);
        } else if (take_word(p, "directory")) {
            directory = want_string(p);
        } else if (take_word(p, "target")) {
            target = want_string(p);
        } else if (take_word(p, "producer")) {
            producer = want_string(p);
        } else if (take_word(p, "pointer")) {
            p->pointer_size = want_number(p);
        } else if (take_word(p, "file")) {
            const struct token *at = peek_token(p);
            const char *path = want_string(p);
            uint32_t flags = take_flags(p, file_words, "");
            uint64_t hash = 0;
            if (take_word(p, "hash")) {
                if (peek_token(p)->kind != TOKEN_NUMBER)
                    parser_fail(p, peek_token(p), "a number is wanted here");
                hash = peek_token(p)->number;
                p->at++;
            }
            uint32_t before = unit_of(p)->n_files;
            ir_file f = build_file(p->b, path, flags, hash);
            if (f != before)
                parser_fail(p, at, "the file \"%s\" is listed twice", path);
            if ((flags & IR_FILE_MAIN) && !p->main_file)
                p->main_file = f;
        } else {
            break;
        }
        want_line(p);
    }
    if (!p->main_file && unit_of(p)->n_files == 1)
        p->main_file = build_file(p->b, *unit ? unit : "unit", IR_FILE_MAIN, 0);
    unit_builder_set_origin(p->b, unit, directory, target, producer, p->pointer_size);
}

/* Names of types that the text describes, in its order. */
static void reserve_types(struct parser *p) {
    size_t start = p->at;
    uint32_t depth = 0;
    bool fresh = true;
    for (; peek_token(p)->kind != TOKEN_END; p->at++) {
        if (fresh && !depth) {
            uint32_t tag = tag_kind(p);
            bool plain = at_word(p, "typedef") || at_word(p, "builtin");
            if ((tag || plain) && p->tokens.list.at[p->at + 1].kind == TOKEN_NAME) {
                const struct token *name = &p->tokens.list.at[p->at + 1];
                bool is_new;
                uint32_t *place = map64_place(&p->types, key_pair(tag, name_key(p, name)), &is_new);
                if (!is_new)
                    parser_fail(p, name, "'%s' is described twice: a second one is written %s#2", name->text,
                                name->text);
                *place = build_type_reserve(p->b);
            }
        }
        depth += at_punct(p, "{") ? 1 : 0;
        if (at_punct(p, "}"))
            depth -= depth ? 1 : 0;
        fresh = peek_token(p)->kind == TOKEN_LINE;
    }
    p->at = start;
}

static void parse_declarations(struct parser *p) {
    for (skip_lines(p); peek_token(p)->kind != TOKEN_END; skip_lines(p)) {
        uint32_t tag = tag_kind(p);
        if (tag) {
            p->at++;
            parse_tag(p, tag);
        } else if (take_word(p, "typedef")) {
            parse_typedef(p);
        } else if (take_word(p, "builtin")) {
            parse_builtin(p);
        } else if (take_word(p, "global")) {
            parse_global(p, IR_VF_DEFINED);
        } else if (take_word(p, "extern")) {
            parse_global(p, 0);
        } else if (take_word(p, "func")) {
            parse_function(p);
        } else if (take_word(p, "note")) {
            parse_note(p);
        } else {
            parser_fail(p, peek_token(p),
                        "a declaration is wanted here: struct, union, enum, typedef, builtin, global, "
                        "extern, func or note");
        }
        if (peek_token(p)->kind != TOKEN_END && peek_token(p)->kind != TOKEN_LINE)
            parser_fail(p, peek_token(p), "the end of the line is wanted here");
    }
}

static void parse(struct parser *p, const char *text, size_t len) {
    text_lex(text, len, &p->arena, &p->tokens, &p->err);
    parse_origin(p);
    reserve_types(p);
    parse_declarations(p);
    for (size_t i = 0; i < p->bodies.n; i++)
        parse_locals(p, &p->bodies.at[i]);
    for (size_t i = 0; i < p->bodies.n; i++)
        parse_body(p, &p->bodies.at[i]);
    lay_out_types(p);
}

struct unit *unit_parse(const char *name, const char *text, size_t len, char *err, size_t err_size) {
    struct parser *p = xcalloc(1, sizeof *p);
    struct unit *u = NULL;
    if (err_size)
        *err = 0;
    p->err.name = name;
    p->err.sentence = err;
    p->err.size = err_size;
    p->b = unit_builder_new();
    if (!setjmp(p->err.on_error)) {
        parse(p, text, len);
        const char *wrong = NULL;
        u = unit_builder_try_finish(p->b, &wrong);
        p->b = NULL;
        if (!u)
            snprintf(err, err_size, "%s:1:1: %s", name, wrong);
    }
    unit_builder_free(p->b);
    arena_free(&p->arena);
    vec_free(&p->tokens.list);
    vec_free(&p->bodies);
    vec_free(&p->laid_out);
    intern_free(&p->names);
    map64_free(&p->types);
    map64_free(&p->file_scope);
    map64_free(&p->locals);
    map64_free(&p->block_names);
    index_free(&p->derived);
    free(p);
    return u;
}
