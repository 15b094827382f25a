/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads the expressions of the text form and builds them.
 * Stands on text_expr.h. */
#include "text_expr.h"
#include <stdio.h>
#include <string.h>

/* ---- reading expressions ---- */

static struct node *new_node(struct body *b, uint32_t op) {
    struct node *n = arena_zalloc(&b->p->arena, sizeof *n);
    n->op = op;
    n->loc = LOC_INHERITED;
    n->at = peek_token(b->p);
    return n;
}

/* name, ::name, function::name */
static uint64_t find_name(struct body *b, const struct token *name, bool callee) {
    struct parser *p = b->p;
    if (take_punct(p, "::")) { /* `name` is a function, its static local follows */
        uint32_t f = map64_get(&p->file_scope, name_key(p, name), 0);
        if (!(f & IS_FUNC))
            parser_fail(p, name, "'%s' is no function here", name->text);
        const struct token *local = want_name(p);
        uint32_t *v = map64_find(&p->locals, key_pair(f & ~IS_FUNC, name_key(p, local)));
        if (!v || unit_of(p)->vars[*v].kind != IR_V_STATIC_LOCAL)
            parser_fail(p, local, "'%s' has no static local '%s'", name->text, local->text);
        return *v;
    }
    uint32_t *found = map64_find(&p->locals, key_pair(b->func, name_key(p, name)));
    if (!found)
        found = map64_find(&p->file_scope, name_key(p, name));
    if (!found && callee)
        return implicit_function(p, name) | IS_FUNC;
    if (!found)
        parser_fail(p, name, "nothing is named '%s' here", name->text);
    return *found;
}

static struct node *read_parentheses(struct body *b) {
    struct parser *p = b->p;
    const struct token *open = peek_token(p);
    want_punct(p, "(");
    struct node *n = read_expr(b);
    if (take_word(p, "as")) {
        struct node *cast = new_node(b, IR_E_CAST);
        cast->a = n;
        cast->at = open;
        cast->typed = true;
        cast->type = parse_type(p);
        n = cast;
    } else if (take_punct(p, ":")) {
        n->typed = true;
        n->type = parse_type(p);
    }
    want_punct(p, ")");
    return n;
}

struct node *read_primary(struct body *b, bool callee) {
    struct parser *p = b->p;
    struct node *n = new_node(b, IR_E_UNKNOWN);
    const struct token *t = n->at;
    static const struct {
        const char *word;
        uint32_t op, code;
    } plain[] = {{"unknown", IR_E_UNKNOWN, 0},
                 {"floating", IR_E_FLOAT, 0},
                 {"label", IR_E_LABEL, 0},
                 {"init", IR_E_INIT, 0},
                 {"zeroed", IR_E_INIT, 1}};
    if (t->kind == TOKEN_NUMBER) {
        n->op = IR_E_CONST;
        n->number = t->number;
        p->at++;
        return n;
    }
    if (t->kind == TOKEN_STRING) {
        n->op = IR_E_STRING;
        n->text = t->text;
        p->at++;
        return n;
    }
    if (t->kind == TOKEN_TEMP) {
        char name[16];
        snprintf(name, sizeof name, "%%%u", (unsigned)t->number);
        uint32_t *v = map64_find(&p->locals, key_pair(b->func, intern_string(&p->names, name) + 1));
        if (!v)
            parser_fail(p, t, "there is no temp %s here", name);
        n->op = NODE_NAME;
        n->number = *v;
        p->at++;
        return n;
    }
    if (at_punct(p, "("))
        return read_parentheses(b);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (take_word(p, plain[i].word)) {
            n->op = plain[i].op;
            n->code = plain[i].code;
            return n;
        }
    if (take_word(p, "null")) {
        n->op = IR_E_CONST;
        n->typed = true;
        n->type = pointer_type(p, builtin_type(p, "void"));
        return n;
    }
    if (take_word(p, "load")) {
        n->op = IR_E_LOAD;
        want_punct(p, "(");
        n->a = read_expr(b);
        want_punct(p, ")");
        return n;
    }
    n->op = NODE_NAME;
    if (take_punct(p, "::")) {
        const struct token *name = want_name(p);
        uint32_t *found = map64_find(&p->file_scope, name_key(p, name));
        if (!found && !callee)
            parser_fail(p, name, "nothing is named '::%s' here", name->text);
        n->number = found ? *found : (implicit_function(p, name) | IS_FUNC);
        return n;
    }
    if (t->kind != TOKEN_NAME || (t->bare && name_needs_quotes(t->text)))
        parser_fail(p, t,
                    t->kind == TOKEN_NAME
                        ? "'%s' is a word of the text form; as a name it stands in backquotes"
                        : "an expression is wanted here",
                    t->text);
    p->at++;
    n->number = find_name(b, t, callee);
    return n;
}

/* A position right behind, with no space between, is the expression's. */
static void read_own_loc(struct body *b, struct node *n) {
    const struct token *t = peek_token(b->p);
    if (t->kind == TOKEN_LOC && !t->spaced)
        n->loc = take_loc(b->p, 0);
}

/* A callee ends before its ( . */
struct node *read_postfix(struct body *b, bool callee) {
    struct parser *p = b->p;
    struct node *n = read_primary(b, callee);
    uint32_t depth = 0;
    for (;;) {
        read_own_loc(b, n);
        struct node *outer = new_node(b, IR_E_FIELD);
        if (at_punct(p, ".") || at_punct(p, "->")) {
            outer->op = at_punct(p, ".") ? IR_E_FIELD : NODE_ARROW;
            p->at++;
            if (take_punct(p, "{")) {
                outer->holder = parse_type(p);
                want_punct(p, "}");
            }
            outer->field = outer->at = peek_token(p);
            if (outer->field->kind != TOKEN_NAME && outer->field->kind != TOKEN_NUMBER)
                parser_fail(p, outer->field, "a field is wanted here");
            p->at++;
        } else if (take_punct(p, "[")) {
            outer->op = IR_E_INDEX;
            outer->b = read_expr(b);
            want_punct(p, "]");
        } else {
            p->nesting -= depth;
            return n;
        }
        outer->a = n;
        n = outer;
        nest(p);
        depth++;
    }
}

struct node *read_unary(struct body *b) {
    struct parser *p = b->p;
    const struct token *t = peek_token(p), *next = &p->tokens.list.at[p->at + 1];
    struct node *n = new_node(b, IR_E_UNARY);
    nest(p);
    if (at_punct(p, "-") && next->kind == TOKEN_NUMBER && !next->spaced) {
        p->at += 2;
        n->op = IR_E_CONST;
        n->number = 0 - next->number;
        read_own_loc(b, n);
    } else if (take_punct(p, "*")) {
        n->op = IR_E_DEREF;
        n->a = read_unary(b);
    } else if (take_punct(p, "&")) {
        n->op = IR_E_ADDR;
        n->a = read_unary(b);
    } else if (t->kind == TOKEN_PUNCT && word_value(unary_words, t->text, strlen(t->text)) != UINT32_MAX) {
        n->code = word_value(unary_words, t->text, strlen(t->text));
        p->at++;
        n->a = read_unary(b);
    } else {
        n = read_postfix(b, false);
    }
    unnest(p);
    return n;
}

static int precedence(uint32_t op) {
    static const int of[IR_B_OPS] = {
        [IR_B_OR] = 1,  [IR_B_XOR] = 2, [IR_B_AND] = 3, [IR_B_EQ] = 4,  [IR_B_NE] = 4,  [IR_B_LT] = 5,
        [IR_B_LE] = 5,  [IR_B_GT] = 5,  [IR_B_GE] = 5,  [IR_B_SHL] = 6, [IR_B_SHR] = 6, [IR_B_ADD] = 7,
        [IR_B_SUB] = 7, [IR_B_MUL] = 8, [IR_B_DIV] = 8, [IR_B_REM] = 8};
    return of[op];
}

static struct node *read_binary(struct body *b, int at_least) {
    struct parser *p = b->p;
    nest(p);
    struct node *left = read_unary(b);
    uint32_t depth = 0;
    for (;;) {
        const struct token *t = peek_token(p);
        uint32_t op =
            t->kind == TOKEN_PUNCT ? word_value(binary_words, t->text, strlen(t->text)) : UINT32_MAX;
        if (op == UINT32_MAX || precedence(op) < at_least)
            break;
        struct node *n = new_node(b, IR_E_BINARY);
        p->at++;
        n->code = op;
        n->a = left;
        n->b = read_binary(b, precedence(op) + 1);
        left = n;
        nest(p);
        depth++;
    }
    p->nesting -= depth;
    unnest(p);
    return left;
}

struct node *read_expr(struct body *b) {
    nest(b->p);
    struct node *n = read_binary(b, 1);
    unnest(b->p);
    return n;
}

/* ---- building them ---- */

static ir_expr finish_expr(struct body *b, const struct node *n, struct ir_expr_rec rec) {
    rec.type = n && n->typed ? n->type : inferred_type(b->p, &rec);
    return build_expr(b->p->b, &rec);
}

static bool is_place_node(const struct node *n) {
    return n->op == IR_E_DEREF || n->op == IR_E_FIELD || n->op == IR_E_INDEX || n->op == NODE_ARROW ||
           (n->op == NODE_NAME && !(n->number & IS_FUNC));
}

/* The field of a struct by name, looking into anonymous members; its path from the outside in. At most `max`
 * steps. */
static uint32_t field_path(const struct unit *u, ir_type holder, const char *name, ir_field *path,
                           uint32_t max) {
    struct ir_range fields = u->types[holder].fields;
    for (uint32_t i = 0; i < fields.count; i++)
        if (u->fields[fields.first + i].name &&
            !strcmp(unit_str(u, u->fields[fields.first + i].name), name)) {
            path[0] = fields.first + i;
            return 1;
        }
    for (uint32_t i = 0; i < fields.count && max > 1; i++) {
        ir_type t = type_core(u, u->fields[fields.first + i].type);
        uint32_t kind = u->types[t].kind;
        if (u->fields[fields.first + i].name || (kind != IR_T_STRUCT && kind != IR_T_UNION))
            continue;
        uint32_t n = field_path(u, t, name, path + 1, max - 1);
        if (n) {
            path[0] = fields.first + i;
            return n + 1;
        }
    }
    return 0;
}

static ir_expr build_field_of(struct body *b, const struct node *n, ir_expr base, ir_loc loc) {
    enum { DEEPEST = 16 };
    struct parser *p = b->p;
    const struct unit *u = unit_of(p);
    ir_type holder = type_core(u, n->holder ? n->holder : u->exprs[base].type);
    struct ir_range fields = u->types[holder].fields;
    ir_field path[DEEPEST];
    uint32_t steps = 1;
    if (n->field->kind == TOKEN_NUMBER) {
        if (n->field->number >= fields.count)
            parser_fail(p, n->field, "there is no field %u here", (unsigned)n->field->number);
        path[0] = fields.first + (uint32_t)n->field->number;
    } else {
        steps = field_path(u, holder, n->field->text, path, DEEPEST);
        const char *name = unit_str(u, u->types[holder].name);
        if (!steps && fields.count)
            parser_fail(p, n->field, "'%s' is no field of '%s'", n->field->text, name);
        else if (!steps)
            parser_fail(p, n->field,
                        "'%s' is asked of something with no fields; the struct may be named: .{struct s}%s",
                        n->field->text, n->field->text);
    }
    for (uint32_t i = 0; i < steps; i++)
        base = finish_expr(b, i + 1 == steps ? n : NULL,
                           (struct ir_expr_rec){.op = IR_E_FIELD, .a = base, .b = path[i], .loc = loc});
    return base;
}

ir_expr build_place(struct body *b, const struct node *n, ir_loc around) {
    ir_loc loc = n->loc != LOC_INHERITED ? n->loc : n->op == NODE_NAME ? 0 : around;
    struct ir_expr_rec rec = {.op = n->op, .loc = loc};
    switch (n->op) {
    case NODE_NAME:
        if (n->number & IS_FUNC)
            break;
        rec.op = IR_E_VAR;
        rec.a = (uint32_t)n->number;
        return finish_expr(b, n, rec);
    case IR_E_DEREF: rec.a = build_value(b, n->a, loc); return finish_expr(b, n, rec);
    case IR_E_FIELD: return build_field_of(b, n, build_place(b, n->a, loc), loc);
    case NODE_ARROW:
        rec.op = IR_E_DEREF;
        rec.a = build_value(b, n->a, loc);
        if (unit_of(b->p)->exprs[rec.a].loc)
            rec.loc = unit_of(b->p)->exprs[rec.a].loc;
        return build_field_of(b, n, finish_expr(b, NULL, rec), loc);
    case IR_E_INDEX:
        rec.a = build_value(b, n->a, loc);
        rec.b = build_value(b, n->b, loc);
        return finish_expr(b, n, rec);
    default: break;
    }
    parser_fail(b->p, n->at, "a place is wanted here: a variable, *p, s.f, p->f or a[i]");
}

/* A place where a value is wanted: its load, or the address of an array. */
static ir_expr build_load(struct body *b, const struct node *n, ir_loc around) {
    struct parser *p = b->p;
    const struct unit *u = unit_of(p);
    struct ir_expr_rec rec = {.op = IR_E_LOAD, .loc = n->loc != LOC_INHERITED ? n->loc : around};
    struct node place = *n;
    if (n->op == NODE_NAME) {
        const struct ir_var_rec *v = &u->vars[n->number];
        if (u->types[type_core(u, n->typed ? n->type : v->type)].kind != IR_T_ARRAY)
            place.loc = LOC_INHERITED; /* the position is the load's; of a temp there is none */
        if (v->kind == IR_V_TEMP && n->loc == LOC_INHERITED)
            rec.loc = 0;
    }
    rec.a = build_place(b, &place, around);
    if (u->types[type_core(u, u->exprs[rec.a].type)].kind == IR_T_ARRAY) {
        rec.op = IR_E_ADDR;
        rec.loc = 0;
    }
    return finish_expr(b, NULL, rec);
}

ir_expr build_value(struct body *b, const struct node *n, ir_loc around) {
    struct parser *p = b->p;
    ir_loc loc = n->loc != LOC_INHERITED ? n->loc : is_leaf(n->op) ? 0 : around;
    struct ir_expr_rec rec = {.op = n->op, .loc = loc};
    if (is_place_node(n))
        return build_load(b, n, around);
    switch (n->op) {
    case NODE_NAME:
        rec.op = IR_E_FUNC;
        rec.a = (uint32_t)n->number & ~IS_FUNC;
        break;
    case IR_E_CONST:
        rec.a = (uint32_t)n->number;
        rec.b = (uint32_t)(n->number >> 32);
        break;
    case IR_E_STRING: rec.a = token_str(p, n->text); break;
    case IR_E_INIT: rec.a = n->code; break;
    case IR_E_ADDR:
        if (n->a->op == NODE_NAME && (n->a->number & IS_FUNC))
            return build_value(b, n->a, loc);
        rec.a = build_place(b, n->a, loc ? loc : around);
        break;
    case IR_E_LOAD: rec.a = build_place(b, n->a, loc); break;
    case IR_E_CAST: rec.a = build_value(b, n->a, loc); break;
    case IR_E_UNARY:
        rec.a = build_value(b, n->a, loc);
        rec.b = n->code;
        break;
    case IR_E_BINARY:
        rec.a = build_value(b, n->a, loc);
        rec.b = build_value(b, n->b, loc);
        rec.c = n->code;
        break;
    default: break;
    }
    return finish_expr(b, n, rec);
}
