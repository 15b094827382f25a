/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads units in the text form (docs/text-form.md): declarations; text_body.c reads the graphs.
 *
 * Passes. Names may be used before they are declared, and the tables must come out in the order of the text, so that
 * printing gives the text again: (1) reserve every named type; (2) read all declarations, skipping bodies; (3) read the
 * locals of all bodies, for the initialisers may name a static local of any; (4) read the bodies; (5) lay out the structs
 * that say no size. Stands on builder.h and text_lex.h. */
#include "text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text_parser.h"

/* ---- tokens ---- */

void parser_fail(struct parser *p, const struct token *at, const char *format, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    text_fail(&p->err, at->line, at->col, "%s", text);
}

bool at_punct(const struct parser *p, const char *text)
{
    const struct token *t = peek_token(p);
    return t->kind == TOKEN_PUNCT && !strcmp(t->text, text);
}

bool at_word(const struct parser *p, const char *text)
{
    const struct token *t = peek_token(p);
    return t->kind == TOKEN_NAME && t->bare && !strcmp(t->text, text);
}

bool take_punct(struct parser *p, const char *text)
{
    bool is = at_punct(p, text);
    p->at += is;
    return is;
}

bool take_word(struct parser *p, const char *text)
{
    bool is = at_word(p, text);
    p->at += is;
    return is;
}

void want_punct(struct parser *p, const char *text)
{
    if (!take_punct(p, text))
        parser_fail(p, peek_token(p), "'%s' is wanted here", text);
}

void want_line(struct parser *p)
{
    if (peek_token(p)->kind == TOKEN_LINE)
        p->at++;
    else if (peek_token(p)->kind != TOKEN_END && !at_punct(p, "}"))
        parser_fail(p, peek_token(p), "the end of the line is wanted here");
}

void skip_lines(struct parser *p)
{
    while (peek_token(p)->kind == TOKEN_LINE)
        p->at++;
}

const struct token *want_name(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_NAME)
        parser_fail(p, t, "a name is wanted here");
    p->at++;
    return t;
}

uint32_t want_number(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_NUMBER || t->number > UINT32_MAX)
        parser_fail(p, t, "a number below 4294967296 is wanted here");
    p->at++;
    return (uint32_t)t->number;
}

static const char *want_string(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_STRING)
        parser_fail(p, t, "a string is wanted here");
    p->at++;
    return t->text;
}

uint32_t name_key(struct parser *p, const struct token *t)
{
    if (t->nth < 2)
        return intern_string(&p->names, t->text) + 1;
    return intern_string(&p->names, arena_printf(&p->arena, "%s\1%u", t->text, t->nth)) + 1;
}

ir_str token_str(struct parser *p, const char *text)
{
    return build_str(p->b, text, strlen(text));
}

void nest(struct parser *p)
{
    if (++p->nesting > MAX_NESTING)
        parser_fail(p, peek_token(p), "this nests more than %u deep", MAX_NESTING);
}

void unnest(struct parser *p)
{
    p->nesting--;
}

/* ---- positions, flags, annotations ---- */

ir_loc make_loc(struct parser *p, const struct token *t)
{
    const struct token_loc *l = t->loc;
    if (l->none)
        return 0;
    struct ir_loc_rec rec = {p->main_file, l->line, l->col, l->end_line, l->end_col, 0};
    if (l->file_name)
        rec.file = build_file(p->b, l->file_name, 0, 0);
    else if (l->has_file)
        rec.file = l->file_number;
    if (rec.file >= unit_of(p)->n_files)
        parser_fail(p, t, "there is no file %u: files are numbered from 1 in the order of their 'file' lines", rec.file);
    if (l->macro)
        rec.macro = token_str(p, l->macro);
    return build_loc(p->b, &rec);
}

ir_loc take_loc(struct parser *p, ir_loc otherwise)
{
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_LOC)
        return otherwise;
    p->at++;
    return make_loc(p, t);
}

uint32_t take_flags(struct parser *p, const struct word *words, const char *mark)
{
    uint32_t flags = 0;
    for (;;) {
        size_t back = p->at;
        if (*mark && !take_punct(p, mark))
            return flags;
        const struct token *t = peek_token(p);
        uint32_t value = t->kind == TOKEN_NAME && t->bare ? word_value(words, t->text, strlen(t->text)) : UINT32_MAX;
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

struct ir_range parse_annots(struct parser *p, ir_loc *loc)
{
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

/* ---- types ---- */

static uint64_t type_key(uint32_t class, uint32_t name)
{
    return key_pair(class, name);
}

/* An unnamed type, one record for equal ones. */
static ir_type derived_type(struct parser *p, struct ir_type_rec rec, const ir_type *params, uint32_t n_params)
{
    uint64_t h = hash_add(hash_add(key_pair(rec.kind, rec.flags), key_pair(rec.elem, rec.count)), key_pair(rec.name, rec.size));
    for (uint32_t i = 0; i < n_params; i++)
        h = hash_add(h, params[i]);
    const struct unit *u = unit_of(p);
    struct index_probe probe;
    for (probe = index_first(&p->derived, h); probe.id; index_next(&p->derived, &probe)) {
        const struct ir_type_rec *o = &u->types[probe.id];
        bool same = o->kind == rec.kind && o->flags == rec.flags && o->elem == rec.elem && o->count == rec.count &&
                    o->name == rec.name && o->size == rec.size && o->params.count == n_params;
        for (uint32_t i = 0; same && i < n_params; i++)
            same = u->type_refs[o->params.first + i] == params[i];
        if (same)
            return probe.id;
    }
    ir_type t = build_type_reserve(p->b);
    rec.params = build_type_refs(p->b, params, n_params);
    build_type_define(p->b, t, &rec);
    index_add(&p->derived, h, t);
    return t;
}

ir_type builtin_type(struct parser *p, const char *name)
{
    const struct builtin *b = builtin_named(name);
    if (!b)
        return derived_type(p, (struct ir_type_rec){.kind = IR_T_VOID}, NULL, 0);
    return derived_type(p, (struct ir_type_rec){.kind = b->kind, .flags = b->flags, .size = b->size, .name = token_str(p, name)},
                        NULL, 0);
}

ir_type pointer_type(struct parser *p, ir_type elem)
{
    return derived_type(p, (struct ir_type_rec){.kind = IR_T_POINTER, .elem = elem, .size = p->pointer_size}, NULL, 0);
}

ir_type inferred_type(struct parser *p, const struct ir_expr_rec *e)
{
    struct inferred i = infer_type(unit_of(p), e);
    switch (i.how) {
    case INFER_POINTER_TO: return pointer_type(p, i.type);
    case INFER_QUALIFIED:
        return derived_type(p, (struct ir_type_rec){.kind = IR_T_QUALIFIED, .flags = i.flags, .elem = i.type}, NULL, 0);
    case INFER_BUILTIN: return builtin_type(p, i.builtin);
    case INFER_POINTER_TO_BUILTIN: return pointer_type(p, builtin_type(p, i.builtin));
    default: return i.type;
    }
}

/* A named type that the text uses without describing it: a tag is incomplete, any other name opaque. */
static ir_type named_type(struct parser *p, uint32_t kind, const struct token *name)
{
    bool is_new;
    uint32_t key = name_key(p, name);
    uint32_t *place = map64_place(&p->types, type_key(kind == IR_T_TYPEDEF ? 0 : kind, key), &is_new);
    if (is_new) {
        *place = build_type_reserve(p->b);
        struct ir_type_rec rec = {.kind = kind, .name = token_str(p, name->text)};
        rec.flags = kind == IR_T_STRUCT || kind == IR_T_UNION ? IR_TF_INCOMPLETE : 0;
        build_type_define(p->b, *place, &rec);
    }
    return *place;
}

static uint32_t tag_kind(const struct parser *p)
{
    return at_word(p, "struct") ? IR_T_STRUCT : at_word(p, "union") ? IR_T_UNION : at_word(p, "enum") ? IR_T_ENUM : 0;
}

/* int, unsigned long int …: the longest run of such words. */
static ir_type parse_builtin_words(struct parser *p)
{
    const struct token *first = peek_token(p);
    char name[100] = "";
    size_t n = 0;
    for (const struct token *t = first; t->kind == TOKEN_NAME && t->bare && is_builtin_word(t->text, strlen(t->text)); t = peek_token(p)) {
        size_t length = strlen(t->text);
        if (n + length + 2 > sizeof name)
            break;
        if (n)
            name[n++] = ' ';
        memcpy(name + n, t->text, length + 1);
        n += length;
        p->at++;
    }
    static const char *const also[][2] = {{"unsigned", "unsigned int"}, {"signed", "int"}, {"signed int", "int"},
                                          {"long int", "long"}, {"unsigned long int", "unsigned long"}, {"short int", "short"}};
    for (size_t i = 0; i < sizeof also / sizeof *also; i++)
        if (!strcmp(name, also[i][0]))
            return builtin_type(p, also[i][1]);
    if (!builtin_named(name))
        parser_fail(p, first, "'%s' is no builtin type", name);
    return builtin_type(p, name);
}

static ir_type parse_function_type(struct parser *p)
{
    struct ir_type_rec rec = {.kind = IR_T_FUNCTION};
    struct type_list {
        ir_type type;
        struct type_list *next;
    } *first = NULL, **end = &first;
    uint32_t n = 0;
    want_punct(p, "(");
    while (!take_punct(p, ")")) {
        if (n)
            want_punct(p, ",");
        if (take_punct(p, "...")) {
            rec.flags = IR_TF_VARIADIC;
            want_punct(p, ")");
            break;
        }
        *end = arena_zalloc(&p->arena, sizeof **end);
        (*end)->type = parse_type(p);
        end = &(*end)->next;
        n++;
    }
    want_punct(p, "->");
    rec.elem = parse_type(p);
    ir_type *params = arena_array(&p->arena, ir_type, n);
    for (uint32_t i = 0; i < n; i++, first = first->next)
        params[i] = first->type;
    return derived_type(p, rec, params, n);
}

ir_type parse_type(struct parser *p)
{
    struct ir_type_rec rec = {0};
    ir_type t;
    nest(p);
    uint32_t tag = tag_kind(p);
    if (tag) {
        p->at++;
        t = named_type(p, tag, want_name(p));
    } else if (take_punct(p, "?")) {
        t = 0;
    } else if (take_punct(p, "*")) {
        t = pointer_type(p, parse_type(p));
    } else if (take_punct(p, "[")) {
        rec.kind = IR_T_ARRAY;
        rec.count = at_punct(p, "]") ? 0 : want_number(p);
        want_punct(p, "]");
        rec.elem = parse_type(p);
        t = derived_type(p, rec, NULL, 0);
    } else if (take_word(p, "vector")) {
        rec.kind = IR_T_VECTOR;
        want_punct(p, "[");
        rec.count = want_number(p);
        want_punct(p, "]");
        rec.elem = parse_type(p);
        t = derived_type(p, rec, NULL, 0);
    } else if (take_word(p, "func")) {
        t = parse_function_type(p);
    } else if (take_word(p, "void")) {
        t = builtin_type(p, "void");
    } else if (take_word(p, "va_list")) {
        t = derived_type(p, (struct ir_type_rec){.kind = IR_T_VA_LIST}, NULL, 0);
    } else if (take_word(p, "_Atomic")) {
        rec.kind = IR_T_ATOMIC;
        rec.elem = parse_type(p);
        t = derived_type(p, rec, NULL, 0);
    } else if (at_word(p, "const") || at_word(p, "volatile") || at_word(p, "restrict")) {
        rec.kind = IR_T_QUALIFIED;
        for (;;) {
            uint32_t q = take_word(p, "const") ? IR_TF_CONST : take_word(p, "volatile") ? IR_TF_VOLATILE
                         : take_word(p, "restrict") ? IR_TF_RESTRICT : 0;
            if (!q)
                break;
            rec.flags |= q;
        }
        rec.elem = parse_type(p);
        t = derived_type(p, rec, NULL, 0);
    } else if (peek_token(p)->kind == TOKEN_NAME) {
        const struct token *name = peek_token(p);
        if (name->bare && is_builtin_word(name->text, strlen(name->text))) {
            t = parse_builtin_words(p);
        } else {
            if (name->bare && name_needs_quotes(name->text))
                parser_fail(p, name, "'%s' is no type here; a type of that name stands in backquotes", name->text);
            p->at++;
            t = named_type(p, IR_T_TYPEDEF, name);
        }
    } else {
        parser_fail(p, peek_token(p), "a type is wanted here");
    }
    unnest(p);
    return t;
}

/* ---- declarations ---- */

static ir_type reserved_type(struct parser *p, uint32_t class, const struct token *name)
{
    return map64_get(&p->types, type_key(class, name_key(p, name)), 0);
}

static void parse_fields(struct parser *p, ir_type parent, struct ir_type_rec *rec, bool sized)
{
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

static void parse_tag(struct parser *p, uint32_t kind)
{
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

static void parse_typedef(struct parser *p)
{
    const struct token *name = want_name(p);
    struct ir_type_rec rec = {.kind = IR_T_TYPEDEF, .name = token_str(p, name->text)};
    want_punct(p, "=");
    rec.elem = parse_type(p);
    rec.flags = take_flags(p, type_words, "");
    rec.annots = parse_annots(p, &rec.loc);
    build_type_define(p->b, reserved_type(p, 0, name), &rec);
}

static void parse_builtin(struct parser *p)
{
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

static void declare(struct parser *p, const struct token *name, uint32_t what)
{
    bool is_new;
    uint32_t *place = map64_place(&p->file_scope, name_key(p, name), &is_new);
    if (!is_new)
        parser_fail(p, name, "'%s' is declared twice: a second one is written %s#2", name->text, name->text);
    *place = what;
}

static void parse_global(struct parser *p, uint32_t flags)
{
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

static struct param_list *parse_params(struct parser *p, uint32_t *n, uint32_t *flags)
{
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
static void skip_body(struct parser *p)
{
    for (uint32_t depth = 1; depth;) {
        const struct token *t = peek_token(p);
        if (t->kind == TOKEN_END)
            parser_fail(p, t, "a { is not closed");
        depth += at_punct(p, "{") ? 1 : 0;
        depth -= at_punct(p, "}") ? 1 : 0;
        p->at++;
    }
}

static void parse_function(struct parser *p)
{
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
        struct ir_type_rec rec = {.kind = IR_T_FUNCTION, .flags = f.flags & IR_FF_VARIADIC ? IR_TF_VARIADIC : 0};
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

ir_func implicit_function(struct parser *p, const struct token *name)
{
    ir_func id = build_function(p->b, &(struct ir_func_rec){.name = token_str(p, name->text)}, NULL, 0);
    declare(p, name, id | IS_FUNC);
    return id;
}

static void parse_note(struct parser *p)
{
    const struct token *kind = want_name(p);
    uint32_t value = word_value(note_words, kind->text, strlen(kind->text));
    if (value == UINT32_MAX)
        parser_fail(p, kind, "a note is one of 'error' and 'incomplete'");
    const char *text = want_string(p);
    build_note(p->b, value, text, take_loc(p, 0));
}

/* ---- passes ---- */

/* unit, directory, target, producer, pointer, file lines; the main file exists after it. */
static void parse_origin(struct parser *p)
{
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
static void reserve_types(struct parser *p)
{
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
                uint32_t *place = map64_place(&p->types, type_key(tag, name_key(p, name)), &is_new);
                if (!is_new)
                    parser_fail(p, name, "'%s' is described twice: a second one is written %s#2", name->text, name->text);
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

static void parse_declarations(struct parser *p)
{
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
            parser_fail(p, peek_token(p), "a declaration is wanted here: struct, union, enum, typedef, builtin, global, extern, func or note");
        }
        if (peek_token(p)->kind != TOKEN_END && peek_token(p)->kind != TOKEN_LINE)
            parser_fail(p, peek_token(p), "the end of the line is wanted here");
    }
}

/* ---- layout ---- */

/* Sizes of what the text leaves unsized, as on an ordinary machine: natural alignment, unions on top of each other. */
static uint32_t lay_out(struct parser *p, unsigned char *state, ir_type t, uint32_t depth)
{
    enum { NEW, BUSY, DONE, TO_LAY_OUT };
    const struct ir_type_rec *r = &unit_of(p)->types[t];
    if (state[t] == BUSY || state[t] == DONE || depth > MAX_NESTING || !t)
        return r->size;
    bool fill = state[t] == TO_LAY_OUT;
    state[t] = BUSY;
    struct ir_type_rec rec = *r;
    uint64_t size = rec.size;
    if (rec.kind == IR_T_ARRAY || rec.kind == IR_T_VECTOR)
        size = (uint64_t)lay_out(p, state, rec.elem, depth + 1) * rec.count;
    else if (rec.kind == IR_T_QUALIFIED || rec.kind == IR_T_ATOMIC || rec.kind == IR_T_TYPEDEF)
        size = lay_out(p, state, rec.elem, depth + 1);
    if (fill && (rec.kind == IR_T_STRUCT || rec.kind == IR_T_UNION)) {
        uint64_t end = 0;
        for (uint32_t i = 0; i < rec.fields.count; i++) {
            struct ir_field_rec f = unit_of(p)->fields[rec.fields.first + i];
            uint64_t bytes = lay_out(p, state, f.type, depth + 1);
            if (!bytes && unit_of(p)->types[type_core(unit_of(p), f.type)].kind != IR_T_ARRAY)
                bytes = p->pointer_size;
            uint64_t align = bytes >= 8 ? 8 : bytes >= 4 ? 4 : bytes >= 2 ? 2 : 1;
            uint64_t at = rec.kind == IR_T_UNION ? 0 : (end + align - 1) / align * align;
            f.bit_offset = (uint32_t)(at * 8);
            build_field_update(p->b, rec.fields.first + i, &f);
            end = at + bytes > end ? at + bytes : end;
        }
        size = (end + 7) / 8 * 8;
    }
    rec.size = (uint32_t)size;
    build_type_define(p->b, t, &rec);
    state[t] = DONE;
    return rec.size;
}

static void lay_out_types(struct parser *p)
{
    uint32_t n = unit_of(p)->n_types;
    unsigned char *state = xcalloc(n, 1);
    for (size_t i = 0; i < p->laid_out.n; i++)
        state[p->laid_out.at[i]] = 3;
    for (ir_type t = 1; t < n; t++)
        lay_out(p, state, t, 0);
    free(state);
}

static void parse(struct parser *p, const char *text, size_t len)
{
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

struct unit *unit_parse(const char *name, const char *text, size_t len, char *err, size_t err_size)
{
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
