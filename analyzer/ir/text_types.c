/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Types in the text form: reads them, makes one record of equal ones, and lays out the structs that say no
 * size. Stands on text_parser.h. */
#include <stdlib.h>
#include <string.h>
#include "text_parser.h"

/* ---- reading ---- */

/* An unnamed type, one record for equal ones. */
ir_type derived_type(struct parser *p, struct ir_type_rec rec, const ir_type *params, uint32_t n_params) {
    uint64_t h = hash_add(hash_add(key_pair(rec.kind, rec.flags), key_pair(rec.elem, rec.count)),
                          key_pair(rec.name, rec.size));
    for (uint32_t i = 0; i < n_params; i++)
        h = hash_add(h, params[i]);
    const struct unit *u = unit_of(p);
    struct index_probe probe;
    for (probe = index_first(&p->derived, h); probe.id; index_next(&p->derived, &probe)) {
        const struct ir_type_rec *o = &u->types[probe.id];
        bool same = o->kind == rec.kind && o->flags == rec.flags && o->elem == rec.elem &&
                    o->count == rec.count && o->name == rec.name && o->size == rec.size &&
                    o->params.count == n_params;
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

ir_type builtin_type(struct parser *p, const char *name) {
    const struct builtin *b = builtin_named(name);
    if (!b)
        return derived_type(p, (struct ir_type_rec){.kind = IR_T_VOID}, NULL, 0);
    return derived_type(
        p,
        (struct ir_type_rec){.kind = b->kind, .flags = b->flags, .size = b->size, .name = token_str(p, name)},
        NULL, 0);
}

ir_type pointer_type(struct parser *p, ir_type elem) {
    return derived_type(p, (struct ir_type_rec){.kind = IR_T_POINTER, .elem = elem, .size = p->pointer_size},
                        NULL, 0);
}

ir_type inferred_type(struct parser *p, const struct ir_expr_rec *e) {
    struct inferred i = infer_type(unit_of(p), e);
    switch (i.how) {
    case INFER_POINTER_TO: return pointer_type(p, i.type);
    case INFER_QUALIFIED:
        return derived_type(p, (struct ir_type_rec){.kind = IR_T_QUALIFIED, .flags = i.flags, .elem = i.type},
                            NULL, 0);
    case INFER_BUILTIN: return builtin_type(p, i.builtin);
    case INFER_POINTER_TO_BUILTIN: return pointer_type(p, builtin_type(p, i.builtin));
    default: return i.type;
    }
}

/* A named type that the text uses without describing it: a tag is incomplete, any other name opaque. */
static ir_type named_type(struct parser *p, uint32_t kind, const struct token *name) {
    bool is_new;
    uint32_t key = name_key(p, name);
    uint32_t *place = map64_place(&p->types, key_pair(kind == IR_T_TYPEDEF ? 0 : kind, key), &is_new);
    if (is_new) {
        *place = build_type_reserve(p->b);
        struct ir_type_rec rec = {.kind = kind, .name = token_str(p, name->text)};
        rec.flags = kind == IR_T_STRUCT || kind == IR_T_UNION ? IR_TF_INCOMPLETE : 0;
        build_type_define(p->b, *place, &rec);
    }
    return *place;
}

uint32_t tag_kind(const struct parser *p) {
    return at_word(p, "struct")  ? IR_T_STRUCT
           : at_word(p, "union") ? IR_T_UNION
           : at_word(p, "enum")  ? IR_T_ENUM
                                 : 0;
}

/* int, unsigned long int …: the longest run of such words. */
static ir_type parse_builtin_words(struct parser *p) {
    const struct token *first = peek_token(p);
    char name[100] = "";
    size_t n = 0;
    for (const struct token *t = first;
         t->kind == TOKEN_NAME && t->bare && is_builtin_word(t->text, strlen(t->text)); t = peek_token(p)) {
        size_t length = strlen(t->text);
        if (n + length + 2 > sizeof name)
            break;
        if (n)
            name[n++] = ' ';
        memcpy(name + n, t->text, length + 1);
        n += length;
        p->at++;
    }
    static const char *const also[][2] = {{"unsigned", "unsigned int"},
                                          {"signed", "int"},
                                          {"signed int", "int"},
                                          {"long int", "long"},
                                          {"unsigned long int", "unsigned long"},
                                          {"short int", "short"}};
    for (size_t i = 0; i < sizeof also / sizeof *also; i++)
        if (!strcmp(name, also[i][0]))
            return builtin_type(p, also[i][1]);
    if (!builtin_named(name))
        parser_fail(p, first, "'%s' is no builtin type", name);
    return builtin_type(p, name);
}

static ir_type parse_function_type(struct parser *p) {
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

ir_type parse_type(struct parser *p) {
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
            uint32_t q = take_word(p, "const")      ? IR_TF_CONST
                         : take_word(p, "volatile") ? IR_TF_VOLATILE
                         : take_word(p, "restrict") ? IR_TF_RESTRICT
                                                    : 0;
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
                parser_fail(p, name, "'%s' is no type here; a type of that name stands in backquotes",
                            name->text);
            p->at++;
            t = named_type(p, IR_T_TYPEDEF, name);
        }
    } else {
        parser_fail(p, peek_token(p), "a type is wanted here");
    }
    unnest(p);
    return t;
}

/* ---- layout ---- */

/* Sizes of what the text leaves unsized, as on an ordinary machine: natural alignment, unions on top of each
 * other. */
static uint32_t lay_out(struct parser *p, unsigned char *state, ir_type t, uint32_t depth) {
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

void lay_out_types(struct parser *p) {
    uint32_t n = unit_of(p)->n_types;
    unsigned char *state = xcalloc(n, 1);
    for (size_t i = 0; i < p->laid_out.n; i++)
        state[p->laid_out.at[i]] = 3;
    for (ir_type t = 1; t < n; t++)
        lay_out(p, state, t, 0);
    free(state);
}
